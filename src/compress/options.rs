//! How much is to be done, and how.

use std::time::Instant;

use super::tokens::Encoding;

/// What may be done to a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// Write it shorter without losing anything; leave out what tells least where it is still too long.
    #[default]
    Auto,
    /// Lose nothing.
    Lossless,
}

/// Tokens below which a text is left alone.
pub const MIN_TOKENS: u32 = 40;

#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are options of callers")]
pub struct Options {
    pub tier: Tier,
    /// The part of its tokens that a text is to keep, from 0 to 1.
    pub target_ratio: Option<f32>,
    /// Tokens that the whole conversation may have.
    pub token_budget: Option<u64>,
    pub min_tokens: u32,
    /// Whether originals are kept to be retrieved.
    pub reversible: bool,
    /// Count tokens exactly in the figures, for this encoding.
    pub exact: Option<Encoding>,
    pub deadline: Option<Instant>,
    /// What the reader is after, in place of what the conversation says.
    pub query: Option<String>,
    /// Whether results are kept for, and taken from, other calls.
    pub cache: bool,
}

impl Options {
    /// Gives the result so far at the deadline, or at `end` if that comes first.
    pub fn work_until(&mut self, end: Option<Instant>) {
        self.deadline = [self.deadline, end].into_iter().flatten().min();
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tier: Tier::Auto,
            target_ratio: None,
            token_budget: None,
            min_tokens: MIN_TOKENS,
            reversible: true,
            exact: None,
            deadline: None,
            query: None,
            cache: true,
        }
    }
}
