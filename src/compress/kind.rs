//! Detection: which kinds of content a text is made of.
//!
//! The whole text is looked at, line by line: each line votes for a kind by how it begins, lines that say nothing belong
//! to what they stand in, and runs too short to be sure of go to their surroundings.

use std::ops::Range;

use super::form::Form;
use super::kinds;
use crate::cancel;

/// What a section of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Json,
    JsonLines,
    Csv,
    MarkdownTable,
    Html,
    Log,
    StackTrace,
    BuildOutput,
    SearchResults,
    Diff,
    Listing,
    Code,
    /// Records of several lines: YAML, XML, `git log`.
    Records,
    Prose,
}

/// A part of a text that is of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// A text of more sections than this is one of lines of all kinds.
const MOST_SECTIONS: usize = 64;
/// Lines of another kind within a log that are part of it all the same: dumps, traces.
const MOST_WITHIN_LOG: usize = 60;
/// Bytes of JSON or of a table from which on it is no part of a log, nor of lines of all kinds.
const WHOLE: usize = 2000;
/// Bytes of prose between two sections of a kind that are part of it.
const MOST_BETWEEN: usize = 400;
/// A section of so small a part of the prose around it is part of it.
const SMALL_PART: usize = 24;

/// The sections of a text, in order, covering all of it.
pub fn sections(text: &str) -> Vec<Section> {
    if text.is_empty() {
        return Vec::new();
    }
    if let Some(kind) = of_whole(text) {
        return vec![Section { kind, range: 0..text.len() }];
    }
    if kinds::records::fits(text) {
        return vec![Section { kind: Kind::Records, range: 0..text.len() }];
    }
    let runs = runs(text);
    let sections = join(runs);
    if sections.len() > MOST_SECTIONS {
        without_small(sections, text.len() / MOST_SECTIONS)
    } else {
        sections
    }
}

/// Many small sections in a row are lines of all kinds; what is larger, or a whole, stays.
fn without_small(sections: Vec<Section>, size: usize) -> Vec<Section> {
    let mut large: Vec<Section> = Vec::new();
    for section in sections {
        let stays = section.range.len() >= size || is_whole(section.kind) && section.range.len() >= WHOLE;
        let kind = if stays { section.kind } else { Kind::Prose };
        match large.last_mut() {
            Some(last) if last.kind == Kind::Prose && kind == Kind::Prose => {
                last.range.end = section.range.end;
            }
            _ => large.push(Section { kind, range: section.range }),
        }
    }
    large
}

/// A section understood; nothing where its strategy finds that there is nothing to gain. `depth` counts texts within texts
/// (JSON in strings), which are understood by this function, too.
pub fn understand<'a>(kind: Kind, text: &'a str, depth: usize) -> Option<Box<dyn Form + 'a>> {
    match kind {
        // What only begins like JSON is understood by its lines.
        Kind::Json => kinds::json::understand(text, depth).or_else(|| kinds::lines(Kind::Prose, text)),
        Kind::JsonLines => kinds::json::understand_lines(text, depth),
        Kind::Csv | Kind::MarkdownTable => kinds::grid::understand(text),
        Kind::Html => kinds::html::understand(text),
        Kind::Records => kinds::records::understand(text).or_else(|| kinds::lines(Kind::Prose, text)),
        _ => kinds::lines(kind, text),
    }
}

/// The kind of a text that is all of one piece.
fn of_whole(text: &str) -> Option<Kind> {
    let trimmed = text.trim_ascii();
    let bytes = trimmed.as_bytes();
    match (bytes.first()?, bytes.last()?) {
        (b'{', b'}') => {
            // Several objects, one on each line?
            let many = memchr::memmem::find(bytes, b"}\n{").is_some()
                || memchr::memmem::find(bytes, b"}\r\n{").is_some();
            if many {
                return kinds::json::is_lines(trimmed).then_some(Kind::JsonLines);
            }
            if kinds::json::begins(trimmed) {
                return Some(Kind::Json);
            }
        }
        (b'[', b']') => {
            let next = bytes[1..].trim_ascii_start().first()?;
            // `[2024-01-01 …]` is no array.
            let is_value = matches!(next, b'{' | b'[' | b'"' | b']' | b't' | b'f' | b'n')
                || (*next == b'-' || next.is_ascii_digit()) && !bytes.contains(&b'\n');
            if is_value && kinds::json::begins(trimmed) {
                return Some(Kind::Json);
            }
        }
        (b'<', _) if begins_html(bytes) => return Some(Kind::Html),
        _ => {}
    }
    (matches!(bytes[0], b'{' | b'[') && kinds::json::is_cut(trimmed)).then_some(Kind::Json)
}

