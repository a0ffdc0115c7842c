//! Text of which nothing is known: lines, and pieces of long lines.
//!
//! What no strategy understands can still be too long.

use std::ops::Range;

use super::form::{Form, Kept, Unit, value};
use super::marker;
use super::query::Query;
use super::tokens;
use super::words::boundary;
use crate::cancel::{self, CancelToken};
use crate::error::Error;

/// Bytes from which a line is cut into pieces, and of a piece.
const LONG: usize = 600;
const PIECE: usize = 240;

/// Words that make a line worth keeping, in small letters.
const ALARMS: [&[u8]; 6] = [b"error", b"fail", b"exception", b"fatal", b"panic", b"denied"];

#[derive(Debug)]
pub struct Plain<'a> {
    text: &'a str,
    /// Where each unit ends.
    ends: Vec<usize>,
}

impl<'a> Plain<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut ends = Vec::with_capacity(text.len() / 64);
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len().saturating_sub(1)]) {
            let end = newline + 1;
            if end <= start || text.is_empty() {
                continue;
            }
            if ends.len().is_multiple_of(1024) && cancel::is_interrupted() {
                break;
            }
            if end - start > LONG {
                cut(text, start..end, &mut ends);
            } else {
                ends.push(end);
            }
            start = end;
        }
        Self { text, ends }
    }

    pub fn units(&self) -> impl Iterator<Item = &'a str> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }
}

/// Cuts a long line where a word ends, or somewhere.
fn cut(text: &str, line: Range<usize>, ends: &mut Vec<usize>) {
    let mut start = line.start;
    while line.end - start > 2 * PIECE {
        if ends.len().is_multiple_of(1024) && cancel::is_interrupted() {
            break;
        }
        let window = start + PIECE / 2..boundary(text, start + PIECE);
        let space = text.as_bytes()[window.clone()].iter().rposition(|byte| matches!(byte, b' ' | b','));
        start = space.map_or(window.end, |at| window.start + at + 1);
        ends.push(start);
    }
    ends.push(line.end);
}

fn is_alarm(text: &str) -> bool {
    let bytes = text.as_bytes();
    ALARMS.iter().any(|alarm| {
        let (small, large) = (alarm[0], alarm[0].to_ascii_uppercase());
        memchr::memchr2_iter(small, large, bytes)
            .any(|at| bytes.get(at..at + alarm.len()).is_some_and(|found| found.eq_ignore_ascii_case(alarm)))
    })
}

impl Form for Plain<'_> {
    fn transforms(&self) -> &'static [&'static str] {
        &["lines"]
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn weigh(&self, query: &Query, cancel: &CancelToken) -> Result<Vec<Unit>, Error> {
        let ranks = query.rank(self.units());
        let mut units = Vec::with_capacity(self.len());
        for (at, (text, rank)) in self.units().zip(ranks).enumerate() {
            if at % 256 == 0 {
                cancel.check()?;
            }
            let is_end = at < 3 || at + 3 >= self.len();
            let mut worth = value::ORDINARY + rank * value::QUERY;
            if is_end {
                worth += value::CONTEXT;
            }
            let named = query.names(text);
            if named {
                worth += value::QUERY;
            }
            if is_alarm(text) {
                worth += value::ERROR;
            }
            units.push(Unit {
                cost: tokens::estimate(text) as u32,
                value: worth,
                must: false,
                group: at as u32,
            });
        }
        Ok(units)
    }

    fn write(&self, kept: Kept<'_>, out: &mut String) {
        let mut missing = 0;
        let mut ends_line = true;
        for (at, text) in self.units().enumerate() {
            if kept.has(at) {
                flush(missing, ends_line, out);
                out.push_str(text);
                missing = 0;
            } else {
                missing += 1;
            }
            ends_line = text.ends_with('\n');
        }
        flush(missing, false, out);
    }
}

fn flush(missing: usize, ends_line: bool, out: &mut String) {
    if missing > 0 {
        marker::gap(out, missing, "line", "");
        if ends_line {
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn alarms_and_ends_are_worth_most() {
        let text = "one\ntwo\nthree\nfour\nfive\nan ERROR here\nsix\nseven\neight\nnine\nten\n";
        let units = Plain::new(text).weigh(&Query::new("seven"), &CancelToken::new()).unwrap();
        let best = units.iter().map(|unit| unit.value).fold(0.0, f32::max);
        assert!(units[5].value >= best);
        assert!(units[7].value > units[0].value && units[0].value > units[4].value);
    }

    #[test]
    fn gaps_say_how_many() {
        let form = Plain::new("a\nb\nc\nd");
        let mut out = String::new();
        form.write(Kept::Some(&[true, false, false, true]), &mut out);
        assert_eq!(out, "a\n[… 2 lines left out]\nd");
    }

    proptest! {
        #[test]
        fn all_units_are_the_text(text in "(.{0,40}\n?){0,20}", long in "[a-zé ,]{0,3000}") {
            let text = text + &long;
            let form = Plain::new(&text);
            let mut out = String::new();
            form.write(Kept::All, &mut out);
            prop_assert_eq!(&out, &text);
            prop_assert!(form.units().all(|unit| unit.len() <= LONG.max(2 * PIECE)));
        }
    }
}
