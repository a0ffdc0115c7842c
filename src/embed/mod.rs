//! Texts as vectors, and vectors that are alike.

mod hash;
mod similar;

pub use hash::embed;
pub use similar::{Match, similar};
