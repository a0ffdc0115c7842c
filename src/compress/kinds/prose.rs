//! Prose, and lines of which nothing is known. Units are sentences where lines are long, and lines elsewhere.

use super::fold;
use super::pieces::{Piece, Pieces, Strategy, split_long};
use crate::cancel;
use crate::compress::form::{Unit, value};

#[derive(Debug)]
pub(super) struct Prose;

/// Lines from this length on are cut into sentences.
const PARAGRAPH: usize = 160;

impl Strategy for Prose {
    const SURVEYED: bool = true;
    const TRANSFORMS: &'static [&'static str] = &["repeats"];

    fn cut(text: &str) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::with_capacity(text.len() / 64 + 1);
        let mut start = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if index % 1024 == 0 && cancel::is_interrupted() {
                break;
            }
            let end = start + line.len();
            // Empty lines in a row are one piece.
            if line == "\n"
                && let Some(piece) = pieces.last_mut()
                && text.as_bytes()[piece.start as usize] == b'\n'
            {
                piece.end = end as u32;
            } else if line.len() > PARAGRAPH {
                for (from, to) in sentences(line) {
                    split_long(text, start + from..start + to, 0, &mut pieces);
                }
            } else {
                split_long(text, start..end, 0, &mut pieces);
            }
            start = end;
        }
        pieces
    }

    fn write(text: &str, out: &mut String) {
        fold::write(text, out);
    }

    fn write_part(text: &str, out: &mut String) {
        fold::write(text, out);
    }

    fn weigh(pieces: &Pieces<'_, Self>, units: &mut [Unit]) {
        let mut begins_paragraph = true;
        for (index, unit) in units.iter_mut().enumerate() {
            let text = pieces.get(index);
            let is_blank = text.trim().is_empty();
            if is_blank {
                unit.value = 0.01;
            } else if is_heading(text) {
                unit.value += value::CONTEXT * 1.5;
            } else if begins_paragraph {
                unit.value += value::CONTEXT / 2.0;
            }
            begins_paragraph = is_blank;
        }
    }
}

fn is_heading(text: &str) -> bool {
    text.starts_with('#') || (text.len() < 60 && text.trim_end().ends_with(':'))
}

/// Sentences of a line, in bytes of it; what ends one is a mark and a space.
fn sentences(line: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let bytes = line.as_bytes();
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == bytes.len() {
            return None;
        }
        let from = start;
        let mut at = start;
        while at < bytes.len() {
            let mark = match bytes[at] {
                b'.' | b'!' | b'?' if bytes.get(at + 1) == Some(&b' ') && at - from > 24 => 2,
                // The full stop of Chinese and Japanese.
                0xE3 if bytes[at..].starts_with("。".as_bytes()) => 3,
                _ => {
                    at += 1;
                    continue;
                }
            };
            start = at + mark;
            return Some((from, start));
        }
        start = bytes.len();
        Some((from, start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_cover_a_line() {
        let line = "This is the first sentence of all. And here comes the next one! Is there a third? 猫がいる。犬もいる。\n";
        let found: Vec<&str> = sentences(line).map(|(from, to)| &line[from..to]).collect();
        assert_eq!(found.concat(), line);
        assert_eq!(found[0], "This is the first sentence of all. ");
        assert!(found.len() >= 4, "{found:?}");
    }
}
