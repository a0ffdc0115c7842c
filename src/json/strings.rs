//! The strings of one text, gathered so that JavaScript makes each distinct short one once, and few allocations.
//!
//! Short strings are laid end to end in blocks of at most [`BLOCK`] units; the decoder turns a block into one JS
//! string and cuts the others out of it, which V8 does without copying. The block's size bounds what a single
//! surviving string can keep alive. A long string is a block of its own.

use super::simd::Lanes;
use super::unescape::{SLACK, Stop, latin1, utf16};

/// Units in a block of short strings.
const BLOCK: usize = 32 << 10;
/// Literals of this many bytes and more get a block of their own.
const LONG: usize = 4 << 10;
/// Longest literal looked up among those seen before.
const INTERN: usize = 32;
/// Slots looked at before a literal counts as new. Bounds the time that chosen collisions can cost.
const PROBES: usize = 8;

/// Characters of a block, in the form V8 stores them.
#[derive(Debug)]
pub enum Characters {
    Latin1(Box<[u8]>),
    Utf16(Box<[u16]>),
}

/// One JS string to make, and how many strings to cut out of it.
#[derive(Debug)]
pub struct StringBlock {
    pub characters: Characters,
    pub entries: u32,
}

/// A block being filled: characters, and for each string its number and where it ends.
#[derive(Debug)]
struct Open<T> {
    characters: Vec<T>,
    entries: Vec<u32>,
}

impl<T: Copy> Open<T> {
    const fn new() -> Self {
        Self { characters: Vec::new(), entries: Vec::new() }
    }

    /// Closes the block and leaves an empty one.
    fn close(&mut self, into: &mut Closed, characters: impl FnOnce(Box<[T]>) -> Characters) {
        if !self.entries.is_empty() {
            into.entries.append(&mut self.entries);
            let entries = (into.entries.len() / 2 - into.counted) as u32;
            into.counted += entries as usize;
            let text = std::mem::take(&mut self.characters).into_boxed_slice();
            into.blocks.push(StringBlock { characters: characters(text), entries });
        }
    }
}

#[derive(Debug, Default)]
struct Closed {
    blocks: Vec<StringBlock>,
    /// Number and end of every string, block after block.
    entries: Vec<u32>,
    /// Strings in `blocks`.
    counted: usize,
}

/// A literal seen before: where it stands in the text, and its number.
#[derive(Clone, Copy, Debug)]
struct Seen {
    start: u32,
    length: u32,
    string: u32,
}

/// Collects strings; numbers them in order of appearance.
#[derive(Debug)]
pub struct Strings {
    narrow: Open<u8>,
    wide: Open<u16>,
    closed: Closed,
    count: u32,
    /// Open addressing over literals of at most `INTERN` bytes; a slot holds an index into `seen` plus one.
    slots: Vec<u32>,
    seen: Vec<Seen>,
    seed: u64,
}

