//! The plain rule: assistant text over 5000 and tool text over 3000 characters is cut there and marked.
//!
//! `lib/compress.js` has the same rule for values. Here it reads a document's text where it is, and only the cut
//! texts are written anew. Characters are UTF-16 units.

use std::sync::{Arc, OnceLock};

use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::json::Text;
use crate::json::document::{Change, Document, Kind, MAX_CHANGE_DEPTH, Node, Pointer, Source, Token};
use crate::memory::Block;

/// The marker, as JSON text, and its characters.
const MARKER: &[u8] = b"\\n[...truncated...]";
const MARKER_LENGTH: usize = MARKER.len() - 1;
const MAX_ASSISTANT: usize = 5000;
const MAX_TOOL: usize = 3000;

/// Blocks that carry text in one of the message formats.
const TEXT_BLOCKS: [&str; 3] = ["text", "input_text", "output_text"];

/// Where a request body has its messages: of chats, and of responses.
static PLACES: [Name; 2] = [Name::new("messages"), Name::new("input")];

static ROLE: Name = Name::new("role");
static TYPE: Name = Name::new("type");
static CONTENT: Name = Name::new("content");
static OUTPUT: Name = Name::new("output");
static TEXT: Name = Name::new("text");

/// A key that is looked for in every message: its token is made once.
struct Name {
    text: &'static str,
    token: OnceLock<Token>,
}

impl Name {
    const fn new(text: &'static str) -> Self {
        Self { text, token: OnceLock::new() }
    }

    fn token(&self) -> &Token {
        self.token.get_or_init(|| Token::ascii(self.text))
    }
}

/// A step on the way to a text. Most texts are not cut, so it becomes a token only where one is.
#[derive(Clone, Copy)]
enum Step {
    Key(&'static Name),
    Index(usize),
}

impl Step {
    fn token(self) -> Token {
        match self {
            Self::Key(name) => name.token().clone(),
            Self::Index(index) => Token::ascii(&index.to_string()),
        }
    }
}

/// What became of a message that was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    pub index: usize,
    pub is_assistant: bool,
    /// Characters of its texts that have a limit.
    pub before: usize,
    pub after: usize,
}

#[derive(Debug)]
pub struct Truncated {
    pub document: Document,
    /// Messages.
    pub count: usize,
    /// Characters of all texts that have a limit.
    pub before: usize,
    pub after: usize,
    pub actions: Vec<Action>,
}

/// Truncates the messages of a document: a request body, or a list of messages.
///
/// # Errors
///
/// When there are no messages to be found, or when interrupted.
pub fn truncate(document: &Document, cancel: &CancelToken) -> Result<Truncated, Error> {
    let (mut path, messages) = find(document)?;
    let start = path.len();
    let mut cuts = Cuts { before: 0, after: 0, places: Vec::new(), text: b"[".to_vec() };
    let mut actions = Vec::new();
    let items = messages.items();
    for (index, message) in items.iter().enumerate() {
        cancel.check()?;
        let (before, after, cut) = (cuts.before, cuts.after, cuts.places.len());
        let is_assistant = is(message, &ROLE, "assistant");
        path.truncate(start);
        path.push(Step::Index(index));
        cuts.message(message, is_assistant, &mut path);
        if cuts.places.len() > cut {
            let (before, after) = (cuts.before - before, cuts.after - after);
            actions.push(Action { index, is_assistant, before, after });
        }
    }
    let Cuts { before, after, places, mut text } = cuts;
    let document = if places.is_empty() {
        document.clone()
    } else {
        text.push(b']');
        let source = Source::read(Text::Bytes(Block::from_bytes(&text)), document.account(), cancel)?;
        let root = source.root();
        let texts = Node::Part(source, root).items().into_iter().map(Change::Set);
        document.with(places.into_iter().map(Pointer::from).zip(texts))?
    };
    Ok(Truncated { document, count: items.len(), before, after, actions })
}

fn find(document: &Document) -> Result<(Vec<Step>, Node), Error> {
    let root = document.root();
    if root.kind() == Kind::Array {
        return Ok((Vec::new(), root.clone()));
    }
    let found = PLACES.iter().filter_map(|place| Some((root.child(place.token())?, place)));
    let mut arrays = found.filter(|(node, _)| node.kind() == Kind::Array);
    let (node, place) = arrays.next().ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArg,
            "the Document must be a list of messages, or have one at /messages or /input",
        )
    })?;
    Ok((vec![Step::Key(place)], node))
}

fn field(node: &Node, name: &Name) -> Option<Node> {
    if node.kind() == Kind::Object { node.child(name.token()) } else { None }
}

fn string(node: &Node) -> Option<(&Arc<Source>, usize)> {
    match node {
        Node::Part(source, entry) if source.kind(*entry) == Kind::String => Some((source, entry.offset())),
        _ => None,
    }
}

/// Whether a field is this string.
fn is(node: &Node, name: &Name, text: &str) -> bool {
    field(node, name)
        .is_some_and(|field| string(&field).is_some_and(|(source, start)| source.string_is(start, text)))
}

struct Cuts {
    before: usize,
    after: usize,
    /// Where texts were cut, and what is left of them: JSON text, a list in the making.
    places: Vec<Vec<Token>>,
    text: Vec<u8>,
}

