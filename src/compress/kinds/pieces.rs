//! Texts whose units are lines, or pieces of long lines: what most line-based kinds have in common.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;

use super::log::mix;
use super::survey::survey;
use crate::cancel::{self, CancelToken};
use crate::compress::form::{Form, Kept, Unit, value};
use crate::compress::marker;
use crate::compress::query::Query;
use crate::compress::signal::{self, Severity};
use crate::compress::words::boundary;
use crate::error::Error;

/// Lines longer than this are cut where a sentence or a word ends.
const LONG: usize = 600;
/// The length of their pieces.
const PIECE: usize = 240;
/// So many first ones of an error are kept whatever the budget.
const MOST_FIRSTS: usize = 256;
/// One token in so many may be kept whatever the budget, for what tells much by itself, and for what the query makes more
/// of.
pub(super) const TELLING_SHARE: u64 = 10;
pub(super) const ASKED_SHARE: u64 = 25;
/// Tokens of a text of which these are parts; of what a text has beyond them, a twentieth of that.
const AMPLE: u64 = 80_000;
/// Units between two looks at whether to go on.
const CHECK: usize = 512;

/// A piece of text that is kept or left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub start: u32,
    pub end: u32,
    /// What it is, in the words of its kind: an index into [`Strategy::LABELS`].
    pub label: u8,
    /// What it belongs to: a file, a test, a hunk.
    pub part: u32,
}

/// What a kind of text does differently from others.
pub(super) trait Strategy: Send + Sized {
    /// Names of what units are, for what is said about those left out; an empty one is not named.
    const LABELS: &'static [&'static str] = &[""];
    const TRANSFORMS: &'static [&'static str];

    /// Cuts the text into pieces, which cover it.
    fn cut(text: &str) -> Vec<Piece> {
        lines(text, |_| 0)
    }

    /// Writes all of it in a shorter way.
    fn write(text: &str, out: &mut String);

    /// Writes some of it, which has no gaps.
    fn write_part(text: &str, out: &mut String) {
        out.push_str(text);
    }

    /// Whether shapes that are rare and numbers out of the ordinary tell something.
    const SURVEYED: bool = false;

    /// Changes what pieces are worth by what they are.
    fn weigh(pieces: &Pieces<'_, Self>, units: &mut [Unit]);

    /// What some pieces are that are left out, in a few words.
    fn describe(pieces: &Pieces<'_, Self>, left_out: std::ops::Range<usize>) -> String {
        pieces.count_labels(left_out)
    }

    /// Whether error words mean what they say in this kind of text.
    fn heeds_signals(_label: u8) -> bool {
        true
    }
}

#[derive(Debug)]
pub(super) struct Pieces<'a, S> {
    pub text: &'a str,
    pub list: Vec<Piece>,
    strategy: PhantomData<S>,
}

impl<'a, S: Strategy> Pieces<'a, S> {
    pub(super) fn new(text: &'a str) -> Option<Self> {
        // Positions are of 32 bits.
        (text.len() < u32::MAX as usize / 2).then(|| Self { text, list: S::cut(text), strategy: PhantomData })
    }

    pub(super) fn get(&self, index: usize) -> &'a str {
        let piece = self.list[index];
        &self.text[piece.start as usize..piece.end as usize]
    }

    fn texts(&self) -> impl Iterator<Item = &'a str> + Clone + '_ {
        (0..self.list.len()).map(|index| self.get(index))
    }

    fn by_signals(&self, units: &mut [Unit], cancel: &CancelToken) -> Result<(), Error> {
        let mut seen = HashSet::new();
        for (index, unit) in units.iter_mut().enumerate() {
            if index % CHECK == 0 {
                cancel.check()?;
            }
            if !S::heeds_signals(self.list[index].label) {
                continue;
            }
            let text = self.get(index);
            let severity = signal::severity(text);
            if severity == Severity::Ordinary {
                continue;
            }
            unit.value += if severity == Severity::Warning { value::NOTABLE } else { value::ERROR };
            if severity > Severity::Warning && seen.len() < MOST_FIRSTS && seen.insert(without_digits(text)) {
                unit.must = true;
            }
        }
        Ok(())
    }

    fn write_gap(&self, left_out: std::ops::Range<usize>, out: &mut String) {
        let range = self.list[left_out.start].start as usize..self.list[left_out.end - 1].end as usize;
        let text = &self.text[range.clone()];
        let begins_line = range.start == 0 || self.text.as_bytes()[range.start - 1] == b'\n';
        let ends_line = text.ends_with('\n') || range.end == self.text.len();
        if begins_line && ends_line {
            let lines =
                memchr::memchr_iter(b'\n', text.as_bytes()).count() + usize::from(!text.ends_with('\n'));
            marker::gap(out, lines, "line", &S::describe(self, left_out));
        } else {
            marker::gap(out, left_out.len(), "piece", &S::describe(self, left_out));
        }
        if text.ends_with('\n') {
            out.push('\n');
        }
    }

    /// How many of each label there are in some pieces: `3 passed, 2 compiled`.
    pub(super) fn count_labels(&self, pieces: std::ops::Range<usize>) -> String {
        let mut counts = vec![0; S::LABELS.len()];
        for piece in &self.list[pieces] {
            if let Some(count) = counts.get_mut(piece.label as usize) {
                *count += 1;
            }
        }
        let named = S::LABELS.iter().zip(counts).filter(|(label, count)| !label.is_empty() && *count > 0);
        named.map(|(label, count)| format!("{count} {label}")).collect::<Vec<_>>().join(", ")
    }
}

