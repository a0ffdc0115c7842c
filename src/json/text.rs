//! What a caller hands in, made into padded UTF-8.

use crate::memory::Block;

/// JSON text as it left JavaScript.
#[derive(Debug)]
pub enum Text {
    /// Bytes of a buffer: UTF-8, or read as `buffer.toString()` reads it.
    Bytes(Block),
    /// Units of a JS string, in the machine's byte order.
    Units(Block),
}

impl Text {
    /// Bytes held.
    pub fn byte_length(&self) -> usize {
        match self {
            Self::Bytes(block) | Self::Units(block) => block.len(),
        }
    }

    /// UTF-8; lone surrogates of a JS string become three bytes, like any other unit.
    pub fn into_utf8(self) -> Block {
        match self {
            Self::Bytes(block) => repair(block),
            Self::Units(block) => narrow(&block),
        }
    }
}

/// Replaces what is not UTF-8 by U+FFFD, one per maximal subpart, as the Encoding Standard has it.
fn repair(block: Block) -> Block {
    if simdutf8::basic::from_utf8(block.as_slice()).is_ok() {
        return block;
    }
    Block::from_bytes(String::from_utf8_lossy(block.as_slice()).as_bytes())
}

/// The text of a JS string's units, U+FFFD in place of lone surrogates, as `TextEncoder` has it.
pub fn well_formed(units: &Block) -> String {
    let mut utf8 = narrow(units).into_vec();
    let mut at = 0;
    while let Some(found) = memchr::memchr(0xed, &utf8[at..]) {
        at += found;
        if utf8[at + 1] >= 0xa0 {
            utf8[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
        }
        at += 3;
    }
    String::from_utf8(utf8).expect("UTF-8 without surrogates")
}

/// Transcodes UTF-16. Runs of ASCII, nearly all of most texts, are narrowed a vector at a time by the compiler.
fn narrow(block: &Block) -> Block {
    const RUN: usize = 32;
    let (units, _) = block.as_slice().as_chunks::<2>();
    let mut utf8 = Block::with_capacity(utf8_length(units));
    let mut at = 0;
    while at < units.len() {
        let run = &units[at..units.len().min(at + RUN)];
        if let Ok(run) = <&[[u8; 2]; RUN]>::try_from(run)
            && run.iter().fold(0, |seen, unit| seen | u16::from_ne_bytes(*unit)) < 0x80
        {
            utf8.extend(&run.map(|unit| u16::from_ne_bytes(unit) as u8));
            at += RUN;
            continue;
        }
        let mut bytes = [0; 4 * RUN];
        let mut written = 0;
        let end = at + run.len();
        while at < end {
            let unit = u16::from_ne_bytes(units[at]);
            let next = units.get(at + 1).map_or(0, |next| u16::from_ne_bytes(*next));
            let (read, length) = encode(unit, next, &mut bytes[written..]);
            at += read;
            written += length;
        }
        utf8.extend(&bytes[..written]);
    }
    utf8
}

/// Writes `unit`, or the character it makes with `next`; the units read and the bytes written.
#[inline(always)]
fn encode(unit: u16, next: u16, to: &mut [u8]) -> (usize, usize) {
    let tail = |shift: u32, point: u32| 0x80 | (point >> shift & 0x3f) as u8;
    let point = u32::from(unit);
    match unit {
        0..=0x7f => {
            to[0] = unit as u8;
            (1, 1)
        }
        0x80..=0x7ff => {
            to[..2].copy_from_slice(&[0xc0 | (unit >> 6) as u8, tail(0, point)]);
            (1, 2)
        }
        0xd800..=0xdbff if (0xdc00..=0xdfff).contains(&next) => {
            let point = 0x1_0000 + ((point - 0xd800) << 10) + (u32::from(next) - 0xdc00);
            to[..4].copy_from_slice(&[
                0xf0 | (point >> 18) as u8,
                tail(12, point),
                tail(6, point),
                tail(0, point),
            ]);
            (2, 4)
        }
        _ => {
            to[..3].copy_from_slice(&[0xe0 | (unit >> 12) as u8, tail(6, point), tail(0, point)]);
            (1, 3)
        }
    }
}

/// Bytes that suffice for `units`; exact but for pairs of surrogates.
fn utf8_length(units: &[[u8; 2]]) -> usize {
    let bytes = |unit: &[u8; 2]| {
        let unit = u16::from_ne_bytes(*unit);
        1 + usize::from(unit > 0x7f) + usize::from(unit > 0x7ff)
    };
    units.iter().map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn units(units: &[u16]) -> Vec<u8> {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
        Text::Units(Block::from_bytes(&bytes)).into_utf8().as_slice().to_vec()
    }

    #[test]
    fn lone_surrogates_become_three_bytes() {
        assert_eq!(units(&[0x61, 0xd800, 0x62]), b"a\xed\xa0\x80b");
        assert_eq!(units(&[0xdc00, 0xd83d, 0xde00]), b"\xed\xb0\x80\xf0\x9f\x98\x80");
    }

    proptest! {
        #[test]
        fn well_formed_utf16_becomes_what_the_standard_library_makes(text in any::<String>(), tail in "[ -~]{0,80}") {
            let text = text + &tail;
            let encoded: Vec<u16> = text.encode_utf16().collect();
            prop_assert_eq!(units(&encoded), text.as_bytes());
        }

        #[test]
        fn lone_surrogates_are_replaced(units in prop::collection::vec(prop_oneof![0xd7f0u16..0xe010, 0x20u16..0x180], 0..50)) {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
            let text = well_formed(&Block::from_bytes(&bytes));
            let expected = String::from_utf16_lossy(&units);
            prop_assert_eq!(text, expected);
        }

        #[test]
        fn bytes_are_read_as_the_encoding_standard_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let read = Text::Bytes(Block::from_bytes(&bytes)).into_utf8();
            let expected = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(read.as_slice(), expected.as_bytes());
        }
    }
}
