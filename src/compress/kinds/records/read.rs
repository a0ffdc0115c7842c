//! Texts of records that have several lines each and begin alike.
//!
//! A line is a *prefix* (its indentation and its key), a value, and a suffix (what closes the key: a quote, an end tag). A
//! record begins where a line has the prefix of the *opener*, and goes on to the next one. Lists of YAML, elements of XML,
//! `git log`, blocks of `key: value` lines are like this.

use std::collections::HashMap;
use std::ops::Range;

use crate::cancel;

/// A line: `text[start..key]` is its prefix, `text[key..close]` its value, `text[close..end]` its suffix.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub start: u32,
    pub key: u32,
    pub close: u32,
    pub end: u32,
}

impl Line {
    pub fn all(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }

    pub fn prefix(self, text: &str) -> &str {
        &text[self.start as usize..self.key as usize]
    }

    pub fn value(self, text: &str) -> &str {
        &text[self.key as usize..self.close as usize]
    }

    pub fn suffix(self, text: &str) -> &str {
        &text[self.close as usize..self.end as usize]
    }

    fn is_blank(self, text: &str) -> bool {
        self.all(text).trim_ascii().is_empty()
    }

    fn is_keyed(self, text: &str) -> bool {
        !self.prefix(text).trim_ascii().is_empty()
    }
}

/// The lines of a text, and which of them make its records.
#[derive(Debug)]
pub struct Reading {
    pub lines: Vec<Line>,
    /// Lines before the first record.
    pub head: usize,
    /// Of lines; what follows the last record belongs to it.
    pub records: Vec<Range<u32>>,
}

/// Lines that are looked at to tell whether a text has records, and what they begin with.
const PROBE: usize = 240;
/// The first record begins within so many lines.
const MOST_HEAD: usize = 12;
const LEAST_RECORDS: usize = 4;
/// Lines that a record has on average, blank ones aside.
const LEAST_LINES: f32 = 2.4;
const MOST_LINES: f32 = 60.0;
/// Bytes of a key.
const KEY: usize = 48;
/// Lines between two looks at whether to go on.
const CHECK: usize = 1024;

/// Whether a text is all of records.
pub fn fits(text: &str) -> bool {
    read(text).is_some_and(|Reading { lines, records, .. }| {
        // The last one has whatever follows.
        let last = records.last().map_or(0, ExactSizeIterator::len);
        last <= 2 * MOST_LINES as usize || last * 4 <= lines.len()
    })
}

/// Reads the records of a text; nothing where it has none.
pub fn read(text: &str) -> Option<Reading> {
    // Positions are of 32 bits.
    if text.len() >= u32::MAX as usize {
        return None;
    }
    let opener = opener(text)?;
    let mut lines = Vec::with_capacity(text.len() / 24);
    let mut starts: Vec<u32> = Vec::new();
    for line in split(text) {
        if lines.len() % CHECK == 0 && cancel::is_interrupted() {
            return None;
        }
        if line.prefix(text) == opener {
            starts.push(lines.len() as u32);
        }
        lines.push(line);
    }
    let head = *starts.first()? as usize;
    let ends = starts[1..].iter().copied().chain([lines.len() as u32]);
    let records = starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect();
    Some(Reading { lines, head, records })
}

fn split(text: &str) -> impl Iterator<Item = Line> + '_ {
    let mut start = 0;
    text.split('\n').map(move |line| {
        let (key, close) = parts(line);
        let at = start;
        start += line.len() + 1;
        Line {
            start: at as u32,
            key: (at + key) as u32,
            close: (at + close) as u32,
            end: (at + line.len()) as u32,
        }
    })
}

/// Where a line's prefix ends and its suffix begins.
fn parts(line: &str) -> (usize, usize) {
    let trimmed = line.trim_ascii_end();
    let bytes = trimmed.as_bytes();
    let mut at = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    if bytes[at..].starts_with(b"- ") {
        at += 2;
    }
    if bytes.get(at) == Some(&b'<') {
        return of_tag(trimmed, at);
    }
    let key = bytes[at..].iter().take(KEY).take_while(|byte| is_key(**byte)).count();
    let separator = at + key;
    match bytes.get(separator) {
        Some(b':' | b'=') if key > 0 => {
            let rest = &bytes[separator + 1..];
            let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if bytes[separator] == b':' && space == 0 && !rest.is_empty() {
                return (at, trimmed.len());
            }
            quoted(trimmed, separator + 1 + space)
        }
        None if key > 0 => of_word(trimmed, at),
        _ => (at, trimmed.len()),
    }
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b'/' | b' ' | b'$' | b'@' | b'"' | b'\'')
}

/// A value, which may stand in quotes.
fn quoted(line: &str, at: usize) -> (usize, usize) {
    let value = &line.as_bytes()[at..];
    let comma = usize::from(value.last() == Some(&b','));
    let inner = &value[..value.len() - comma];
    let is_quoted = inner.len() > 1 && matches!(inner[0], b'"' | b'\'') && inner[inner.len() - 1] == inner[0];
    if is_quoted { (at + 1, at + inner.len() - 1) } else { (at, at + inner.len()) }
}

/// An element: its value is what stands between its tags, or what follows its name.
fn of_tag(line: &str, at: usize) -> (usize, usize) {
    let bytes = line.as_bytes();
    let name = bytes[at + 1..].iter().take_while(|byte| !matches!(byte, b' ' | b'>' | b'/' | b'\t')).count();
    let after = at + 1 + name;
    match bytes.get(after) {
        Some(b'>') if name > 0 => {
            let close = memchr::memmem::rfind(&bytes[after..], b"</").filter(|_| bytes.ends_with(b">"));
            (after + 1, close.map_or(line.len(), |close| (after + close).max(after + 1)))
        }
        // An end tag has no value.
        Some(b'/') if name == 0 => (line.len(), line.len()),
        _ => (after, line.len()),
    }
}

