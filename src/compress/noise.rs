//! What a terminal needs and a reader does not: escape codes, and white space at the ends of lines.

use std::borrow::Cow;

use crate::cancel;

/// A text without escape codes of terminals and without white space before line ends. Diffs keep theirs, where a blank
/// is a line's mark.
pub fn clean(text: &str) -> Cow<'_, str> {
    let plain = without_escapes(text);
    if memchr::memmem::find(plain.as_bytes(), b"\n@@ -").is_some() {
        return plain;
    }
    match plain {
        Cow::Borrowed(plain) => without_trailing_space(plain),
        Cow::Owned(plain) => match without_trailing_space(&plain) {
            Cow::Borrowed(_) => Cow::Owned(plain),
            Cow::Owned(shorter) => Cow::Owned(shorter),
        },
    }
}

fn without_escapes(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(escape) = memchr::memchr(0x1B, &bytes[at..]) {
        let start = at + escape;
        let end = start + escape_length(&bytes[start..]);
        at = start + 1;
        if end == start {
            continue;
        }
        if from == 0 {
            out.reserve(text.len());
        }
        out.push_str(&text[from..start]);
        (from, at) = (end, end);
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

/// The length of the control sequence (`ESC [ … m`) or title (`ESC ] … BEL`) that a text begins with, as ECMA-48 has
/// them; 0 where it is neither.
fn escape_length(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => {
            let parameters =
                bytes[2..].iter().take(64).take_while(|byte| (0x20..0x40).contains(*byte)).count();
            match bytes.get(2 + parameters) {
                Some(0x40..=0x7E) => 3 + parameters,
                _ => 0,
            }
        }
        Some(b']') => {
            let rest = &bytes[2..bytes.len().min(512)];
            match memchr::memchr2(0x07, 0x1B, rest) {
                Some(at) if rest[at] == 0x07 => 3 + at,
                Some(at) if rest.get(at + 1) == Some(&b'\\') => 4 + at,
                _ => 0,
            }
        }
        Some(b'(' | b')') if bytes.get(2).is_some_and(u8::is_ascii_alphanumeric) => 3,
        _ => 0,
    }
}

/// A line without the white space at its end. Tabs behind another one are empty cells.
fn trim_end(line: &str) -> &str {
    let trimmed = line.trim_end_matches([' ', '\t', '\r']);
    if trimmed.contains('\t') { line.trim_end_matches([' ', '\r']) } else { trimmed }
}

fn without_trailing_space(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut from = 0;
    let mut changed = false;
    for (index, newline) in memchr::memchr_iter(b'\n', bytes).enumerate() {
        if index % 4096 == 0 && cancel::is_interrupted() {
            break;
        }
        if newline == 0 || newline < from || !matches!(bytes[newline - 1], b' ' | b'\t' | b'\r') {
            continue;
        }
        let line = &text[from..newline];
        let line = line.rfind('\n').map_or(line, |before| &line[before + 1..]);
        let blank = line.len() - trim_end(line).len();
        if !changed {
            out.reserve(text.len());
            changed = true;
        }
        out.push_str(&text[from..newline - blank]);
        from = newline;
    }
    if !changed {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_needs_goes() {
        assert_eq!(
            clean("\u{1b}[1;31merror\u{1b}[0m: x  \r\n\u{1b}]0;title\u{7}next\t\n"),
            "error: x\nnext\n"
        );
        assert_eq!(clean("\u{1b}]8;;http://a\u{1b}\\link\u{1b}]8;;\u{1b}\\"), "link");
        assert!(matches!(clean("plain\n text"), Cow::Borrowed(_)));
        assert_eq!(clean("\u{1b}[ü and \u{1b}"), "\u{1b}[ü and \u{1b}");
        assert_eq!(clean("--- a\n+++ b\n@@ -1 +1 @@\n \n"), "--- a\n+++ b\n@@ -1 +1 @@\n \n");
        assert_eq!(clean("  \n \n\t\r\n"), "\n\n\n");
        assert_eq!(clean("a\tb\t\t \r\nc\td\te\tf\n"), "a\tb\t\t\nc\td\te\tf\n");
    }

    proptest! {
        #[test]
        fn nothing_else_goes(text in "([a-z ü\t\n\r]|\u{1b}\\[[0-9;]{0,3}m){0,60}") {
            let visible = |text: &str| -> String {
                let mut kept = String::new();
                let mut rest = text;
                while let Some(at) = rest.find('\u{1b}') {
                    kept.push_str(&rest[..at]);
                    rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
                }
                kept.push_str(rest);
                kept
            };
            let lines = |text: &str| -> Vec<String> {
                let text = visible(text);
                let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
                let last = lines.len() - 1;
                for line in &mut lines[..last] {
                    line.truncate(trim_end(line).len());
                }
                lines
            };
            let cleaned = clean(&text);
            prop_assert_eq!(lines(&cleaned), lines(&text));
            prop_assert_eq!(cleaned.split('\n').map(str::to_owned).collect::<Vec<_>>(), lines(&text));
        }
    }
}
