//! How many tokens a text may have.
//!
//! What a text gets depends on nothing but itself, or else a conversation's beginning would change with its end.

use super::options::{Options, Tier};

/// A text of so many tokens is not too long.
const AMPLE: f64 = 1000.0;

/// Tokens that a tool's result of so many tokens keeps by default: all of them up to [`AMPLE`], then as the square root
/// grows. A thousand times as much text does not have a thousand times as much to tell.
fn ample(tokens: u32) -> u32 {
    let tokens = f64::from(tokens);
    if tokens <= AMPLE { tokens as u32 } else { (AMPLE * (tokens / AMPLE).sqrt()) as u32 }
}

/// Tokens a text may have; nothing where there is no limit.
pub fn allowance(tokens: u32, options: &Options) -> Option<u32> {
    match (options.tier, options.target_ratio) {
        (Tier::Lossless, _) => None,
        (Tier::Auto, Some(ratio)) => Some((f64::from(tokens) * f64::from(ratio)) as u32),
        (Tier::Auto, None) => Some(ample(tokens)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_texts_keep_more_but_less_of_it() {
        assert_eq!(ample(800), 800);
        let kept: Vec<u32> = [1000, 4000, 16_000, 1_000_000].into_iter().map(ample).collect();
        assert_eq!(kept, [1000, 2000, 4000, 31_622]);
    }
}
