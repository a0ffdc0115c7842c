//! Texts by their content.
//!
//! SipHash-1-3 (Aumasson and Bernstein): a [`key`] is secret to the process, so that nobody can craft a text that is
//! taken for another; an [`Id`] is the same everywhere and for good, so that a marker is, too. Texts with one id are told
//! apart by whoever stores them.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use siphasher::sip::SipHasher13;

use crate::cancel;

/// The hash of a text that markers carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u64);

impl Id {
    /// Hexadecimal digits of one.
    pub const DIGITS: usize = 16;

    pub fn of(text: &str) -> Self {
        Self(hash(text, 0x6f66_666c_6f6f_7001, 0x636f_6d70_7265_7373))
    }

    /// The id that these digits are, in small letters.
    pub fn parse(digits: &str) -> Option<Self> {
        let is_hash = digits.len() == Self::DIGITS
            && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if is_hash { u64::from_str_radix(digits, 16).ok().map(Self) } else { None }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text's key in this process.
pub fn key(text: &str) -> u64 {
    static SECRET: LazyLock<(u64, u64)> = LazyLock::new(|| {
        let random = RandomState::new();
        (random.hash_one(1), random.hash_one(2))
    });
    hash(text, SECRET.0, SECRET.1)
}

/// The hash of a text, or of its beginning once the thread's work is interrupted.
fn hash(text: &str, one: u64, other: u64) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(one, other);
    for chunk in text.as_bytes().chunks(1 << 20) {
        if cancel::is_interrupted() {
            break;
        }
        hasher.write(chunk);
    }
    hasher.finish()
}

/// A key made of several.
pub fn join(keys: &[u64]) -> u64 {
    keys.iter().fold(0, |joined: u64, key| (joined ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_for_good() {
        // Stores on disk have them.
        assert_eq!(Id::of("a text").to_string(), "52c4d53982d17a09");
        assert_eq!(Id::parse(&Id::of("a text").to_string()), Some(Id::of("a text")));
        for digits in ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "+123456789abcdef"] {
            assert_eq!(Id::parse(digits), None, "{digits}");
        }
    }

    #[test]
    fn joined_keys_depend_on_their_order() {
        assert_ne!(join(&[1, 2]), join(&[2, 1]));
        assert_ne!(join(&[1]), join(&[1, 0]));
    }
}
