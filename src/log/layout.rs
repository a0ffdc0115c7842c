//! Where things lie in a ring's memory. JS writes there too: `lib/ring-layout.js` has the same figures, and a test
//! compares them.
//!
//! A *position* counts units of 8 bytes since the ring was made, modulo 2^32; a record begins at one.

/// The first eight bytes of a ring file.
pub const MAGIC: u64 = u64::from_le_bytes(*b"OFFLRING");
/// Of the layout; a file of another one is set aside, not read.
pub const VERSION: u32 = 1;

/// Bytes before the first record: a page.
pub const HEADER: usize = 4096;
/// Bytes of a unit.
pub const UNIT: usize = 8;
/// The least and the most capacity in bytes, powers of two.
pub const SMALLEST: usize = 64 << 10;
pub const LARGEST: usize = 1 << 30;

/// Byte offsets of header fields. What different threads write has a cache line to itself.
pub mod at {
    pub const MAGIC: usize = 0;
    /// u32
    pub const VERSION: usize = 8;
    /// u32, bytes
    pub const CAPACITY: usize = 12;
    /// u64, nanoseconds since 1970: recovery takes the oldest ring first.
    pub const CREATED: usize = 16;
    /// u32, a position: everything before it is published. Written by the producer.
    pub const TAIL: usize = 64;
    /// u32, a position: everything before it is written out. Written by the consumer.
    pub const HEAD: usize = 128;
    /// u32: the consumer waits to be woken. Written by both.
    pub const SLEEPING: usize = 192;
    /// What is being written to the log file, see `intent.rs`.
    pub const INTENT: usize = 256;
}

/// A record is a header of two words, its payload, and up to 7 bytes to the next unit. It never wraps: what is left at
/// the end of the ring is skipped by a record without contents.
///
/// | word | bits | meaning |
/// |---|---|---|
/// | 0 | 0–27 | bytes of payload |
/// | | 28–30 | the kind |
/// | | 31 | the next record continues this line |
/// | 1 | | the check sum, where the ring is a file |
pub mod record {
    pub const HEADER: usize = 8;
    pub const LENGTH_BITS: u32 = 28;
    pub const CONTINUES: u32 = 1 << 31;
    /// Longer payloads have a check sum of another kind, made by native code alone.
    pub const LONG: usize = 512;
    /// Nothing: the next record is at the start of the ring.
    pub const SKIP: u32 = 0;
    /// A line as it is, with its newline.
    pub const LINE: u32 = 1;
    /// A line with strings that are to be quoted and escaped: the number of strings, the bytes of text (u32 each), the
    /// text, up to 3 bytes, then for each string the number of UTF-16 units of text before it and of its own (u32 each).
    pub const PIECES: u32 = 2;
    /// What follows a record that has `CONTINUES`. Parts of a line are published together.
    pub const MORE: u32 = 3;
    /// The beginning of a line that is longer than the ring: its parts make room for each other.
    pub const LARGE: u32 = 4;
}
