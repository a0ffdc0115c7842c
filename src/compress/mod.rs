//! Shortening conversations.

mod bounded;
mod budget;
mod cache;
mod content;
pub mod form;
pub mod kind;
mod kinds;
pub mod marker;
pub mod message;
pub mod noise;
pub mod options;
pub mod pipeline;
mod plain;
pub mod query;
pub mod report;
pub mod retrieve;
mod select;
mod shorten;
pub mod signal;
pub mod store;
mod tokens;
mod truncate;
mod words;

pub use content::Id;
#[cfg(feature = "inverse")]
pub use kinds::inverse;
pub use truncate::{Action, Truncated, truncate};
