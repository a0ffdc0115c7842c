//! Words of a text, as hashes.

use std::ops::Range;

/// Of a word in small letters, without the `s` of a plural.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordHash(u32);

impl WordHash {
    /// A place in a table with so many slots, a power of two.
    pub fn slot(self, slots: usize) -> usize {
        (self.0 >> 16 ^ self.0) as usize & (slots - 1)
    }
}

/// What a byte is within a word: a small letter, a digit, part of a character that is not ASCII; 0 for none of them.
const CLASS: [u8; 256] = {
    let mut class = [0u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let small = (byte as u8).to_ascii_lowercase();
        if small.is_ascii_alphanumeric() || small >= 0x80 {
            class[byte] = small;
        }
        byte += 1;
    }
    class
};

/// The last place up to `at` where a character begins, or the text's end.
pub fn boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The words of a text: where they are, and their hashes.
pub fn words(text: &[u8]) -> impl Iterator<Item = (Range<usize>, WordHash)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() && CLASS[usize::from(text[at])] == 0 {
            at += 1;
        }
        let start = at;
        // FNV-1a; the last step is undone for a plural.
        let (mut hash, mut before) = (0x811c_9dc5_u32, 0);
        while at < text.len() {
            let class = CLASS[usize::from(text[at])];
            if class == 0 {
                break;
            }
            before = hash;
            hash = (hash ^ u32::from(class)).wrapping_mul(0x0100_0193);
            at += 1;
        }
        if at == start {
            return None;
        }
        let is_plural = at - start > 3 && text[at - 1] | 0x20 == b's' && text[at - 2] | 0x20 != b's';
        Some((start..at, WordHash(if is_plural { before } else { hash })))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_number() {
        let hashes = |text: &str| words(text.as_bytes()).map(|(_, hash)| hash).collect::<Vec<_>>();
        assert_eq!(hashes("Flights, (FLIGHT)!"), [hashes("flight")[0]; 2]);
        assert_ne!(hashes("pass"), hashes("pas"));
        let ranges: Vec<_> = words("a_b  naïve 12".as_bytes()).map(|(range, _)| range).collect();
        assert_eq!(ranges, [0..1, 2..3, 5..11, 12..14]);
        assert!(hashes(" ,;").is_empty());
    }
}
