//! One strategy per kind of content: text in, [`super::form::Form`] out.
