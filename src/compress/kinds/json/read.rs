//! Reading JSON into a tree of nodes that refer to the text: one pass, no copies, an explicit stack.

use std::collections::HashMap;

use super::lexemes::{escape_length, number_length, plain_length};
use super::tree::{Kind, Node, Shape, Tree};
use crate::cancel;

/// Containers that may lie one in another; deeper text is left as it is.
pub const MAX_DEPTH: usize = 96;

/// Bytes that show what a text is.
const LOOK: usize = CHECK_EVERY;

/// Items that an array must have had where a text breaks off.
const MIN_ITEMS: usize = 3;

/// Bytes between two looks at whether the work should stop.
const CHECK_EVERY: usize = 64 << 10;

/// Reads one text; nothing where it is not JSON, too deep, or the work was stopped.
pub fn read(text: &str) -> Option<Tree<'_>> {
    let mut reader = Reader::new(text);
    reader.skip_spaces();
    let root = reader.value()?;
    reader.skip_spaces();
    if reader.at != text.len() {
        return None;
    }
    Some(reader.finish(root))
}

/// Whether a text is one value, as far as its beginning shows.
pub fn begins(text: &str) -> bool {
    let mut reader = Reader::new(text);
    reader.limit = LOOK;
    let is_value = reader.value().is_some();
    if is_value { text[reader.at..].trim_ascii().is_empty() } else { reader.at >= LOOK }
}

/// Reads a text of values with line breaks between them, as an array of them.
pub fn read_lines(text: &str) -> Option<Tree<'_>> {
    let mut reader = Reader::new(text);
    reader.skip_spaces();
    let mut count = 0;
    while reader.at < text.len() {
        let node = reader.value()?;
        reader.pending.push(node);
        count += 1;
        let end = reader.at;
        reader.skip_spaces();
        if reader.at < text.len() && memchr::memchr(b'\n', &reader.bytes[end..reader.at]).is_none() {
            return None;
        }
    }
    if count < 2 {
        return None;
    }
    let root = reader.array(0, 0);
    Some(reader.finish(root))
}

/// Where the JSON value ends that begins at `at`; where there is none, how far it was read.
pub fn value_end(text: &str, at: usize) -> Result<usize, usize> {
    let mut reader = Reader::new(text);
    reader.at = at;
    reader.check_at = at + CHECK_EVERY;
    let value = reader.value();
    let end = reader.at.min(text.len());
    if value.is_some() { Ok(end) } else { Err(end) }
}

/// Reads a text that breaks off in an array, as far as that has whole items; also where the last one ends.
pub fn read_cut(text: &str) -> Option<(Tree<'_>, usize)> {
    let mut reader = Reader::new(text);
    reader.skip_spaces();
    if reader.value().is_some() || cancel::is_interrupted() {
        return None;
    }
    let (root, end) = reader.repair()?;
    Some((reader.finish(root), end))
}

/// A container that is open.
#[derive(Debug)]
struct Frame {
    start: u32,
    /// Its first child in `pending`.
    first: u32,
    /// The keys so far; [`ARRAY`] for an array.
    shape: u32,
}

const ARRAY: u32 = u32::MAX;

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    check_at: usize,
    /// Where reading ends.
    limit: usize,
    nodes: Vec<Node>,
    pending: Vec<Node>,
    /// Containers that are open, innermost last.
    open: Vec<Frame>,
    shapes: Vec<Shape<'a>>,
    /// From shapes that more than one key followed, to the next by its key.
    transitions: HashMap<(u32, u32), u32>,
    keys: Vec<&'a str>,
    /// Where they are, if there are more than a few.
    key_numbers: HashMap<&'a str, u32>,
}

