//! A reader of tapes, as `lib/decode.js` is one, and how `serde_json` differs from `JSON.parse`: for the tests and the fuzz targets.

use offloop::json::layout::{MAX_SLICE_WORDS, TAG_BITS, open, tag, word};
use offloop::json::{Characters, Tape};
use serde_json::{Map, Number, Value};

/// A value in the making: containers name their items by index, as a later slice may add to them.
enum Node {
    Leaf(Value),
    Array(Vec<usize>),
    Object(Vec<(String, usize)>),
}

/// Reads tapes as `lib/decode.js` does.
#[derive(Default)]
pub struct Reader {
    nodes: Vec<Node>,
    /// Containers open at the last cut, the innermost last.
    open: Vec<usize>,
    pub words: Vec<u32>,
    strings: Vec<String>,
    shapes: Vec<Vec<u32>>,
    cursor: usize,
}

impl Reader {
    pub fn load(&mut self, tape: &Tape) {
        let words: Vec<u32> = tape
            .as_bytes()
            .chunks_exact(4)
            .map(|chunk| u32::from_ne_bytes(chunk.try_into().unwrap()))
            .collect();
        assert!(words.len() < MAX_SLICE_WORDS);
        self.strings = vec![String::new(); words[word::STRINGS] as usize];
        let mut entry = words[word::ENTRIES_AT] as usize;
        for (index, block) in tape.blocks.iter().enumerate() {
            assert_eq!(words[words[word::BLOCKS_AT] as usize + index], block.entries);
            let units: Vec<u16> = match &block.characters {
                Characters::Latin1(bytes) => bytes.iter().map(|&byte| u16::from(byte)).collect(),
                Characters::Utf16(units) => units.to_vec(),
            };
            let mut start = 0;
            for _ in 0..block.entries {
                let end = words[entry + 1] as usize;
                self.strings[words[entry] as usize] = String::from_utf16_lossy(&units[start..end]);
                start = end;
                entry += 2;
            }
            assert_eq!(start, units.len(), "a block has nothing behind its last string");
        }
        self.shapes.clear();
        let mut at = words[word::SHAPES_AT] as usize;
        for _ in 0..words[word::SHAPES] {
            let count = words[at + 3] as usize;
            self.shapes.push(words[at + 4..at + 4 + count].to_vec());
            at += 4 + count;
        }
        self.cursor = words[word::CURSOR] as usize;
        self.words = words;
    }

    fn next(&mut self) -> u32 {
        self.cursor += 1;
        self.words[self.cursor - 1]
    }

    fn node(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn leaf(&mut self, value: Value) -> usize {
        self.node(Node::Leaf(value))
    }

    fn number(&mut self, index: usize) -> usize {
        let at = word::HEADER + 2 * index;
        let value = f64::from_bits(u64::from(self.words[at]) | u64::from(self.words[at + 1]) << 32);
        self.leaf(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    /// Reads the items of a container, or of a part of it, into `node`.
    fn fill(&mut self, node: usize, object: bool, count_or_shape: usize) {
        let keys = if object { self.shapes[count_or_shape].clone() } else { vec![0; count_or_shape] };
        for key in keys {
            let item = self.value();
            let key = self.strings.get(key as usize).cloned();
            match &mut self.nodes[node] {
                Node::Array(items) => items.push(item),
                Node::Object(pairs) => pairs.push((key.unwrap(), item)),
                Node::Leaf(_) => panic!("a leaf has no items"),
            }
        }
    }

    fn container(&mut self, object: bool, count_or_shape: usize, stays_open: bool) -> usize {
        let node = self.node(if object { Node::Object(Vec::new()) } else { Node::Array(Vec::new()) });
        if stays_open {
            self.open.push(node);
        }
        self.fill(node, object, count_or_shape);
        node
    }

    fn value(&mut self) -> usize {
        let op = self.next();
        let payload = (op >> TAG_BITS) as usize;
        match op & ((1 << TAG_BITS) - 1) {
            tag::STRING => self.leaf(Value::String(self.strings[payload].clone())),
            tag::INTEGER => self.leaf(Value::from(f64::from((op as i32) >> TAG_BITS))),
            tag::OBJECT => self.container(true, payload, false),
            tag::ARRAY => self.container(false, payload, false),
            tag::NUMBER => self.number(payload),
            tag::LITERAL => self.leaf([Value::Null, Value::Bool(true), Value::Bool(false)][payload].clone()),
            tag::NUMBERS => {
                let first = self.next() as usize;
                let items = (first..first + payload).map(|index| self.number(index)).collect();
                self.node(Node::Array(items))
            }
            _ => self.container(payload as u32 & open::OBJECT != 0, payload >> open::FLAG_BITS, true),
        }
    }

    /// Reads a later slice: parts of open containers, the innermost first.
    fn parts(&mut self) {
        let end = self.words[word::BLOCKS_AT] as usize;
        while self.cursor < end {
            let payload = self.next() >> TAG_BITS;
            let node = *self.open.last().unwrap();
            if payload & open::LAST != 0 {
                self.open.pop();
            }
            self.fill(node, payload & open::OBJECT != 0, (payload >> open::FLAG_BITS) as usize);
        }
    }

    fn build(&self, node: usize) -> Value {
        match &self.nodes[node] {
            Node::Leaf(value) => value.clone(),
            Node::Array(items) => Value::Array(items.iter().map(|&item| self.build(item)).collect()),
            Node::Object(pairs) => Value::Object(
                pairs.iter().map(|(key, item)| (key.clone(), self.build(*item))).collect::<Map<_, _>>(),
            ),
        }
    }

    pub fn read(slices: &[Tape]) -> Value {
        let mut reader = Self::default();
        reader.load(&slices[0]);
        let root = reader.value();
        for slice in &slices[1..] {
            reader.load(slice);
            reader.parts();
        }
        assert!(reader.open.is_empty(), "every container ends");
        reader.build(root)
    }
}

/// All numbers as doubles, as JavaScript has them.
pub fn doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            Number::from_f64(number.as_f64().unwrap()).map_or(Value::Null, Value::Number)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(doubles).collect()),
        Value::Object(pairs) => pairs.into_iter().map(|(key, value)| (key, doubles(value))).collect(),
        other => other,
    }
}

/// What `JSON.parse` reads and `serde_json` does not: lone surrogates, and numbers beyond the range of a double.
pub fn beyond_serde(error: &str) -> bool {
    ["surrogate", "hex escape", "out of range"].iter().any(|reason| error.contains(reason))
}
