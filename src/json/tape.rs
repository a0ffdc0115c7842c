//! The parsed text as JavaScript's decoder wants it: one run of words, and the string blocks beside it.

use super::layout::{INTEGERS, MAX_SLICE_WORDS, SLICE_WORDS, TAG_BITS, open, tag, word};
use super::registry::{self, Registered};
use super::shapes::Shapes;
use super::strings::{StringBlock, Strings};

/// A slice of a parsed text, ready to cross into JavaScript. See [`super::layout`].
#[derive(Debug)]
pub struct Tape {
    words: Box<[u64]>,
    /// Bytes of `words` in use.
    byte_length: usize,
    pub blocks: Vec<StringBlock>,
}

impl Tape {
    /// The words, as bytes in the machine's order.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: integers have no padding, and `byte_length` is at most the size of `words`.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.byte_length) }
    }
}

/// Ops and numbers in the making.
#[derive(Debug, Default)]
pub struct Builder {
    ops: Vec<u32>,
    numbers: Vec<f64>,
    /// Deepest nesting so far, over all slices of the text.
    pub depth: usize,
}

/// A container's op, to be completed when the container, or the slice, ends.
#[derive(Clone, Copy, Debug)]
pub enum OpenOp {
    /// The container began in this slice: its op, and the numbers before it.
    Here { op: u32, numbers: u32 },
    /// The container began in an earlier slice: the op of its part in this one.
    Part { op: u32 },
    /// The container began in an earlier slice and has no part in this one yet.
    Earlier,
}

/// What a container's items are: their number, or the shape of the keys.
#[derive(Clone, Copy, Debug)]
pub enum Items {
    Count(u32),
    Shape(u32),
}

impl Builder {
    /// Forgets everything, keeping modest amounts of memory.
    pub fn reset(&mut self) {
        self.ops.clear();
        self.ops.shrink_to(1 << 18);
        self.numbers.clear();
        self.numbers.shrink_to(1 << 17);
    }

    #[inline(always)]
    fn push(&mut self, tag: u32, payload: u32) {
        self.ops.push(tag | payload << TAG_BITS);
    }

    #[inline(always)]
    pub fn string(&mut self, string: u32) {
        self.push(tag::STRING, string);
    }

    #[inline(always)]
    pub fn literal(&mut self, literal: u32) {
        self.push(tag::LITERAL, literal);
    }

    #[inline(always)]
    pub fn integer(&mut self, value: i64) {
        if INTEGERS.contains(&value) {
            self.push(tag::INTEGER, value as i32 as u32);
        } else {
            self.number(value as f64);
        }
    }

    #[inline(always)]
    pub fn number(&mut self, value: f64) {
        self.push(tag::NUMBER, self.numbers.len() as u32);
        self.numbers.push(value);
    }

    /// Begins a container.
    #[inline(always)]
    pub fn open(&mut self) -> OpenOp {
        let open = OpenOp::Here { op: self.ops.len() as u32, numbers: self.numbers.len() as u32 };
        self.ops.push(0);
        open
    }

    /// Begins this slice's part of a container that an earlier slice began.
    pub fn part(&mut self) -> OpenOp {
        self.ops.push(0);
        OpenOp::Part { op: self.ops.len() as u32 - 1 }
    }

    /// Ends a container.
    #[inline(always)]
    pub fn close(&mut self, open: OpenOp, items: Items) {
        let (op, word) = match (open, items) {
            (OpenOp::Here { op, .. }, Items::Shape(shape)) => (op, tag::OBJECT | shape << TAG_BITS),
            (OpenOp::Here { op, numbers }, Items::Count(length)) => {
                return self.close_array(op as usize, numbers, length);
            }
            (OpenOp::Part { op }, items) => (op, part(items, open::LAST)),
            (OpenOp::Earlier, _) => unreachable!("a container gets its part before it can end"),
        };
        self.ops[op as usize] = word;
    }

    /// Leaves a container open at the end of a slice.
    pub fn suspend(&mut self, open: OpenOp, items: Items) {
        match open {
            OpenOp::Here { op, .. } | OpenOp::Part { op } => {
                self.ops[op as usize] = part(items, 0);
            }
            OpenOp::Earlier => {}
        }
    }

