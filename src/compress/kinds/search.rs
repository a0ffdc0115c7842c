//! Matches of grep and ripgrep: `path:line:text`, or lines under the path of their file.
//!
//! Lossless: the path once for the matches of a file, as `rg --heading` writes them. Lossy: ranked by the query, the
//! first matches of each file before further ones.

use std::collections::HashMap;

use super::log::mix;
use super::pieces::{Piece, Pieces, Strategy, lines};
use crate::compress::form::{Unit, value};
use crate::compress::signal::{self, Severity};

#[derive(Debug)]
pub(super) struct Search;

/// What comes before the matches; a text that has it itself is left alone.
const LEGEND: &str = "[a path, then its matches as line:text]\n";

/// One match in so many is few.
const FEW: usize = 20;

const OTHER: u8 = 0;
const MATCH: u8 = 1;
const HEADING: u8 = 2;

/// The path of a match, and where the line's number begins and its text: `src/a.rs:12:text` or `src/a.rs-12-text`.
pub(super) fn parse(line: &str) -> Option<(&str, usize)> {
    let bytes = line.as_bytes();
    let limit = bytes.len().min(400);
    // A drive's letter is part of the path.
    let mut from = if bytes.get(1) == Some(&b':') && bytes.get(2) == Some(&b'\\') { 2 } else { 1 };
    while let Some(at) = memchr::memchr2(b':', b'-', bytes.get(from..limit)?) {
        let mark = from + at;
        let digits = bytes[mark + 1..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
        let after = bytes.get(mark + 1 + digits);
        if (1..9).contains(&digits) && after == Some(&bytes[mark]) {
            let path = &line[..mark];
            if is_time(bytes, mark) {
                return None;
            }
            return is_path(path).then_some((path, mark + 1));
        }
        from = mark + 1;
    }
    None
}

/// Whether a mark is within a time or a date: `10:00:00`, `2024-05-01`.
fn is_time(bytes: &[u8], mark: usize) -> bool {
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    mark >= 2 && digits(mark - 2..mark) && digits(mark + 1..mark + 3) && digits(mark + 4..mark + 6)
}

/// Whether a text is the path of a file.
pub(super) fn is_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty()
        && bytes.len() < 400
        && !bytes.iter().any(|byte| {
            matches!(
                byte,
                b' ' | b'\t' | b'(' | b')' | b'"' | b'\'' | b'=' | b'<' | b'>' | b'{' | b',' | b';'
            )
        })
        && bytes.iter().any(|byte| matches!(byte, b'/' | b'.' | b'\\'))
        && bytes.iter().any(u8::is_ascii_alphabetic)
        && !text.contains("://")
        && !text.ends_with(['.', ':'])
}

/// Whether a line is the path above matches: the next one begins with a number.
pub(super) fn is_heading(line: &str, next: &str) -> bool {
    is_path(line) && is_numbered(next)
}

pub(super) fn is_numbered(line: &str) -> bool {
    let digits = line.bytes().take(9).take_while(u8::is_ascii_digit).count();
    (1..9).contains(&digits) && matches!(line.as_bytes().get(digits), Some(b':' | b'-'))
}