/// Content that is still to be looked at.
struct Content {
    node: Node,
    path: Vec<Step>,
    limit: Option<usize>,
}

impl Cuts {
    /// `path` leads to the message.
    fn message(&mut self, message: &Node, is_assistant: bool, path: &mut Vec<Step>) {
        let (name, limit) = if is(message, &TYPE, "function_call_output") {
            (&OUTPUT, Some(MAX_TOOL))
        } else if is_assistant {
            (&CONTENT, Some(MAX_ASSISTANT))
        } else {
            (&CONTENT, is(message, &ROLE, "tool").then_some(MAX_TOOL))
        };
        let Some(node) = field(message, name) else { return };
        path.push(Step::Key(name));
        if node.kind() != Kind::Array {
            if let Some(limit) = limit {
                self.text(&node, limit, path);
            }
            return;
        }
        // Tool results may lie in tool results, as deep as the text allows.
        let mut left = vec![Content { node, path: path.clone(), limit }];
        while let Some(content) = left.pop() {
            if content.node.kind() == Kind::Array {
                self.blocks(content, &mut left);
            } else if let Some(limit) = content.limit {
                self.text(&content.node, limit, &content.path);
            }
        }
    }

    fn blocks(&mut self, Content { node, mut path, limit }: Content, left: &mut Vec<Content>) {
        let start = path.len();
        for (index, block) in node.items().iter().enumerate() {
            path.truncate(start);
            path.push(Step::Index(index));
            if is(block, &TYPE, "tool_result") {
                if let Some(node) = field(block, &CONTENT)
                    && start < MAX_CHANGE_DEPTH - 2
                {
                    path.push(Step::Key(&CONTENT));
                    left.push(Content { node, path: path.clone(), limit: Some(MAX_TOOL) });
                }
            } else if let (Some(limit), Some(text)) = (limit, field(block, &TEXT))
                && TEXT_BLOCKS.iter().any(|kind| is(block, &TYPE, kind))
            {
                path.push(Step::Key(&TEXT));
                self.text(&text, limit, &path);
            }
        }
    }

    fn text(&mut self, node: &Node, limit: usize, path: &[Step]) {
        let Some((source, start)) = string(node) else { return };
        let (literal, length) = source.measured(start);
        self.before += length;
        if length <= limit {
            self.after += length;
            return;
        }
        let (end, kept) = prefix(literal, limit);
        self.after += kept + MARKER_LENGTH;
        if !self.places.is_empty() {
            self.text.push(b',');
        }
        for part in [b"\"", &literal[..end], MARKER, b"\""] {
            self.text.extend_from_slice(part);
        }
        self.places.push(path.iter().map(|step| step.token()).collect());
    }
}

fn escape_length(literal: &[u8], at: usize) -> usize {
    if literal[at + 1] == b'u' { 6 } else { 2 }
}

/// The first `limit` characters, fewer if that would split a surrogate pair: their bytes, and how many they are.
fn prefix(literal: &[u8], limit: usize) -> (usize, usize) {
    let (mut at, mut count) = (0, 0);
    let mut previous = 0;
    while count < limit {
        let (bytes, units) = character(literal, at);
        if count + units > limit {
            return (at, count);
        }
        previous = at;
        at += bytes;
        count += units;
    }
    let surrogate = |at: usize, kinds: &[u8]| {
        let escape = literal.get(at..at + 4).unwrap_or_default();
        escape.starts_with(b"\\u")
            && escape[2].eq_ignore_ascii_case(&b'd')
            && kinds.contains(&escape[3].to_ascii_lowercase())
    };
    if surrogate(previous, b"89ab") && surrogate(at, b"cdef") { (previous, count - 1) } else { (at, count) }
}

/// Bytes and units of the character at `at`.
fn character(literal: &[u8], at: usize) -> (usize, usize) {
    match literal[at] {
        b'\\' => (escape_length(literal, at), 1),
        0..=0x7f => (1, 1),
        0x80..=0xdf => (2, 1),
        0xe0..=0xef => (3, 1),
        0xf0.. => (4, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_prefix_splits_no_pair() {
        assert_eq!(prefix("a😀b".as_bytes(), 2), (1, 1));
        assert_eq!(prefix("a😀b".as_bytes(), 3), (5, 3));
        assert_eq!(prefix(br"a\ud83d\uDE00b", 2), (1, 1));
        assert_eq!(prefix(br"a\ud83d\uDE00b", 3), (13, 3));
        assert_eq!(prefix(br"a\ud83db", 2), (7, 2));
        assert_eq!(prefix(br"\\u\n\u0041x", 4), (11, 4));
    }

    proptest! {
        #[test]
        fn a_prefix_is_that_of_the_string(text in any::<String>(), limit in 0usize..40) {
            let literal = serde_json::to_string(&text).unwrap();
            let literal = &literal.as_bytes()[1..literal.len() - 1];
            let all: Vec<u16> = text.encode_utf16().collect();
            if limit < all.len() {
                let (end, count) = prefix(literal, limit);
                let kept: String = serde_json::from_slice(&[b"\"", &literal[..end], b"\""].concat()).unwrap();
                prop_assert_eq!(kept.encode_utf16().collect::<Vec<_>>(), &all[..count]);
                prop_assert!(count == limit || count + 1 == limit);
            }
        }
    }
}