fn begins_html(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(512)];
    let begins = |tag: &[u8]| head.len() >= tag.len() && head[..tag.len()].eq_ignore_ascii_case(tag);
    [
        &b"<!doctype html"[..],
        b"<html",
        b"<head",
        b"<body",
        b"<div",
        b"<table",
        b"<ul",
        b"<p>",
        b"<section",
        b"<article",
        b"<main",
    ]
    .iter()
    .any(|tag| begins(tag))
}

/// Lines in a row that vote for one kind.
#[derive(Clone, Debug)]
struct Run {
    kind: Kind,
    range: Range<usize>,
    /// Lines that voted.
    votes: usize,
    lines: usize,
}

/// The text in runs. Lines without an opinion, and blank ones, stay in the run that they are in.
fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut hunk = kinds::diff::Hunk::default();
    let mut wholes = kinds::embedded::Finder::new(text);
    let mut start = 0;
    let mut count = 0_usize;
    while start < text.len() {
        let end = memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |at| start + at + 1);
        count += 1;
        if count.is_multiple_of(1024) && cancel::is_interrupted() {
            break;
        }
        let line = &text[start..end];
        let current = runs.last().map(|run| run.kind);
        let in_hunk = hunk.takes(line);
        if !in_hunk && let Some((kind, range)) = wholes.find(text, start..end, current) {
            if range.start > start {
                runs.push(Run { kind: Kind::Prose, range: start..range.start, votes: 1, lines: 1 });
            }
            start = range.end;
            let lines = memchr::memchr_iter(b'\n', &text.as_bytes()[range.clone()]).count();
            runs.push(Run { kind, range, votes: usize::MAX, lines });
            continue;
        }
        let vote = if in_hunk {
            Some(Kind::Diff)
        } else {
            let next = text[end..].split('\n').next().unwrap_or_default();
            kinds::vote(line.trim_end_matches(['\n', '\r']), next, current)
        };
        // Behind what is whole, something else begins.
        let is_behind = runs.last().is_some_and(|run| run.votes == usize::MAX) && !line.trim().is_empty();
        let vote = if is_behind { vote.or(Some(Kind::Prose)) } else { vote };
        match (vote, runs.last_mut()) {
            (Some(kind), Some(run)) if run.kind == kind && !is_behind => {
                run.votes += 1;
                run.lines += 1;
                run.range.end = end;
            }
            (None, Some(run)) => {
                run.lines += 1;
                run.range.end = end;
            }
            (vote, _) => {
                let votes = usize::from(vote.is_some());
                runs.push(Run { kind: vote.unwrap_or(Kind::Prose), range: start..end, votes, lines: 1 });
            }
        }
        start = end;
    }
    if let Some(run) = runs.last_mut() {
        run.range.end = text.len();
    }
    runs
}

/// Votes that it takes for a run to be a section.
fn fewest_votes(kind: Kind) -> usize {
    match kind {
        Kind::Diff | Kind::Prose => 1,
        Kind::Log | Kind::StackTrace | Kind::SearchResults | Kind::Csv | Kind::MarkdownTable => 3,
        Kind::Code | Kind::Listing => 5,
        _ => 2,
    }
}

/// Whether two sections of a kind are not one.
fn is_whole(kind: Kind) -> bool {
    matches!(kind, Kind::Json | Kind::Csv | Kind::MarkdownTable | Kind::Html)
}

fn join(mut runs: Vec<Run>) -> Vec<Section> {
    let of_log: usize = runs.iter().filter(|run| run.kind == Kind::Log).map(|run| run.votes).sum();
    let lines: usize = runs.iter().map(|run| run.lines).sum();
    let is_log = of_log * 5 >= lines * 2;
    for run in &mut runs {
        let stands_out = run.kind == Kind::Diff || is_whole(run.kind) && run.range.len() >= WHOLE;
        let within_log = is_log && run.lines <= MOST_WITHIN_LOG && !stands_out;
        if within_log || run.kind == Kind::Log && is_log {
            run.kind = Kind::Log;
        } else if run.votes < fewest_votes(run.kind) {
            run.kind = Kind::Prose;
        }
    }
    let mut sections: Vec<Section> = Vec::new();
    for run in runs {
        match sections.last_mut() {
            Some(section) if section.kind == run.kind && !is_whole(run.kind) => {
                section.range.end = run.range.end;
            }
            _ => sections.push(Section { kind: run.kind, range: run.range }),
        }
        close(&mut sections);
    }
    sections
}

