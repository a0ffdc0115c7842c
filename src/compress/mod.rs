//! Shortening conversations.

mod truncate;

pub use truncate::{Action, Truncated, truncate};
