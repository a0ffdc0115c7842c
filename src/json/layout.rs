//! Layout of a tape, as `lib/layout.js` reads it; `__test__/layout.spec.js` compares the two.
//!
//! A tape is one run of 32-bit words:
//!
//! ```text
//! header        HEADER words, see `word`
//! numbers       f64, two words each, 8-byte aligned
//! ops           one word per value in document order: tag | payload << TAG_BITS
//! blocks        per string block, the number of strings in it
//! entries       per string, block after block: its number, and where it ends in its block
//! shapes        per shape: slot, stamp, hot, key count, then the strings of its keys in order
//! ```
//!
//! The string blocks themselves travel beside the tape, as JS strings.
//!
//! A large text is cut into slices, each a tape of its own, so that none outgrows the decoder's memory and no slice
//! takes the event loop for long. A container that is open at a cut is an `OPEN` op in the slice where it begins
//! (its last item may be open too); a later slice starts with a part of the innermost open container: an `OPEN` op
//! whose items are added to it. A part that ends its container says so, and the part of the next outer one follows.

/// Bits of an op that hold its tag.
pub const TAG_BITS: u32 = 3;

/// What an op is, and what its payload means.
pub mod tag {
    /// Payload: number of the string.
    pub const STRING: u32 = 0;
    /// Payload: the value, signed.
    pub const INTEGER: u32 = 1;
    /// Payload: number of the shape. The values of its keys follow.
    pub const OBJECT: u32 = 2;
    /// Payload: length. The items follow.
    pub const ARRAY: u32 = 3;
    /// Payload: index into the numbers.
    pub const NUMBER: u32 = 4;
    /// Payload: 0 null, 1 true, 2 false.
    pub const LITERAL: u32 = 5;
    /// An array of numbers only. Payload: length. One word follows: the index of the first one.
    pub const NUMBERS: u32 = 6;
    /// Part of a container that spans slices. Payload: see [`super::open`]. The items follow.
    pub const OPEN: u32 = 7;
}

/// Payload of an `OPEN` op: flags, and above them the number of items, or the shape of the keys.
pub mod open {
    /// The container is an object.
    pub const OBJECT: u32 = 1;
    /// The container ends with this part.
    pub const LAST: u32 = 2;
    pub const FLAG_BITS: u32 = 2;
}

/// Header words.
pub mod word {
    /// Word of the first op; the decoder moves it on.
    pub const CURSOR: usize = 0;
    /// Nesting depth of the deepest value.
    pub const DEPTH: usize = 1;
    /// Distinct strings.
    pub const STRINGS: usize = 2;
    /// Word where the counts of the string blocks begin: the first behind the ops.
    pub const BLOCKS_AT: usize = 3;
    /// Word where the string entries begin.
    pub const ENTRIES_AT: usize = 4;
    /// Shapes, and the word where their records begin.
    pub const SHAPES: usize = 5;
    pub const SHAPES_AT: usize = 6;
    /// Words of the header. The numbers follow at once, so the first has half this index, counted in f64.
    pub const HEADER: usize = 8;
}

/// Smallest and largest value of an `INTEGER` op.
pub const INTEGERS: std::ops::RangeInclusive<i64> = -(1 << 28)..=(1 << 28) - 1;

/// Slots of the registry of hot shapes, and so of the decoder's table of compiled constructors.
pub const SHAPE_SLOTS: usize = 1024;

/// Words after which a slice is cut, and the most that one can have: what the text between two looks at the size
/// (`CUT_EVERY` bytes) can add is bounded by its grammar to less than two words a byte.
pub const SLICE_WORDS: usize = 96 << 10;
pub const CUT_EVERY: usize = 16 << 10;
pub const MAX_SLICE_WORDS: usize = 256 << 10;

/// A shape's slot when it has none.
pub const NO_SLOT: u32 = u32::MAX;
