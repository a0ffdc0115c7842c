//! How values are written: JSON without quotes, colons and commas where they say nothing.
//!
//! ```text
//! {"id": "G72N", "zip": "10029", "name": {"first": "Ivan"}, "tags": ["a", "b c"]}
//! id=G72N zip="10029" name{first=Ivan} tags[a "b c"]
//!
//! [{"id": 1, "seats": {"economy": 7}, "ok": true}, {"id": 2, "seats": {"economy": 9}, "ok": true}]
//! (id seats(economy) ok=true)
//! 1 7
//! 2 9
//! ```
//!
//! A string is *bare* where it cannot be taken for anything else, quoted as in JSON otherwise. In tables `~` stands for a
//! member that is not there (those at the end of a row are just left out), and `+` begins a row that has not the table's
//! columns. A column that has one value in all rows has it in the header (`ok=true`); `id=*` is one that repeats the
//! row's key, `at=*T…:00` has the row's key and what else its times have in common; the strings of a column marked `:str` may look like numbers. `{(* a b)` is an object of objects: each row
//! begins with its key. Columns `a[b c]`, `a{* b c}` have tables in them.

use super::lexemes::number_length;
use super::tree::{Kind, Tree};

/// In place of a member that is not there.
pub const MISSING: &str = "~";
/// Begins a row that has not the table's columns.
pub const ODD: &str = "+";
/// The key of a row.
pub const ROW_KEY: &str = "*";

/// Whether a byte may be in a bare word.
const BARE: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0;
    while byte <= b' ' as usize {
        table[byte] = false;
        byte += 1;
    }
    let special = b"\"(){}[]\x7f";
    let mut index = 0;
    while index < special.len() {
        table[special[index] as usize] = false;
        index += 1;
    }
    table
};

pub fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| BARE[usize::from(byte)])
        && !matches!(text, MISSING | ODD | ROW_KEY)
        // How gaps begin.
        && !text.starts_with('…')
}

/// Whether a text, unquoted, would be read as something else than a string.
pub fn is_literal(text: &str) -> bool {
    match text.as_bytes() {
        [b'-' | b'0'..=b'9', ..] => number_length(text.as_bytes()) == Some(text.len()),
        b"true" | b"false" | b"null" => true,
        _ => false,
    }
}

/// Whether a key may stand unquoted.
fn is_bare_key(key: &str) -> bool {
    is_word(key) && !key.contains('=') && !key.ends_with(":str")
}

/// What a string is among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    Values,
    /// In a column of strings.
    Strings,
}

/// Writes a scalar.
pub fn scalar(tree: &Tree<'_>, id: u32, among: Among, out: &mut String) {
    match tree.node(id).kind {
        Kind::String { escapes } => string(tree.literal(id), escapes, among, out),
        _ => out.push_str(tree.text_of(id)),
    }
}

/// Writes the string that a literal stands for.
#[inline]
pub fn string(literal: &str, escapes: bool, among: Among, out: &mut String) {
    if escapes {
        let Some(text) = unescape(literal) else {
            return out.extend(["\"", literal, "\""]);
        };
        if is_word(&text) && (among == Among::Strings || !is_literal(&text)) {
            out.push_str(&text);
        } else {
            quote(&text, out);
        }
    } else if is_word(literal) && (among == Among::Strings || !is_literal(literal)) {
        out.push_str(literal);
    } else {
        out.push('"');
        out.push_str(literal);
        out.push('"');
    }
}

/// Writes a key, given as what stands between its quotes.
pub fn key(literal: &str, out: &mut String) {
    if !literal.contains('\\') {
        if is_bare_key(literal) {
            out.push_str(literal);
        } else {
            out.extend(["\"", literal, "\""]);
        }
    } else if let Some(text) = unescape(literal) {
        if is_bare_key(&text) { out.push_str(&text) } else { quote(&text, out) }
    } else {
        out.extend(["\"", literal, "\""]);
    }
}

/// Writes a part of a time: bare where that is safe.
pub fn piece(text: &str, out: &mut String) {
    if text.is_empty() || is_word(text) { out.push_str(text) } else { quote(text, out) }
}

/// Writes a string with quotes, and only the escapes that must be.
pub fn quote(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' | '\x7f' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", character as u32);
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// What a literal stands for; nothing where it has a lone surrogate.
pub fn unescape(literal: &str) -> Option<String> {
    let mut text = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let length = match rest.as_bytes()[at + 1] {
            b'u' => {
                let (character, length) = unescape_unit(&rest[at..])?;
                text.push(character);
                length
            }
            byte => {
                text.push(match byte {
                    b'b' => '\x08',
                    b'f' => '\x0c',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    other => other as char,
                });
                2
            }
        };
        rest = &rest[at + length..];
    }
    text.push_str(rest);
    Some(text)
}

/// The character of an escape `\uxxxx`, or of two that are a pair, and the bytes it takes.
fn unescape_unit(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u32::from_str_radix(text.get(at..at + 4)?, 16).ok();
    let first = unit(2)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    if first >= 0xdc00 || text.get(6..8) != Some("\\u") {
        return None;
    }
    let second = unit(8).filter(|unit| (0xdc00..0xe000).contains(unit))?;
    Some((char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(literal: &str, among: Among) -> String {
        let mut out = String::new();
        string(literal, literal.contains('\\'), among, &mut out);
        out
    }

    #[test]
    fn strings_are_bare_where_that_is_safe() {
        for bare in ["a", "a_b-c", "2024-05-01", "a=b", "x,y", "ü", "01", "1.2.3", "-", "~~", "truex"] {
            assert_eq!(written(bare, Among::Values), bare);
        }
        for quoted in
            ["", " ", "a b", "1", "-1.5e3", "true", "null", "~", "+", "*", "(a", "a]", "…", "\\u0000"]
        {
            assert_eq!(written(quoted, Among::Values), format!("\"{quoted}\""));
        }
        assert_eq!(written("10029", Among::Strings), "10029");
        assert_eq!(written("\\u00e9t\\u00e9", Among::Values), "été");
        assert_eq!(written("\\ud83d\\ude00\\/", Among::Values), "😀/");
        assert_eq!(written("\\ud83d", Among::Values), "\"\\ud83d\"");
        assert_eq!(written("a\\u0020\\\"", Among::Values), "\"a \\\"\"");
    }
}
