//! The texts of messages: of `OpenAI` chats, of Anthropic's messages, of items of `OpenAI`'s responses. `lib/compress/messages.js`
//! has the same rules for values; a test compares the two.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::compress::pipeline::{Piece, Purpose};
use crate::error::Error;
use crate::json::document::{Kind, Node, Source, Token, text_of};

/// Characters, UTF-16 units, below which a result cannot be worth shortening; the same for what the assistant said.
const SHORT: usize = 32;
const SHORT_SAID: usize = 2000;

/// Blocks that carry text in one of the formats.
const TEXT_BLOCKS: [&str; 3] = ["text", "input_text", "output_text"];
/// Items of responses that are a tool's result, and that are calls.
const OUTPUTS: [&str; 3] = ["function_call_output", "custom_tool_call_output", "local_shell_call_output"];
const CALLS: [&str; 3] = ["function_call", "custom_tool_call", "local_shell_call"];

/// A text that was found.
#[derive(Debug)]
pub struct Found {
    pub text: String,
    purpose: Purpose,
    pub message: u32,
    led_by: [Option<u32>; 2],
    /// The way to a text that may be replaced, from the messages on.
    pub place: Option<Vec<Token>>,
}

impl Found {
    pub fn piece(&self) -> Piece<'_> {
        let Self { purpose, message, led_by, .. } = *self;
        Piece { text: &self.text, purpose, message, led_by }
    }
}

/// A string of a document.
struct Literal {
    text: String,
    /// UTF-16 units of it.
    units: usize,
    /// Whether it is what it was: lone surrogates have no UTF-8.
    is_exact: bool,
}

/// Why a message stays as it is; nothing where its texts say.
type Reason = Option<&'static str>;

/// The walk over messages.
#[derive(Debug)]
pub struct Walk<'a> {
    messages: &'a [Node],
    pub found: Vec<Found>,
    pub reasons: Vec<Reason>,
    last_user: Option<u32>,
    /// Texts of calls by their id.
    calls: HashMap<String, u32>,
    /// The first message that is protected as recent.
    recent: usize,
}

impl<'a> Walk<'a> {
    pub fn new(messages: &'a [Node]) -> Self {
        Self {
            messages,
            found: Vec::new(),
            reasons: Vec::new(),
            last_user: None,
            calls: HashMap::new(),
            recent: messages.len(),
        }
    }

    pub fn run(&mut self, turns: usize, cancel: &CancelToken) -> Result<(), Error> {
        self.recent = start_of_turns(self.messages, turns);
        for (index, message) in self.messages.iter().enumerate() {
            cancel.check()?;
            let reason = if message.kind() == Kind::Object {
                self.message(message, index)
            } else {
                Some("no message")
            };
            self.reasons.push(reason);
        }
        Ok(())
    }

    fn message(&mut self, message: &Node, index: usize) -> Reason {
        let role = field(message, "role");
        match role.as_ref().and_then(string).map(|role| role.text).as_deref() {
            Some("user") => self.turn(message, index),
            Some("assistant") => self.said(message, index),
            Some("tool" | "function") => self.result(message, "content", "tool_call_id", index),
            None if role.is_none() => self.item(message, index),
            role => {
                self.keep_all(field(message, "content"), index);
                Some(if matches!(role, Some("system" | "developer")) {
                    "system text"
                } else {
                    "unknown role"
                })
            }
        }
    }

    /// An item of a response that is no message.
    fn item(&mut self, item: &Node, index: usize) -> Reason {
        if is_one_of(item, &OUTPUTS) {
            return self.result(item, "output", "call_id", index);
        }
        if is_one_of(item, &CALLS) {
            self.call(item, item, "call_id", index);
            return Some("tool call");
        }
        self.keep_all(field(item, "content"), index);
        Some("no role")
    }

