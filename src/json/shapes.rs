//! Object layouts of one text: a tree of keys, like V8's own transitions.
//!
//! A node is the list of keys from the root to it. Reading an object walks down the tree; each node remembers the
//! child taken last, so the keys of the next object of a kind are recognised by one comparison each, without
//! looking for their closing quote.

use super::strings::{hash, mix};

/// The node of no keys.
pub const ROOT: u32 = 0;
/// No child, no shape.
const NONE: u32 = u32::MAX;
/// Slots looked at before a key counts as new. Bounds the time that chosen collisions can cost.
const PROBES: usize = 16;

/// One key after the keys of its parent.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The key's literal in the text.
    start: u32,
    length: u32,
    /// Its string.
    string: u32,
    parent: u32,
    /// Keys from the root.
    depth: u32,
    /// The child taken last.
    predicted: u32,
    /// Number of the shape that ends here.
    shape: u32,
}

/// A layout that some object of the text has.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    node: u32,
    /// Objects that have it.
    pub objects: u32,
}

/// A key of a shape: its literal in the text, and its string.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub start: usize,
    pub length: usize,
    pub string: u32,
}

/// The layouts of one text.
#[derive(Debug)]
pub struct Shapes {
    nodes: Vec<Node>,
    /// Open addressing over (parent, key); a slot holds a node, 0 for none.
    slots: Vec<u32>,
    list: Vec<Shape>,
    seed: u64,
}

impl Shapes {
    pub fn new(seed: u64) -> Self {
        let mut shapes = Self { nodes: Vec::new(), slots: vec![0; 256], list: Vec::new(), seed };
        shapes.reset();
        shapes
    }

    /// Forgets everything, keeping modest amounts of memory.
    pub fn reset(&mut self) {
        self.nodes.clear();
        self.nodes.shrink_to(4096);
        self.nodes.push(Node {
            start: 0,
            length: 0,
            string: 0,
            parent: NONE,
            depth: 0,
            predicted: NONE,
            shape: NONE,
        });
        self.slots.truncate(8192);
        self.slots.shrink_to(8192);
        self.slots.fill(0);
        self.list.clear();
        self.list.shrink_to(4096);
    }

    /// The child of `node` taken last, and the length of its key, if the text goes on with that key and a quote.
    ///
    /// # Safety
    ///
    /// `text` must be the text of all calls, `length` its length, padded; `at <= length`.
    #[inline(always)]
    pub unsafe fn predicted(
        &self,
        node: u32,
        text: *const u8,
        at: usize,
        length: usize,
    ) -> Option<(u32, usize)> {
        let child = self.nodes[node as usize].predicted;
        if child == NONE {
            return None;
        }
        let key = &self.nodes[child as usize];
        let (start, size) = (key.start as usize, key.length as usize);
        if at + size >= length {
            return None;
        }
        // SAFETY: both runs lie in the text, as does the byte behind the second.
        let matches = unsafe {
            *text.add(at + size) == b'"'
                && std::slice::from_raw_parts(text.add(start), size)
                    == std::slice::from_raw_parts(text.add(at), size)
        };
        matches.then_some((child, size))
    }

    /// The child of `node` by the key `text[start..start + length]`. `string` makes the key's string when it is new.
    ///
    /// # Safety
    ///
    /// The key must lie in the text, which is padded and the same in every call.
    #[inline(always)]
    pub unsafe fn child<E>(
        &mut self,
        node: u32,
        text: *const u8,
        start: usize,
        length: usize,
        string: impl FnOnce() -> Result<u32, E>,
    ) -> Result<u32, E> {
        // SAFETY: passed on.
        let key_hash = mix(unsafe { hash(self.seed, text.add(start), length) } ^ u64::from(node));
        let mask = self.slots.len() - 1;
        let mut free = None;
        for probe in 0..PROBES {
            let slot = (key_hash as usize + probe) & mask;
            let found = self.slots[slot];
            if found == 0 {
                free = Some(slot);
                break;
            }
            let child = self.nodes[found as usize];
            if child.parent == node && child.length as usize == length {
                // SAFETY: both keys lie in the text.
                let equal = unsafe {
                    std::slice::from_raw_parts(text.add(child.start as usize), length)
                        == std::slice::from_raw_parts(text.add(start), length)
                };
                if equal {
                    self.nodes[node as usize].predicted = found;
                    return Ok(found);
                }
            }
        }
        let depth = self.nodes[node as usize].depth + 1;
        let child = self.nodes.len() as u32;
        self.nodes.push(Node {
            start: start as u32,
            length: length as u32,
            string: string()?,
            parent: node,
            depth,
            predicted: NONE,
            shape: NONE,
        });
        self.nodes[node as usize].predicted = child;
        if let Some(slot) = free {
            self.slots[slot] = child;
            if self.nodes.len() * 2 > self.slots.len() {
                // SAFETY: passed on.
                unsafe { self.grow(text) };
            }
        }
        Ok(child)
    }

    #[cold]
    unsafe fn grow(&mut self, text: *const u8) {
        let mask = self.slots.len() * 4 - 1;
        self.slots.clear();
        self.slots.resize(mask + 1, 0);
        for (index, node) in self.nodes.iter().enumerate().skip(1) {
            // SAFETY: the node's key lies in the text.
            let key = unsafe { hash(self.seed, text.add(node.start as usize), node.length as usize) };
            let at = mix(key ^ u64::from(node.parent)) as usize;
            if let Some(slot) =
                (0..PROBES).map(|probe| (at + probe) & mask).find(|&slot| self.slots[slot] == 0)
            {
                self.slots[slot] = index as u32;
            }
        }
    }

    /// Counts one object whose last key is `node`; gives the number of its shape.
    #[inline(always)]
    pub fn object(&mut self, node: u32) -> u32 {
        let shape = self.nodes[node as usize].shape;
        if shape == NONE {
            self.list.push(Shape { node, objects: 1 });
            let shape = self.list.len() as u32 - 1;
            self.nodes[node as usize].shape = shape;
            return shape;
        }
        self.list[shape as usize].objects += 1;
        shape
    }

    pub fn shapes(&self) -> &[Shape] {
        &self.list
    }

    /// About the words that the shapes will take in a tape: a node is a key of one shape at least.
    pub fn words(&self) -> usize {
        self.nodes.len() + 4 * self.list.len()
    }

    /// Number of keys of `shape`.
    pub fn key_count(&self, shape: Shape) -> usize {
        self.nodes[shape.node as usize].depth as usize
    }

    /// Keys of `shape`, last one first.
    pub fn keys_backwards(&self, shape: Shape) -> impl Iterator<Item = Key> + '_ {
        let mut at = shape.node;
        std::iter::from_fn(move || {
            let node = self.nodes[at as usize];
            (node.parent != NONE).then(|| {
                at = node.parent;
                Key { start: node.start as usize, length: node.length as usize, string: node.string }
            })
        })
    }
}
