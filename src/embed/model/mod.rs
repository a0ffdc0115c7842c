//! Static-embedding models: a vector for each token of a vocabulary; a text's is the sum of its tokens', of length one.
//!
//! A model is a folder as `Model2Vec` or `WordLlama` leaves it ([`files`] has the names). Its weights stay in their file, which is mapped
//! ([`weights`]); its tokenizer says which tokens a text has ([`tokens`]). As the length is one, it does not matter whether tokens are added
//! up or averaged.

mod files;
mod pieces;
mod tokens;
mod weights;

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::files::Files;
use self::tokens::{Known, Tokens};
use self::weights::{Origin, Weights};
use super::normalise;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};

/// Why a model cannot be used, as the end of a sentence.
type Why = String;

pub struct Model {
    folder: PathBuf,
    weights: Weights,
    tokens: Tokens,
    /// The token for what the vocabulary has no word for, where it counts for nothing.
    unknown: Option<u32>,
    /// What is remembered of words, for as many threads as have embedded at a time.
    known: Mutex<Vec<Known>>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("weights", &self.weights).finish_non_exhaustive()
    }
}

/// The error for a model that cannot be used.
fn unusable(folder: &Path, why: &str) -> Error {
    Error::new(ErrorKind::ModelNotFound, format!("the model {} cannot be used: {why}", folder.display()))
}

impl Model {
    pub fn open(folder: &Path) -> Result<Self, Error> {
        // The library that reads tokenizers takes some things for granted that a damaged file does not have.
        panic::catch_unwind(AssertUnwindSafe(|| Self::read(folder)))
            .unwrap_or_else(|_| Err("its tokenizer is damaged".to_owned()))
            .map_err(|why| unusable(folder, &why))
    }

    fn read(folder: &Path) -> Result<Self, Why> {
        let files = Files::find(folder)?;
        let weights = Weights::open(&files.weights)?;
        let tokens = Tokens::open(&files.tokenizer)?;
        // Each as its Python package has it.
        let unknown = if weights.origin == Origin::Model2Vec { tokens.unknown() } else { None };
        Ok(Self { folder: folder.to_owned(), weights, tokens, unknown, known: Mutex::default() })
    }

    /// Values of a vector.
    pub fn dimensions(&self) -> usize {
        self.weights.columns
    }

    /// The vectors of texts, the first so many values of each, one after the other.
    pub fn embed<T: AsRef<str>>(
        &self,
        texts: impl Iterator<Item = T>,
        count: usize,
        dimensions: usize,
        cancel: &CancelToken,
    ) -> Result<Vec<f32>, Error> {
        if dimensions > self.dimensions() {
            let message = format!(
                "options.dimensions must be at most {}, which is what the model {} has, not {dimensions}",
                self.dimensions(),
                self.folder.display()
            );
            return Err(Error::new(ErrorKind::InvalidArg, message));
        }
        let folder = &self.folder;
        self.weights.check().map_err(|why| unusable(folder, &why))?;
        let mut vectors = vec![0.0; count * dimensions];
        let mut known = self.shelf().pop().unwrap_or_default();
        let mut sum = Sum::default();
        for (text, vector) in texts.zip(vectors.chunks_exact_mut(dimensions)) {
            let cut = self.tokens.cut(text.as_ref());
            for piece in cut.pieces() {
                cancel.check()?;
                let ids = self.tokens.ids(&cut, piece, &mut known).map_err(|why| unusable(folder, &why))?;
                for &id in ids.iter().filter(|&&id| Some(id) != self.unknown) {
                    self.weights.add(id as usize, vector);
                    sum.added(vector);
                }
            }
            sum.finish(vector);
            if !normalise(vector) {
                return Err(unusable(folder, "its weights are damaged: some are no numbers"));
            }
        }
        self.shelf().push(known);
        Ok(vectors)
    }

    fn shelf(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was added to a vector so far: a long sum in 32 bits would lose what is added late.
#[derive(Default)]
struct Sum {
    latest: usize,
    /// The sums of [`Sum::PART`] vectors each, added up; empty until there is one.
    total: Vec<f64>,
}

impl Sum {
    const PART: usize = 4096;

    /// Notes that something was added to `part`.
    fn added(&mut self, part: &mut [f32]) {
        self.latest += 1;
        if self.latest == Self::PART {
            self.total.resize(part.len(), 0.0);
            self.take(part);
        }
    }

    fn take(&mut self, part: &mut [f32]) {
        for (total, part) in self.total.iter_mut().zip(part) {
            *total += f64::from(std::mem::take(part));
        }
        self.latest = 0;
    }

    /// Makes the last part the sum of all, and begins anew.
    fn finish(&mut self, part: &mut [f32]) {
        if !self.total.is_empty() {
            self.take(part);
            for (part, total) in part.iter_mut().zip(self.total.drain(..)) {
                *part = total as f32;
            }
        }
        self.latest = 0;
    }
}
