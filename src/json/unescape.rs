//! From the inside of a JSON string literal to the characters it stands for.
//!
//! Output is what V8 stores: Latin-1 where every UTF-16 unit fits in a byte, UTF-16 otherwise. A string is tried as
//! Latin-1 first; the first unit that does not fit sends it to the wide writer from the start.
//!
//! Input is UTF-8, or its generalisation in which a lone surrogate is three bytes like any other unit, so that text
//! that came from a JS string keeps its lone surrogates.

use super::simd::Lanes;

/// Writers store whole vectors, so an output needs this much room behind the longest possible result.
pub const SLACK: usize = 32;

/// Why a literal could not be written as Latin-1.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// A unit above 0xff.
    Wide,
    /// A malformed escape, at this offset from the start of the literal.
    Escape(usize),
}

/// What the byte after a backslash stands for; 0 for those that stand for nothing, `u` handled apart.
const ESCAPES: [u8; 256] = {
    let mut table = [0u8; 256];
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'/' as usize] = b'/';
    table[b'b' as usize] = 8;
    table[b'f' as usize] = 12;
    table[b'n' as usize] = b'\n';
    table[b'r' as usize] = b'\r';
    table[b't' as usize] = b'\t';
    table
};

/// Value of a hexadecimal digit, 0xff for other bytes.
const HEX: [u8; 256] = {
    let mut table = [0xff_u8; 256];
    let mut digit = 0;
    while digit < 10 {
        table[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    let mut letter = 0;
    while letter < 6 {
        table[b'a' as usize + letter] = 10 + letter as u8;
        table[b'A' as usize + letter] = 10 + letter as u8;
        letter += 1;
    }
    table
};

/// The unit of the four digits at `from`, `Err` with the index of the first that is none.
///
/// # Safety
///
/// Bytes must be readable up to and including the first that is no digit, or four.
#[inline(always)]
unsafe fn unit(from: *const u8) -> Result<u16, usize> {
    let mut value = 0u16;
    for index in 0..4 {
        // SAFETY: all bytes before this one were digits.
        let digit = HEX[usize::from(unsafe { *from.add(index) })];
        if digit == 0xff {
            return Err(index);
        }
        value = value << 4 | u16::from(digit);
    }
    Ok(value)
}

/// Reads the escape at `from` (a backslash): its unit and its length in bytes, or the offset of the offending byte.
///
/// # Safety
///
/// Bytes must be readable up to and including the first that is not part of an escape.
#[inline(always)]
pub unsafe fn escape(from: *const u8) -> Result<(u16, usize), usize> {
    // SAFETY: the literal goes on behind a backslash, at the latest with its closing quote.
    let kind = unsafe { *from.add(1) };
    let plain = ESCAPES[usize::from(kind)];
    if plain != 0 {
        return Ok((u16::from(plain), 2));
    }
    if kind != b'u' {
        return Err(1);
    }
    // SAFETY: the closing quote is no digit and stops the look-ahead.
    unsafe { unit(from.add(2)) }.map(|unit| (unit, 6)).map_err(|index| index + 2)
}

/// Writes the literal between `start` and `end` as Latin-1; the number of bytes written.
///
/// # Safety
///
/// `end` must point at the closing quote, with a vector's width readable from every byte up to it; `to` must have
/// room for `end - start + SLACK` bytes; the literal must be UTF-8 (lone surrogates allowed) without control
/// characters, as the scanner has seen.
#[inline(always)]
pub unsafe fn latin1<V: Lanes>(start: *const u8, end: *const u8, to: *mut u8) -> Result<usize, Stop> {
    let (mut from, mut out) = (start, to);
    loop {
        // SAFETY: `from <= end`, and output never runs ahead of input: each step writes at most what it reads.
        unsafe {
            let lanes = V::load(from);
            lanes.store(out);
            let mut stops = lanes.quotes() | lanes.backslashes() | lanes.high();
            // Bytes of this vector that are done. Stops are found in it without loading again, so that a dense run of
            // escapes does not wait for one load after the other.
            let mut done = 0;
            while stops != 0 {
                let at = stops.trailing_zeros() as usize;
                out = out.add(at - done);
                let here = from.add(at);
                if here >= end {
                    return Ok(out.offset_from_unsigned(to));
                }
                let (unit, length) = match *here {
                    b'\\' => {
                        escape(here).map_err(|at| Stop::Escape(here.offset_from_unsigned(start) + at))?
                    }
                    lead @ 0xc2..=0xc3 => (u16::from(lead & 0x03) << 6 | u16::from(*here.add(1) & 0x3f), 2),
                    _ => return Err(Stop::Wide),
                };
                *out = u8::try_from(unit).map_err(|_| Stop::Wide)?;
                out = out.add(1);
                done = at + length;
                if done >= V::WIDTH {
                    break;
                }
                V::load(from.add(done)).store(out);
                stops &= u64::MAX << done;
            }
            if done < V::WIDTH {
                out = out.add(V::WIDTH - done);
                done = V::WIDTH;
            }
            from = from.add(done);
        }
    }
}

/// Writes the literal between `start` and `end` as UTF-16; the number of units written, or the offset of a
/// malformed escape.
///
/// # Safety
///
/// As for [`latin1`], with room for `end - start + SLACK` units.
#[inline(always)]
pub unsafe fn utf16<V: Lanes>(start: *const u8, end: *const u8, to: *mut u16) -> Result<usize, usize> {
    let (mut from, mut out) = (start, to);
    loop {
        // SAFETY: as in `latin1`; a character of n bytes makes at most n units.
        unsafe {
            let lanes = V::load(from);
            let stops = lanes.quotes() | lanes.backslashes() | lanes.high();
            let plain = if stops == 0 { V::WIDTH } else { stops.trailing_zeros() as usize };
            if plain > 0 {
                for index in 0..V::WIDTH {
                    *out.add(index) = u16::from(*from.add(index));
                }
                from = from.add(plain);
                out = out.add(plain);
                if stops == 0 {
                    continue;
                }
            }
            if from >= end {
                return Ok(out.offset_from_unsigned(to));
            }
            if *from == b'\\' {
                let (unit, length) = escape(from).map_err(|at| from.offset_from_unsigned(start) + at)?;
                *out = unit;
                out = out.add(1);
                from = from.add(length);
            }
            while *from >= 0x80 {
                let (units, length) = character(from);
                *out = units[0];
                *out.add(1) = units[1];
                out = out.add(1 + usize::from(length == 4));
                from = from.add(length);
            }
        }
    }
}

/// Decodes one character of two to four bytes: its units and its length.
///
/// # Safety
///
/// `from` must point at the lead byte of a complete character of two bytes or more.
#[inline(always)]
pub unsafe fn character(from: *const u8) -> ([u16; 2], usize) {
    // SAFETY: the caller vouches for a complete character.
    let tail = |index| u32::from(unsafe { *from.add(index) } & 0x3f);
    // SAFETY: as above.
    let lead = u32::from(unsafe { *from });
    if lead < 0xe0 {
        ([((lead & 0x1f) << 6 | tail(1)) as u16, 0], 2)
    } else if lead < 0xf0 {
        ([((lead & 0x0f) << 12 | tail(1) << 6 | tail(2)) as u16, 0], 3)
    } else {
        let point = ((lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3)) - 0x1_0000;
        ([(0xd800 + (point >> 10)) as u16, (0xdc00 + (point & 0x3ff)) as u16], 4)
    }
}
