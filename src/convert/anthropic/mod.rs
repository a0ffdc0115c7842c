//! Anthropic's messages.

mod read;
mod write;

pub use read::{read_request, read_response};
pub use write::{write_request, write_response};
