//! Unified diffs. Units are hunks, and what stands before them; lockfiles and what is generated go first.

use super::pieces::{Piece, Pieces, Strategy};
use crate::compress::form::{Unit, value};
use crate::compress::signal::{self, Severity};

#[derive(Debug)]
pub(super) struct Diff;

/// Lines of a hunk that are one unit.
const MOST_LINES: usize = 24;

const HEADER: u8 = 0;
const HUNK: u8 = 1;
const GENERATED: u8 = 2;

/// The lines still to come of a hunk, as its head says, or of a file's header.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Hunk {
    old: usize,
    new: usize,
    in_header: bool,
    in_file: bool,
}

impl Hunk {
    /// Whether a line belongs to a diff that has begun.
    pub(in super::super) fn takes(&mut self, line: &str) -> bool {
        if self.old + self.new > 0 {
            let (old, new) = match line.as_bytes().first() {
                Some(b'+') => (0, 1),
                Some(b'-') => (1, 0),
                Some(b' ' | b'\n' | b'\r' | b'\t') => (1, 1),
                Some(b'\\') => return true,
                _ => {
                    *self = Self::default();
                    return self.takes(line);
                }
            };
            self.old = self.old.saturating_sub(old);
            self.new = self.new.saturating_sub(new);
            return true;
        }
        if let Some((old, new)) = hunk_head(line).filter(|_| self.in_file) {
            (self.old, self.new, self.in_header) = (old, new, false);
            return true;
        }
        if line.starts_with("diff --git ") || line.starts_with("diff -") || line.starts_with("Index: ") {
            (self.in_header, self.in_file) = (true, true);
            return true;
        }
        if line.starts_with("--- ") && (self.in_header || line[4..].contains(['/', '.', '\t'])) {
            (self.in_header, self.in_file) = (true, true);
            return true;
        }
        let continues =
            self.in_header && is_header(line) || self.in_file && line.starts_with("\\ No newline");
        if !continues {
            self.in_header = false;
            self.in_file &= line.trim().is_empty();
        }
        continues
    }
}