/// `commit 1f3a…`: a word and a number.
fn of_word(line: &str, at: usize) -> (usize, usize) {
    let bytes = line.as_bytes();
    let word = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let number = &bytes[(at + word + 1).min(bytes.len())..];
    let is_number = !number.is_empty()
        && number.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'.'))
        && number.iter().any(u8::is_ascii_digit);
    let key = if word > 1 && bytes.get(at + word) == Some(&b' ') && is_number { at + word + 1 } else { at };
    (key, line.len())
}

/// The prefix of the lines that records begin with.
fn opener(text: &str) -> Option<&str> {
    let probe: Vec<Line> = split(text).take(PROBE).collect();
    if probe.iter().any(|line| is_of_diff(line.all(text))) {
        return None;
    }
    let mut prefixes: HashMap<&str, (usize, usize)> = HashMap::new();
    for (at, line) in probe.iter().enumerate().filter(|(_, line)| line.is_keyed(text)) {
        prefixes.entry(line.prefix(text)).or_insert((at, 0)).1 += 1;
    }
    let usual =
        |(_, (first, count)): &(&&str, &(usize, usize))| *first <= MOST_HEAD && *count >= LEAST_RECORDS;
    let indent = |prefix: &str| prefix.len() - prefix.trim_start().len();
    let (opener, (first, _)) =
        prefixes.iter().filter(usual).min_by_key(|(prefix, (first, _))| (indent(prefix), *first))?;
    let probe = &probe[*first..];
    is_regular(text, probe, opener).then_some(*opener)
}

fn is_of_diff(line: &str) -> bool {
    line.starts_with("diff --git ") || line.starts_with("@@ ") || line.starts_with("+++ ")
}

/// Whether the records that begin so are of several lines, most of them with keys, and go on alike.
fn is_regular(text: &str, probe: &[Line], opener: &str) -> bool {
    let (mut records, mut lines, mut keyed) = (0_usize, 0_usize, 0_usize);
    let mut seconds: HashMap<&str, usize> = HashMap::new();
    let mut is_second = false;
    for line in probe.iter().filter(|line| !line.is_blank(text)) {
        lines += 1;
        let prefix = line.prefix(text);
        if prefix == opener {
            records += 1;
            is_second = true;
            continue;
        }
        keyed += usize::from(line.is_keyed(text));
        if std::mem::take(&mut is_second) && line.is_keyed(text) {
            *seconds.entry(prefix).or_default() += 1;
        }
    }
    let per_record = lines as f32 / records as f32;
    let alike = seconds.values().copied().max().unwrap_or(0);
    records >= LEAST_RECORDS
        && (LEAST_LINES..MOST_LINES).contains(&per_record)
        && keyed * 5 >= (lines - records) * 2
        && alike * 10 >= records * 6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_line(line: &str) -> [&str; 3] {
        let (key, close) = parts(line);
        [&line[..key], &line[key..close], &line[close..]]
    }

    #[test]
    fn lines_have_a_key_and_a_value() {
        for (line, parts) in [
            ("  - id: 7", ["  - id: ", "7", ""]),
            ("    host: \"web-03\",", ["    host: \"", "web-03", "\","]),
            ("    tags:", ["    tags:", "", ""]),
            ("  <celsius>20.1</celsius>", ["  <celsius>", "20.1", "</celsius>"]),
            ("  </record>", ["  </record>", "", ""]),
            ("<record id=\"1\">", ["<record", " id=\"1\">", ""]),
            ("commit 1f3a09", ["commit ", "1f3a09", ""]),
            ("Date:   Mon Jun 3", ["Date:   ", "Mon Jun 3", ""]),
            ("    free text, nothing else", ["    ", "free text, nothing else", ""]),
            ("size = 12", ["size = ", "12", ""]),
            ("at 10:30 it came", ["", "at 10:30 it came", ""]),
            ("", ["", "", ""]),
            ("- ", ["", "-", " "]),
        ] {
            assert_eq!(split_line(line), parts, "{line}");
        }
    }

    fn count(text: &str) -> Option<usize> {
        read(text).map(|records| records.records.len())
    }

    #[test]
    fn records_are_told_from_other_lines() {
        let repeat =
            |record: &str| (0..20).map(|at| record.replace('#', &at.to_string())).collect::<String>();
        assert_eq!(
            count(&format!("items:\n{}", repeat("  - id: #\n    name: a#\n    tags:\n      - x\n"))),
            Some(20)
        );
        assert_eq!(count(&repeat("<row>\n  <a>#</a>\n  <b>x</b>\n</row>\n")), Some(20));
        assert_eq!(
            count(&repeat("commit abc#\nAuthor: A <a@b>\nDate:   Mon\n\n    Text of #\n\n")),
            Some(20)
        );
        assert_eq!(count(&repeat("Name: n#\nState: up\n\n")), None);
        assert_eq!(count(&repeat("2025-01-01 10:00:00 INFO x: done\n")), None);
        assert_eq!(count(&repeat("INFO: one\nWARN: two of #\nINFO: three\n")), None);
        assert_eq!(count(&repeat("Exception: x\n\tat a.b(C.java:1)\n\tat a.c(C.java:2)\n")), None);
        assert_eq!(count(&repeat("diff --git a/x b/x\nindex 1\n--- a/x\n+++ b/x\n")), None);
        assert_eq!(count("no records here"), None);
    }
}
