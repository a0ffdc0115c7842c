//! Lines, of which a ring has each in one record or in several.

use super::layout::record;
use super::render::render;
use super::ring::{Record, Ring, Slot};

/// What a ring has at a position, in lines.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing yet.
    Nothing,
    /// A whole line.
    Line { next: u32 },
    /// A line that is damaged.
    Torn { next: u32 },
    /// A part of a line that the ring never has as a whole.
    Part(Record<'a>),
}

/// Appends the line at `position`, which is the head, or behind a line; nothing, if it is not whole.
pub fn line<'a>(ring: &'a Ring, position: u32, out: &mut Vec<u8>) -> Found<'a> {
    let start = out.len();
    let found = whole(ring, position, out);
    if !matches!(found, Found::Line { .. }) {
        out.truncate(start);
    }
    found
}

fn whole<'a>(ring: &'a Ring, position: u32, out: &mut Vec<u8>) -> Found<'a> {
    let mut next = position;
    loop {
        let is_first = next == position;
        match ring.read(next) {
            Slot::Empty if is_first => return Found::Nothing,
            Slot::Empty => return Found::Torn { next },
            Slot::Torn { next } => return Found::Torn { next },
            Slot::Record(part) if part.kind == record::LARGE || part.kind == record::MORE && is_first => {
                return if is_first { Found::Part(part) } else { Found::Torn { next } };
            }
            // Another line: the rest of the one before is not there.
            Slot::Record(part) if !is_first && part.kind != record::MORE => return Found::Torn { next },
            Slot::Record(part) => {
                let makes_sense = render(&part, out);
                next = part.next;
                if !makes_sense {
                    return Found::Torn { next };
                }
                if !part.continues {
                    return Found::Line { next };
                }
            }
        }
    }
}
