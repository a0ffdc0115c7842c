//! How many tokens a text may have.
//!
//! What a text gets depends on nothing but itself, or else a conversation's beginning would change with its end.

use super::options::{Options, Tier};

/// A text of so many tokens is not too long.
const AMPLE: f64 = 1960.0;

/// No text needs more than so many.
const MOST: f64 = 20_000.0;

/// Tokens that a tool's result of so many tokens keeps by default: all of them up to [`AMPLE`], then as the square root
/// grows. A thousand times as much text does not have a thousand times as much to tell. The figures are those at which
/// `bench:compress` finds the evidence planted in generated results of all kinds: with half of it, errors of access logs and
/// rare messages go.
fn ample(tokens: u32) -> u32 {
    let tokens = f64::from(tokens);
    if tokens <= AMPLE { tokens as u32 } else { (AMPLE * (tokens / AMPLE).sqrt()).min(MOST) as u32 }
}

/// Tokens a text may have; nothing where there is no limit.
pub fn allowance(tokens: u32, options: &Options) -> Option<u32> {
    match (options.tier, options.target_ratio) {
        (Tier::Lossless, _) => None,
        (Tier::Auto, Some(ratio)) => Some((f64::from(tokens) * f64::from(ratio)) as u32),
        (Tier::Auto, None) => Some(ample(tokens)),
    }
}

/// Tokens that each of several texts may have, so that together they have at most `budget`: texts keep the same part of
/// what they would keep by default, and none gets more than it needs. `texts` has of each its tokens as they were and as
/// they are now.
pub fn share(texts: &[(u32, u32)], budget: u64) -> Vec<u32> {
    let wanted = |scale: f64, &(before, now): &(u32, u32)| {
        ((f64::from(before).sqrt() * scale) as u32).max(LEAST).min(now)
    };
    let (mut low, mut high) = (0.0, f64::from(u32::MAX).sqrt());
    for _ in 0..48 {
        let middle = f64::midpoint(low, high);
        let sum: u64 = texts.iter().map(|text| u64::from(wanted(middle, text))).sum();
        if sum <= budget { low = middle } else { high = middle }
    }
    texts.iter().map(|text| wanted(low, text)).collect()
}

/// Tokens of a text that is left with nothing but its marker.
const LEAST: u32 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_texts_keep_more_but_less_of_it() {
        assert_eq!(ample(800), 800);
        let kept: Vec<u32> = [1960, 4 * 1960, 49 * 1960, 1_000_000].into_iter().map(ample).collect();
        assert_eq!(kept, [1960, 2 * 1960, 7 * 1960, 20_000]);
    }

    #[test]
    fn a_budget_is_shared_by_need() {
        let texts = [(100, 80), (10_000, 3000), (40_000, 6000)];
        assert_eq!(share(&texts, 100_000), [80, 3000, 6000]);
        let shared = share(&texts, 3080);
        assert_eq!(shared[0], 80);
        assert!((990..=1000).contains(&shared[1]) && (1980..=2000).contains(&shared[2]), "{shared:?}");
        assert_eq!(share(&texts, 0), [LEAST; 3]);
    }
}
