//! Feature hashing: a vector of a text without a model.
//!
//! The features are words, pairs of neighbouring words, and the runs of three to five characters in each word with its borders. Each is hashed to
//! a place in the vector and a sign, and adds its weight there; what happens to fall on the same place cancels out on average. Texts that share
//! words, or forms of them, get vectors that are alike. The vector has length one; that of a text without words is all zeros.
//!
//! Hashes are the same everywhere and always, so vectors can be stored.

use super::normalise;

/// Weights of features, by what they are.
const WORD: f32 = 1.0;
const PAIR: f32 = 0.6;
const RUN: f32 = 0.25;

/// Characters of runs.
const RUNS: std::ops::RangeInclusive<usize> = 3..=5;
/// What stands for the borders of a word in its runs.
const BORDER: u32 = 0x11_0000;

/// Adds the features of `text` to `vector`, which is all zeros, and makes its length one.
pub fn embed(text: &str, vector: &mut [f32]) {
    let mut word = vec![BORDER];
    let mut before = None;
    // The blank at the end ends the last word.
    for character in text.chars().flat_map(char::to_lowercase).chain([' ']) {
        if character.is_alphanumeric() {
            word.push(u32::from(character));
        } else if word.len() > 1 {
            word.push(BORDER);
            before = Some(add_word(&word, before, vector));
            word.truncate(1);
        }
    }
    normalise(vector);
}

/// Adds a word's features; its hash.
fn add_word(word: &[u32], before: Option<u64>, vector: &mut [f32]) -> u64 {
    let own = hash(word, 1);
    add(own, WORD, vector);
    if let Some(before) = before {
        add(mix(before.rotate_left(17) ^ own), PAIR, vector);
    }
    for length in RUNS {
        for run in word.windows(length) {
            add(hash(run, 2), RUN, vector);
        }
    }
    own
}

fn add(hash: u64, weight: f32, vector: &mut [f32]) {
    let place = ((u128::from(hash) * vector.len() as u128) >> 64) as usize;
    vector[place] += if hash & 1 == 0 { weight } else { -weight };
}

/// FNV-1a over code points, with the bits mixed.
fn hash(points: &[u32], kind: u64) -> u64 {
    mix(points.iter().fold(0xcbf2_9ce4_8422_2325 ^ kind, |hash, &point| {
        (hash ^ u64::from(point)).wrapping_mul(0x0100_0000_01b3)
    }))
}

/// The finaliser of `SplitMix64`.
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &str) -> Vec<f32> {
        let mut vector = vec![0.0; 384];
        embed(text, &mut vector);
        vector
    }

    fn cosine(a: &str, b: &str) -> f32 {
        vector(a).iter().zip(vector(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn vectors_have_length_one_or_none() {
        for text in ["a", "The quick brown fox", "你好，世界", "42"] {
            let length: f32 = vector(text).iter().map(|value| value * value).sum();
            assert!((length - 1.0).abs() < 1e-5, "{text}: {length}");
        }
        for text in ["", "  ", "...!"] {
            assert!(vector(text).iter().all(|&value| value == 0.0));
        }
    }

    #[test]
    fn what_is_alike_is_near() {
        let query = "cancel my flight reservation";
        assert!(
            (cosine(query, "Cancel my FLIGHT reservation!") - 1.0).abs() < 1e-5,
            "case and signs do not count"
        );
        let near = cosine(query, "I would like to cancel the reservation of a flight");
        let form = cosine(query, "cancelling flights");
        let far = cosine(query, "the weather in Paris is sunny today");
        assert!(near > 0.4 && form > 0.2 && far < 0.15, "{near} {form} {far}");
        assert!(cosine("dog bites man", "man bites dog") < 0.99, "order counts a little");
    }

    #[test]
    fn stays_as_it_was() {
        let vector = vector("stored");
        let places: Vec<usize> = (0..384).filter(|&place| vector[place] != 0.0).collect();
        assert_eq!(places, [25, 82, 152, 174, 179, 187, 209, 220, 240, 287, 291, 299, 329, 349, 381]);
    }
}
