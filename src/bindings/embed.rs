//! `embed` and `similar`: texts in, vectors out; a vector and a matrix in, rows out.

use std::path::{Path, PathBuf};

use napi::bindgen_prelude::{Error, Float32Array, Float64Array, Result, Status, Unknown};
use napi::{Env, ScopedTask};
use napi_derive::napi;

use super::parse::text_of_string;
use super::task::{PoolTask, Submission};
use crate::cancel::CancelToken;
use crate::embed;
use crate::error;
use crate::json::Text;
use crate::json::text::well_formed;
use crate::memory::Block;

/// What a model's vectors are taken to have before it is known.
const USUAL_DIMENSIONS: u32 = 256;

/// How texts become vectors.
#[derive(Debug)]
enum Way {
    /// Feature hashing, with so many dimensions.
    Hash(usize),
    /// The model in a folder, with the first so many of its dimensions, or all.
    Model(PathBuf, Option<usize>),
}

/// Makes vectors of some texts.
#[derive(Debug)]
pub struct Embed {
    /// The texts one after the other, and their units.
    units: Block,
    lengths: Vec<u32>,
    way: Way,
    cancel: CancelToken,
}

impl Embed {
    fn new(text: &Unknown<'_>, length: u32, lengths: &[u32], way: Way, cancel: CancelToken) -> Result<Self> {
        let (Text::Units(units) | Text::Bytes(units)) = text_of_string(text, length)?;
        let total: usize = lengths.iter().map(|&length| length as usize).sum();
        if total * 2 > units.len() || matches!(way, Way::Hash(0)) {
            return Err(Error::new(Status::InvalidArg, "the lengths are not those of the texts"));
        }
        Ok(Self { units, lengths: lengths.to_vec(), way, cancel })
    }

    fn run(&self) -> Result<Vec<f32>> {
        Ok(match &self.way {
            Way::Hash(dimensions) => self.hash(*dimensions)?,
            Way::Model(folder, dimensions) => self.look_up(folder, *dimensions)?,
        })
    }

    fn hash(&self, dimensions: usize) -> std::result::Result<Vec<f32>, error::Error> {
        let mut vectors = vec![0.0; self.lengths.len() * dimensions];
        for (text, vector) in self.texts().zip(vectors.chunks_exact_mut(dimensions)) {
            self.cancel.check()?;
            embed::embed(&text, vector);
        }
        Ok(vectors)
    }

    fn look_up(
        &self,
        folder: &Path,
        dimensions: Option<usize>,
    ) -> std::result::Result<Vec<f32>, error::Error> {
        let model = embed::model(folder)?;
        let dimensions = dimensions.unwrap_or(model.dimensions());
        model.embed(self.texts(), self.lengths.len(), dimensions, &self.cancel)
    }

    fn texts(&self) -> impl Iterator<Item = String> {
        let mut rest = self.units.as_slice();
        self.lengths.iter().map(move |&length| {
            let units;
            (units, rest) = rest.split_at(2 * length as usize);
            well_formed(&Block::from_bytes(units))
        })
    }
}

impl ScopedTask<'_> for Embed {
    type Output = Vec<f32>;
    type JsValue = Float32Array;

    fn compute(&mut self) -> Result<Vec<f32>> {
        self.run()
    }

    fn resolve(&mut self, _env: &Env, vectors: Vec<f32>) -> Result<Float32Array> {
        Ok(Float32Array::from(vectors))
    }
}

/// The vectors, one after the other, of texts that lie one after the other in a string.
#[napi(
    ts_args_type = "pool: number, control: number, text: string, length: number, lengths: Uint32Array, dimensions: number",
    ts_return_type = "Ticket<Float32Array>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn embed_texts(
    pool: u32,
    control: f64,
    text: Unknown<'_>,
    length: u32,
    lengths: &[u32],
    dimensions: u32,
) -> Result<PoolTask<Embed>> {
    submit(pool, control, &text, length, lengths, Way::Hash(dimensions as usize), dimensions)
}

/// The same by the model in a folder; its own dimensions unless there are to be fewer.
#[napi(
    ts_args_type = "pool: number, control: number, text: string, length: number, lengths: Uint32Array, folder: string, dimensions: number | undefined",
    ts_return_type = "Ticket<Float32Array>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn embed_with_model(
    pool: u32,
    control: f64,
    text: Unknown<'_>,
    length: u32,
    lengths: &[u32],
    folder: String,
    dimensions: Option<u32>,
) -> Result<PoolTask<Embed>> {
    let way = Way::Model(PathBuf::from(folder), dimensions.map(|dimensions| dimensions as usize));
    submit(pool, control, &text, length, lengths, way, dimensions.unwrap_or(USUAL_DIMENSIONS))
}

fn submit(
    pool: u32,
    control: f64,
    text: &Unknown<'_>,
    length: u32,
    lengths: &[u32],
    way: Way,
    dimensions: u32,
) -> Result<PoolTask<Embed>> {
    let bytes = 2 * length as usize + 4 * lengths.len() * dimensions as usize;
    let mut submission = Submission::new(pool, control, "embed").bytes(bytes);
    let cancel = submission.token();
    Ok(PoolTask::new(submission, Embed::new(text, length, lengths, way, cancel)?))
}

/// The same as `embed_texts`, on the spot.
#[napi(ts_args_type = "text: string, length: number, lengths: Uint32Array, dimensions: number")]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn embed_texts_now(
    text: Unknown<'_>,
    length: u32,
    lengths: &[u32],
    dimensions: u32,
) -> Result<Float32Array> {
    let way = Way::Hash(dimensions as usize);
    Ok(Float32Array::from(Embed::new(&text, length, lengths, way, CancelToken::new())?.run()?))
}

/// Lets go of a model. A task, as freeing a vocabulary takes milliseconds.
#[derive(Debug)]
pub struct Unload(PathBuf);

impl ScopedTask<'_> for Unload {
    type Output = bool;
    type JsValue = bool;

    fn compute(&mut self) -> Result<bool> {
        Ok(embed::unload(&self.0))
    }

    fn resolve(&mut self, _env: &Env, was_loaded: bool) -> Result<bool> {
        Ok(was_loaded)
    }
}

/// Lets go of the model in a folder; whether it was loaded.
#[napi(ts_return_type = "Ticket<boolean>")]
pub fn unload_model(pool: u32, control: f64, folder: String) -> PoolTask<Unload> {
    PoolTask::new(Submission::new(pool, control, "unloadModel"), Unload(PathBuf::from(folder)))
}

/// Rows of a matrix that are most like a vector, best first: index and score in turns.
#[napi(ts_args_type = "query: Float32Array, matrix: Float32Array, count: number")]
pub fn similar_rows(query: &[f32], matrix: &[f32], count: u32) -> Float64Array {
    let found = embed::similar(query, matrix, count as usize);
    let figures: Vec<f64> =
        found.iter().flat_map(|found| [found.index as f64, f64::from(found.score)]).collect();
    Float64Array::from(figures)
}
