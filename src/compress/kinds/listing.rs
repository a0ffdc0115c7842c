//! Lists of files: `find`, `git ls-files`, `ls -l`, `ls -R`, `tree`.
//!
//! Lossless: of a path only what the one before does not have, folder by folder. Lossy: the folders, what the query
//! names, and how many there were of each extension.

use std::collections::HashMap;

use super::fold;
use super::log::{self, mix};
use super::pieces::{Piece, Pieces, Strategy, lines};
use super::search::is_path;
use crate::compress::form::{Form, Kept, Unit, value};

#[derive(Debug)]
pub(super) struct Listing;

/// What comes before paths; a text that has it itself is left alone.
const LEGEND: &str = "[paths; ~ stands for the folder of the one above]\n";

const FILE: u8 = 0;
const FOLDER: u8 = 1;
/// Lines of other kinds among files.
const OTHER: u8 = 2;

/// Whether a line is one of `ls -l`, of `tree`, or nothing but a path.
pub(super) fn is_entry(line: &str) -> bool {
    if is_long(line) || is_branch(line) {
        return true;
    }
    if memchr::memchr(b'/', line.as_bytes()).is_none() {
        return false;
    }
    // `du` has a size before the path, `find -printf` may have some after it.
    let path = line.split('\t').find(|part| part.contains('/')).unwrap_or_default();
    let others = line.split('\t').filter(|part| !part.contains('/'));
    is_path(path)
        && !path.ends_with(';')
        && others.into_iter().all(|part| part.bytes().any(|byte| byte.is_ascii_digit()))
}

/// `-rw-r--r-- 1 root root …`
fn is_long(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.len() > 12
        && matches!(bytes[0], b'-' | b'd' | b'l' | b'b' | b'c' | b's' | b'p')
        && bytes[1..10]
            .iter()
            .all(|byte| matches!(byte, b'r' | b'w' | b'x' | b'-' | b's' | b'S' | b't' | b'T'))
        && matches!(bytes[10], b' ' | b'.' | b'+' | b'@')
}

fn is_branch(line: &str) -> bool {
    if !matches!(line.as_bytes().first(), Some(b' ' | b'|' | b'`' | 0xC2 | 0xE2)) {
        return false;
    }
    let trimmed = line.trim_start_matches([' ', '\u{a0}', '│']);
    ["├──", "└──", "|-- ", "`-- "].iter().any(|glyph| trimmed.starts_with(glyph))
}

fn is_folder(line: &str) -> bool {
    let line = line.trim_end();
    line.starts_with('d') && is_long(line) || line.ends_with('/') || line.ends_with(':')
}

/// The path up to its last slash.
fn folder(line: &str) -> &str {
    let line = line.trim_end_matches('\n');
    line.rfind('/').map_or("", |at| &line[..=at])
}

/// The last extension of the name in a line, if it has one.
fn extension(line: &str) -> &str {
    let line = line.trim_end();
    // Sizes may come after paths.
    let path = line
        .split('\t')
        .max_by_key(|part| part.contains('.') && !part.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(line);
    let name = &path[path.rfind(['/', ' ']).map_or(0, |at| at + 1)..];
    name.rfind('.').filter(|dot| *dot > 0 && name.len() - dot <= 8).map_or("", |dot| &name[dot..])
}

impl Strategy for Listing {
    const LABELS: &'static [&'static str] = &["", "folders", ""];
    const SURVEYED: bool = true;
    const TRANSFORMS: &'static [&'static str] = &["paths"];

    fn cut(text: &str) -> Vec<Piece> {
        lines(text, |line| match line.trim_end() {
            line if is_folder(line) => FOLDER,
            line if is_entry(line) => FILE,
            _ => OTHER,
        })
    }

    fn write(text: &str, out: &mut String) {
        let has_columns = |line: &&str| is_long(line) || is_branch(line) || line.contains('\t');
        if text.contains('~') || text.split_inclusive('\n').filter(has_columns).count() > 2 {
            match log::understand_if_alike(text) {
                Some(log) => log.write(Kept::All, out),
                None => fold::write(text, out),
            }
            return;
        }
        out.push_str(LEGEND);
        let mut above = "";
        for line in text.split_inclusive('\n') {
            let folder = folder(line);
            if folder.len() > 3 && folder == above {
                out.push('~');
                out.push_str(&line[folder.len()..]);
            } else {
                out.push_str(line);
            }
            above = folder;
        }
    }

    fn weigh(pieces: &Pieces<'_, Self>, units: &mut [Unit]) {
        let mut extensions: HashMap<&str, u32> = HashMap::new();
        for index in 0..units.len() {
            *extensions.entry(extension(pieces.get(index))).or_default() += 1;
        }
        let few_kinds = extensions.len() * 8 < units.len();
        let mut above = "";
        for (index, unit) in units.iter_mut().enumerate() {
            let line = pieces.get(index);
            if pieces.list[index].label == OTHER {
                continue;
            }
            let folder = folder(line);
            if few_kinds && extensions[extension(line)] <= 3 {
                unit.value += value::RARE;
            }
            if pieces.list[index].label == FOLDER {
                unit.value += value::CONTEXT;
            } else if folder != above {
                unit.value += value::CONTEXT / 2.0;
            }
            unit.group = mix(2, folder.as_bytes()) as u32;
            above = folder;
        }
    }

    /// How many of the most frequent extensions.
    fn describe(pieces: &Pieces<'_, Self>, left_out: std::ops::Range<usize>) -> String {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for index in left_out {
            let extension = extension(pieces.get(index));
            if extension.is_empty() {
                continue;
            }
            if let Some((_, count)) = counts.iter_mut().find(|(other, _)| *other == extension) {
                *count += 1;
            } else if counts.len() < 16 {
                counts.push((extension, 1));
            }
        }
        counts.sort_by_key(|(extension, count)| (std::cmp::Reverse(*count), *extension));
        counts
            .iter()
            .take(4)
            .map(|(extension, count)| format!("{count} {extension}"))
            .collect::<Vec<_>>()
            .join(", ")
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
        let Some(rest) = written.strip_prefix(LEGEND) else {
            return fold::tests::decode(written);
        };
        let mut out = String::new();
        let mut above = String::new();
        for line in rest.split_inclusive('\n') {
            let line = line.strip_prefix('~').map_or(line.to_owned(), |name| format!("{above}{name}"));
            above = folder(&line).to_owned();
            out.push_str(&line);
        }
        out
    }

    fn check(text: &str) -> String {
        let mut out = String::new();
        <Listing as super::Strategy>::write(text, &mut out);
        assert_eq!(decode(&out), text, "{out}");
        out
    }

    #[test]
    fn folders_are_written_once() {
        let text =
            "./src/pool/a.rs\n./src/pool/b.rs\n./src/pool/deep/c.rs\n./src/pool/deep/d.rs\nREADME.md\n";
        let written = check(text);
        assert!(
            written.ends_with("]\n./src/pool/a.rs\n~b.rs\n./src/pool/deep/c.rs\n~d.rs\nREADME.md\n"),
            "{written}"
        );
    }

    #[test]
    fn what_is_an_entry() {
        for line in [
            "./a/b.rs",
            "-rw-r--r-- 1 root root 96072 Nov 23 18:06 x",
            "├── src",
            "│   └── a.rs",
            "/usr/lib/x",
        ] {
            assert!(is_entry(line), "{line}");
        }
        for line in ["", "word", "see a/b.", "either/or is prose", "https://a.b/c"] {
            assert!(!is_entry(line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_paths_can_be_read_back(text in "([abc]/|~|/|x|y|\n){0,60}") {
            check(&text);
        }
    }
}
