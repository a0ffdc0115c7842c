//! Source code, as files are shown: with line numbers or without.
//!
//! Lossless: of numbers in order only every tenth is written. Lossy: definitions are kept, bodies go first.

use std::fmt::Write;

use super::begins_with_any;
use super::pieces::{Piece, Pieces, Strategy};
use crate::compress::form::{Unit, value};

#[derive(Debug)]
pub(super) struct Code;

/// Lines of a body that are one unit.
const MOST_LINES: usize = 8;
/// So many lines numbered in a row are worth a word about their numbers.
const FEWEST_NUMBERED: u64 = 12;
const EVERY: u64 = 10;
/// What ends the word about them.
const HEAD_END: &str = ", every tenth numbered]\n";

const BODY: u8 = 0;
const DEFINITION: u8 = 1;
const IMPORT: u8 = 2;
const COMMENT: u8 = 3;
const MARKED: u8 = 4;
const BLANK: u8 = 5;

/// The number before a line of a file, with the length of the whole prefix: `12:`, `    12\t`, `12|`, `12→`.
pub(super) fn number(line: &str) -> Option<(u64, usize)> {
    let bytes = line.as_bytes();
    let blank = bytes.iter().take(8).take_while(|byte| **byte == b' ').count();
    let digits = bytes[blank..].iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 7 {
        return None;
    }
    let end = blank + digits;
    let mark = match &bytes[end..] {
        [b':' | b'\t' | b'|', ..] => 1,
        [b' ', b'|', ..] => 2,
        [0xE2, 0x86, 0x92, ..] => 3,
        _ => return None,
    };
    Some((line[blank..end].parse().ok()?, end + mark))
}

/// Whether a line looks like the source of a program.
pub(super) fn looks_like(line: &str) -> bool {
    let end = line.trim_end();
    end.ends_with(['{', ';', '}']) && !end.ends_with("};}")
        || is_definition(end)
        || is_import(end.trim_start())
}

fn is_definition(code: &str) -> bool {
    const KEYWORDS: [&str; 22] = [
        "def ",
        "class ",
        "async def ",
        "fn ",
        "pub ",
        "impl ",
        "struct ",
        "enum ",
        "trait ",
        "function ",
        "async function ",
        "export ",
        "interface ",
        "type ",
        "func ",
        "public ",
        "private ",
        "protected ",
        "static ",
        "module.exports",
        "@",
        "macro_rules!",
    ];
    let trimmed = code.trim_start();
    let indentation = code.len() - trimmed.len();
    if !begins_with_any(trimmed, &KEYWORDS) {
        return indentation == 0
            && (trimmed.starts_with("const ") || trimmed.starts_with("let ") || trimmed.starts_with("var "))
            && (trimmed.contains("=>") || trimmed.contains("function"));
    }
    // `class of things` is prose.
    trimmed.starts_with('@') || trimmed.contains(['(', '{', ':', ';', '='])
}

fn is_import(code: &str) -> bool {
    const KEYWORDS: [&str; 7] =
        ["import ", "from ", "use ", "#include", "require(", "package ", "extern crate"];
    begins_with_any(code, &KEYWORDS) && (!code.starts_with("from ") || code.contains(" import "))
}

fn label(line: &str) -> u8 {
    let code = &line[number(line).map_or(0, |(_, length)| length)..];
    let trimmed = code.trim();
    if trimmed.is_empty() {
        return BLANK;
    }
    if trimmed.starts_with(">>>>>")
        || trimmed.starts_with("<<<<<")
        || trimmed.starts_with('^')
        || line.starts_with('(')
        || line.starts_with('[')
    {
        return MARKED;
    }
    if is_definition(code) {
        return DEFINITION;
    }
    if is_import(trimmed) {
        return IMPORT;
    }
    let comment =
        ["//", "#", "/*", "*", "--", "\"\"\"", "'''", "<!--"].iter().any(|mark| trimmed.starts_with(mark));
    if comment { COMMENT } else { BODY }
}

impl Strategy for Code {
    const TRANSFORMS: &'static [&'static str] = &["line_numbers"];

    fn cut(text: &str) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut lines = 0;
        let mut start = 0;
        let mut part = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            let label = label(line);
            match pieces.last_mut() {
                Some(piece)
                    if piece.label == label
                        && matches!(label, BODY | COMMENT | IMPORT)
                        && lines < MOST_LINES =>
                {
                    piece.end = end as u32;
                    lines += 1;
                }
                // A blank line goes with what it ends.
                Some(piece) if label == BLANK => {
                    piece.end = end as u32;
                    lines = MOST_LINES;
                }
                _ => {
                    part += u32::from(label == DEFINITION);
                    pieces.push(Piece { start: start as u32, end: end as u32, label, part });
                    lines = 1;
                }
            }
            start = end;
        }
        pieces
    }

    fn write(text: &str, out: &mut String) {
        if text.contains(HEAD_END) {
            out.push_str(text);
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            let run = Numbered::at(rest);
            match run {
                Some(run) if run.last - run.first + 1 >= FEWEST_NUMBERED => rest = run.write(rest, out),
                _ => {
                    let lines = run.map_or(1, |run| run.last - run.first + 1);
                    let end = rest.split_inclusive('\n').take(lines as usize).map(str::len).sum();
                    out.push_str(&rest[..end]);
                    rest = &rest[end..];
                }
            }
        }
    }

    fn write_part(text: &str, out: &mut String) {
        <Self as Strategy>::write(text, out);
    }

    fn weigh(pieces: &Pieces<'_, Self>, units: &mut [Unit]) {
        let mut after_definition = false;
        for (piece, unit) in pieces.list.iter().zip(units) {
            unit.value += match piece.label {
                DEFINITION => value::RARE,
                MARKED => value::NOTABLE,
                IMPORT => value::CONTEXT / 2.0,
                COMMENT => 0.0,
                _ if after_definition => value::CONTEXT,
                _ => value::ORDINARY,
            };
            after_definition = piece.label == DEFINITION;
        }
    }

    fn heeds_signals(_label: u8) -> bool {
        false
    }
}

