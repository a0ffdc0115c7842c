//! Strings as JSON text: the escapes of ECMAScript's `QuoteJSONString`.
//!
//! Input is UTF-16, as V8 hands it over. Latin-1 text is narrowed a chunk at a time and escaped with the vectors of
//! [`super::simd`], of which the CPU's best are chosen at run time; the rest goes unit by unit.

use super::expand::{Expand, LETTERS};
use crate::memory::Unit;

/// A kind of output text, and how a string becomes it.
pub trait Text {
    type Unit: Unit;

    /// Appends a string of JSON text that needs no escapes.
    fn raw(out: &mut Vec<Self::Unit>, text: &[u16]);

    /// Appends Latin-1 text that needs no escapes; for UTF-8, ASCII only.
    fn ascii(out: &mut Vec<Self::Unit>, text: &[u8]);

    /// Appends what stands between the quotes of a JSON string. `scratch` is room for what it needs in between.
    fn escaped(out: &mut Vec<Self::Unit>, text: &[u16], scratch: &mut Vec<u8>);
}

/// Latin-1: all text is known to have no unit above 0xff.
#[derive(Debug)]
pub enum Latin1 {}

#[derive(Debug)]
pub enum Utf8 {}

#[derive(Debug)]
pub enum Utf16 {}

/// Whether all units fit a byte.
pub fn is_latin1(text: &[u16]) -> bool {
    text.chunks(4096).all(|chunk| chunk.iter().fold(0, |all, unit| all | unit) <= 0xff)
}

/// Index of the first half of a pair that a cut at `end` would split, or `end`.
pub fn cut(text: &[u16], end: usize) -> usize {
    if end >= text.len() {
        return text.len();
    }
    let splits = end > 0 && is_high(text[end - 1]) && is_low(text[end]);
    if splits { end - 1 } else { end }
}

fn is_high(unit: u16) -> bool {
    unit & 0xfc00 == 0xd800
}

fn is_low(unit: u16) -> bool {
    unit & 0xfc00 == 0xdc00
}

/// The escape of a unit below 0x80 that needs one: its bytes, and how many.
fn escape_of(byte: u8) -> ([u8; 6], usize) {
    match LETTERS[usize::from(byte)] {
        0 => (unicode_escape(u16::from(byte)), 6),
        letter => ([b'\\', letter, 0, 0, 0, 0], 2),
    }
}

fn unicode_escape(unit: u16) -> [u8; 6] {
    let digit = |shift: u16| b"0123456789abcdef"[usize::from(unit >> shift & 15)];
    [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]
}

fn is_plain(unit: u16) -> bool {
    unit >= 0x20 && unit != u16::from(b'"') && unit != u16::from(b'\\') && unit & 0xf800 != 0xd800
}

/// Bytes that are readable behind those to escape.
const PADDING: usize = 32;

/// Appends Latin-1 bytes, escaped; as UTF-8 if `UTF8`. `padded` is longer by [`PADDING`] or more.
#[inline(always)]
fn escape_bytes<V: Expand, const UTF8: bool>(out: &mut Vec<u8>, padded: &[u8], length: usize) {
    assert!(V::WIDTH <= PADDING && length + PADDING <= padded.len());
    let mut at = 0;
    while at < length {
        let count = V::WIDTH.min(length - at);
        let within = u64::MAX >> (64 - count);
        // What is stored may be longer than what is kept.
        out.reserve(2 * V::WIDTH);
        // SAFETY: `WIDTH` bytes are readable thanks to the padding, twice as many reserved; each of the `count` bytes is
        // written, with a backslash if it is of `escapes`, before the length says so. Callers chose `V` for the CPU.
        unsafe {
            let from = padded.as_ptr().add(at);
            let to = out.as_mut_ptr().add(out.len());
            let lanes = V::load(from);
            let controls = lanes.controls();
            let mut escapes = (lanes.quotes() | lanes.backslashes() | controls) & within;
            let high = if UTF8 { lanes.high() & within } else { 0 };
            if escapes | high == 0 {
                lanes.store(to);
                out.set_len(out.len() + count);
                at += count;
                continue;
            }
            // Those without an escape of two characters, which are rare: up to the first of them.
            let others =
                if controls == 0 { high } else { high | controls & !lanes.letter_controls() & within };
            let done = count.min(others.trailing_zeros() as usize);
            escapes &= (1u64 << done) - 1;
            V::expand(from, escapes, to);
            out.set_len(out.len() + done + escapes.count_ones() as usize);
            at += done;
            if others != 0 {
                escape_byte::<UTF8>(out, padded[at]);
                at += 1;
            }
        }
    }
}

