//! The tokens of an encoding, in tables made for looking them up.
//!
//! The files of `vocabularies/` (`scripts/vocabularies.js` has their form) are 1.3 MB together and become some 15 MB of tables each, which are built
//! when they are first asked for, on the thread that asks.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Encoding;
use crate::error::{Error, ErrorKind};

/// No token.
pub const NONE: u32 = u32::MAX;

/// Bits of a token's number.
const ID_BITS: u32 = 18;
const ID_MASK: u64 = (1 << ID_BITS) - 1;
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
/// What a file may hold when unpacked.
const LARGEST: usize = 16 << 20;

/// An entry of a table of short tokens: bytes, zeros behind, and `length << ID_BITS | id`; 0 for an empty one.
type Entry<const WORDS: usize> = ([u64; WORDS], u32);

/// The tokens of one encoding. A token's number, its id, is its rank in the order of merges.
pub struct Vocabulary {
    /// All tokens' bytes, and where those of each begin; one more at the end.
    bytes: Vec<u8>,
    starts: Vec<u32>,
    /// The token itself for tokens of up to 8 and of up to 16 bytes, by a hash of these.
    short: Table<1>,
    medium: Table<2>,
    trie: Trie,
    /// The longest token that a token begins with, besides itself.
    pub prefix: Vec<u32>,
    /// The two tokens that are merged to a token; itself twice for a single byte.
    pub halves: Vec<[u32; 2]>,
    /// The tokens by their halves: `left << 36 | right << 18 | id`, in open addressing; `u64::MAX` for an empty one.
    merges: Vec<u64>,
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vocabulary").field("tokens", &self.len()).finish_non_exhaustive()
    }
}

/// Where the files lie.
static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Says where the files lie. Otherwise they are looked for in `vocabularies/`, from where the process runs.
pub fn set_folder(folder: PathBuf) {
    *FOLDER.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder);
}

static LOADED: [OnceLock<Vocabulary>; 2] = [OnceLock::new(), OnceLock::new()];

/// Whether an encoding's vocabulary is there already.
pub fn is_loaded(encoding: Encoding) -> bool {
    LOADED[encoding as usize].get().is_some()
}

/// The vocabulary of an encoding, loaded by the first who asks; others wait for it.
///
/// # Errors
///
/// When its file is missing or damaged. The next call tries again.
pub fn vocabulary(encoding: Encoding) -> Result<&'static Vocabulary, Error> {
    static LOADING: Mutex<()> = Mutex::new(());
    let place = &LOADED[encoding as usize];
    if let Some(loaded) = place.get() {
        return Ok(loaded);
    }
    let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = place.get() {
        return Ok(loaded);
    }
    let folder = FOLDER.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let folder = folder.unwrap_or_else(|| PathBuf::from("vocabularies"));
    let path = folder.join(format!("{}.bin", encoding.name()));
    let failed = |why: &dyn fmt::Display| {
        Error::new(
            ErrorKind::ModelNotFound,
            format!("the vocabulary {} cannot be read: {why}", path.display()),
        )
    };
    let file = fs::read(&path).map_err(|error| failed(&error))?;
    let vocabulary = Vocabulary::read(&file).ok_or_else(|| failed(&"it is damaged"))?;
    Ok(place.get_or_init(|| vocabulary))
}

impl Vocabulary {
    /// Reads a file; nothing if it is none, or damaged.
    fn read(file: &[u8]) -> Option<Self> {
        let raw = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(file, LARGEST).ok()?;
        let (count, columns) = raw.split_first_chunk::<4>()?;
        let count = u32::from_le_bytes(*count) as usize;
        if count == 0 || count > ID_MASK as usize || columns.len() < 6 * count {
            return None;
        }
        let (columns, suffixes) = columns.split_at(6 * count);
        let column = |number: usize| &columns[number * count..][..count];
        let sorted = Sorted::read(column(0), column(1), suffixes)?;
        let byte = |number: usize, at: usize| u32::from(column(number)[at]);
        let ids: Vec<u32> = (0..count).map(|at| byte(3, at) | byte(4, at) << 8 | byte(5, at) << 16).collect();
        Self::build(&sorted, &ids, column(2))
    }

