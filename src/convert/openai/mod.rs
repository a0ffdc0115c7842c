//! `OpenAI`'s chat completions.

pub mod read;
pub mod write;

pub use read::{read_request, read_response};
pub use write::{write_request, write_response};
