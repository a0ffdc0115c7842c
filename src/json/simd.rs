//! Vector primitives for the scanner: one small trait, a thin wrapper per instruction set, a scalar fallback.
//!
//! The scanner is written once over [`Lanes`] and compiled once per instruction set; the one to run is chosen by
//! detection at run time ([`crate::json::scan`]).

/// As many bytes as the instruction set compares at once.
///
/// A mask has one bit per byte, the first byte lowest.
pub trait Lanes: Copy {
    const WIDTH: usize;

    /// # Safety
    ///
    /// `WIDTH` bytes must be readable at `from`, and the CPU must have the instruction set.
    unsafe fn load(from: *const u8) -> Self;

    /// # Safety
    ///
    /// `WIDTH` bytes must be writable at `to`, and the CPU must have the instruction set.
    unsafe fn store(self, to: *mut u8);

    /// Bytes that are `byte`.
    fn equal(self, byte: u8) -> u64;

    #[inline(always)]
    fn quotes(self) -> u64 {
        self.equal(b'"')
    }

    #[inline(always)]
    fn backslashes(self) -> u64 {
        self.equal(b'\\')
    }

    /// Bytes below 0x20.
    fn controls(self) -> u64;

    /// Bytes of 0x80 and more.
    fn high(self) -> u64;

    /// Bytes other than the space.
    #[inline(always)]
    fn not_space(self) -> u64 {
        self.equal(b' ') ^ (u64::MAX >> (64 - Self::WIDTH))
    }
}

/// Work that is written once over [`Lanes`]. `run` must be inlined, so that it is compiled for each instruction set.
pub trait Kernel {
    type Output;

    fn run<V: Lanes>(self) -> Self::Output;
}

/// Runs a kernel with the best lanes that the CPU has.
pub fn detected<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn avx2<K: Kernel>(kernel: K) -> K::Output {
            kernel.run::<Avx2>()
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: just detected; CPUs with AVX2 have the others.
            unsafe { avx2(kernel) }
        } else {
            kernel.run::<Sse2>()
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        kernel.run::<Neon>()
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        kernel.run::<Scalar>()
    }
}

/// Bits of a mask that lie before byte `index` (less than 64).
#[inline(always)]
pub fn before(mask: u64, index: usize) -> u64 {
    mask & ((1u64 << index) - 1)
}