    fn build(sorted: &Sorted, ids: &[u32], splits: &[u8]) -> Option<Self> {
        let count = ids.len();
        let mut at_of = vec![NONE; count];
        for (at, &id) in ids.iter().enumerate() {
            // Each id once, so that there is one of each.
            if std::mem::replace(at_of.get_mut(id as usize)?, at as u32) != NONE {
                return None;
            }
        }
        let (mut bytes, mut starts) = (Vec::with_capacity(sorted.bytes.len()), Vec::with_capacity(count + 1));
        let up_to = |length: u32| sorted.lengths().filter(|&token| token <= length).count();
        let (mut short, mut medium) = (Table::new(up_to(8)), Table::new(up_to(16) - up_to(8)));
        for (id, &at) in at_of.iter().enumerate() {
            let token = sorted.token(at as usize);
            starts.push(bytes.len() as u32);
            bytes.extend_from_slice(token);
            match token.len() {
                0..=8 => short.insert(words(token), token.len(), id as u32),
                9..=16 => medium.insert(words(token), token.len(), id as u32),
                _ => {}
            }
        }
        starts.push(bytes.len() as u32);
        let (trie, prefix) = Trie::build(sorted, ids)?;
        let halves = vec![[0; 2]; count];
        let mut vocabulary = Self { bytes, starts, short, medium, trie, prefix, halves, merges: Vec::new() };
        vocabulary.merges = vec![u64::MAX; (2 * count).next_power_of_two()];
        for id in 0..count as u32 {
            vocabulary.add_merge(id, usize::from(splits[at_of[id as usize] as usize]))?;
        }
        Some(vocabulary)
    }

    fn add_merge(&mut self, id: u32, split: usize) -> Option<()> {
        if self.token(id).len() == 1 {
            self.halves[id as usize] = [id; 2];
            return Some(());
        }
        let (left, right) = self.token(id).split_at_checked(split)?;
        let (left, right) = (self.lookup(left)?, self.lookup(right)?);
        if left.max(right) >= id {
            return None;
        }
        self.halves[id as usize] = [left, right];
        let mask = self.merges.len() - 1;
        let mut slot = merge_slot(left, right, mask);
        while self.merges[slot] != u64::MAX {
            slot = (slot + 1) & mask;
        }
        self.merges[slot] = merge_key(left, right) << ID_BITS | u64::from(id);
        Some(())
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.prefix.len()
    }

    /// A token's bytes.
    pub fn token(&self, id: u32) -> &[u8] {
        &self.bytes[self.starts[id as usize] as usize..self.starts[id as usize + 1] as usize]
    }

    /// A token's length in bytes.
    #[inline(always)]
    pub fn length(&self, id: u32) -> usize {
        (self.starts[id as usize + 1] - self.starts[id as usize]) as usize
    }

    /// The token that is these bytes.
    #[inline(always)]
    pub fn lookup(&self, bytes: &[u8]) -> Option<u32> {
        match bytes.len() {
            0..=8 => self.short.lookup(words(bytes), bytes.len()),
            9..=16 => self.medium.lookup(words(bytes), bytes.len()),
            length => self.longest(bytes).filter(|&id| self.length(id) == length),
        }
    }

    /// The longest token that these bytes, at least one, begin with.
    #[inline(always)]
    pub fn longest(&self, bytes: &[u8]) -> Option<u32> {
        self.trie.longest(bytes)
    }

    /// The token that two are merged to.
    #[inline(always)]
    pub fn merged(&self, left: u32, right: u32) -> Option<u32> {
        let mask = self.merges.len() - 1;
        let key = merge_key(left, right);
        let mut slot = merge_slot(left, right, mask);
        loop {
            let entry = self.merges[slot];
            if entry == u64::MAX {
                return None;
            }
            if entry >> ID_BITS == key {
                return Some((entry & ID_MASK) as u32);
            }
            slot = (slot + 1) & mask;
        }
    }
}

fn merge_key(left: u32, right: u32) -> u64 {
    u64::from(left) << ID_BITS | u64::from(right)
}

fn merge_slot(left: u32, right: u32, mask: usize) -> usize {
    (merge_key(left, right).wrapping_mul(MULTIPLIER) >> 32) as usize & mask
}