/// A few bytes of prose between two sections of a kind are part of it.
fn close(sections: &mut Vec<Section>) {
    let [.., before, between, after] = sections.as_slice() else { return };
    let goes_on = matches!(
        after.kind,
        Kind::BuildOutput | Kind::SearchResults | Kind::Listing | Kind::StackTrace | Kind::Log | Kind::Code
    );
    let most = MOST_BETWEEN.max((before.range.len() + after.range.len()) / 4);
    // A few lines that look like another kind, in long prose or a log without times.
    let is_whole = matches!(
        between.kind,
        Kind::Json | Kind::JsonLines | Kind::Csv | Kind::MarkdownTable | Kind::Html | Kind::Diff
    );
    let is_within = before.kind == Kind::Prose
        && after.kind == Kind::Prose
        && !is_whole
        && between.range.len() * SMALL_PART < before.range.len() + after.range.len();
    if is_within
        || goes_on && before.kind == after.kind && between.kind == Kind::Prose && between.range.len() <= most
    {
        let end = after.range.end;
        sections.truncate(sections.len() - 2);
        if let Some(section) = sections.last_mut() {
            section.range.end = end;
        }
    }
}

#[cfg(test)]
#[allow(clippy::format_collect)] // texts of a few lines
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cancel::CancelToken;
    use crate::compress::form::Kept;
    use crate::compress::query::Query;

    fn kinds(text: &str) -> Vec<Kind> {
        sections(text).into_iter().map(|section| section.kind).collect()
    }

    #[test]
    fn a_whole_stays_among_lines_of_all_kinds() {
        let json = format!("[{}]\n", "{\"id\": 1, \"state\": \"up\"},".repeat(200).trim_end_matches(','));
        let mixed = "a.rs:1:x\nb.rs:2:y\nc.rs:3:z\nAnd some words.\nMore words here.\n".repeat(200);
        let found = kinds(&format!("{mixed}{json}{mixed}"));
        assert!(found.contains(&Kind::Json) && found.len() <= 2 * MOST_SECTIONS, "{found:?}");
        let log: String =
            (0..90).map(|at| ["2024-05-01 10:00:", ["00", "01"][at % 2], " INFO a\n"].concat()).collect();
        assert_eq!(kinds(&format!("{log}\n{json}\n{log}")), [Kind::Log, Kind::Json, Kind::Log]);
    }

    #[test]
    fn texts_of_one_kind() {
        let numbered: String = ["use a;", "", "fn b() {", "    c();", "}", "// end"]
            .iter()
            .zip(95..)
            .map(|(line, number)| format!("{number}:{line}\n"))
            .collect();
        for (kind, text) in [
            (Kind::Json, "{\"a\": [1, 2]}"),
            (Kind::Json, "[{\"a\": 1},\n {\"a\": 2}]\n"),
            (Kind::JsonLines, "{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3}\n"),
            (Kind::Html, "<!DOCTYPE html>\n<html></html>"),
            (
                Kind::Log,
                "2024-05-01 10:00:00 INFO a\n2024-05-01 10:00:01 INFO b\n  more\n2024-05-01 10:00:02 WARN c\n",
            ),
            (
                Kind::Log,
                "[2024-05-01 10:00:00] a.INFO: b []\n[2024-05-01 10:00:00] a.INFO: c []\n[2024-05-01 10:00:00] a.INFO: d []",
            ),
            (
                Kind::StackTrace,
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in b\n    c()\n  File \"a.py\", line 2, in d\n    e()\nValueError: f\n",
            ),
            (
                Kind::BuildOutput,
                "   Compiling a v1.0.0\n   Compiling b v1.0.0\nwarning: unused\n  --> src/a.rs:1:1\ntest a::b ... ok\n",
            ),
            (Kind::SearchResults, "src/a.rs:1:use b;\nsrc/a.rs:20:b();\nsrc/c.rs:3:b();\n"),
            (Kind::SearchResults, "src/a.rs\n1:use b;\n20:b();\n\nsrc/c.rs\n3:b();\n9:b();\n"),
            (Kind::Diff, "diff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"),
            (Kind::Listing, "./a/b.rs\n./a/c.rs\n./d/e.rs\n./d/f.rs\n./d/g.rs\n"),
            (
                Kind::Listing,
                "total 8\n-rw-r--r-- 1 a a 1 Nov 2 2023 b\n-rw-r--r-- 1 a a 1 Nov 2 2023 c\n-rw-r--r-- 1 a a 1 Nov 2 2023 d\n-rw-r--r-- 1 a a 1 Nov 2 2023 e\ndrwxr-xr-x 1 a a 1 Nov 2 2023 f\n",
            ),
            (Kind::Code, numbered.as_str()),
            (Kind::Prose, "It was a dark night.\nNobody was there, and nothing happened.\n\nThen it did.\n"),
        ] {
            let found = kinds(text);
            assert!(found.contains(&kind) && found.len() <= 2, "{kind:?} is {found:?} in\n{text}");
        }
    }

    #[test]
    fn several_kinds_in_one_text() {
        let view: String = (1..30).map(|number| format!("{number}:line\n")).collect();
        let text = format!(
            "Here is the file:\n{view}And here is what I changed:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,2 +1,2 @@\n a\n-b\n+c\nThat is all.\n"
        );
        assert_eq!(kinds(&text), [Kind::Prose, Kind::Code, Kind::Prose, Kind::Diff, Kind::Prose]);
    }

    const LINES: [Kind; 9] = [
        Kind::Log,
        Kind::StackTrace,
        Kind::BuildOutput,
        Kind::SearchResults,
        Kind::Diff,
        Kind::Listing,
        Kind::Code,
        Kind::Prose,
        Kind::Csv,
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn sections_cover_any_text(lines in prop::collection::vec(prop::sample::select(SAMPLES.to_vec()), 0..60)) {
            let text = lines.join("\n");
            let mut end = 0;
            for section in sections(&text) {
                prop_assert_eq!(section.range.start, end);
                prop_assert!(section.range.end > end);
                end = section.range.end;
            }
            prop_assert_eq!(end, text.len());
        }

        /// Whatever a text is taken for, each unit that is kept is there, and no word of them is lost on the way.
        #[test]
        fn any_text_can_be_any_kind(
            lines in prop::collection::vec(prop::sample::select(SAMPLES.to_vec()), 0..40),
            pattern in any::<u64>(),
        ) {
            let text = lines.join("\n");
            for kind in LINES {
                let Some(form) = understand(kind, &text, 0) else { continue };
                let units = form.weigh(&Query::new("what is \"beta\" in a.rs"), &CancelToken::new()).unwrap();
                prop_assert_eq!(units.len(), form.len());
                let (mut all, mut same) = (String::new(), String::new());
                form.write(Kept::All, &mut all);
                form.write(Kept::Some(&vec![true; units.len()]), &mut same);
                prop_assert_eq!(&all, &same);
                let flags: Vec<bool> = (0..units.len()).map(|index| pattern >> (index % 64) & 1 != 0).collect();
                let mut some = String::new();
                form.write(Kept::Some(&flags), &mut some);
                prop_assert!(units.is_empty() || flags.iter().all(|kept| *kept) || some.contains("left out"));
            }
        }
    }

    const SAMPLES: [&str; 24] = [
        "",
        "2024-05-01 10:00:00 ERROR beta 17 is gone",
        "2024-05-01 10:00:01 INFO alpha 12 done",
        "src/a.rs:1:use beta;",
        "src/a.rs",
        "12:beta",
        "13:gamma",
        "     14\tdelta();",
        "diff --git a/b b/b",
        "--- a/b",
        "+++ b/b",
        "@@ -1,2 +1,2 @@",
        "-old",
        "+new",
        " same",
        "  File \"a.py\", line 1, in b",
        "ValueError: beta",
        "\tat a.B.c(B.java:1)",
        "test a::b ... ok",
        "error[E0308]: mismatched",
        "./a/b/c.rs",
        "~ [… | \" x3 é",
        "A long sentence of prose, which says that nothing is wrong. And another one, so that there are two of them! It goes on and on, until it ends somewhere.",
        "{\"a\": 1}",
    ];
}
