//! Where and why a text is not JSON, in words. Runs only once a scan has failed.

use crate::error::{Error, Place};

/// Characters of the offending place that a message shows.
const SHOWN: usize = 24;

/// The error for the byte at `at`.
pub fn error(text: &[u8], at: usize) -> Error {
    let place = place(text, at);
    let found = describe(text, at);
    let Place { position, line, column } = place;
    Error::syntax(format!("{found} in JSON at position {position} (line {line} column {column})"), place)
}

fn describe(text: &[u8], at: usize) -> String {
    let Some(&byte) = text.get(at) else { return "Unexpected end of input".into() };
    match byte {
        0..=0x1f => format!("Unexpected control character U+{byte:04X}"),
        b'"' => "Unexpected string".into(),
        b'0'..=b'9' | b'-' => "Unexpected number".into(),
        _ => {
            let shown = String::from_utf8_lossy(&text[at..text.len().min(at + SHOWN)]);
            let token = shown.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            format!("Unexpected token '{}'", token.escape_debug())
        }
    }
}

/// Counts UTF-16 units, as `JSON.parse` does.
fn place(text: &[u8], at: usize) -> Place {
    let before = &text[..at.min(text.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    Place {
        position: units(before),
        line: 1 + memchr::memchr_iter(b'\n', before).count(),
        column: 1 + units(&before[line_start..]),
    }
}

/// UTF-16 units of UTF-8 text: one per lead byte, one more for characters of four bytes.
fn units(text: &[u8]) -> usize {
    text.iter().map(|&byte| usize::from(byte & 0xc0 != 0x80) + usize::from(byte >= 0xf0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_utf16_units() {
        let text = "[\"é€😀\",\n  \"ä\" x]".as_bytes();
        let at = text.iter().position(|&byte| byte == b'x').unwrap();
        let error = error(text, at);
        assert_eq!(error.place, Some(Place { position: 15, line: 2, column: 7 }));
        assert_eq!(error.message, "Unexpected token 'x' in JSON at position 15 (line 2 column 7)");
    }

    #[test]
    fn the_end_of_the_text_is_named() {
        assert_eq!(
            error(b"[1,", 3).message,
            "Unexpected end of input in JSON at position 3 (line 1 column 4)"
        );
    }
}
