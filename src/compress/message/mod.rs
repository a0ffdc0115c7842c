//! Messages in Documents: what `lib/compress/messages.js` does for values, in the text where it lies.
//!
//! The walk ([`walk`]) lists all texts, those that may be shortened with the way to them; what the pipeline makes of them
//! are changes of the Document.

mod walk;

use std::borrow::Cow;

use super::options::Options;
use super::pipeline::{Action, Before, Outcome, Piece, run};
use super::store::Store;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::json::Text;
use crate::json::document::{Change, Document, Kind, Node, Pointer, Source, Token, quote};
use crate::memory::Block;
use walk::{Found, Walk};

/// Where a request body has its messages: of chats, and of responses.
const PLACES: [&str; 2] = ["messages", "input"];

/// What became of a message.
#[derive(Clone, Debug)]
pub struct Message {
    pub action: Action,
    pub reason: Cow<'static, str>,
    pub before: u32,
    pub after: u32,
}

/// What became of a document.
#[derive(Debug)]
pub struct Compressed {
    pub document: Document,
    pub messages: Vec<Message>,
    pub transforms: Vec<&'static str>,
}

/// The messages of a document, a request body or a list of messages, and the way to them.
///
/// # Errors
///
/// When there are none to be found.
pub fn find(document: &Document) -> Result<(Vec<Token>, Node), Error> {
    let root = document.root();
    if root.kind() == Kind::Array {
        return Ok((Vec::new(), root.clone()));
    }
    let places = PLACES.map(Token::ascii).into_iter();
    let found = places.filter_map(|place| Some((root.child(&place)?, place)));
    let mut arrays = found.filter(|(node, _)| node.kind() == Kind::Array);
    let (node, place) = arrays.next().ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArg,
            "the Document must be a list of messages, or have one at /messages or /input",
        )
    })?;
    Ok((vec![place], node))
}

/// Shortens the messages of a document. The texts of the last `turns` turns stay as they are, each of which begins with a
/// user's text.
///
/// # Errors
///
/// When there are no messages to be found, or when interrupted.
pub fn compress(
    document: &Document,
    turns: usize,
    options: &Options,
    store: &Store,
    cancel: &CancelToken,
) -> Result<Compressed, Error> {
    let (path, messages) = find(document)?;
    let items = messages.items();
    let mut walk = Walk::new(&items);
    walk.run(turns, cancel)?;
    let Walk { found, reasons, .. } = walk;
    let pieces: Vec<Piece<'_>> = found.iter().map(Found::piece).collect();
    let outcomes = run(&pieces, Before::default(), options, store, cancel)?;
    let document = with(document, &path, &found, &outcomes, cancel)?;
    let mut transforms = Vec::new();
    for outcome in &outcomes {
        for name in outcome.transforms() {
            if !transforms.contains(name) {
                transforms.push(*name);
            }
        }
    }
    Ok(Compressed { document, messages: report(&reasons, &found, &outcomes), transforms })
}

/// The document with the new texts.
fn with(
    document: &Document,
    path: &[Token],
    found: &[Found],
    outcomes: &[Outcome],
    cancel: &CancelToken,
) -> Result<Document, Error> {
    let mut places = Vec::new();
    let mut text = b"[".to_vec();
    for (found, outcome) in found.iter().zip(outcomes) {
        let (Some(place), Some(new)) = (&found.place, &outcome.text) else { continue };
        cancel.check()?;
        if !places.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(&quote(&new.encode_utf16().collect::<Vec<_>>()));
        places.push(Pointer::from([path, place].concat()));
    }
    if places.is_empty() {
        return Ok(document.clone());
    }
    text.push(b']');
    let source = Source::read(Text::Bytes(Block::from_bytes(&text)), document.account(), cancel)?;
    let root = source.root();
    let texts = Node::Part(source, root).items().into_iter().map(Change::Set);
    document.with(places.into_iter().zip(texts))
}

/// An entry for each message: what was done to the text to which most was done.
fn report(reasons: &[Option<&'static str>], found: &[Found], outcomes: &[Outcome]) -> Vec<Message> {
    let mut messages: Vec<Message> = reasons
        .iter()
        .map(|reason| {
            let reason = Cow::Borrowed(reason.unwrap_or_default());
            Message { action: Action::Kept, reason, before: 0, after: 0 }
        })
        .collect();
    let mut says: Vec<bool> = reasons.iter().map(Option::is_some).collect();
    for (found, outcome) in found.iter().zip(outcomes) {
        let at = found.message as usize;
        let message = &mut messages[at];
        message.before += outcome.before;
        message.after += outcome.after;
        if found.place.is_none() {
            continue;
        }
        if !says[at] || outcome.action as u8 > message.action as u8 {
            message.reason = outcome.reason.text();
            says[at] = true;
        }
        if outcome.action as u8 > message.action as u8 {
            message.action = outcome.action;
        }
    }
    messages
}

#[cfg(test)]
mod tests;
