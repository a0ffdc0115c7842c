//! JSON and tables among other text.

use std::ops::Range;

use super::{grid, json, stamp};
use crate::compress::kind::Kind;

/// JSON of fewer bytes stays in the text that it is in.
const MIN_JSON: usize = 200;
/// Bytes that may be read in vain for each byte of a text.
const IN_VAIN: usize = 2;
/// Bytes of a line in which JSON may begin after other text.
const REACH: usize = 200;

/// Finds sections that are recognised as wholes.
#[derive(Debug)]
pub struct Finder {
    /// Bytes that may still be read in vain.
    left: usize,
}

impl Finder {
    pub fn new(text: &str) -> Self {
        Self { left: IN_VAIN * text.len() + 4096 }
    }

    /// The section that begins in a line, which lies behind a section of kind `current`.
    pub fn find(
        &mut self,
        text: &str,
        line: Range<usize>,
        current: Option<Kind>,
    ) -> Option<(Kind, Range<usize>)> {
        match current {
            Some(Kind::Diff | Kind::Code | Kind::Listing) => None,
            Some(Kind::Log) => self.json(text, line, false),
            None | Some(Kind::Prose | Kind::Csv | Kind::MarkdownTable | Kind::Json | Kind::JsonLines) => {
                self.json(text, line.clone(), true).or_else(|| self.table(text, line))
            }
            Some(_) => self.json(text, line, true),
        }
    }

    fn json(&mut self, text: &str, line: Range<usize>, also_within: bool) -> Option<(Kind, Range<usize>)> {
        let bytes = &text.as_bytes()[line.clone()];
        let indent = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let at = match bytes.get(indent)? {
            b'{' | b'[' => indent,
            _ if also_within && bytes.len() >= MIN_JSON => begin(bytes)?,
            _ => return None,
        };
        if at > indent && stamp::find(bytes).is_some() {
            return None;
        }
        let start = line.start + at;
        // What opens must be followed by what may be in it.
        let inside = text.as_bytes()[start + 1..].trim_ascii_start().first()?;
        let fits = match (bytes[at], inside) {
            (b'{', b'"') | (b'[', b'{' | b'[' | b'"' | b'-' | b't' | b'f' | b'n') => true,
            (b'[', digit) => digit.is_ascii_digit(),
            _ => false,
        };
        if !fits || self.left == 0 {
            return None;
        }
        let end = match json::end(text, start) {
            Ok(end) => end,
            Err(read) => {
                self.left = self.left.saturating_sub(read - start + 16);
                return None;
            }
        };
        let rest = &text[end..];
        let next = rest.trim_start_matches([' ', '\t', '\r']);
        let is_line = !text[start..end].contains('\n');
        // Objects of a line each are lines of JSON.
        let is_one_of_many = is_line && bytes[at] == b'{' && next.starts_with("\n{");
        let ends_line = next.is_empty() || next.starts_with('\n');
        if is_one_of_many || end - start < MIN_JSON || !(ends_line || at > indent) {
            self.left = self.left.saturating_sub(end - start);
            return None;
        }
        let end = if ends_line { text.len() - next.len() + usize::from(!next.is_empty()) } else { end };
        Some((Kind::Json, start..end))
    }

    fn table(&mut self, text: &str, line: Range<usize>) -> Option<(Kind, Range<usize>)> {
        let bytes = &text.as_bytes()[line.clone()];
        let may_be = memchr::memchr3(b'|', b'\t', b',', bytes).is_some()
            || memchr::memchr(b';', bytes).is_some()
            || memchr::memmem::find(bytes, b"  ").is_some()
            || bytes.starts_with(b"+-");
        if !may_be || self.left == 0 || stamp::find(bytes).is_some() {
            return None;
        }
        let (kind, range) = grid::span_at(text, line.start)?;
        Some((kind, range))
    }
}

/// Where JSON may begin in a line that begins otherwise.
fn begin(line: &[u8]) -> Option<usize> {
    let head = &line[..line.len().min(REACH)];
    memchr::memchr2_iter(b'{', b'[', head).find(|at| {
        let before = line[..*at].last().is_none_or(|byte| matches!(byte, b' ' | b':' | b'=' | b'\t'));
        before && matches!(line.get(at + 1), Some(b'"' | b'{' | b'['))
    })
}