#[inline(always)]
fn escape_byte<const UTF8: bool>(out: &mut Vec<u8>, byte: u8) {
    if UTF8 && byte >= 0x80 {
        out.extend_from_slice(&[0xc0 | byte >> 6, 0x80 | byte & 0x3f]);
    } else {
        let (escape, length) = escape_of(byte);
        out.extend_from_slice(&escape[..length]);
    }
}

/// The same with the vectors of the instruction set at hand.
type EscapeBytes = fn(&mut Vec<u8>, &[u8], usize);

#[cfg(target_arch = "x86_64")]
mod dispatch {
    use super::{EscapeBytes, escape_bytes};
    use crate::json::simd::{Avx2, Sse2};

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn avx2<const UTF8: bool>(out: &mut Vec<u8>, padded: &[u8], length: usize) {
        escape_bytes::<Avx2, UTF8>(out, padded, length);
    }

    pub fn best<const UTF8: bool>() -> EscapeBytes {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has it, and CPUs with AVX2 have the others.
            |out, padded, length| unsafe { avx2::<UTF8>(out, padded, length) }
        } else {
            escape_bytes::<Sse2, UTF8>
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod dispatch {
    use super::{EscapeBytes, escape_bytes};

    pub fn best<const UTF8: bool>() -> EscapeBytes {
        escape_bytes::<crate::json::simd::Neon, UTF8>
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod dispatch {
    use super::{EscapeBytes, escape_bytes};

    pub fn best<const UTF8: bool>() -> EscapeBytes {
        escape_bytes::<crate::json::simd::Scalar, UTF8>
    }
}

/// Longest text that is escaped in a small chunk: most strings are short, and clearing the large one takes longer.
const SMALL: usize = 64;
const LARGE: usize = 512;

/// Appends UTF-8 text, escaped: bytes of 0x80 and more stand for themselves.
pub fn escape_text(out: &mut Vec<u8>, text: &[u8]) {
    let escape = dispatch::best::<false>();
    // What is readable behind the text's start is the text; its end gets padding.
    let (start, end) = text.split_at(text.len().saturating_sub(PADDING));
    if !start.is_empty() {
        escape(out, text, start.len());
    }
    let mut padded = [0; 2 * PADDING];
    padded[..end.len()].copy_from_slice(end);
    escape(out, &padded, end.len());
}

/// Escapes Latin-1 units, narrowing a chunk at a time: the chunk stays in the first cache.
#[inline(always)]
fn escape_narrow<const UTF8: bool>(out: &mut Vec<u8>, text: &[u16]) {
    if text.len() <= SMALL {
        escape_chunks::<UTF8, { SMALL + PADDING }>(out, text);
    } else {
        escape_chunks::<UTF8, { LARGE + PADDING }>(out, text);
    }
}

#[inline(always)]
fn escape_chunks<const UTF8: bool, const PADDED: usize>(out: &mut Vec<u8>, text: &[u16]) {
    let mut narrow = [0u8; PADDED];
    let escape = dispatch::best::<UTF8>();
    out.reserve(text.len());
    for chunk in text.chunks(PADDED - PADDING) {
        for (to, &from) in narrow.iter_mut().zip(chunk) {
            *to = from as u8;
        }
        escape(out, &narrow, chunk.len());
    }
}

/// Splits text of any units in parts that are Latin-1 and others, and calls `narrow` and `wide` with them in turn. Most
/// text that is not Latin-1 is so but for a character here and there.
fn split_latin1<O>(
    out: &mut O,
    mut text: &[u16],
    mut narrow: impl FnMut(&mut O, &[u16]),
    wide: impl Fn(&mut O, &[u16]),
) {
    const BLOCK: usize = 64;
    while !text.is_empty() {
        let mut latin1 = 0;
        while latin1 < text.len() && is_latin1(&text[latin1..text.len().min(latin1 + BLOCK)]) {
            latin1 = text.len().min(latin1 + BLOCK);
        }
        let (start, rest) = text.split_at(latin1);
        narrow(out, start);
        let (start, rest) = rest.split_at(cut(rest, BLOCK));
        wide(out, start);
        text = rest;
    }
}

/// Splits off the units at the start that stand for themselves, calls `plain` with them, then `special` with the
/// escape of the next unit.
fn escape_units<O>(
    out: &mut O,
    mut text: &[u16],
    plain: impl Fn(&mut O, &[u16]),
    special: impl Fn(&mut O, &[u8]),
) {
    while !text.is_empty() {
        let run = plain_run(text);
        plain(out, &text[..run]);
        text = &text[run..];
        let Some((&unit, rest)) = text.split_first() else { return };
        if unit < 0x80 {
            let (escape, length) = escape_of(unit as u8);
            special(out, &escape[..length]);
        } else {
            special(out, &unicode_escape(unit)); // A surrogate without its other half.
        }
        text = rest;
    }
}

/// Whether all units are plain: arithmetic alone, for the compiler to use vectors.
#[inline(always)]
fn is_plain_block<const N: usize>(block: &[u16; N]) -> bool {
    let mut special = 0u16;
    for &unit in block {
        let quote = unit ^ u16::from(b'"');
        let backslash = unit ^ u16::from(b'\\');
        let surrogate = (unit & 0xf800) ^ 0xd800;
        // What is 0 borrows: the top bit, of which `& !x` keeps only that of a 0 or of what had it set.
        let zero = |x: u16| x.wrapping_sub(1) & !x;
        special |= zero(quote) | zero(backslash) | zero(surrogate) | unit.wrapping_sub(0x20) & !unit;
    }
    special & 0x8000 == 0
}

/// Length of the run of plain units and surrogate pairs at the start.
fn plain_run(text: &[u16]) -> usize {
    const BLOCK: usize = 32;
    let mut at = 0;
    loop {
        while let Some(block) = text[at..].first_chunk::<BLOCK>()
            && is_plain_block(block)
        {
            at += BLOCK;
        }
        let end = at + BLOCK;
        while at < end {
            let Some(&unit) = text.get(at) else { return at };
            if is_plain(unit) {
                at += 1;
            } else if is_high(unit) && text.get(at + 1).is_some_and(|&low| is_low(low)) {
                at += 2;
            } else {
                return at;
            }
        }
    }
}

impl Text for Latin1 {
    type Unit = u8;

    fn raw(out: &mut Vec<u8>, text: &[u16]) {
        out.extend(text.iter().map(|&unit| unit as u8));
    }

    fn ascii(out: &mut Vec<u8>, text: &[u8]) {
        out.extend_from_slice(text);
    }

    fn escaped(out: &mut Vec<u8>, text: &[u16], _scratch: &mut Vec<u8>) {
        escape_narrow::<false>(out, text);
    }
}

impl Text for Utf8 {
    type Unit = u8;

    fn raw(out: &mut Vec<u8>, text: &[u16]) {
        let characters = char::decode_utf16(text.iter().copied());
        for character in characters.map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER)) {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn ascii(out: &mut Vec<u8>, text: &[u8]) {
        out.extend_from_slice(text);
    }

    fn escaped(out: &mut Vec<u8>, text: &[u16], _scratch: &mut Vec<u8>) {
        let wide = |out: &mut Vec<u8>, text: &[u16]| escape_units(out, text, Self::raw, Self::ascii);
        split_latin1(out, text, escape_narrow::<true>, wide);
    }
}

impl Text for Utf16 {
    type Unit = u16;

    fn raw(out: &mut Vec<u16>, text: &[u16]) {
        out.extend_from_slice(text);
    }

    fn ascii(out: &mut Vec<u16>, text: &[u8]) {
        out.extend(text.iter().map(|&byte| u16::from(byte)));
    }

    fn escaped(out: &mut Vec<u16>, text: &[u16], scratch: &mut Vec<u8>) {
        let narrow = |out: &mut Vec<u16>, text: &[u16]| {
            for chunk in text.chunks(LARGE) {
                scratch.clear();
                escape_narrow::<false>(scratch, chunk);
                Self::ascii(out, scratch);
            }
        };
        split_latin1(out, text, narrow, |out, text| escape_units(out, text, Self::raw, Self::ascii));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `QuoteJSONString`, word by word.
    fn oracle(text: &[u16]) -> Vec<u16> {
        let mut out = Vec::new();
        for decoded in char::decode_utf16(text.iter().copied()) {
            match decoded {
                Ok('"') => out.extend("\\\"".encode_utf16()),
                Ok('\\') => out.extend("\\\\".encode_utf16()),
                Ok('\u{8}') => out.extend("\\b".encode_utf16()),
                Ok('\u{c}') => out.extend("\\f".encode_utf16()),
                Ok('\n') => out.extend("\\n".encode_utf16()),
                Ok('\r') => out.extend("\\r".encode_utf16()),
                Ok('\t') => out.extend("\\t".encode_utf16()),
                Ok(control @ '\0'..'\u{20}') => {
                    out.extend(format!("\\u{:04x}", control as u32).encode_utf16());
                }
                Ok(other) => out.extend(other.encode_utf16(&mut [0; 2]).iter()),
                Err(lone) => out.extend(format!("\\u{:04x}", lone.unpaired_surrogate()).encode_utf16()),
            }
        }
        out
    }

    fn escaped<T: Text>(text: &[u16]) -> Vec<T::Unit> {
        let mut out = Vec::new();
        T::escaped(&mut out, text, &mut Vec::new());
        out
    }

    fn check(text: &[u16]) {
        let want = oracle(text);
        assert_eq!(escaped::<Utf16>(text), want);
        assert_eq!(String::from_utf8(escaped::<Utf8>(text)).unwrap(), String::from_utf16(&want).unwrap());
        if is_latin1(text) {
            let latin1: Vec<u16> = escaped::<Latin1>(text).into_iter().map(u16::from).collect();
            assert_eq!(latin1, want);
        }
    }

    /// Every vector implementation against the one that is chosen at run time, which `check` compares to the oracle.
    fn backends_agree(bytes: &[u8]) {
        fn run<V: Expand>(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
            let (mut latin1, mut utf8) = (Vec::new(), Vec::new());
            // What lies behind must not matter.
            let padded = [bytes, &[b'"'; PADDING]].concat();
            escape_bytes::<V, false>(&mut latin1, &padded, bytes.len());
            escape_bytes::<V, true>(&mut utf8, &padded, bytes.len());
            (latin1, utf8)
        }
        let scalar = run::<crate::json::simd::Scalar>(bytes);
        #[cfg(target_arch = "x86_64")]
        {
            assert_eq!(run::<crate::json::simd::Sse2>(bytes), scalar);
            if is_x86_feature_detected!("avx2") {
                assert_eq!(run::<crate::json::simd::Avx2>(bytes), scalar);
            }
        }
        #[cfg(target_arch = "aarch64")]
        assert_eq!(run::<crate::json::simd::Neon>(bytes), scalar);
        let units: Vec<u16> = bytes.iter().map(|&byte| u16::from(byte)).collect();
        assert_eq!(escaped::<Latin1>(&units), scalar.0);
    }

    /// Mostly letters, with everything that needs care strewn in.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![20 => b'a'..=b'z', 1 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\')];
        proptest::collection::vec(byte, 0..300)
    }

    fn units() -> impl Strategy<Value = Vec<u16>> {
        let unit =
            prop_oneof![8 => 0x20u16..0x7f, 2 => 0u16..0x100, 2 => 0xd7f0u16..0xe010, 1 => any::<u16>()];
        proptest::collection::vec(unit, 0..200)
    }

    proptest! {
        #[test]
        fn backends_agree_on_any_bytes(bytes in bytes()) {
            backends_agree(&bytes);
            check(&bytes.iter().map(|&byte| u16::from(byte)).collect::<Vec<_>>());
        }

        #[test]
        fn any_units(units in units()) {
            check(&units);
        }

        #[test]
        fn a_cut_keeps_pairs_together(units in units(), end in 0usize..200) {
            let end = cut(&units, end);
            let (head, tail) = units.split_at(end);
            prop_assert_eq!([oracle(head), oracle(tail)].concat(), oracle(&units));
        }
    }

    #[test]
    fn every_unit_alone_and_between_letters() {
        for unit in 0..=u16::MAX {
            check(&[unit]);
            check(&[u16::from(b'a'), unit, u16::from(b'b')]);
        }
    }

    #[test]
    fn specials_at_every_place_of_a_vector() {
        for place in 0..70 {
            for special in [b'"', b'\\', 0x1f, 0x80, 0xff, b'\n'] {
                let mut bytes = vec![b'x'; 70];
                bytes[place] = special;
                backends_agree(&bytes);
            }
        }
    }
}
