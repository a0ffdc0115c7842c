//! A cursor over JSON text for passes that look at its structure only.
//!
//! Like the scanner ([`crate::json::scan`]), it relies on the zeros behind the text: every loop stops there.

use crate::json::simd;
use crate::json::simd::Lanes;
use crate::json::unescape::escape;
use crate::memory::Padded;

/// The text is not JSON. Where and why, the scanner says.
#[derive(Debug)]
pub struct Malformed;

#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    text: Padded<'a>,
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// `at` must not lie behind the end of the text.
    pub fn new(text: Padded<'a>, at: usize) -> Self {
        assert!(at <= text.as_slice().len(), "a cursor stands within its text");
        Self { text, at }
    }

    #[inline(always)]
    fn from(&self) -> *const u8 {
        // SAFETY: the cursor is in the text or at its end: it moves over bytes that were looked at and are not zero, or
        // that lie in a literal whose closing quote was found.
        unsafe { self.text.as_slice().as_ptr().add(self.at) }
    }

    pub fn text(&self) -> &'a [u8] {
        self.text.as_slice()
    }

    #[inline(always)]
    pub fn byte(&self) -> u8 {
        // SAFETY: as above, and the text is padded.
        unsafe { *self.from() }
    }

    /// Skips white space; the byte behind it.
    #[inline(always)]
    pub fn token<V: Lanes>(&mut self) -> u8 {
        loop {
            match self.byte() {
                b' ' => self.spaces::<V>(),
                b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return other,
            }
        }
    }

    #[inline(always)]
    fn spaces<V: Lanes>(&mut self) {
        self.at += 1;
        if self.byte() != b' ' {
            return;
        }
        loop {
            // SAFETY: the padding is wider than a vector.
            let others = unsafe { V::load(self.from()) }.not_space();
            if others != 0 {
                self.at += others.trailing_zeros() as usize;
                return;
            }
            self.at += V::WIDTH;
        }
    }

    /// Moves from an opening quote to behind the closing one; whether there is an escape in between.
    #[inline(always)]
    pub fn string<V: Lanes>(&mut self) -> Result<bool, Malformed> {
        self.at += 1;
        let mut escapes = false;
        // 1 when the vector before ended in a backslash that escapes the first byte of this one.
        let mut carried = 0;
        loop {
            // SAFETY: the padding is wider than a vector.
            let lanes = unsafe { V::load(self.from()) };
            let mut quotes = lanes.quotes() & !carried;
            let backslashes = lanes.backslashes();
            let mut left = backslashes & !carried;
            carried = 0;
            while left != 0 {
                let index = left.trailing_zeros();
                // Behind the closing quote this reads ahead: a backslash there is in another literal, or nowhere good.
                // SAFETY: the zeros behind the text are no part of an escape.
                if unsafe { escape(self.from().add(index as usize)) }.is_err() {
                    return Err(Malformed);
                }
                let pair = 3 << index;
                left &= !pair;
                quotes &= !pair;
                carried = pair >> V::WIDTH;
            }
            let stops = quotes | lanes.controls();
            if stops == 0 {
                escapes |= backslashes != 0;
                self.at += V::WIDTH;
                continue;
            }
            let index = stops.trailing_zeros() as usize;
            escapes |= simd::before(backslashes, index) != 0;
            self.at += index;
            if self.byte() != b'"' {
                return Err(Malformed);
            }
            self.at += 1;
            return Ok(escapes);
        }
    }

    /// Moves behind the number that starts here.
    #[inline(always)]
    pub fn number(&mut self) -> Result<(), Malformed> {
        if self.byte() == b'-' {
            self.at += 1;
        }
        let leading_zero = self.byte() == b'0';
        let digits = self.digits()?;
        if leading_zero && digits > 1 {
            return Err(Malformed);
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if self.byte() | 0x20 == b'e' {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Moves behind a run of digits; how many they are, at least one.
    #[inline(always)]
    fn digits(&mut self) -> Result<usize, Malformed> {
        let start = self.at;
        loop {
            // SAFETY: eight bytes are readable from every byte of padded text.
            let word = u64::from_le(unsafe { self.from().cast::<u64>().read_unaligned() });
            // The high bit of a byte that is no digit. Carries go up only, so the first one is exact.
            let above = word.wrapping_add(0x4646_4646_4646_4646);
            let below = word.wrapping_sub(0x3030_3030_3030_3030);
            let others = (above | below) & 0x8080_8080_8080_8080;
            if others != 0 {
                self.at += others.trailing_zeros() as usize / 8;
                return if self.at > start { Ok(self.at - start) } else { Err(Malformed) };
            }
            self.at += 8;
        }
    }

    #[inline(always)]
    pub fn literal(&mut self, word: &[u8]) -> Result<(), Malformed> {
        for &expected in word {
            if self.byte() != expected {
                return Err(Malformed);
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Moves behind the string, number or literal that starts here.
    #[inline(always)]
    pub fn scalar<V: Lanes>(&mut self) -> Result<(), Malformed> {
        match self.byte() {
            b'"' => self.string::<V>().map(|_| ()),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => Err(Malformed),
        }
    }
}