/// Up to `8 * WORDS` bytes as words, with zeros behind.
#[inline(always)]
fn words<const WORDS: usize>(bytes: &[u8]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    let (whole, rest) = bytes.as_chunks::<8>();
    for (word, chunk) in words.iter_mut().zip(whole) {
        *word = u64::from_le_bytes(*chunk);
    }
    if let Some(word) = words.get_mut(whole.len()) {
        *word = partial_word(rest);
    }
    words
}

/// Up to seven bytes as a word, read in at most two overlapping parts.
#[inline(always)]
fn partial_word(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    if let (Some(low), Some(high)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*low))
            | u64::from(u32::from_le_bytes(*high)) << (8 * (length - 4));
    }
    if length == 0 {
        return 0;
    }
    u64::from(bytes[0])
        | u64::from(bytes[length / 2]) << (8 * (length / 2))
        | u64::from(bytes[length - 1]) << (8 * (length - 1))
}

/// Tokens by their bytes, in open addressing.
struct Table<const WORDS: usize> {
    entries: Vec<Entry<WORDS>>,
}

impl<const WORDS: usize> Table<WORDS> {
    fn new(count: usize) -> Self {
        Self { entries: vec![([0; WORDS], 0); (count + count / 2).next_power_of_two()] }
    }

    #[inline(always)]
    fn slot(&self, words: [u64; WORDS], length: usize) -> usize {
        let mixed = words
            .iter()
            .fold(length as u64, |mixed, word| (mixed.rotate_left(29) ^ word).wrapping_mul(MULTIPLIER));
        (mixed ^ mixed >> 32) as usize & (self.entries.len() - 1)
    }

    fn insert(&mut self, words: [u64; WORDS], length: usize, id: u32) {
        let mut slot = self.slot(words, length);
        while self.entries[slot].1 != 0 {
            slot = (slot + 1) & (self.entries.len() - 1);
        }
        self.entries[slot] = (words, (length as u32) << ID_BITS | id);
    }

    #[inline(always)]
    fn lookup(&self, words: [u64; WORDS], length: usize) -> Option<u32> {
        let mut slot = self.slot(words, length);
        loop {
            let (found, value) = &self.entries[slot];
            if *value == 0 {
                return None;
            }
            if *found == words && value >> ID_BITS == length as u32 {
                return Some(value & ID_MASK as u32);
            }
            slot = (slot + 1) & (self.entries.len() - 1);
        }
    }
}

/// The tokens in the order of their bytes.
struct Sorted {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Sorted {
    /// Unfolds what each shares with the one before. Nothing if the order is wrong or bytes are missing.
    fn read(prefixes: &[u8], lengths: &[u8], suffixes: &[u8]) -> Option<Self> {
        let mut sorted =
            Self { bytes: Vec::with_capacity(3 * suffixes.len()), ends: Vec::with_capacity(prefixes.len()) };
        let mut rest = suffixes;
        let mut last = 0..0;
        for (&prefix, &length) in prefixes.iter().zip(lengths) {
            let suffix;
            (suffix, rest) = rest.split_at_checked(usize::from(length))?;
            let start = sorted.bytes.len();
            let shared = last.start..last.start + usize::from(prefix);
            // Strictly ascending: the byte after what is shared is a higher one, or there was none.
            let next = sorted.bytes[last.clone()].get(usize::from(prefix));
            if shared.end > last.end || suffix.first() <= next {
                return None;
            }
            sorted.bytes.extend_from_within(shared);
            sorted.bytes.extend_from_slice(suffix);
            last = start..sorted.bytes.len();
            sorted.ends.push(last.end as u32);
        }
        rest.is_empty().then_some(sorted)
    }

    fn lengths(&self) -> impl Iterator<Item = u32> {
        self.ends.iter().scan(0, |start, &end| Some(end - std::mem::replace(start, end)))
    }

    fn token(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start as usize..self.ends[at] as usize]
    }
}

/// The tokens as a trie: nodes in the order of their depth, the children of a node side by side.
struct Trie {
    /// The nodes of depth two, by both bytes; 0 for none.
    second: Vec<u32>,
    /// By node: the byte that leads to it, its token or [`NONE`], its first child. One more at the end.
    labels: Vec<u8>,
    tokens: Vec<u32>,
    children: Vec<u32>,
}

