//! Fingerprints of texts: 128 bits, different in each process, so that nobody can make two texts of one.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// Secret numbers, different in each process.
static SEEDS: LazyLock<[u64; 6]> = LazyLock::new(|| {
    let state = RandomState::new();
    // Odd, so that none is zero.
    std::array::from_fn(|index| state.hash_one(index) | 1)
});

/// The fingerprint of some bytes of a kind. Two lanes, each of which multiplies 16 bytes at a time with secrets and folds the product.
pub fn fingerprint(bytes: &[u8], kind: u64) -> u128 {
    let seeds = &*SEEDS;
    let length = bytes.len() as u64;
    let (mut low, mut high) =
        (fold(seeds[0] ^ length, seeds[1] ^ kind), fold(seeds[2] ^ kind, seeds[3] ^ length));
    let (chunks, rest) = bytes.as_chunks::<16>();
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    for chunk in chunks.iter().chain([&last]) {
        let (one, two) = (word(chunk, 0), word(chunk, 8));
        low = fold(low ^ one ^ seeds[4], two ^ seeds[0]);
        high = fold(high ^ two ^ seeds[5], one ^ seeds[2]);
    }
    u128::from(fold(low, seeds[1])) << 64 | u128::from(fold(high, seeds[3]))
}

#[inline(always)]
fn word(chunk: &[u8; 16], at: usize) -> u64 {
    u64::from_le_bytes(chunk[at..at + 8].try_into().expect("eight bytes"))
}

#[inline(always)]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn like_texts_have_unlike_fingerprints() {
        let mut seen = HashSet::new();
        for length in 0..100 {
            let mut text = vec![b'a'; length];
            assert!(seen.insert(fingerprint(&text, 0)), "{length}");
            assert!(seen.insert(fingerprint(&text, 1)), "{length}, of another kind");
            for at in 0..length {
                for bit in 0..8 {
                    text[at] ^= 1 << bit;
                    assert!(seen.insert(fingerprint(&text, 0)), "{length}: bit {bit} of {at}");
                    text[at] ^= 1 << bit;
                }
            }
        }
        // Swapped words, zeros at the end.
        for text in [&b"0123456789abcdef"[..], b"89abcdef01234567", b"0123456789abcdef\0"] {
            assert!(seen.insert(fingerprint(text, 0)));
        }
        assert_eq!(
            fingerprint(b"the same text, longer than a chunk", 3),
            fingerprint(b"the same text, longer than a chunk", 3)
        );
    }
}
