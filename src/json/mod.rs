//! JSON: scanning, tape, printing.
//!
//! [`text`] makes UTF-8 of whatever came in, [`scan`] reads it in one pass with the vectors of [`simd`], and
//! [`tape`] lays out what JavaScript's decoder walks. [`strings`], [`shapes`] and [`number`] are the scanner's parts.
//! The other way, [`write`] makes text of what JavaScript's encoder lays out ([`encoding`]), with the help of
//! [`escape`] and [`expand`]. [`document`] reads and changes text where it is.

pub mod document;
pub mod encoding;
pub mod escape;
mod expand;
pub mod layout;
mod number;
pub mod poison;
mod registry;
pub mod scan;
mod shapes;
mod simd;
mod strings;
mod syntax;
pub mod tape;
pub mod text;
mod unescape;
pub mod write;

pub use scan::parse;
pub use strings::{Characters, StringBlock};
pub use tape::Tape;
pub use text::Text;
