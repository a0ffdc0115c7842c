//! What the reader of a text is after.

use std::ops::Range;

/// Words, ids and quoted words of a question: the user's text and the tool call that led to a tool's result.
#[derive(Clone, Debug, Default)]
pub struct Query {
    // Words with weights, and what is to be found exactly.
}

impl Query {
    pub fn new(_text: &str) -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        true
    }

    /// BM25 of each unit over all of them, scaled to at most 1; all 0 where nothing matches.
    pub fn rank<'a>(&self, units: impl Iterator<Item = &'a str>) -> Vec<f32> {
        units.map(|_| 0.0).collect()
    }

    /// Whether a text has one of the ids or quoted words of the query, exactly.
    pub fn names(&self, _text: &str) -> bool {
        false
    }

    /// Where they are, in bytes.
    pub fn spans(&self, _text: &str) -> Vec<Range<usize>> {
        Vec::new()
    }
}
