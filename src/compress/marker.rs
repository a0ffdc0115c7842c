//! What stands in a compressed text in place of what was left out.
//!
//! Gaps say it where it was. A text that lost something ends with a line that begins `[offloop:` and has the [`Id`] of
//! the whole text, by which it can be had back.

use std::fmt::Write;

use super::content::Id;
use super::words::boundary;

const OPENING: &str = "[offloop:";

/// Says in place that units were left out: `[… 132 rows left out: …]`. `unit` is their name in the singular.
pub fn gap(out: &mut String, count: usize, unit: &str, details: &str) {
    let plural = if count == 1 { "" } else { "s" };
    // Writing to a string does not fail.
    let _ = write!(out, "[… {count} {unit}{plural} left out");
    if !details.is_empty() {
        out.push_str(": ");
        out.push_str(details);
    }
    out.push(']');
}

/// Ends a text of which `left_out` parts of `all` were left out; without an id the whole text is not to be had.
pub fn close(out: &mut String, id: Option<Id>, left_out: usize, all: usize) {
    out.truncate(out.trim_end().len());
    let _ = match id {
        Some(id) => write!(
            out,
            "\n{OPENING}{id} {left_out} of {all} parts left out, as marked; retrieve {id} for the whole text]"
        ),
        None => write!(out, "\n{OPENING} {left_out} of {all} parts left out, as marked]"),
    };
}

/// Stands for a text that came before, in a message `back` messages ago, and began with `beginning`.
pub fn repeat(back: usize, beginning: &str) -> String {
    let beginning = beginning[..boundary(beginning, 48)].replace(['\n', '\r'], " ");
    let plural = if back == 1 { "" } else { "s" };
    format!("{OPENING} the same text as {back} message{plural} before, which begins: {beginning}…]")
}

/// Whether a text ends with a marker of ours, or what looks like one.
pub fn is_marked(text: &str) -> bool {
    last_line(text).is_some()
}

/// The id in the marker that a text ends with.
pub fn id(text: &str) -> Option<Id> {
    Id::parse(last_line(text)?.get(..Id::DIGITS)?)
}

/// What follows the opening.
fn last_line(text: &str) -> Option<&str> {
    let text = text.trim_ascii_end().strip_suffix(']')?;
    let line = &text[memchr::memrchr(b'\n', text.as_bytes()).map_or(0, |at| at + 1)..];
    line.strip_prefix(OPENING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_text_is_known_by_its_last_line() {
        let id_of = Id::of("whole");
        let mut text = "some of it\n\n".to_owned();
        close(&mut text, Some(id_of), 3, 20);
        assert!(text.starts_with("some of it\n[offloop:"));
        assert_eq!(id(&text), Some(id_of));
        assert_eq!(id(&format!("{text}\r\n")), Some(id_of));
        assert!(is_marked(&text));
        assert!(!is_marked(&format!("{text} and more")));
        let mut text = String::new();
        close(&mut text, None, 3, 20);
        assert!(is_marked(&text) && id(&text).is_none());
        assert!(is_marked(&repeat(1, "a\nb")));
    }

    #[test]
    fn texts_that_look_like_markers_do_no_harm() {
        for text in [
            "",
            "]",
            "[offloop:",
            "[offloop:]",
            "[offloop:é]",
            "x [offloop:0123456789abcdef]",
            "[offloop:é123456789abcdef]",
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