impl Strings {
    pub fn new(seed: u64) -> Self {
        Self {
            narrow: Open::new(),
            wide: Open::new(),
            closed: Closed::default(),
            count: 0,
            slots: vec![0; 512],
            seen: Vec::new(),
            seed,
        }
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    /// Adds the literal `text[start..end]`, `end` being its closing quote; gives its number. `plain` says that it has
    /// neither escapes nor bytes above 0x7f.
    ///
    /// # Safety
    ///
    /// As for [`latin1`]; `start..end` must lie in the text at `text`, which must be the same in every call.
    #[inline(always)]
    pub unsafe fn add<V: Lanes>(
        &mut self,
        text: *const u8,
        start: usize,
        end: usize,
        plain: bool,
    ) -> Result<u32, usize> {
        let length = end - start;
        if plain && length <= INTERN {
            // SAFETY: passed on.
            return Ok(unsafe { self.intern(text, start, length) });
        }
        // SAFETY: passed on.
        unsafe { self.append::<V>(text.add(start), length, plain) }
    }

    /// The number of a short plain literal, the same for all its appearances.
    #[inline(always)]
    unsafe fn intern(&mut self, text: *const u8, start: usize, length: usize) -> u32 {
        // SAFETY: padding makes whole words readable behind the literal.
        let hash = unsafe { hash(self.seed, text.add(start), length) };
        let mask = self.slots.len() - 1;
        let mut free = None;
        for probe in 0..PROBES {
            let slot = (hash as usize + probe) & mask;
            let found = self.slots[slot];
            if found == 0 {
                free = Some(slot);
                break;
            }
            let seen = self.seen[found as usize - 1];
            // SAFETY: `seen` describes a literal of this text.
            let equal = || unsafe { same(text.add(seen.start as usize), text.add(start), length) };
            if seen.length as usize == length && equal() {
                return seen.string;
            }
        }
        // SAFETY: the literal is plain, so its bytes are its characters.
        let string = unsafe { self.append_short(std::slice::from_raw_parts(text.add(start), length)) };
        if let Some(slot) = free {
            self.seen.push(Seen { start: start as u32, length: length as u32, string });
            self.slots[slot] = self.seen.len() as u32;
            if self.seen.len() * 2 > self.slots.len() {
                // SAFETY: as above.
                unsafe { self.grow(text) };
            }
        }
        string
    }

    #[cold]
    unsafe fn grow(&mut self, text: *const u8) {
        let mask = self.slots.len() * 4 - 1;
        self.slots.clear();
        self.slots.resize(mask + 1, 0);
        for (index, seen) in self.seen.iter().enumerate() {
            // SAFETY: `seen` describes a literal of this text.
            let hash = unsafe { hash(self.seed, text.add(seen.start as usize), seen.length as usize) };
            if let Some(slot) =
                (0..PROBES).map(|probe| (hash as usize + probe) & mask).find(|&slot| self.slots[slot] == 0)
            {
                self.slots[slot] = index as u32 + 1;
            }
        }
    }

    fn append_short(&mut self, bytes: &[u8]) -> u32 {
        self.reserve_narrow(bytes.len());
        self.narrow.characters.extend_from_slice(bytes);
        self.entry_narrow()
    }

    #[inline(always)]
    unsafe fn append<V: Lanes>(
        &mut self,
        start: *const u8,
        length: usize,
        plain: bool,
    ) -> Result<u32, usize> {
        if length >= LONG {
            // SAFETY: passed on.
            return unsafe { self.append_long::<V>(start, length, plain) };
        }
        self.reserve_narrow(length + SLACK);
        // SAFETY: room for the literal and the slack was just reserved; only what was written becomes contents.
        let narrow = unsafe {
            let characters = &mut self.narrow.characters;
            let written =
                latin1::<V>(start, start.add(length), characters.as_mut_ptr().add(characters.len()));
            if let Ok(written) = written {
                characters.set_len(characters.len() + written);
            }
            written
        };
        match narrow {
            Ok(_) => return Ok(self.entry_narrow()),
            Err(Stop::Escape(at)) => return Err(at),
            Err(Stop::Wide) => {}
        }
        self.reserve_wide(length + SLACK);
        // SAFETY: as above.
        unsafe {
            let characters = &mut self.wide.characters;
            let written =
                utf16::<V>(start, start.add(length), characters.as_mut_ptr().add(characters.len()))?;
            characters.set_len(characters.len() + written);
        }
        let string = self.next();
        self.wide.entries.extend([string, self.wide.characters.len() as u32]);
        Ok(string)
    }

    #[inline(always)]
    unsafe fn append_long<V: Lanes>(
        &mut self,
        start: *const u8,
        length: usize,
        plain: bool,
    ) -> Result<u32, usize> {
        // SAFETY: both writers get room for the literal and the slack; only what was written becomes contents.
        let characters = unsafe {
            if plain {
                Characters::Latin1(std::slice::from_raw_parts(start, length).into())
            } else {
                let mut narrow = Vec::<u8>::with_capacity(length + SLACK);
                match latin1::<V>(start, start.add(length), narrow.as_mut_ptr()) {
                    Ok(written) => {
                        narrow.set_len(written);
                        Characters::Latin1(narrow.into_boxed_slice())
                    }
                    Err(Stop::Escape(at)) => return Err(at),
                    Err(Stop::Wide) => {
                        let mut wide = Vec::<u16>::with_capacity(length + SLACK);
                        let written = utf16::<V>(start, start.add(length), wide.as_mut_ptr())?;
                        wide.set_len(written);
                        Characters::Utf16(wide.into_boxed_slice())
                    }
                }
            }
        };
        let units = match &characters {
            Characters::Latin1(bytes) => bytes.len(),
            Characters::Utf16(units) => units.len(),
        };
        let string = self.next();
        self.closed.entries.extend([string, units as u32]);
        self.closed.counted += 1;
        self.closed.blocks.push(StringBlock { characters, entries: 1 });
        Ok(string)
    }

    fn next(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
    }

    #[inline(always)]
    fn entry_narrow(&mut self) -> u32 {
        let string = self.next();
        self.narrow.entries.extend([string, self.narrow.characters.len() as u32]);
        string
    }

    #[inline(always)]
    fn reserve_narrow(&mut self, units: usize) {
        if self.narrow.characters.capacity() - self.narrow.characters.len() < units {
            self.narrow.close(&mut self.closed, Characters::Latin1);
            self.narrow.characters = Vec::with_capacity(BLOCK);
        }
    }

    #[inline(always)]
    fn reserve_wide(&mut self, units: usize) {
        if self.wide.characters.capacity() - self.wide.characters.len() < units {
            self.wide.close(&mut self.closed, Characters::Utf16);
            self.wide.characters = Vec::with_capacity(BLOCK);
        }
    }

    /// Everything gathered: the blocks, and number and end of each string in their order. Ready for the next text.
    pub fn finish(&mut self) -> (Vec<StringBlock>, Vec<u32>) {
        self.narrow.close(&mut self.closed, Characters::Latin1);
        self.wide.close(&mut self.closed, Characters::Utf16);
        let Closed { blocks, entries, .. } = std::mem::take(&mut self.closed);
        self.reset();
        (blocks, entries)
    }

    /// Forgets everything, keeping modest amounts of memory.
    pub fn reset(&mut self) {
        self.narrow.characters.clear();
        self.narrow.entries.clear();
        self.wide.characters.clear();
        self.wide.entries.clear();
        self.closed = Closed::default();
        self.count = 0;
        self.seen.clear();
        self.seen.shrink_to(4096);
        self.slots.truncate(8192);
        self.slots.shrink_to(8192);
        self.slots.fill(0);
    }
}

/// Multiply and fold, the core of wyhash; seeded per process, so that collisions cannot be prepared.
#[inline(always)]
pub fn mix(value: u64) -> u64 {
    let product = u128::from(value) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hash of `length` bytes.
///
/// # Safety
///
/// Eight bytes must be readable from every byte of the text.
#[inline(always)]
pub unsafe fn hash(seed: u64, from: *const u8, length: usize) -> u64 {
    let mut state = seed ^ length as u64;
    let mut at = 0;
    while at + 8 <= length {
        // SAFETY: within the text.
        state = mix(state ^ unsafe { from.add(at).cast::<u64>().read_unaligned() });
        at += 8;
    }
    if at < length {
        // SAFETY: the caller vouches for eight readable bytes.
        let word = u64::from_le(unsafe { from.add(at).cast::<u64>().read_unaligned() });
        state = mix(state ^ (word & (u64::MAX >> (64 - 8 * (length - at)))));
    }
    state
}

/// Whether two runs of `length` bytes are equal.
///
/// # Safety
///
/// Both must be readable.
#[inline(always)]
unsafe fn same(one: *const u8, other: *const u8, length: usize) -> bool {
    // SAFETY: passed on.
    unsafe { std::slice::from_raw_parts(one, length) == std::slice::from_raw_parts(other, length) }
}
