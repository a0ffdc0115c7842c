//! Lines grouped by what they have in common, in one pass.
//!
//! The first step of Drain (He et al., ICWS 2017) without its tree: words with digits are values, and lines with the same
//! text around their values are a group. The second step, [`super::merge`], finds words without digits that vary, too.

use std::collections::HashMap;

use super::super::stamp::{self, Date};
use crate::cancel;

/// A piece of the text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub(super) fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }

    pub(super) fn bytes(self, text: &str) -> &[u8] {
        &text.as_bytes()[self.start as usize..self.end as usize]
    }
}

/// Groups of lines that no template is made of.
pub(super) const BLANK: u32 = u32::MAX;
/// Long lines, or with too many values.
pub(super) const OPAQUE: u32 = u32::MAX - 1;

/// Lines longer than this are left as they are.
const MOST_BYTES: usize = 8 << 10;
/// The values of a line have a bit each in [`Group::varying`].
const MOST_VALUES: usize = 64;

#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub span: Span,
    pub group: u32,
    /// Its first value in [`Mined::values`].
    pub values: u32,
    /// Which of its values is its time, [`NO_STAMP`] without one.
    pub stamp: u8,
    /// Where in its time the hours begin.
    pub clock: u8,
}

pub(super) const NO_STAMP: u8 = u8::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// The line that stands for it.
    pub first: u32,
    pub count: u32,
    pub values: u8,
    /// A bit for each value that is not the same in all of its lines.
    pub varying: u64,
}

#[derive(Debug)]
pub(super) struct Mined<'a> {
    pub text: &'a str,
    pub lines: Vec<Line>,
    pub values: Vec<Span>,
    pub groups: Vec<Group>,
    /// How the log writes dates.
    pub date: Date,
}

pub(super) fn mine(text: &str) -> Mined<'_> {
    let mut mined = Mined {
        text,
        lines: Vec::with_capacity(text.len() / 96 + 8),
        values: Vec::with_capacity(text.len() / 24 + 8),
        groups: Vec::new(),
        date: usual_date(text),
    };
    let mut known = HashMap::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    while start < bytes.len() {
        if mined.lines.len().is_multiple_of(512) && cancel::is_interrupted() {
            break;
        }
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
        mined.add(start, end, &mut known);
        start = end + 1;
    }
    mined
}

/// The way of writing dates that most of the first lines have.
fn usual_date(text: &str) -> Date {
    let mut seen: Vec<(Date, usize)> = Vec::new();
    for line in text.lines().take(64) {
        let Some(stamp) = stamp::find(line.as_bytes()) else { continue };
        match seen.iter_mut().find(|(date, _)| *date == stamp.date) {
            Some((_, count)) => *count += 1,
            None => seen.push((stamp.date, 1)),
        }
    }
    // Of equals the first, for the same answer each time.
    seen.iter().rev().max_by_key(|(_, count)| *count).map_or(Date::None, |(date, _)| *date)
}

