//! `embed` and `similar`: texts in, vectors out; a vector and a matrix in, rows out.

use napi::bindgen_prelude::{Error, Float32Array, Float64Array, Result, Status, Unknown};
use napi::{Env, ScopedTask};
use napi_derive::napi;

use super::parse::text_of_string;
use super::task::{PoolTask, Submission};
use crate::cancel::CancelToken;
use crate::embed;
use crate::json::Text;
use crate::json::text::well_formed;
use crate::memory::Block;

/// Makes vectors of some texts, by feature hashing.
#[derive(Debug)]
pub struct Embed {
    /// The texts one after the other, and their units.
    units: Block,
    lengths: Vec<u32>,
    dimensions: usize,
    cancel: CancelToken,
}

impl Embed {
    fn new(
        text: &Unknown<'_>,
        length: u32,
        lengths: &[u32],
        dimensions: u32,
        cancel: CancelToken,
    ) -> Result<Self> {
        let (Text::Units(units) | Text::Bytes(units)) = text_of_string(text, length)?;
        let total: usize = lengths.iter().map(|&length| length as usize).sum();
        if total * 2 > units.len() || dimensions == 0 {
            return Err(Error::new(Status::InvalidArg, "the lengths are not those of the texts"));
        }
        Ok(Self { units, lengths: lengths.to_vec(), dimensions: dimensions as usize, cancel })
    }

    fn run(&self) -> Result<Vec<f32>> {
        let mut vectors = vec![0.0; self.lengths.len() * self.dimensions];
        let mut start = 0;
        for (&length, vector) in self.lengths.iter().zip(vectors.chunks_exact_mut(self.dimensions)) {
            self.cancel.check().map_err(crate::error::Error::from)?;
            let end = start + 2 * length as usize;
            embed::embed(&well_formed(&Block::from_bytes(&self.units.as_slice()[start..end])), vector);
            start = end;
        }
        Ok(vectors)
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
    ts_return_type = "Promise<Float32Array>"
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
    let bytes = 2 * length as usize + 4 * lengths.len() * dimensions as usize;
    let mut submission = Submission::new(pool, control, "embed").bytes(bytes);
    let cancel = submission.token();
    Ok(PoolTask::new(submission, Embed::new(&text, length, lengths, dimensions, cancel)?))
}

/// The same on the spot.
#[napi(ts_args_type = "text: string, length: number, lengths: Uint32Array, dimensions: number")]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn embed_texts_now(
    text: Unknown<'_>,
    length: u32,
    lengths: &[u32],
    dimensions: u32,
) -> Result<Float32Array> {
    Ok(Float32Array::from(Embed::new(&text, length, lengths, dimensions, CancelToken::new())?.run()?))
}

/// Rows of a matrix that are most like a vector, best first: index and score in turns.
#[napi(ts_args_type = "query: Float32Array, matrix: Float32Array, count: number")]
pub fn similar_rows(query: &[f32], matrix: &[f32], count: u32) -> Float64Array {
    let found = embed::similar(query, matrix, count as usize);
    let figures: Vec<f64> =
        found.iter().flat_map(|found| [found.index as f64, f64::from(found.score)]).collect();
    Float64Array::from(figures)
}
