//! What the fuzz targets check: each takes any bytes, and panics where the crate differs from its oracle.
//!
//! `npm run fuzz -- TARGET --seconds N` runs them under libFuzzer; `tests/short.rs` replays their seeds, and changes of them, without.

mod compress;
mod convert;
mod document;
mod json;
mod recovery;
mod stringify;
#[path = "../../tests/model/tape.rs"]
mod tape_model;

pub use compress::compress;
pub use convert::convert;
pub use document::document;
pub use json::{parse, tape};
pub use recovery::recovery;
pub use stringify::stringify;

/// A target: panics where it finds a difference.
pub type Target = fn(&[u8]);

/// All of them; each has a folder of this name in `seeds/`.
pub const TARGETS: [(&str, Target); 7] = [
    ("parse", parse),
    ("tape", tape),
    ("stringify", stringify),
    ("document", document),
    ("compress", compress),
    ("convert", convert),
    ("recovery", recovery),
];
