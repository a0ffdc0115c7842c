//! Layout of an encoded value, as `lib/encoding.js` writes it; `__test__/encoding.spec.js` compares the two.
//!
//! A value that is to be written as JSON text arrives as
//!
//! ```text
//! words      header (see `word`), then ops in document order: tag | payload << TAG_BITS
//! numbers    f64, in order of use
//! long       UTF-16: all long strings in order of use
//! short      UTF-16: all short strings and keys in order of first use
//! ```
//!
//! Nothing but a repeated string needs an index: each other op takes the next of what it refers to.

/// Bits of an op that hold its tag.
pub const TAG_BITS: u32 = 3;

/// What an op is, and what its payload means.
pub mod tag {
    /// The next short string. Payload: its length.
    pub const STRING: u32 = 0;
    /// Payload: the value, signed.
    pub const INTEGER: u32 = 1;
    /// Payload: number of the shape. The values of its keys follow; an `UNDEFINED` one leaves out its key.
    pub const OBJECT: u32 = 2;
    /// Payload: length. The items follow.
    pub const ARRAY: u32 = 3;
    /// The next long string. Payload: its length.
    pub const LONG: u32 = 4;
    /// Payload: see [`super::literal`].
    pub const LITERAL: u32 = 5;
    /// An array of the next numbers. Payload: length.
    pub const NUMBERS: u32 = 6;
    /// A short string that was there before. Payload: its length in [`super::LENGTH_BITS`], and where it
    /// begins in the short text.
    pub const AGAIN: u32 = 7;
}

/// Bits of an `AGAIN` op's payload that hold the length.
pub const LENGTH_BITS: u32 = 6;

/// Payload of a `LITERAL` op.
pub mod literal {
    pub const NULL: u32 = 0;
    pub const TRUE: u32 = 1;
    pub const FALSE: u32 = 2;
    /// What JSON has no form for: null in an array; in an object, its key is left out.
    pub const UNDEFINED: u32 = 3;
    /// The next number.
    pub const NUMBER: u32 = 4;
    /// An object without a shape: `STRING` or `LONG` op of a key, value, and so on up to `END`.
    pub const KEYED: u32 = 5;
    pub const END: u32 = 6;
    /// Defines the next shape; no value. The next word is the number of keys. A word for each follows: the length of
    /// the key as JSON text, quotes included, which is the next short string.
    pub const SHAPE: u32 = 7;
}

/// Header words.
pub mod word {
    /// Words in use.
    pub const WORDS: usize = 0;
    /// Numbers in use.
    pub const NUMBERS: usize = 1;
    /// UTF-16 units of the long strings.
    pub const LONG: usize = 2;
    /// UTF-16 units of the short strings and keys.
    pub const SHORT: usize = 3;
    /// The unit of the text memory at which the short strings begin; the long ones begin at 0.
    pub const SHORT_FROM: usize = 4;
    /// Words of the header.
    pub const HEADER: usize = 5;
}

/// Smallest and largest value of an `INTEGER` op.
pub const INTEGERS: std::ops::RangeInclusive<i64> = -(1 << 28)..=(1 << 28) - 1;

/// Bytes of text memory before its first unit: the busy flag, the slot, and room to align.
pub const TEXT_HEADER: usize = 16;
