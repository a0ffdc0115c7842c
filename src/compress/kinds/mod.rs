//! One strategy per kind of content: text in, [`super::form::Form`] out.

mod build;
mod cells;
pub(super) mod code;
mod columns;
pub(super) mod diff;
pub(super) mod embedded;
mod failures;
mod fold;
pub(super) mod grid;
pub(super) mod html;
#[cfg(feature = "inverse")]
pub mod inverse;
pub(super) mod json;
mod listing;
mod log;
mod numbers;
mod pieces;
mod prose;
pub(super) mod records;
mod search;
mod spread;
mod stamp;
mod summary;
mod survey;
mod trace;

use self::pieces::Pieces;
use super::form::Form;
use super::kind::Kind;

/// A section made of lines, understood.
pub(super) fn lines<'a>(kind: Kind, text: &'a str) -> Option<Box<dyn Form + 'a>> {
    fn pieces<'a, S: pieces::Strategy + 'a>(text: &'a str) -> Option<Box<dyn Form + 'a>> {
        Pieces::<S>::new(text).map(|pieces| Box::new(pieces) as Box<dyn Form + 'a>)
    }
    if is_mostly_empty(text) {
        return pieces::<prose::Prose>(text);
    }
    match kind {
        Kind::Log => log::understand(text).map(|log| Box::new(log) as Box<dyn Form + 'a>),
        Kind::Diff => pieces::<diff::Diff>(text),
        Kind::Code => pieces::<code::Code>(text),
        Kind::SearchResults => pieces::<search::Search>(text),
        Kind::Listing => pieces::<listing::Listing>(text),
        Kind::StackTrace => pieces::<trace::Trace>(text),
        Kind::BuildOutput => pieces::<build::Build>(text),
        // Lines that repeat themselves but for some values are as good as a log.
        _ => match log::understand_if_alike(text) {
            Some(log) => Some(Box::new(log)),
            None => pieces::<prose::Prose>(text),
        },
    }
}

/// Whether there are so many lines of next to nothing that to look at each would take more than they are.
fn is_mostly_empty(text: &str) -> bool {
    const MANY: usize = 1 << 22;
    text.len() > MANY && memchr::memchr_iter(b'\n', text.as_bytes()).count() * 4 > text.len()
}

/// Whether a text begins with one of some, none of which is empty.
fn begins_with_any(text: &str, beginnings: &[&str]) -> bool {
    // Most do not have even the first byte.
    let Some(first) = text.as_bytes().first() else { return false };
    beginnings.iter().any(|beginning| beginning.as_bytes()[0] == *first && text.starts_with(beginning))
}

/// Whether a text has a part, of which `rare` is a byte that few texts have: much faster than to look for all of it.
fn has(text: &str, rare: u8, part: &str) -> bool {
    memchr::memchr(rare, text.as_bytes()).is_some() && text.contains(part)
}

/// The kind that a line speaks for; none where it says nothing and belongs to what it stands in.
pub(super) fn vote(line: &str, next: &str, current: Option<Kind>) -> Option<Kind> {
    let trimmed = line.trim_start();
    if trimmed.is_empty() {
        return None;
    }
    let is_indented = trimmed.len() < line.len();
    if let Some((number, _)) = code::number(line) {
        let follows = code::number(next).is_some_and(|(after, _)| after == number + 1);
        match current {
            // Sizes before paths.
            Some(Kind::Listing) if listing::is_entry(line) => return current,
            _ if follows => return Some(Kind::Code),
            // Matches below the path of their file.
            Some(Kind::Code | Kind::SearchResults) => return current,
            _ => {}
        }
    }
    if build::is_diagnostic(line) {
        return Some(Kind::BuildOutput);
    }
    // Matches in logs are a log's lines still.
    let is_stamped = stamp::find(line.as_bytes()).is_some();
    if !is_stamped && (search::parse(line).is_some() || search::is_heading(line, next)) {
        return Some(Kind::SearchResults);
    }
    if is_stamped {
        return Some(Kind::Log);
    }
    if let Some(part) = trace::classify(line) {
        let is_frame = part != trace::Line::Head;
        let leads = is_frame || current == Some(Kind::StackTrace) || trace::classify(next).is_some();
        if leads {
            return Some(Kind::StackTrace);
        }
    }
    if line.starts_with('{') && line.ends_with('}') {
        return Some(Kind::JsonLines);
    }
    if trimmed.starts_with('|')
        && (current == Some(Kind::MarkdownTable) || next.trim_start().starts_with('|'))
    {
        return Some(Kind::MarkdownTable);
    }
    if build::is_sign(line) {
        return Some(Kind::BuildOutput);
    }
    if listing::is_entry(line) {
        return Some(Kind::Listing);
    }
    if code::looks_like(line) {
        return Some(Kind::Code);
    }
    if is_indented && !matches!(current, None | Some(Kind::Prose)) {
        return None;
    }
    Some(Kind::Prose)
}
