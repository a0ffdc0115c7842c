//! JSON text, written from the front.

use super::text::Text;
use crate::cancel::{CancelToken, Interrupt};
use crate::json::document::Node;
use crate::json::escape::escape_text;
use crate::memory;

/// A number as JavaScript prints it.
pub fn number_text(value: f64) -> String {
    if value.is_finite() { ryu_js::Buffer::new().format_finite(value).to_owned() } else { "null".to_owned() }
}

/// Writes one body. Values of documents are copied as they stand.
pub struct Writer<'a> {
    out: Vec<u8>,
    cancel: &'a CancelToken,
    /// Set when there is no use in going on.
    interrupt: Option<Interrupt>,
}

impl<'a> Writer<'a> {
    pub fn new(capacity: usize, cancel: &'a CancelToken) -> Self {
        Self { out: memory::vector(capacity), cancel, interrupt: None }
    }

    pub fn finish(self) -> Result<Vec<u8>, Interrupt> {
        self.interrupt.map_or(Ok(self.out), Err)
    }

    fn separate(&mut self) {
        // No value ends in one of these.
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(b',');
        }
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// The key of the value that follows; `name` needs no escapes.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.raw("\"");
        self.raw(name);
        self.raw("\":");
        self
    }

    pub fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.separate();
        self.raw("{");
        members(self);
        self.raw("}");
    }

    pub fn list(&mut self, items: impl FnOnce(&mut Self)) {
        self.separate();
        self.raw("[");
        items(self);
        self.raw("]");
    }

    pub fn literal(&mut self, text: &str) {
        self.separate();
        self.raw(text);
    }

    /// A value that is JSON text.
    pub fn bytes(&mut self, text: &[u8]) {
        self.separate();
        self.out.extend_from_slice(text);
    }

    pub fn boolean(&mut self, value: bool) {
        self.literal(if value { "true" } else { "false" });
    }

    pub fn number(&mut self, value: f64) {
        self.literal(&number_text(value));
    }

    /// A string made of pieces.
    pub fn joined<'t>(&mut self, texts: impl IntoIterator<Item = &'t Text>, between: &str) {
        self.separate();
        self.raw("\"");
        let mut is_first = true;
        for text in texts {
            if !std::mem::take(&mut is_first) {
                escape_text(&mut self.out, between.as_bytes());
            }
            text.write(&mut self.out);
        }
        self.raw("\"");
    }

    pub fn text(&mut self, text: &Text) {
        self.joined([text], "");
    }

    pub fn string(&mut self, text: &str) {
        self.separate();
        self.raw("\"");
        escape_text(&mut self.out, text.as_bytes());
        self.raw("\"");
    }

    /// A string that is the JSON text of a value, after and before some more of it.
    pub fn text_of(&mut self, before: &str, node: &Node, after: &str) {
        self.separate();
        self.raw("\"");
        escape_text(&mut self.out, before.as_bytes());
        self.with_text(node, escape_text);
        escape_text(&mut self.out, after.as_bytes());
        self.raw("\"");
    }

    pub fn node(&mut self, node: &Node) {
        self.separate();
        self.with_text(node, Vec::extend_from_slice);
    }

    /// Uses the compact text of a value.
    fn with_text(&mut self, node: &Node, write: impl FnOnce(&mut Vec<u8>, &[u8])) {
        if self.interrupt.is_some() {
            return;
        }
        let copied = match node.span() {
            Some(text) => {
                write(&mut self.out, text);
                self.cancel.check()
            }
            None => node.write(self.cancel).map(|block| write(&mut self.out, block.as_slice())),
        };
        self.interrupt = copied.err();
    }

    /// The members of an object but for one.
    pub fn members_without(&mut self, node: &Node, without: &str) {
        let without = format!("\"{without}\"");
        for (key, value) in node.members() {
            if *key != *without.as_bytes() {
                self.separate();
                self.out.extend_from_slice(&key);
                self.raw(":");
                self.node(&value);
            }
        }
    }

    /// A member, if it has a value.
    pub fn field(&mut self, name: &str, node: Option<&Node>) {
        if let Some(node) = node {
            self.key(name).node(node);
        }
    }

    pub fn text_field(&mut self, name: &str, text: Option<&Text>) {
        if let Some(text) = text {
            self.key(name).text(text);
        }
    }

    pub fn named(&mut self, name: &str, text: &str) {
        self.key(name).string(text);
    }
}