    /// A user's message, which has tool results in Anthropic's format.
    fn turn(&mut self, message: &Node, index: usize) -> Reason {
        let Some(content) = field(message, "content") else { return Some("no text") };
        if let Some(text) = string(&content) {
            self.last_user = Some(self.keep(text.text, index));
            return Some("user text");
        }
        if content.kind() != Kind::Array {
            return Some("no text");
        }
        let mut reason = Some("user text");
        for (at, block) in content.items().iter().enumerate() {
            if is_one_of(block, &["tool_result"]) {
                let path = path(index, &["content", &at.to_string()]);
                let next = match self.protection(block, index) {
                    None => self.content(block, "content", "tool_use_id", Purpose::Result, index, path),
                    protection => {
                        self.keep_all(field(block, "content"), index);
                        protection
                    }
                };
                reason = combine(reason, next);
            } else if is_one_of(block, &TEXT_BLOCKS)
                && let Some(text) = text_field(block, "text")
            {
                self.last_user = Some(self.keep(text.text, index));
            }
        }
        reason
    }

    /// A message or item that is a tool's result.
    fn result(&mut self, message: &Node, key: &'static str, id: &'static str, index: usize) -> Reason {
        let protection = self.protection(message, index);
        if protection.is_none() {
            return self.content(message, key, id, Purpose::Result, index, path(index, &[]));
        }
        self.keep_all(field(message, key), index);
        protection
    }

    fn said(&mut self, message: &Node, index: usize) -> Reason {
        for call in field(message, "tool_calls").map(|calls| calls.items()).unwrap_or_default() {
            if let Some(named) = field(&call, "function") {
                self.call(&call, &named, "id", index);
            }
        }
        let content = field(message, "content");
        let short = content.as_ref().and_then(string).filter(|text| text.units < SHORT_SAID);
        if let Some(text) = short {
            self.keep(text.text, index);
            return Some("assistant text");
        }
        let protection = self.protection(message, index);
        if protection.is_none() {
            return self.content(message, "content", "", Purpose::Said, index, path(index, &[]));
        }
        self.keep_all(content, index);
        protection
    }

    /// Texts that may be replaced; why none of them is.
    fn content(
        &mut self,
        holder: &Node,
        key: &'static str,
        id: &'static str,
        purpose: Purpose,
        index: usize,
        mut path: Vec<Token>,
    ) -> Reason {
        let Some(content) = field(holder, key) else { return Some("no text") };
        let call = text_field(holder, id).and_then(|id| self.calls.get(&id.text).copied());
        path.push(Token::ascii(key));
        if let Some(text) = string(&content) {
            if text.units < SHORT {
                self.keep(text.text, index);
                return Some("short");
            }
            self.add(text, purpose, index, call, path);
            return None;
        }
        let mut reason = Some("no text");
        for (at, block) in content.items().iter().enumerate() {
            if is_one_of(block, &TEXT_BLOCKS)
                && let Some(text) = text_field(block, "text")
            {
                let protection = shortness(&text, purpose).or_else(|| marked(block));
                if protection.is_none() {
                    let mut path = path.clone();
                    path.extend([Token::ascii(&at.to_string()), Token::ascii("text")]);
                    self.add(text, purpose, index, call, path);
                } else {
                    self.keep(text.text, index);
                }
                reason = combine(reason, protection);
            } else {
                self.other_block(block, index);
            }
        }
        reason
    }

    fn other_block(&mut self, block: &Node, index: usize) {
        if is_one_of(block, &["tool_use"]) {
            self.call(block, block, "id", index);
        } else if let Some(thinking) = text_field(block, "thinking") {
            self.keep(thinking.text, index);
        }
    }

    /// Texts that stay as they are.
    fn keep_all(&mut self, content: Option<Node>, index: usize) {
        let Some(content) = content else { return };
        if let Some(text) = string(&content) {
            self.keep(text.text, index);
        }
        for block in content.items() {
            match text_field(&block, "text") {
                Some(text) => drop(self.keep(text.text, index)),
                None => self.other_block(&block, index),
            }
        }
    }

    fn keep(&mut self, text: String, index: usize) -> u32 {
        let found =
            Found { text, purpose: Purpose::Count, message: index as u32, led_by: [None; 2], place: None };
        self.found.push(found);
        self.found.len() as u32 - 1
    }

    fn add(&mut self, text: Literal, purpose: Purpose, index: usize, call: Option<u32>, path: Vec<Token>) {
        let purpose = if text.is_exact { purpose } else { Purpose::Unreadable };
        let led_by = [self.last_user, call];
        self.found.push(Found { text: text.text, purpose, message: index as u32, led_by, place: Some(path) });
    }