    /// An array of which all items are in `numbers` needs no op per item.
    #[inline(always)]
    fn close_array(&mut self, op: usize, first: u32, length: u32) {
        let only_numbers = length > 0
            && self.ops.len() - op - 1 == length as usize
            && self.numbers.len() - first as usize == length as usize;
        if only_numbers {
            self.ops.truncate(op);
            self.push(tag::NUMBERS, length);
            self.ops.push(first);
        } else {
            self.ops[op] = tag::ARRAY | length << TAG_BITS;
        }
    }

    /// Whether a slice with what was gathered should end here.
    pub fn is_full(&self, strings: &Strings, shapes: &Shapes) -> bool {
        self.ops.len() + 2 * self.numbers.len() + 2 * strings.count() as usize + shapes.words() > SLICE_WORDS
    }

    /// Lays a slice out as a tape, and resets what was gathered.
    pub fn finish(&mut self, strings: &mut Strings, shapes: &mut Shapes, text: &[u8]) -> Tape {
        let count = strings.count();
        let (blocks, entries) = strings.finish();
        let registered = registry::visit(shapes, text);
        let keys: usize = shapes.shapes().iter().map(|&shape| shapes.key_count(shape)).sum();
        let ops_at = word::HEADER + 2 * self.numbers.len();
        let blocks_at = ops_at + self.ops.len();
        let entries_at = blocks_at + blocks.len();
        let shapes_at = entries_at + entries.len();
        let total = shapes_at + 4 * registered.len() + keys;

        let mut words = Words::with_capacity(total);
        let mut header = [0u32; word::HEADER];
        header[word::CURSOR] = ops_at as u32;
        header[word::DEPTH] = self.depth as u32;
        header[word::STRINGS] = count;
        header[word::BLOCKS_AT] = blocks_at as u32;
        header[word::ENTRIES_AT] = entries_at as u32;
        header[word::SHAPES] = registered.len() as u32;
        header[word::SHAPES_AT] = shapes_at as u32;
        words.extend(&header);
        words.extend_numbers(&self.numbers);
        words.extend(&self.ops);
        for block in &blocks {
            words.extend(&[block.entries]);
        }
        words.extend(&entries);
        words.extend_shapes(shapes, &registered);
        debug_assert!(total < MAX_SLICE_WORDS, "a slice of {total} words");
        self.reset();
        shapes.reset();
        words.into_tape(blocks)
    }
}

/// The `OPEN` op of a part.
fn part(items: Items, flags: u32) -> u32 {
    let (count, flags) = match items {
        Items::Count(count) => (count, flags),
        Items::Shape(shape) => (shape, flags | open::OBJECT),
    };
    tag::OPEN | (count << open::FLAG_BITS | flags) << TAG_BITS
}

/// A tape being written.
struct Words {
    words: Vec<u64>,
    /// 32-bit words written.
    len: usize,
}

impl Words {
    fn with_capacity(words: usize) -> Self {
        Self { words: Vec::with_capacity(words.div_ceil(2)), len: 0 }
    }

    fn extend_bytes(&mut self, from: *const u8, words: usize) {
        assert!(self.len + words <= self.words.capacity() * 2, "a tape is sized before it is written");
        // SAFETY: there is room, as just checked, and the source is a live slice of `words` 32-bit words.
        unsafe {
            let to = self.words.as_mut_ptr().cast::<u32>().add(self.len);
            std::ptr::copy_nonoverlapping(from, to.cast::<u8>(), words * 4);
        }
        self.len += words;
    }

    fn extend(&mut self, words: &[u32]) {
        self.extend_bytes(words.as_ptr().cast(), words.len());
    }

    fn extend_numbers(&mut self, numbers: &[f64]) {
        self.extend_bytes(numbers.as_ptr().cast(), numbers.len() * 2);
    }

    fn extend_shapes(&mut self, shapes: &Shapes, registered: &[Registered]) {
        let mut keys = Vec::new();
        for (&shape, known) in shapes.shapes().iter().zip(registered) {
            keys.clear();
            keys.extend(shapes.keys_backwards(shape).map(|key| key.string));
            keys.reverse();
            self.extend(&[known.slot, known.stamp, u32::from(known.hot), keys.len() as u32]);
            self.extend(&keys);
        }
    }

    fn into_tape(mut self, blocks: Vec<StringBlock>) -> Tape {
        if self.len % 2 == 1 {
            self.extend(&[0]);
        }
        // SAFETY: an even number of 32-bit words was written, within the capacity.
        unsafe { self.words.set_len(self.len / 2) };
        Tape { byte_length: self.len * 4, words: self.words.into_boxed_slice(), blocks }
    }
}
