//! A tree of JSON values: nodes that refer to the text.
//!
//! The key lists of objects (*shapes*) form a trie, so that objects of one kind share a number, and comparing layouts is
//! comparing numbers.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    False,
    True,
    Number,
    /// A string; whether it has escapes.
    String {
        escapes: bool,
    },
    Array,
    Object,
}

/// The number of a node.
pub type Id = u32;

/// A value.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub kind: Kind,
    /// Its text, quotes and brackets included.
    pub start: u32,
    pub end: u32,
    /// Children of a container lie side by side.
    pub(super) first: u32,
    pub(super) count: u32,
    /// Of an object.
    pub shape: u32,
}

/// Node of a trie of key lists: the list of its parent and one more key.
#[derive(Clone, Debug)]
pub(super) struct Shape<'a> {
    pub parent: u32,
    pub key: u32,
    pub length: u32,
    /// The key that came next the last time, and where it led.
    pub next_key: &'a str,
    pub next: u32,
}

/// A text of JSON, read.
#[derive(Debug)]
pub struct Tree<'a> {
    pub text: &'a str,
    pub(super) nodes: Vec<Node>,
    pub(super) shapes: Vec<Shape<'a>>,
    pub(super) keys: Vec<&'a str>,
    pub root: Id,
}

impl<'a> Tree<'a> {
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    /// The children of a container, the first one's number and how many they are.
    pub fn children(&self, id: Id) -> std::ops::Range<Id> {
        let node = self.node(id);
        node.first..node.first + node.count
    }

    /// The text of a value.
    pub fn text_of(&self, id: Id) -> &'a str {
        let node = self.node(id);
        &self.text[node.start as usize..node.end as usize]
    }

    /// What stands between a string's quotes.
    pub fn literal(&self, id: Id) -> &'a str {
        let text = self.text_of(id);
        &text[1..text.len() - 1]
    }

    /// What stands between the quotes of a key.
    pub fn key(&self, key: u32) -> &'a str {
        self.keys[key as usize]
    }

    /// The keys of an object of this shape, in order.
    pub fn keys_of(&self, shape: u32) -> Vec<u32> {
        let mut keys = Vec::with_capacity(self.shapes[shape as usize].length as usize);
        let mut at = shape;
        while at != 0 {
            keys.push(self.shapes[at as usize].key);
            at = self.shapes[at as usize].parent;
        }
        keys.reverse();
        keys
    }
}
