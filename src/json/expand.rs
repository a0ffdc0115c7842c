//! Two-character escapes (`\"`, `\n`, …) put into a block of bytes at once.
//!
//! JSON within JSON has a quote every few characters: to stop at each of them costs more than all the rest. Eight bytes
//! become up to sixteen with one shuffle, chosen by which of them are to be escaped, so what a block costs does not depend
//! on how many there are.

use super::simd::Lanes;

/// What follows the backslash in the escape of a byte; 0 where it has no escape of two characters.
pub const LETTERS: [u8; 256] = {
    let mut letters = [0; 256];
    letters[b'"' as usize] = b'"';
    letters[b'\\' as usize] = b'\\';
    letters[8] = b'b';
    letters[9] = b't';
    letters[10] = b'n';
    letters[12] = b'f';
    letters[13] = b'r';
    letters
};

pub trait Expand: Lanes {
    /// Control characters that have an escape of two characters.
    #[inline(always)]
    fn letter_controls(self) -> u64 {
        [8, 9, 10, 12, 13].into_iter().fold(0, |all, control| all | self.equal(control))
    }

    /// Writes `WIDTH` bytes, those of the mask `escapes` escaped by their letter.
    ///
    /// # Safety
    ///
    /// `WIDTH` bytes must be readable at `from` and twice as many writable at `to`; the CPU must have the instruction set.
    #[inline(always)]
    unsafe fn expand(from: *const u8, escapes: u64, to: *mut u8) {
        let mut to = to;
        for index in 0..Self::WIDTH {
            let escaped = escapes >> index & 1;
            // SAFETY: the caller vouches for `WIDTH` bytes here and for two of each there.
            unsafe {
                let byte = *from.add(index);
                *to = b'\\';
                to = to.add(escaped as usize);
                *to = if escaped == 1 { LETTERS[usize::from(byte)] } else { byte };
                to = to.add(1);
            }
        }
    }
}

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
impl Expand for super::simd::Scalar {}

#[cfg(target_arch = "aarch64")]
impl Expand for super::simd::Neon {}

#[cfg(target_arch = "x86_64")]
impl Expand for super::simd::Sse2 {}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Expand, LETTERS};
    use crate::json::simd::{Avx2, Lanes};
    #[allow(clippy::wildcard_imports)]
    use std::arch::x86_64::*;

    /// For each mask of eight bytes, which of them each byte of the result is; top bit set: the backslash.
    static SHUFFLES: [[u8; 16]; 256] = {
        let mut shuffles = [[0; 16]; 256];
        let mut mask = 0;
        while mask < 256 {
            let (mut from, mut to) = (0, 0);
            while from < 8 {
                if mask >> from & 1 == 1 {
                    shuffles[mask][to] = 0x80;
                    to += 1;
                }
                shuffles[mask][to] = from;
                from += 1;
                to += 1;
            }
            mask += 1;
        }
        shuffles
    };

    /// The letters of the control characters below 16; quotes and backslashes are their own.
    static CONTROLS: [u8; 16] = {
        let mut controls = [0; 16];
        let mut at = 0;
        while at < controls.len() {
            controls[at] = LETTERS[at];
            at += 1;
        }
        controls
    };

    impl Expand for Avx2 {
        #[inline(always)]
        unsafe fn expand(from: *const u8, escapes: u64, to: *mut u8) {
            let mut to = to;
            for group in 0..Self::WIDTH / 8 {
                let mask = escapes >> (8 * group) & 0xff;
                // SAFETY: CPUs with AVX2 have SSSE3 and SSE4.1. Reads stay within the `WIDTH` bytes; the last of these
                // stores of 16 begins at twice 24 at most.
                unsafe {
                    let bytes = _mm_loadl_epi64(from.add(8 * group).cast());
                    let letters = _mm_shuffle_epi8(_mm_loadu_si128(CONTROLS.as_ptr().cast()), bytes);
                    let is_control =
                        _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(0x1f)), _mm_set1_epi8(0x1f));
                    let bytes = _mm_blendv_epi8(bytes, letters, is_control);
                    let shuffle = _mm_loadu_si128(SHUFFLES[mask as usize].as_ptr().cast());
                    let spread = _mm_shuffle_epi8(bytes, shuffle);
                    _mm_storeu_si128(to.cast(), _mm_blendv_epi8(spread, _mm_set1_epi8(b'\\' as i8), shuffle));
                    to = to.add(8 + mask.count_ones() as usize);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::simd::Scalar;
    use proptest::prelude::*;

    /// Every backend against the definition, on blocks in which each byte may be escaped that has a letter.
    fn agrees<V: Expand>(bytes: &[u8; 32], chosen: u64) {
        for (index, chunk) in bytes.chunks(V::WIDTH).enumerate() {
            let chosen = chosen >> (index * V::WIDTH);
            let (mut want, mut escapes, mut controls) = (Vec::new(), 0, 0);
            for (place, &byte) in chunk.iter().enumerate() {
                let letter = LETTERS[usize::from(byte)];
                controls |= u64::from(letter != 0 && byte < 0x20) << place;
                if letter != 0 && chosen >> place & 1 == 1 {
                    escapes |= 1 << place;
                    want.extend([b'\\', letter]);
                } else if byte < 0x20 {
                    return; // Control characters are always escaped.
                } else {
                    want.push(byte);
                }
            }
            let mut out = [0; 64];
            // SAFETY: the chunk is as wide as the lanes and `out` twice as wide; callers detect the instruction set.
            unsafe {
                assert_eq!(V::load(chunk.as_ptr()).letter_controls(), controls);
                V::expand(chunk.as_ptr(), escapes, out.as_mut_ptr());
            }
            assert_eq!(&out[..want.len()], want);
        }
    }

    proptest! {
        #[test]
        fn every_backend_agrees_with_the_definition(
            bytes in prop::array::uniform32(
                prop_oneof![4 => 0x20u8.., 1 => Just(b'"'), 1 => Just(b'\\'), 1 => Just(b'\n'), 1 => 8u8..14]),
            chosen in prop_oneof![any::<u64>(), Just(u64::MAX), Just(0)],
        ) {
            agrees::<Scalar>(&bytes, chosen);
            #[cfg(target_arch = "x86_64")]
            {
                use crate::json::simd::{Avx2, Sse2};
                agrees::<Sse2>(&bytes, chosen);
                if is_x86_feature_detected!("avx2") {
                    agrees::<Avx2>(&bytes, chosen);
                }
            }
            #[cfg(target_arch = "aarch64")]
            agrees::<crate::json::simd::Neon>(&bytes, chosen);
        }
    }
}
