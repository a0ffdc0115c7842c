//! The only module that knows napi: converts, submits, settles.

pub mod environment;
#[cfg(feature = "faults")]
mod faults;
pub mod inbox;
mod parse;
mod pool;
mod stringify;
mod strings;
pub mod task;