    fn call(&mut self, call: &Node, named: &Node, id: &'static str, index: usize) {
        let name = text_field(named, "name").map(|name| name.text).unwrap_or_default();
        let input = ["arguments", "input", "action"].into_iter().find_map(|key| field(named, key));
        let input = match input {
            Some(input) => string(&input).map_or_else(|| input_text(&input), |text| text.text),
            None => String::new(),
        };
        let at = self.keep(format!("{name} {input}"), index);
        if let Some(id) = text_field(call, id) {
            self.calls.insert(id.text, at);
        }
    }

    /// Why a message or block is not to be changed.
    fn protection(&self, block: &Node, index: usize) -> Reason {
        if index >= self.recent { Some("recent turn") } else { marked(block) }
    }
}

/// What is marked for the provider's cache stays byte-identical, as does what is signed, and an error is what the reader
/// needs most.
fn marked(block: &Node) -> Reason {
    if field(block, "is_error").is_some_and(|value| value.kind() == Kind::True) {
        return Some("error result");
    }
    if field(block, "cache_control").is_some_and(|value| value.kind() != Kind::Null) {
        return Some("cache_control");
    }
    field(block, "signature").map(|_| "signed")
}

/// Why a message stays as it is when one more of its texts does, or does not.
fn combine(reason: Reason, next: Reason) -> Reason {
    reason.and(next)
}

fn shortness(text: &Literal, purpose: Purpose) -> Reason {
    match purpose {
        Purpose::Said => (text.units < SHORT_SAID).then_some("assistant text"),
        _ => (text.units < SHORT).then_some("short"),
    }
}

fn path(index: usize, rest: &[&str]) -> Vec<Token> {
    let first = Token::ascii(&index.to_string());
    std::iter::once(first).chain(rest.iter().map(|token| Token::ascii(token))).collect()
}

fn field(node: &Node, name: &str) -> Option<Node> {
    if node.kind() == Kind::Object { node.child(&Token::ascii(name)) } else { None }
}

fn text_field(node: &Node, name: &str) -> Option<Literal> {
    field(node, name).as_ref().and_then(string)
}

fn is_one_of(node: &Node, types: &[&str]) -> bool {
    let Some(Node::Part(source, entry)) = field(node, "type") else { return false };
    source.kind(entry) == Kind::String && types.iter().any(|name| source.string_is(entry.offset(), name))
}

fn string(node: &Node) -> Option<Literal> {
    let Node::Part(source, entry) = node else { return None };
    (source.kind(*entry) == Kind::String).then(|| literal(source, entry.offset()))
}

fn literal(source: &Arc<Source>, start: usize) -> Literal {
    let bytes = source.literal(start);
    if memchr::memchr(b'\\', bytes).is_none()
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        let units = if text.len() < SHORT { text.len() } else { units(text) };
        return Literal { text: text.to_owned(), units, is_exact: true };
    }
    let units = source.units(start);
    let text = String::from_utf16(&units);
    let is_exact = text.is_ok();
    Literal { text: text.unwrap_or_else(|_| String::from_utf16_lossy(&units)), units: units.len(), is_exact }
}

fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// A call's input, as it reads without escapes.
fn input_text(input: &Node) -> String {
    let Ok(block) = text_of(input, &CancelToken::new()) else { return String::new() };
    let text = String::from_utf8_lossy(block.as_slice());
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        out.push(match after.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(c) => c,
            None => '\\',
        });
        rest = after.as_str();
    }
    out.push_str(rest);
    out
}

/// The first message of the last turns.
fn start_of_turns(messages: &[Node], turns: usize) -> usize {
    let begins = |at: &usize| begins_turn(&messages[*at]);
    if turns == 0 {
        return messages.len();
    }
    (0..messages.len()).rev().filter(begins).nth(turns - 1).unwrap_or(0)
}

fn begins_turn(message: &Node) -> bool {
    let is_user = text_field(message, "role").is_some_and(|role| role.text == "user");
    let content = field(message, "content");
    is_user
        && content.is_none_or(|content| {
            content.kind() != Kind::Array
                || content.items().iter().any(|block| {
                    matches!(block.kind(), Kind::Object | Kind::Array) && !is_one_of(block, &["tool_result"])
                })
        })
}
