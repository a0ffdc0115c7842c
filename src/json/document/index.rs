//! The structural index: where in a text every value is.
//!
//! One pass checks the grammar and notes, per container, its span and where its children are. Children of a container
//! lie side by side, so an item is found by its number, and an object's members are walked without touching what is
//! in them: a pointer is resolved past everything beside its path.
//!
//! The layout is lean because most of a document is never asked for: 4 bytes a value, 4 more a key, 20 a container. Where
//! a scalar ends is not kept, as the text says so.

use std::cell::RefCell;

use super::cursor::{Cursor, Malformed};
use crate::cancel::{CancelToken, Interrupt};
use crate::json::simd::{Kernel, Lanes, detected};
use crate::memory::Padded;

/// Bytes between two looks at the cancellation flag.
const CHECK_EVERY: usize = 64 << 10;

/// Longest text: offsets have 31 bits.
pub const MAX_TEXT: usize = i32::MAX as usize;

/// Where a value is: the offset of a scalar, or the number of a container, which has the top bit set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(u32);

impl Entry {
    const CONTAINER: u32 = 1 << 31;

    pub fn container(self) -> Option<usize> {
        (self.0 & Self::CONTAINER != 0).then_some((self.0 & !Self::CONTAINER) as usize)
    }

    pub fn of_container(number: usize) -> Self {
        Self(number as u32 | Self::CONTAINER)
    }

    /// Offset of a scalar.
    pub fn offset(self) -> usize {
        self.0 as usize
    }
}

/// Where a key's opening quote is, and, in the top bit, whether the key has escapes.
#[derive(Clone, Copy, Debug)]
pub struct Key(u32);

impl Key {
    const ESCAPES: u32 = 1 << 31;

    pub fn offset(self) -> usize {
        (self.0 & !Self::ESCAPES) as usize
    }

    pub fn has_escapes(self) -> bool {
        self.0 & Self::ESCAPES != 0
    }
}

/// An object or array.
#[derive(Clone, Copy, Debug)]
pub struct Container {
    pub start: u32,
    /// Behind the closing bracket.
    pub end: u32,
    /// Its first child, an index into the children.
    first: u32,
    /// Children: the items, or the members' keys and values, which take turns.
    children: u32,
    /// Bytes of white space between tokens.
    pub spaces: u32,
}

#[derive(Debug)]
pub struct Index {
    containers: Box<[Container]>,
    children: Box<[u32]>,
    pub root: Entry,
}

impl Index {
    pub fn container(&self, number: usize) -> &Container {
        &self.containers[number]
    }

    fn children(&self, container: &Container) -> &[u32] {
        &self.children[container.first as usize..][..container.children as usize]
    }

    /// Numbers of the containers that have more than this many children.
    pub fn large(&self, children: usize) -> impl Iterator<Item = usize> + '_ {
        let containers = self.containers.iter().enumerate();
        containers
            .filter(move |(_, container)| container.children as usize > children)
            .map(|(number, _)| number)
    }

    pub fn len_of_array(container: &Container) -> usize {
        container.children as usize
    }

    pub fn len_of_object(container: &Container) -> usize {
        container.children as usize / 2
    }

    pub fn item(&self, container: &Container, index: usize) -> Option<Entry> {
        self.children(container).get(index).copied().map(Entry)
    }

    /// An object's member, by its place in the text.
    pub fn member(&self, container: &Container, index: usize) -> Option<(Key, Entry)> {
        let [key, value] = *self.children(container).get(2 * index..2 * index + 2)? else { return None };
        Some((Key(key), Entry(value)))
    }

    /// Bytes of memory held.
    pub fn footprint(&self) -> usize {
        size_of_val(&*self.containers) + size_of_val(&*self.children)
    }
}

/// Why there is no index.
#[derive(Debug)]
pub enum Stop {
    Malformed,
    Interrupted(Interrupt),
}

impl From<Malformed> for Stop {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Interrupt> for Stop {
    fn from(interrupt: Interrupt) -> Self {
        Self::Interrupted(interrupt)
    }
}

/// Makes the index of a text.
pub fn index(text: Padded<'_>, cancel: &CancelToken) -> Result<Index, Stop> {
    if text.as_slice().len() > MAX_TEXT {
        return Err(Stop::Malformed);
    }
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        let indexer = Indexer {
            cursor: Cursor::new(text, 0),
            length: text.as_slice().len(),
            check_at: CHECK_EVERY,
            cancel,
            scratch,
        };
        let root = detected(indexer)?;
        Ok(Index {
            containers: scratch.containers.as_slice().into(),
            children: scratch.children.as_slice().into(),
            root,
        })
    })
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What one thread keeps from text to text.
#[derive(Debug, Default)]
struct Scratch {
    containers: Vec<Container>,
    children: Vec<u32>,
    /// Children of the open containers, innermost last.
    pending: Vec<u32>,
    open: Vec<Frame>,
}

