//! Tokens of a text: decisions go by the estimate, figures too unless they are to be exact.

use super::content;
use super::words::boundary;
use crate::cancel::{self, CancelToken};
use crate::error::Error;
use crate::tokens;
pub use crate::tokens::Encoding;

/// Bytes of a text that are looked at, where it is longer than that: these, or one in [`LEAST_PART`].
const SAMPLE: usize = 64 << 10;
const LEAST_PART: usize = 16;

/// Bytes in a row of a sample.
const BLOCK: usize = 512;

/// About how many; anything once the thread's work is interrupted. A long text is taken to be as a sample of it is: a
/// block from each of many parts of one size, so that what is all over it or in one part counts for what it is.
pub fn estimate(text: &str) -> usize {
    if text.len() <= SAMPLE {
        return tokens::estimate(text);
    }
    let blocks = SAMPLE.max(text.len() / LEAST_PART) / BLOCK;
    let part = text.len() / blocks;
    let (mut bytes, mut sum) = (0, 0);
    for block in 0..blocks {
        if block % (SAMPLE / BLOCK) == 0 && cancel::is_interrupted() {
            break;
        }
        // Anywhere in its part: what comes in regular distances is not to be met always, or never.
        let at = block * part + content::join(&[block as u64]) as usize % (part - BLOCK + 1);
        let rest = &text[boundary(text, at)..];
        let seen = &rest[..boundary(rest, BLOCK)];
        bytes += seen.len();
        sum += tokens::estimate(seen);
    }
    (sum as f64 * text.len() as f64 / bytes.max(1) as f64) as usize
}

/// About how many, by its bytes one by one: what a unit costs.
pub fn by_bytes(text: &str) -> u32 {
    // In sixteenths, by byte.
    const COST: [u8; 256] = {
        let mut table = [6; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = match byte as u8 {
                b'a'..=b'z' | b'A'..=b'Z' => 4,
                b'0'..=b'9' => 7,
                b' ' => 1,
                _ => 12,
            };
            byte += 1;
        }
        table
    };
    text.bytes().map(|byte| u32::from(COST[usize::from(byte)])).sum::<u32>() / 16
}

/// A guess that takes no time.
pub fn rough(text: &str) -> u32 {
    (text.len() / 4) as u32
}

/// How many; from the cache where the text was counted before.
///
/// # Errors
///
/// When interrupted, or when there is no vocabulary.
pub fn count(text: &str, encoding: Encoding, cancel: &CancelToken) -> Result<u32, Error> {
    let key = content::join(&[content::key(text), encoding as u64 + 1]);
    super::cache::counted(key, || {
        let count = tokens::count_up_to(text, encoding, usize::MAX, cancel)?;
        Ok(count.unwrap_or(usize::MAX) as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_like_its_text() {
        let line = |at: usize| match at % 16 {
            0 => format!("{at:08x} error: no such file or directory {}\n", "at /usr/lib/x".repeat(at % 7)),
            1..8 => {
                format!("2024-05-01T10:{:02}:00Z GET /api/v1/users/{at} 200 {}ms\n", at % 60, at * 7 % 991)
            }
            _ => "and words that say nothing in particular, as words do, ä ö ü 名前\n".to_string(),
        };
        let text: String = (0..20_000).map(line).collect();
        for text in [&text[..], &text[..=SAMPLE], &text[..400_000]] {
            let (exact, sample) = (tokens::estimate(text) as f64, estimate(text) as f64);
            assert!((sample / exact - 1.0).abs() < 0.02, "{exact} {sample} of {}", text.len());
        }
    }
}