fn is_header(line: &str) -> bool {
    const BEGINNINGS: [&str; 14] = [
        "+++ ",
        "index ",
        "new file ",
        "deleted file ",
        "old mode ",
        "new mode ",
        "similarity index ",
        "dissimilarity index ",
        "rename ",
        "copy ",
        "Binary files ",
        "GIT binary patch",
        "=====",
        "Only in ",
    ];
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

/// How many lines a hunk has on each side, from `@@ -1,7 +1,8 @@`.
fn hunk_head(line: &str) -> Option<(usize, usize)> {
    let rest = line.strip_prefix("@@ -")?;
    let (old, rest) = rest.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let count = |range: &str| -> Option<usize> {
        let (start, count) = range.split_once(',').unwrap_or((range, "1"));
        start.parse::<u32>().ok()?;
        count.parse::<u32>().ok().map(|count| count as usize)
    };
    Some((count(old)?, count(new)?))
}

/// Files that nobody writes by hand.
fn is_generated(header: &str) -> bool {
    const NAMES: [&str; 22] = [
        "package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "Cargo.lock",
        "go.sum",
        "poetry.lock",
        "Pipfile.lock",
        "uv.lock",
        "composer.lock",
        "Gemfile.lock",
        "flake.lock",
        ".min.js",
        ".min.css",
        ".map",
        ".snap",
        ".pb.go",
        "_pb2.py",
        ".g.dart",
        "/dist/",
        "/vendor/",
        "/generated/",
        "/node_modules/",
    ];
    let name = header.lines().next().unwrap_or_default();
    NAMES.iter().any(|part| name.contains(part))
}

/// What a reviewer stops at in changed lines: notes to oneself, secrets, checks turned off.
const REMARKABLE: [&str; 20] = [
    "FIXME",
    "XXX",
    "HACK",
    "SECURITY",
    "password",
    "passwd",
    "secret",
    "api_key",
    "apikey",
    "private_key",
    "BEGIN RSA",
    "<<<<<<<",
    ">>>>>>>",
    "eslint-disable",
    "nosec",
    "noqa",
    "unsafe ",
    "DROP TABLE",
    "rm -rf",
    "deprecated",
];
/// A word in more than one of so many hunks is a word like others.
const REMARKABLE_SHARE: usize = 32;

/// A bit for each word of [`REMARKABLE`] that a hunk's changes have.
fn remarkable(hunk: &str) -> u32 {
    let changes = hunk.lines().filter(|line| line.starts_with(['+', '-']));
    changes.fold(0, |mask, line| {
        REMARKABLE
            .iter()
            .enumerate()
            .filter(|(_, word)| line.contains(*word))
            .fold(mask, |mask, (bit, _)| mask | 1 << bit)
    })
}

/// The file that a header is about.
fn name(header: &str) -> Option<&str> {
    let names = header
        .lines()
        .rev()
        .filter_map(|line| line.strip_prefix("+++ ").or_else(|| line.strip_prefix("--- ")));
    let name = names.into_iter().find(|name| !name.starts_with("/dev/null"))?.split('\t').next()?;
    Some(name.strip_prefix("b/").or_else(|| name.strip_prefix("a/")).unwrap_or(name))
}

impl Strategy for Diff {
    const TRANSFORMS: &'static [&'static str] = &["hunks"];

    fn cut(text: &str) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut state = Hunk::default();
        let mut lines = 0;
        let mut part = 0;
        let mut generated = false;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            let was_inside = state.old + state.new > 0;
            let taken = state.takes(line);
            let begins_hunk = !was_inside && state.old + state.new > 0 && line.starts_with("@@");
            let is_body = taken && (was_inside || begins_hunk);
            let label = match (is_body, generated) {
                (false, _) => HEADER,
                (true, false) => HUNK,
                (true, true) => GENERATED,
            };
            let begins_file = label == HEADER && pieces.last().is_none_or(|piece| piece.label != HEADER);
            if begins_file {
                part += 1;
                generated = is_generated(line);
            } else if label == HEADER && line.starts_with("diff ") {
                generated = is_generated(line);
            }
            if label == HEADER && line.starts_with("+++ ") {
                generated |= is_generated(line);
            }
            match pieces.last_mut() {
                Some(piece) if piece.label == label && !begins_hunk && lines < MOST_LINES => {
                    piece.end = end as u32;
                    lines += 1;
                }
                _ => {
                    pieces.push(Piece { start: start as u32, end: end as u32, label, part });
                    lines = 1;
                }
            }
            start = end;
        }
        pieces
    }

    fn write(text: &str, out: &mut String) {
        out.push_str(text);
    }

    fn weigh(pieces: &Pieces<'_, Self>, units: &mut [Unit]) {
        let marks: Vec<u32> = (0..units.len())
            .map(|index| if pieces.list[index].label == HUNK { remarkable(pieces.get(index)) } else { 0 })
            .collect();
        let most = (marks.len() / REMARKABLE_SHARE).max(3);
        let is_rare = |bit: &usize| marks.iter().filter(|marks| *marks >> bit & 1 != 0).count() <= most;
        let remarkable_words = (0..REMARKABLE.len()).filter(is_rare).fold(0_u32, |mask, bit| mask | 1 << bit);
        for (index, (piece, unit)) in pieces.list.iter().zip(units).enumerate() {
            unit.group = piece.part;
            unit.value = match piece.label {
                HEADER => value::NOTABLE,
                GENERATED => value::ORDINARY / 4.0,
                _ => {
                    let added = pieces.get(index).lines().filter(|line| line.starts_with('+'));
                    let alarm = added.map(signal::severity).max().unwrap_or_default();
                    let changes =
                        pieces.get(index).lines().filter(|line| line.starts_with(['+', '-'])).count();
                    let worth = value::CONTEXT + (changes.min(20) as f32) * 0.05;
                    let worth = if alarm > Severity::Ordinary { worth + value::CONTEXT } else { worth };
                    if marks[index] & remarkable_words != 0 { worth + value::NOTABLE } else { worth }
                }
            };
        }
    }

    /// The files that hunks are of.
    fn describe(pieces: &Pieces<'_, Self>, left_out: std::ops::Range<usize>) -> String {
        let mut files: Vec<&str> = Vec::new();
        let mut more = 0;
        let mut last = u32::MAX;
        for index in left_out {
            let part = pieces.list[index].part;
            if part == last {
                continue;
            }
            last = part;
            let header = pieces.list[..=index].iter().rposition(|piece| piece.label == HEADER);
            let Some(found) = header.and_then(|header| name(pieces.get(header))) else { continue };
            if files.len() < 4 { files.push(found) } else { more += 1 }
        }
        let mut said = files.join(", ");
        if more > 0 {
            said.push_str(" and ");
            said.push_str(&more.to_string());
            said.push_str(" more");
        }
        if said.is_empty() { said } else { format!("of {said}") }
    }

    fn heeds_signals(_label: u8) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "\
diff --git a/src/a.rs b/src/a.rs
index ad388c7..20da768 100644
--- a/src/a.rs
+++ b/src/a.rs
@@ -1,3 +1,4 @@ fn main
 one
-two
+2
+deux
 three
@@ -20 +21 @@
-x
+y
diff --git a/Cargo.lock b/Cargo.lock
index ad388c7..20da768 100644
--- a/Cargo.lock
+++ b/Cargo.lock
@@ -1,2 +1,2 @@
 one
-two
+2
";

    #[test]
    fn hunks_are_units() {
        let pieces = Pieces::<Diff>::new(DIFF).unwrap();
        let labels: Vec<u8> = pieces.list.iter().map(|piece| piece.label).collect();
        assert_eq!(labels, [HEADER, HUNK, HUNK, HEADER, GENERATED]);
        assert!(pieces.get(1).starts_with("@@ -1,3") && pieces.get(1).ends_with(" three\n"));
    }

    #[test]
    fn a_diff_ends_where_its_heads_say() {
        let mut hunk = Hunk::default();
        assert!(DIFF.lines().all(|line| hunk.takes(line)));
        for line in ["", "- a list", "+ not a diff", "(Open file: x)"] {
            assert!(!hunk.takes(line), "{line}");
        }
    }
}
