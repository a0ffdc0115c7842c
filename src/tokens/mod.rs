//! Counting the tokens of text as the models' tokenizers do, exactly or about.

mod cache;
mod chat;
mod classes;
mod count;
mod estimate;
mod fingerprint;
mod pair;
mod pieces;
mod vocabulary;

pub use cache::{Kind, cached};
pub use chat::{Counts, Use, count_value, is_known};
pub use count::{count, count_up_to, decode, encode};
pub use estimate::estimate;
pub use vocabulary::{is_loaded, set_folder};

/// An encoding: a vocabulary and the way to cut text for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    O200k,
    Cl100k,
}

impl Encoding {
    pub const ALL: [Self; 2] = [Self::O200k, Self::Cl100k];

    pub fn name(self) -> &'static str {
        match self {
            Self::O200k => "o200k_base",
            Self::Cl100k => "cl100k_base",
        }
    }
}