impl Mined<'_> {
    fn add(&mut self, start: usize, end: usize, known: &mut HashMap<u64, u32>) {
        let bytes = &self.text.as_bytes()[..end];
        let first = self.values.len();
        let mut line = Line {
            span: Span::new(start, end),
            group: OPAQUE,
            values: first as u32,
            stamp: NO_STAMP,
            clock: 0,
        };
        if start == end {
            line.group = BLANK;
        } else if end - start <= MOST_BYTES {
            let stamp = stamp::find(&bytes[start..]).filter(|stamp| stamp.date == self.date);
            let mut masked = Masked { bytes, from: start, hash: 0, values: &mut self.values };
            if let Some(stamp) = stamp {
                masked.words(start, start + stamp.start);
                line.stamp = (masked.values.len() - first) as u8;
                line.clock = (stamp.clock - stamp.start) as u8;
                masked.value(start + stamp.start, start + stamp.end);
                masked.words(start + stamp.end, end);
            } else {
                masked.words(start, end);
            }
            let hash = masked.finish(line.stamp);
            if self.values.len() - first > MOST_VALUES {
                self.values.truncate(first);
                line.stamp = NO_STAMP;
            } else {
                line.group = self.group(hash, &line, known);
            }
        }
        if line.group == OPAQUE {
            self.values.truncate(first);
            line.stamp = NO_STAMP;
        }
        self.lines.push(line);
    }

    fn group(&mut self, hash: u64, line: &Line, known: &mut HashMap<u64, u32>) -> u32 {
        let values = self.values.len() - line.values as usize;
        let new = self.groups.len() as u32;
        let id = *known.entry(hash).or_insert(new);
        if id == new {
            let first = self.lines.len() as u32;
            self.groups.push(Group { first, count: 1, values: values as u8, varying: 0 });
            return id;
        }
        match self.compare(id, line, values) {
            Some(varying) => {
                let group = &mut self.groups[id as usize];
                group.count += 1;
                group.varying |= varying;
                id
            }
            // Another text with the same hash.
            None => OPAQUE,
        }
    }

    /// Which values differ from those of the group's first line; nothing where the text around them does.
    fn compare(&self, group: u32, line: &Line, count: usize) -> Option<u64> {
        let group = &self.groups[group as usize];
        let other = &self.lines[group.first as usize];
        if group.values as usize != count || other.stamp != line.stamp {
            return None;
        }
        let bytes = self.text.as_bytes();
        let ours = &self.values[line.values as usize..][..count];
        let theirs = &self.values[other.values as usize..][..count];
        let (mut from, mut their_from) = (line.span.start, other.span.start);
        let mut varying = 0;
        let same = |a: Span, b: Span| {
            bytes[a.start as usize..a.end as usize] == bytes[b.start as usize..b.end as usize]
        };
        for (index, (value, theirs)) in ours.iter().zip(theirs).enumerate() {
            if !same(Span { start: from, end: value.start }, Span { start: their_from, end: theirs.start }) {
                return None;
            }
            varying |= u64::from(!same(*value, *theirs)) << index;
            (from, their_from) = (value.end, theirs.end);
        }
        let rest =
            same(Span { start: from, end: line.span.end }, Span { start: their_from, end: other.span.end });
        rest.then_some(varying)
    }

    /// A value of a line.
    pub(super) fn value(&self, line: &Line, index: usize) -> Span {
        self.values[line.values as usize + index]
    }
}

/// A line being cut into values and the text around them.
struct Masked<'a> {
    bytes: &'a [u8],
    /// Where the text since the last value begins.
    from: usize,
    hash: u64,
    values: &'a mut Vec<Span>,
}

impl Masked<'_> {
    /// Finds the words with digits.
    fn words(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            if CLASS[self.bytes[at] as usize] == 0 {
                at += 1;
                continue;
            }
            let start = at;
            let mut seen = 0;
            while at < to {
                let class = CLASS[self.bytes[at] as usize];
                if class == 0 {
                    break;
                }
                seen |= class;
                at += 1;
            }
            if seen & DIGIT != 0 {
                self.value(start, word_end(self.bytes, at));
            }
        }
    }

    fn value(&mut self, start: usize, end: usize) {
        self.hash = mix(self.hash, &self.bytes[self.from..start]);
        self.values.push(Span::new(start, end));
        self.from = end;
    }

    fn finish(self, stamp: u8) -> u64 {
        mix(self.hash, &self.bytes[self.from..]) ^ u64::from(stamp)
    }
}

/// Without the full stop or dash at its end, which is the sentence's.
pub(super) fn word_end(bytes: &[u8], mut end: usize) -> usize {
    while matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    end
}

pub(super) const WORD: u8 = 1;
pub(super) const DIGIT: u8 = 2;

/// What words are made of: letters, digits, and what ids, addresses and fractions have within.
pub(super) const CLASS: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let at = byte as u8;
        if at.is_ascii_digit() {
            classes[byte] = DIGIT;
        } else if at.is_ascii_alphabetic() || at >= 0x80 || matches!(at, b'_' | b'-' | b'.' | b'$') {
            classes[byte] = WORD;
        }
        byte += 1;
    }
    classes
};

/// A fast hash of a piece and what was before it. Who depends on it compares the texts as well.
pub(in super::super) fn mix(hash: u64, piece: &[u8]) -> u64 {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let step = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(PRIME);
    let (words, rest) = piece.as_chunks::<8>();
    let mut hash = step(hash, piece.len() as u64);
    for word in words {
        hash = step(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    hash = step(hash, u64::from_le_bytes(last));
    hash ^ (hash >> 29)
}