/// Lines numbered one by one, in one way.
#[derive(Clone, Copy)]
struct Numbered {
    first: u64,
    last: u64,
    /// What is before the number, and the length of what is after it.
    width: usize,
    mark: usize,
}

impl Numbered {
    /// The run that a text begins with.
    fn at(text: &str) -> Option<Self> {
        let (first, length) = number(text)?;
        let (width, mark) = Self::shape(text, length);
        let mut run = Self { first, last: first, width, mark };
        if run.prefix(first, text) != text[..length] {
            return None;
        }
        for line in text.split_inclusive('\n').skip(1) {
            let Some((next, length)) = number(line) else { break };
            if next != run.last + 1 || line[..length] != run.prefix(next, text) {
                break;
            }
            run.last = next;
        }
        Some(run)
    }

    /// The width of a number with what is before it, and the length of the mark after it.
    fn shape(text: &str, length: usize) -> (usize, usize) {
        let digits = text[..length].trim_end_matches(|c: char| !c.is_ascii_digit()).len();
        // What is not padded has no width.
        (if text.starts_with(' ') { digits } else { 0 }, length - digits)
    }

    /// What is before line `number`, with the mark taken from the first line.
    fn prefix(&self, number: u64, first_line: &str) -> String {
        let digits = self.first.to_string().len().max(self.width);
        let mark = &first_line[digits..digits + self.mark];
        format!("{number:>width$}{mark}", width = self.width)
    }

    /// Writes the run and gives what follows it.
    fn write<'a>(&self, text: &'a str, out: &mut String) -> &'a str {
        // Writing to a string does not fail.
        let _ = write!(out, "[lines {} to {}{HEAD_END}", self.first, self.last);
        let mut rest = text;
        for number in self.first..=self.last {
            let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
            let skipped =
                if number == self.first || number % EVERY == 0 { 0 } else { self.prefix(number, text).len() };
            out.push_str(&rest[skipped..end]);
            rest = &rest[end..];
        }
        rest
    }
}

#[cfg(test)]
#[allow(clippy::format_push_string, clippy::format_collect)] // texts of a few lines
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(written: &str) -> String {
        let mut out = String::new();
        let mut rest = written;
        while !rest.is_empty() {
            let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
            let head = rest[..end].strip_prefix("[lines ").and_then(|head| head.strip_suffix(HEAD_END));
            let Some((first, last)) = head.and_then(|head| head.split_once(" to ")) else {
                out.push_str(&rest[..end]);
                rest = &rest[end..];
                continue;
            };
            rest = &rest[end..];
            let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
            let run = Numbered::at(rest).unwrap();
            let first_line = rest;
            for number in first..=last {
                let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
                if number != first && number % EVERY != 0 {
                    out.push_str(&run.prefix(number, first_line));
                }
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        }
        out
    }

    fn check(text: &str) -> String {
        let mut out = String::new();
        <Code as crate::compress::kinds::pieces::Strategy>::write(text, &mut out);
        assert_eq!(decode(&out), text, "{out}");
        out
    }

    #[test]
    fn numbers_can_be_read_back() {
        let view: String = (95..130).map(|number| format!("{number}:    let x = {number};\n")).collect();
        let written = check(&format!(
            "[File: a.rs (200 lines total)]\n(94 more lines above)\n{view}(70 more lines below)\n"
        ));
        assert!(
            written
                .contains("[lines 95 to 129, every tenth numbered]\n95:    let x = 95;\n    let x = 96;\n"),
            "{written}"
        );
        assert!(written.contains("\n100:    let x = 100;\n    let x = 101;\n"));
        let cat: String = (1..30).map(|number| format!("{number:>6}\tline\n")).collect();
        assert!(check(&cat).len() < cat.len());
        let bars: String = (1..30).map(|number| format!("{number} | line\n")).collect();
        check(&bars);
        let arrows: String = (8..30).map(|number| format!("{number:>5}→line\n")).collect();
        check(arrows.trim_end());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_numbers_can_be_read_back(
            runs in prop::collection::vec((0_u64..1200, 0_u64..40, 0_usize..7, 0_usize..5), 0..4),
            between in "(\n|[0-9]{1,3}:|x){0,3}",
        ) {
            let mut text = String::new();
            for (first, length, width, mark) in runs {
                for number in first..first + length {
                    text.push_str(&format!("{number:>width$}{}code {number}\n", [":", "\t", "|", " |", "→"][mark]));
                }
                text.push_str(&between);
            }
            check(&text);
        }
    }
}