/// Keys that are found one by one.
const FEW_KEYS: usize = 16;

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            check_at: CHECK_EVERY,
            limit: usize::MAX,
            nodes: Vec::new(),
            pending: Vec::new(),
            open: Vec::new(),
            shapes: vec![Shape { parent: 0, key: 0, length: 0, next_key: "", next: u32::MAX }],
            transitions: HashMap::new(),
            keys: Vec::new(),
            key_numbers: HashMap::new(),
        }
    }

    fn finish(mut self, root: Node) -> Tree<'a> {
        self.nodes.push(root);
        let root = self.nodes.len() as u32 - 1;
        Tree { text: self.text, nodes: self.nodes, shapes: self.shapes, keys: self.keys, root }
    }

    #[inline(always)]
    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn skip_spaces(&mut self) {
        while matches!(self.byte(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Node> {
        if self.bytes.len() > (i32::MAX as usize) {
            return None;
        }
        loop {
            // A value starts here.
            let first = self.byte();
            if matches!(first, b'{' | b'[') {
                let shape = if first == b'{' { 0 } else { ARRAY };
                let frame = Frame { start: self.at as u32, first: self.pending.len() as u32, shape };
                self.open.push(frame);
                self.at += 1;
                self.skip_spaces();
                // The closing bracket is two more than the opening one, in ASCII.
                if self.byte() == first + 2 {
                    self.close()?;
                } else if self.open.len() > MAX_DEPTH {
                    return None;
                } else {
                    if first == b'{' {
                        self.next_member()?;
                    }
                    continue;
                }
            } else {
                let scalar = self.scalar()?;
                self.pending.push(scalar);
            }
            if self.after_value()? {
                return self.pending.pop();
            }
        }
    }

    /// What follows a value: ends of containers, then the start of the next value (`false`) or the end (`true`).
    #[inline(always)]
    fn after_value(&mut self) -> Option<bool> {
        loop {
            let Some(frame) = self.open.last() else { return Some(true) };
            let is_array = frame.shape == ARRAY;
            if self.at >= self.check_at {
                self.check_at = self.at + CHECK_EVERY;
                if self.at >= self.limit || cancel::is_interrupted() {
                    return None;
                }
            }
            self.skip_spaces();
            match (self.byte(), is_array) {
                (b',', _) => {
                    self.at += 1;
                    self.skip_spaces();
                    if !is_array {
                        self.next_member()?;
                    }
                    return Some(false);
                }
                (b']', true) | (b'}', false) => self.close()?,
                _ => return None,
            }
        }
    }

    /// Reads a key of the innermost container, up to its value.
    #[inline(always)]
    fn next_member(&mut self) -> Option<()> {
        let shape = self.open.last()?.shape;
        let shape = self.member(shape)?;
        self.open.last_mut()?.shape = shape;
        Some(())
    }

    /// Ends what is open where the text breaks off: what was read of the outermost array that had a few items, and of
    /// what it lies in. Also where the last of the items ends.
    fn repair(&mut self) -> Option<(Node, usize)> {
        let ends = |at: usize| self.open.get(at + 1).map_or(self.pending.len(), |next| next.first as usize);
        let is_cut = |at: &usize| {
            self.open[*at].shape == ARRAY && ends(*at) - self.open[*at].first as usize >= MIN_ITEMS
        };
        let cut = (0..self.open.len()).find(is_cut)?;
        self.pending.truncate(ends(cut));
        self.open.truncate(cut + 1);
        let end = self.pending.last()?.end as usize;
        while !self.open.is_empty() {
            self.at = end - 1;
            self.close()?;
        }
        Some((self.pending.pop()?, end))
    }

    /// Ends the innermost container at its closing bracket.
    #[inline(always)]
    fn close(&mut self) -> Option<()> {
        let frame = self.open.pop()?;
        self.at += 1;
        let mut node = self.array(frame.start, frame.first as usize);
        if frame.shape != ARRAY {
            (node.kind, node.shape) = (Kind::Object, frame.shape);
        }
        self.pending.push(node);
        Some(())
    }

    /// The nodes that are pending from `first` on, made the children of an array.
    fn array(&mut self, start: u32, first: usize) -> Node {
        let children = self.nodes.len() as u32;
        let count = (self.pending.len() - first) as u32;
        self.nodes.extend(self.pending.drain(first..));
        Node { kind: Kind::Array, start, end: self.at as u32, first: children, count, shape: 0 }
    }

    /// Reads a key and its colon, up to its value.
    #[inline(always)]
    fn member(&mut self, shape: u32) -> Option<u32> {
        if self.byte() != b'"' {
            return None;
        }
        let start = self.at + 1;
        let Shape { next_key, next, .. } = self.shapes[shape as usize];
        let next = if next != u32::MAX
            && self.bytes[start..].starts_with(next_key.as_bytes())
            && self.bytes.get(start + next_key.len()) == Some(&b'"')
        {
            self.at = start + next_key.len() + 1;
            next
        } else {
            self.string()?;
            let key = &self.text[start..self.at - 1];
            self.transition(shape, key)
        };
        self.skip_spaces();
        if self.byte() != b':' {
            return None;
        }
        self.at += 1;
        self.skip_spaces();
        Some(next)
    }

    #[inline(never)]
    fn transition(&mut self, shape: u32, key: &'a str) -> u32 {
        let number = self.number(key);
        let Shape { length, next: last, .. } = self.shapes[shape as usize];
        let new = self.shapes.len() as u32;
        let next = if last == u32::MAX {
            new
        } else {
            // Most are followed by one key alone: it gets here with the second one.
            let last_key = self.shapes[last as usize].key;
            self.transitions.entry((shape, last_key)).or_insert(last);
            *self.transitions.entry((shape, number)).or_insert(new)
        };
        if next == new {
            let added =
                Shape { parent: shape, key: number, length: length + 1, next_key: "", next: u32::MAX };
            self.shapes.push(added);
        }
        let from = &mut self.shapes[shape as usize];
        (from.next_key, from.next) = (key, next);
        next
    }

    fn number(&mut self, key: &'a str) -> u32 {
        let new = self.keys.len() as u32;
        let known = if self.keys.len() <= FEW_KEYS {
            self.keys.iter().position(|known| *known == key).map_or(new, |at| at as u32)
        } else {
            if self.key_numbers.is_empty() {
                self.key_numbers.extend(self.keys.iter().copied().zip(0..));
            }
            *self.key_numbers.entry(key).or_insert(new)
        };
        if known == new {
            self.keys.push(key);
        }
        known
    }

    #[inline(always)]
    fn scalar(&mut self) -> Option<Node> {
        let start = self.at;
        let kind = match self.byte() {
            b'"' => Kind::String { escapes: self.string()? },
            b't' => self.word(b"true", Kind::True)?,
            b'f' => self.word(b"false", Kind::False)?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ => {
                self.at += number_length(&self.bytes[start..])?;
                Kind::Number
            }
        };
        Some(Node { kind, start: start as u32, end: self.at as u32, first: 0, count: 0, shape: 0 })
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Option<Kind> {
        self.bytes[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            kind
        })
    }

    /// Reads a string from quote to quote: whether it has escapes.
    #[inline(always)]
    fn string(&mut self) -> Option<bool> {
        let mut at = self.at + 1;
        let mut escapes = false;
        loop {
            at += plain_length(&self.bytes[at..]);
            match *self.bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    escapes = true;
                    at += escape_length(&self.bytes[at..])?;
                }
                _ => return None,
            }
        }
        self.at = at + 1;
        Some(escapes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Id;
    use super::*;
    use proptest::prelude::*;

    fn rebuild(tree: &Tree<'_>, id: Id) -> serde_json::Value {
        let node = tree.node(id);
        match node.kind {
            Kind::Array => tree.children(id).map(|child| rebuild(tree, child)).collect(),
            Kind::Object => {
                let keys = tree.keys_of(node.shape);
                let members = keys.into_iter().zip(tree.children(id));
                let unquote =
                    |key| serde_json::from_str::<String>(&format!("\"{}\"", tree.key(key))).unwrap();
                members.map(|(key, child)| (unquote(key), rebuild(tree, child))).collect()
            }
            _ => serde_json::from_str(tree.text_of(id)).unwrap(),
        }
    }

    #[test]
    fn rejects_what_is_not_json() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "01",
            "1.",
            "-",
            "1e",
            "tru",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\n\"",
            "[}",
            "{\"a\":1]",
            "1 2",
            "[1]]",
            "{\"a\":1,}",
            "\u{feff}1",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_none());
        assert!(read(&("[".repeat(90) + &"]".repeat(90))).is_some());
    }

    #[test]
    fn texts_may_break_off() {
        for (text, expected, rest) in [
            ("[1,2,3,4", "[1,2,3,4]", ""),
            ("[1,2,3,\"ab", "[1,2,3]", ",\"ab"),
            (
                r#"{"n":2,"a":[{"x":1},{"x":2},{"x":3},{"x"... [cut]"#,
                r#"{"n":2,"a":[{"x":1},{"x":2},{"x":3}]}"#,
                r#",{"x"... [cut]"#,
            ),
            ("[[1,2],[3,4],[5,6],[7", "[[1,2],[3,4],[5,6]]", ",[7"),
        ] {
            let (tree, end) = read_cut(text).unwrap();
            assert_eq!(
                rebuild(&tree, tree.root),
                serde_json::from_str::<serde_json::Value>(expected).unwrap()
            );
            assert_eq!(&text[end..], rest);
        }
        for text in ["[1,2,3]", "[1,2", "{\"a\":1,\"b\":2,", "no", ""] {
            assert!(read_cut(text).is_none(), "{text}");
        }
    }

    #[test]
    fn lines_are_items() {
        let tree = read_lines("{\"a\":1}\n{\"a\":2}\r\n\n3\n").unwrap();
        assert_eq!(rebuild(&tree, tree.root), serde_json::json!([{"a": 1}, {"a": 2}, 3]));
        for text in ["{}", "{} {}", "{}\n{", "a\nb"] {
            assert!(read_lines(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_reads(text in "[\\[\\]{}:,\"\\\\a10.e \\-u]{0,24}") {
            let expected = serde_json::from_str::<serde_json::Value>(&text).ok();
            let tree = read(&text);
            // serde_json looks into escapes: it rejects lone surrogates, and numbers out of range.
            if expected.is_some() {
                let tree = tree.expect("valid");
                prop_assert_eq!(rebuild(&tree, tree.root), expected.unwrap());
            }
        }
    }
}
