//! Counting the tokens of text as the models' tokenizers do.

mod estimate;

pub use estimate::estimate;
