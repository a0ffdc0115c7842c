//! Shortening conversations.

pub mod form;
pub mod kind;
mod kinds;
pub mod marker;
pub mod query;
mod truncate;

pub use truncate::{Action, Truncated, truncate};
