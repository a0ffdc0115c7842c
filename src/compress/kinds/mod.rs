//! One strategy per kind of content: text in, [`super::form::Form`] out.

pub(super) mod code;
pub(super) mod diff;
mod fold;
mod log;
mod numbers;
mod pieces;
mod prose;
mod stamp;

use self::pieces::Pieces;
use super::form::Form;
use super::kind::Kind;

/// A section made of lines, understood.
pub(super) fn lines<'a>(kind: Kind, text: &'a str) -> Option<Box<dyn Form + 'a>> {
    fn pieces<'a, S: pieces::Strategy + 'a>(text: &'a str) -> Option<Box<dyn Form + 'a>> {
        Pieces::<S>::new(text).map(|pieces| Box::new(pieces) as Box<dyn Form + 'a>)
    }
    match kind {
        Kind::Log => log::understand(text).map(|log| Box::new(log) as Box<dyn Form + 'a>),
        Kind::Diff => pieces::<diff::Diff>(text),
        Kind::Code => pieces::<code::Code>(text),
        _ => {
            // Lines that repeat themselves but for some values are as good as a log.
            if memchr::memchr_iter(b'\n', text.as_bytes()).take(12).count() == 12
                && let Some(log) = log::understand(text).filter(log::Log::pays)
            {
                return Some(Box::new(log));
            }
            pieces::<prose::Prose>(text)
        }
    }
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
        return if follows || current == Some(Kind::Code) { Some(Kind::Code) } else { Some(Kind::Prose) };
    }
    if stamp::find(line.as_bytes()).is_some() {
        return Some(Kind::Log);
    }
    if line.starts_with('{') && line.ends_with('}') {
        return Some(Kind::JsonLines);
    }
    if trimmed.starts_with('|')
        && (current == Some(Kind::MarkdownTable) || next.trim_start().starts_with('|'))
    {
        return Some(Kind::MarkdownTable);
    }
    if code::looks_like(line) {
        return Some(Kind::Code);
    }
    if is_indented && !matches!(current, None | Some(Kind::Prose)) {
        return None;
    }
    Some(Kind::Prose)
}