impl Strategy for Search {
    const LABELS: &'static [&'static str] = &["", "matches", ""];
    const TRANSFORMS: &'static [&'static str] = &["paths"];

    fn cut(text: &str) -> Vec<Piece> {
        let mut heading = 0;
        let mut pieces = lines(text, |line| {
            let line = line.trim_end();
            if parse(line).is_some() || is_numbered(line) {
                MATCH
            } else if is_path(line) {
                HEADING
            } else {
                OTHER
            }
        });
        for piece in &mut pieces {
            let line = &text[piece.start as usize..piece.end as usize];
            piece.part = match (piece.label, parse(line)) {
                (_, Some((path, _))) => mix(1, path.as_bytes()) as u32,
                (HEADING, None) => {
                    heading = mix(1, line.trim_end().as_bytes()) as u32;
                    heading
                }
                _ => heading,
            };
        }
        pieces
    }

    fn write(text: &str, out: &mut String) {
        if text.contains(LEGEND.trim_end()) {
            out.push_str(text);
            return;
        }
        out.push_str(LEGEND);
        let mut last = None;
        for line in text.split_inclusive('\n') {
            let found = parse(line).filter(|(path, _)| !path.starts_with('|') && !is_numbered(path));
            if let Some((_, at)) = found {
                // Matches of another kind (`-`) have a heading of their own.
                let head = &line[..at];
                if last != Some(head) {
                    out.push_str(head);
                    out.push('\n');
                    last = Some(head);
                }
                out.push_str(&line[at..]);
            } else {
                // What may be taken for a match or a heading is set apart.
                out.push('|');
                out.push_str(line);
                last = None;
            }
        }
    }

    fn weigh(pieces: &Pieces<'_, Self>, units: &mut [Unit]) {
        let mut seen: HashMap<u32, u32> = HashMap::new();
        for (piece, unit) in pieces.list.iter().zip(units.iter_mut()) {
            let nth = seen.entry(piece.part).or_default();
            match piece.label {
                HEADING => unit.value += value::RARE,
                MATCH => {
                    // One of each file tells that the file has some.
                    unit.value += if *nth == 0 { value::CONTEXT * 2.0 } else { 0.0 };
                    *nth += 1;
                    unit.group = u32::MAX - piece.part % 0xFFFF;
                }
                _ => {}
            }
        }
        // In code the names of errors tell little, unless few matches have one.
        let errors: Vec<usize> = (0..units.len())
            .filter(|index| signal::severity(pieces.get(*index)) > Severity::Warning)
            .collect();
        if errors.len() * FEW <= units.len().max(8 * FEW) {
            for index in errors {
                units[index].value += value::NOTABLE;
            }
        }
    }

    fn describe(pieces: &Pieces<'_, Self>, left_out: std::ops::Range<usize>) -> String {
        let mut files: Vec<u32> = pieces.list[left_out].iter().map(|piece| piece.part).collect();
        files.sort_unstable();
        files.dedup();
        if files.len() > 1 { format!("matches in {} files", files.len()) } else { "matches".to_owned() }
    }

    fn heeds_signals(label: u8) -> bool {
        label == OTHER
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(written: &str) -> String {
        let Some(rest) = written.strip_prefix(LEGEND) else { return written.to_owned() };
        let mut out = String::new();
        let mut head = "";
        for line in rest.split_inclusive('\n') {
            if let Some(verbatim) = line.strip_prefix('|') {
                out.push_str(verbatim);
            } else if is_numbered(line) {
                out.push_str(head);
                out.push_str(line);
            } else {
                head = line.trim_end_matches('\n');
            }
        }
        out
    }

    fn check(text: &str) -> String {
        let mut out = String::new();
        <Search as super::Strategy>::write(text, &mut out);
        assert_eq!(decode(&out), text, "{out}");
        out
    }

    #[test]
    fn paths_are_written_once() {
        let text = "src/a/b.rs:1:use x;\nsrc/a/b.rs:20:    x();\nsrc/a/b.rs-21-\nsrc/c.rs:7:x\n--\nnothing";
        assert_eq!(
            check(text),
            format!(
                "{LEGEND}src/a/b.rs:\n1:use x;\n20:    x();\nsrc/a/b.rs-\n21-\nsrc/c.rs:\n7:x\n|--\n|nothing"
            )
        );
    }

    #[test]
    fn odd_paths_can_be_read_back() {
        check("|a.b:1:x\n12-a.b:1:x\n12-a.b-3-x\n1:2\na.b:\n1:x\n");
    }

    #[test]
    fn what_is_a_match() {
        assert_eq!(parse("src/a.rs:12:fn x()"), Some(("src/a.rs", 9)));
        assert_eq!(parse("a-1.rs-12-fn x()"), Some(("a-1.rs", 7)));
        for line in ["", "10:00:00 x", "a b.c:1:x", "http://x.y:80:a", "12:34:x", "Note: see a.b"] {
            assert_eq!(parse(line), None, "{line}");
        }
        assert!(is_heading("src/a.rs", "12:x") && !is_heading("src/a.rs", "x"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_lines_can_be_read_back(
            lines in prop::collection::vec(
                prop::collection::vec(prop::sample::select(vec!["a.b", "c/d", ":", "-", "1", "23", "|", " ", "x"]), 0..7), 0..12,
            ),
        ) {
            check(&lines.iter().map(|line| line.concat()).collect::<Vec<_>>().join("\n"));
        }
    }
}
