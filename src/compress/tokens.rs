//! Tokens of a text: decisions go by the estimate, figures too unless they are to be exact.

pub use crate::tokens::estimate;
