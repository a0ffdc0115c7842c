//! Tokens of a text: decisions go by the estimate, figures too unless they are to be exact.

use super::content;
use super::words::boundary;
use crate::cancel::{self, CancelToken};
use crate::error::Error;
use crate::tokens;
pub use crate::tokens::Encoding;

/// Bytes between two looks at the cancellation flag.
const CHUNK: usize = 128 << 10;

/// About how many; less than that once the thread's work is interrupted.
pub fn estimate(text: &str) -> usize {
    if text.len() <= CHUNK {
        return tokens::estimate(text);
    }
    let (mut rest, mut sum) = (text, 0);
    while !rest.is_empty() && !cancel::is_interrupted() {
        let (chunk, behind) = rest.split_at(boundary(rest, CHUNK));
        sum += tokens::estimate(chunk);
        rest = behind;
    }
    sum
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