impl Scratch {
    fn clear(&mut self) {
        self.containers.clear();
        self.containers.shrink_to(1 << 15);
        self.children.clear();
        self.children.shrink_to(1 << 17);
        self.pending.clear();
        self.pending.shrink_to(1 << 15);
        self.open.clear();
        self.open.shrink_to(1 << 12);
    }
}

/// A container that is open.
#[derive(Clone, Copy, Debug)]
struct Frame {
    start: u32,
    /// Its first child in `pending`.
    first: u32,
    /// White space seen before it.
    spaces: u32,
    object: bool,
}

struct Indexer<'a> {
    cursor: Cursor<'a>,
    length: usize,
    check_at: usize,
    cancel: &'a CancelToken,
    scratch: &'a mut Scratch,
}

impl Kernel for Indexer<'_> {
    type Output = Result<Entry, Stop>;

    #[inline(always)]
    fn run<V: Lanes>(mut self) -> Result<Entry, Stop> {
        let mut spaces = 0;
        loop {
            // A value starts here.
            let first = self.token::<V>(&mut spaces);
            if first == b'{' || first == b'[' {
                self.open(first == b'{', spaces);
                // The closing bracket is two more than the opening one, in ASCII.
                if self.token::<V>(&mut spaces) != first + 2 {
                    if first == b'{' {
                        self.key::<V>(&mut spaces)?;
                    }
                    continue;
                }
                self.close(spaces);
            } else {
                self.scratch.pending.push(self.cursor.at as u32);
                self.cursor.scalar::<V>()?;
            }
            if self.after_value::<V>(&mut spaces)? {
                return Ok(Entry(self.scratch.pending[0]));
            }
        }
    }
}

impl Indexer<'_> {
    /// What follows a value: ends of containers, then the start of the next value (`false`) or the end of the text.
    #[inline(always)]
    fn after_value<V: Lanes>(&mut self, spaces: &mut u32) -> Result<bool, Stop> {
        loop {
            if self.cursor.at >= self.check_at {
                self.check_at = self.cursor.at + CHECK_EVERY;
                self.cancel.check()?;
            }
            let next = self.token::<V>(spaces);
            let Some(frame) = self.scratch.open.last() else {
                return if self.cursor.at == self.length { Ok(true) } else { Err(Stop::Malformed) };
            };
            match (next, frame.object) {
                (b',', true) => {
                    self.cursor.at += 1;
                    self.token::<V>(spaces);
                    self.key::<V>(spaces)?;
                    return Ok(false);
                }
                (b',', false) => {
                    self.cursor.at += 1;
                    return Ok(false);
                }
                (b'}', true) | (b']', false) => self.close(*spaces),
                _ => return Err(Stop::Malformed),
            }
        }
    }

    #[inline(always)]
    fn token<V: Lanes>(&mut self, spaces: &mut u32) -> u8 {
        let before = self.cursor.at;
        let token = self.cursor.token::<V>();
        *spaces += (self.cursor.at - before) as u32;
        token
    }

    #[inline(always)]
    fn open(&mut self, object: bool, spaces: u32) {
        let first = self.scratch.pending.len() as u32;
        self.scratch.open.push(Frame { start: self.cursor.at as u32, first, spaces, object });
        self.cursor.at += 1;
    }

    #[inline(always)]
    fn close(&mut self, spaces: u32) {
        self.cursor.at += 1;
        let Scratch { containers, children, pending, open } = &mut *self.scratch;
        let Some(frame) = open.pop() else { return };
        let own = &pending[frame.first as usize..];
        containers.push(Container {
            start: frame.start,
            end: self.cursor.at as u32,
            first: children.len() as u32,
            children: own.len() as u32,
            spaces: spaces - frame.spaces,
        });
        children.extend_from_slice(own);
        pending.truncate(frame.first as usize);
        pending.push(Entry::CONTAINER | (containers.len() as u32 - 1));
    }

    /// Reads a key and its colon; the cursor is where the key's quote must be.
    #[inline(always)]
    fn key<V: Lanes>(&mut self, spaces: &mut u32) -> Result<(), Stop> {
        if self.cursor.byte() != b'"' {
            return Err(Stop::Malformed);
        }
        let start = self.cursor.at as u32;
        let escapes = self.cursor.string::<V>()?;
        self.scratch.pending.push(start | if escapes { Key::ESCAPES } else { 0 });
        if self.token::<V>(spaces) != b':' {
            return Err(Stop::Malformed);
        }
        self.cursor.at += 1;
        Ok(())
    }
}