/// Eight bytes in a general register; the fallback where no other is written.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub use scalar::Scalar;

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod scalar {
    use super::Lanes;

    /// Eight bytes in a general register.
    #[derive(Clone, Copy)]
    pub struct Scalar(u64);

    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES * 0x80;

    impl Scalar {
        /// High bit of every byte that is zero, exact in every byte (no borrow crosses: Mycroft's test without it).
        #[inline(always)]
        fn zero_bytes(word: u64) -> u64 {
            !(((word & !HIGHS) + !HIGHS) | word | !HIGHS)
        }
    }

    impl Lanes for Scalar {
        const WIDTH: usize = 8;

        #[inline(always)]
        unsafe fn load(from: *const u8) -> Self {
            // SAFETY: the caller vouches for eight readable bytes.
            Self(u64::from_le(unsafe { from.cast::<u64>().read_unaligned() }))
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut u8) {
            // SAFETY: the caller vouches for eight writable bytes.
            unsafe { to.cast::<u64>().write_unaligned(self.0.to_le()) };
        }

        #[inline(always)]
        fn equal(self, byte: u8) -> u64 {
            gather(Self::zero_bytes(self.0 ^ (ONES * u64::from(byte))))
        }

        #[inline(always)]
        fn controls(self) -> u64 {
            gather(Self::zero_bytes(self.0 & (ONES * 0xe0)))
        }

        #[inline(always)]
        fn high(self) -> u64 {
            gather(self.0 & HIGHS)
        }
    }

    /// The high bit of each byte, gathered in the lowest byte: the multiplication adds each to its place.
    #[inline(always)]
    fn gather(highs: u64) -> u64 {
        (highs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Sse2};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    #[allow(clippy::wildcard_imports)]
    use std::arch::x86_64::*;

    /// Sixteen bytes; every `x86_64` has it.
    #[derive(Clone, Copy)]
    pub struct Sse2(__m128i);

    impl Lanes for Sse2 {
        const WIDTH: usize = 16;

        #[inline(always)]
        unsafe fn load(from: *const u8) -> Self {
            // SAFETY: the caller vouches for sixteen readable bytes; the load is unaligned.
            Self(unsafe { _mm_loadu_si128(from.cast()) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut u8) {
            // SAFETY: the caller vouches for sixteen writable bytes; the store is unaligned.
            unsafe { _mm_storeu_si128(to.cast(), self.0) };
        }

        #[inline(always)]
        fn equal(self, byte: u8) -> u64 {
            // SAFETY: SSE2 is part of x86_64.
            u64::from(unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.0, _mm_set1_epi8(byte as i8))) } as u32)
        }

        #[inline(always)]
        fn controls(self) -> u64 {
            // SAFETY: SSE2 is part of x86_64.
            unsafe {
                let limit = _mm_set1_epi8(0x1f);
                u64::from(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(self.0, limit), limit)) as u32)
            }
        }

        #[inline(always)]
        fn high(self) -> u64 {
            // SAFETY: SSE2 is part of x86_64.
            u64::from(unsafe { _mm_movemask_epi8(self.0) } as u32)
        }
    }

    /// Thirty-two bytes.
    #[derive(Clone, Copy)]
    pub struct Avx2(__m256i);

    impl Lanes for Avx2 {
        const WIDTH: usize = 32;

        #[inline(always)]
        unsafe fn load(from: *const u8) -> Self {
            // SAFETY: the caller vouches for thirty-two readable bytes and for AVX2; the load is unaligned.
            Self(unsafe { _mm256_loadu_si256(from.cast()) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut u8) {
            // SAFETY: the caller vouches for thirty-two writable bytes and for AVX2; the store is unaligned.
            unsafe { _mm256_storeu_si256(to.cast(), self.0) };
        }

        #[inline(always)]
        fn equal(self, byte: u8) -> u64 {
            // SAFETY: a value of this type was loaded, so AVX2 is there.
            let equal =
                unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(self.0, _mm256_set1_epi8(byte as i8))) };
            u64::from(equal as u32)
        }

        #[inline(always)]
        fn controls(self) -> u64 {
            // SAFETY: a value of this type was loaded, so AVX2 is there.
            unsafe {
                let limit = _mm256_set1_epi8(0x1f);
                u64::from(
                    _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(self.0, limit), limit)) as u32
                )
            }
        }

        #[inline(always)]
        fn high(self) -> u64 {
            // SAFETY: a value of this type was loaded, so AVX2 is there.
            u64::from(unsafe { _mm256_movemask_epi8(self.0) } as u32)
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::Lanes;
    #[allow(clippy::wildcard_imports)]
    use std::arch::aarch64::*;

    /// Sixteen bytes; every `aarch64` target of ours has it.
    #[derive(Clone, Copy)]
    pub struct Neon(uint8x16_t);

    /// One bit per lane: NEON has no movemask, so each lane keeps the bit of its place and pairs are added up.
    #[inline(always)]
    fn bits(lanes: uint8x16_t) -> u64 {
        const PLACES: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        // SAFETY: NEON is part of the target, and the array is as wide as the vector.
        unsafe {
            let kept = vandq_u8(lanes, vld1q_u8(PLACES.as_ptr()));
            let pairs = vpaddq_u8(kept, kept);
            let fours = vpaddq_u8(pairs, pairs);
            let eights = vpaddq_u8(fours, fours);
            u64::from(vgetq_lane_u16::<0>(vreinterpretq_u16_u8(eights)))
        }
    }

    impl Lanes for Neon {
        const WIDTH: usize = 16;

        #[inline(always)]
        unsafe fn load(from: *const u8) -> Self {
            // SAFETY: the caller vouches for sixteen readable bytes.
            Self(unsafe { vld1q_u8(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut u8) {
            // SAFETY: the caller vouches for sixteen writable bytes.
            unsafe { vst1q_u8(to, self.0) };
        }

        #[inline(always)]
        fn equal(self, byte: u8) -> u64 {
            // SAFETY: NEON is part of the target.
            bits(unsafe { vceqq_u8(self.0, vdupq_n_u8(byte)) })
        }

        #[inline(always)]
        fn controls(self) -> u64 {
            // SAFETY: NEON is part of the target.
            bits(unsafe { vcltq_u8(self.0, vdupq_n_u8(0x20)) })
        }

        #[inline(always)]
        fn high(self) -> u64 {
            // SAFETY: NEON is part of the target.
            bits(unsafe { vcgeq_u8(self.0, vdupq_n_u8(0x80)) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees<V: Lanes>(bytes: &[u8; 32]) {
        for chunk in bytes.chunks(V::WIDTH) {
            // SAFETY: the chunk is as wide as the lanes; callers detect the instruction set.
            let lanes = unsafe { V::load(chunk.as_ptr()) };
            let want = |test: fn(u8) -> bool| -> u64 {
                chunk.iter().enumerate().map(|(index, &byte)| u64::from(test(byte)) << index).sum()
            };
            assert_eq!(lanes.quotes(), want(|byte| byte == b'"'));
            assert_eq!(lanes.backslashes(), want(|byte| byte == b'\\'));
            assert_eq!(lanes.controls(), want(|byte| byte < 0x20));
            assert_eq!(lanes.high(), want(|byte| byte >= 0x80));
            assert_eq!(lanes.not_space(), want(|byte| byte != b' '));
            let mut copy = [0u8; 32];
            // SAFETY: 32 bytes hold the widest lanes.
            unsafe { lanes.store(copy.as_mut_ptr()) };
            assert_eq!(&copy[..V::WIDTH], chunk);
        }
    }

    proptest! {
        #[test]
        fn every_backend_agrees_with_the_bytewise_definition(
            bytes in prop::array::uniform32(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), Just(b' '), Just(0x1f), Just(0x80)])
        ) {
            agrees::<Scalar>(&bytes);
            #[cfg(target_arch = "x86_64")]
            {
                agrees::<Sse2>(&bytes);
                if is_x86_feature_detected!("avx2") {
                    agrees::<Avx2>(&bytes);
                }
            }
            #[cfg(target_arch = "aarch64")]
            agrees::<Neon>(&bytes);
        }
    }
}