impl<S: Strategy> Form for Pieces<'_, S> {
    fn transforms(&self) -> &'static [&'static str] {
        S::TRANSFORMS
    }

    fn len(&self) -> usize {
        self.list.len()
    }

    fn weigh(&self, query: &Query, cancel: &CancelToken) -> Result<Vec<Unit>, Error> {
        let mut units: Vec<Unit> = self
            .list
            .iter()
            .enumerate()
            .map(|(index, piece)| Unit {
                cost: (piece.end - piece.start) / 4 + 1,
                value: value::ORDINARY,
                must: false,
                // Pieces are of groups of their own unless their kind says otherwise.
                group: index as u32,
            })
            .collect();
        self.by_signals(&mut units, cancel)?;
        let length = units.len();
        for unit in &mut units[..length.min(3)] {
            unit.value += value::CONTEXT;
        }
        for unit in &mut units[length.saturating_sub(3)..] {
            unit.value += value::CONTEXT;
        }
        S::weigh(self, &mut units);
        cancel.check()?;
        if S::SURVEYED {
            for (index, (worth, family)) in survey(self.texts()).into_iter().enumerate() {
                units[index].value += worth;
                // Unless the kind knows better.
                if units[index].group == index as u32 {
                    units[index].group = family;
                }
            }
            cancel.check()?;
        }
        promote(&mut units, TELLING_SHARE);
        for (unit, found) in units.iter_mut().zip(query.matches(self.texts())) {
            unit.add(found);
        }
        promote(&mut units, ASKED_SHARE);
        cancel.check()?;
        Ok(units)
    }

    fn write(&self, kept: Kept<'_>, out: &mut String) {
        let Kept::Some(flags) = kept else { return S::write(self.text, out) };
        if kept.is_all() {
            return S::write(self.text, out);
        }
        let mut at = 0;
        while at < flags.len() {
            let run = flags[at..].iter().take_while(|kept| **kept == flags[at]).count();
            if flags[at] {
                let (first, last) = (self.list[at], self.list[at + run - 1]);
                S::write_part(&self.text[first.start as usize..last.end as usize], out);
            } else {
                self.write_gap(at..at + run, out);
            }
            at += run;
        }
    }
}

/// What tells much is kept whatever the budget, as long as that is little of the whole: who asks for a tenth does not want
/// the one line in a thousand that is unlike the others to be left out.
pub(super) fn promote(units: &mut [Unit], share: u64) {
    let total: u64 = units.iter().map(|unit| u64::from(unit.cost)).sum();
    let mut telling: Vec<u32> = (0..units.len() as u32)
        .filter(|index| !units[*index as usize].must && units[*index as usize].value >= value::RARE * 0.75)
        .collect();
    telling.sort_by(|a, b| units[*b as usize].value.total_cmp(&units[*a as usize].value).then(a.cmp(b)));
    let mut groups: HashMap<u32, u32> = HashMap::new();
    // Of a very long text, less: nobody reads a tenth of 50 MB.
    let mut room = (total / share).min(AMPLE / share + total / (20 * share));
    for index in telling {
        let unit = &mut units[index as usize];
        // Not all of the same errors.
        let count = groups.entry(unit.group).or_default();
        *count += 1;
        let most = if unit.value >= value::ERROR { 16 } else { 4 };
        if *count > most {
            continue;
        }
        let Some(rest) = room.checked_sub(u64::from(unit.cost)) else { break };
        room = rest;
        unit.must = true;
    }
}

/// A hash of a text that is the same whatever its numbers are.
fn without_digits(text: &str) -> u64 {
    text.as_bytes().split(u8::is_ascii_digit).filter(|part| !part.is_empty()).fold(0, mix)
}

/// Lines as pieces, long ones in several; `label` says what a line is.
pub(super) fn lines(text: &str, mut label: impl FnMut(&str) -> u8) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(text.len() / 48 + 1);
    let mut start = 0;
    while start < text.len() {
        let end = memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |at| start + at + 1);
        if pieces.len() % CHECK == 0 && cancel::is_interrupted() {
            break;
        }
        let label = label(&text[start..end]);
        split_long(text, start..end, label, &mut pieces);
        start = end;
    }
    pieces
}

/// A line as one piece, or several of about [`PIECE`] bytes.
pub(super) fn split_long(text: &str, line: std::ops::Range<usize>, label: u8, pieces: &mut Vec<Piece>) {
    let mut start = line.start;
    let mut add = |start: usize, end: usize| {
        pieces.push(Piece { start: start as u32, end: end as u32, label, part: 0 });
    };
    if line.len() > LONG {
        while line.end - start > 2 * PIECE {
            let limit = boundary(text, start + PIECE);
            let window = &text[boundary(text, start + PIECE / 2)..limit];
            let sentence = window.rfind(". ").map(|at| at + 2);
            let cut = sentence.or_else(|| window.rfind([' ', ',', ';', '&', '/']).map(|at| at + 1));
            let end = limit - window.len() + cut.unwrap_or(window.len());
            add(start, end);
            start = end;
        }
    }
    add(start, line.end);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_cover_the_text(text in "(.{0,60}\n){0,10}", long in "[a-zé., ]{0,3000}") {
            let text = text + &long;
            let pieces = lines(&text, |_| 0);
            let whole: String = pieces.iter().map(|piece| &text[piece.start as usize..piece.end as usize]).collect();
            prop_assert_eq!(whole, text);
            prop_assert!(pieces.iter().all(|piece| piece.end - piece.start <= LONG as u32));
        }
    }
}
