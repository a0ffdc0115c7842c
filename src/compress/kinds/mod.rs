//! One strategy per kind of content: text in, [`super::form::Form`] out.

pub(super) mod log;
mod numbers;
mod stamp;