impl Trie {
    /// The trie, and the longest proper prefix of each token. Nothing unless each byte is a token.
    fn build(sorted: &Sorted, ids: &[u32]) -> Option<(Self, Vec<u32>)> {
        let mut trie =
            Self { second: vec![0; 1 << 16], labels: vec![0], tokens: vec![NONE], children: Vec::new() };
        let mut prefix = vec![NONE; ids.len()];
        // Of each node: its tokens, how deep it is, and the longest token on the way to it.
        let mut nodes = vec![(0, ids.len(), 0, NONE)];
        let mut node = 0;
        while let Some(&(mut low, high, depth, mut best)) = nodes.get(node) {
            trie.children.push(nodes.len() as u32);
            if sorted.token(low).len() == depth {
                let id = ids[low];
                prefix[id as usize] = best;
                trie.tokens[node] = id;
                best = id;
                low += 1;
            }
            while low < high {
                let label = sorted.token(low)[depth];
                let end = (low..high).find(|&at| sorted.token(at)[depth] != label).unwrap_or(high);
                if depth == 1 {
                    trie.second[usize::from(trie.labels[node]) << 8 | usize::from(label)] =
                        nodes.len() as u32;
                }
                nodes.push((low, end, depth + 1, best));
                trie.labels.push(label);
                trie.tokens.push(NONE);
                low = end;
            }
            node += 1;
        }
        trie.children.push(nodes.len() as u32);
        // The nodes of depth one are 1 to 256, in the order of their bytes.
        let complete = trie.children[1] == 257 && trie.tokens[1..257].iter().all(|&id| id != NONE);
        complete.then_some((trie, prefix))
    }

    #[inline(always)]
    fn longest(&self, bytes: &[u8]) -> Option<u32> {
        let first = *bytes.first()?;
        let mut best = self.tokens[1 + usize::from(first)];
        let Some(&second) = bytes.get(1) else { return Some(best) };
        let mut node = self.second[usize::from(first) << 8 | usize::from(second)] as usize;
        let mut rest = bytes[2..].iter();
        while node != 0 {
            let id = self.tokens[node];
            if id != NONE {
                best = id;
            }
            let Some(byte) = rest.next() else { break };
            let (from, to) = (self.children[node] as usize, self.children[node + 1] as usize);
            node =
                self.labels[from..to].iter().position(|label| label == byte).map_or(0, |place| from + place);
        }
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_files_are_refused() {
        let path = PathBuf::from("vocabularies/cl100k_base.bin");
        let file = fs::read(path).unwrap();
        assert!(Vocabulary::read(&file).is_some());
        for end in [0, 1, 100, file.len() / 2, file.len() - 1] {
            assert!(Vocabulary::read(&file[..end]).is_none(), "cut at {end}");
        }
        for at in [2, 1_000, file.len() / 2, file.len() - 2] {
            let mut damaged = file.clone();
            damaged[at] ^= 0x10;
            assert!(Vocabulary::read(&damaged).is_none(), "changed at {at}");
        }
    }

    #[test]
    fn every_token_is_found_and_made_of_its_halves() {
        let vocabulary = vocabulary(Encoding::Cl100k).unwrap();
        for id in 0..vocabulary.len() as u32 {
            let token = vocabulary.token(id);
            assert_eq!(vocabulary.lookup(token), Some(id), "{token:?}");
            assert_eq!(vocabulary.longest(token), Some(id), "{token:?}");
            let [left, right] = vocabulary.halves[id as usize];
            if token.len() == 1 {
                assert_eq!([left, right], [id; 2]);
            } else {
                assert_eq!([vocabulary.token(left), vocabulary.token(right)].concat(), token);
                assert_eq!(vocabulary.merged(left, right), Some(id));
            }
            let prefix = vocabulary.prefix[id as usize];
            let expected = (1..token.len()).rev().find_map(|length| vocabulary.lookup(&token[..length]));
            assert_eq!((prefix != NONE).then_some(prefix), expected);
        }
        assert_eq!(vocabulary.lookup(b""), None);
        assert_eq!(vocabulary.lookup(b"no such token, surely"), None);
    }
}
