//! `countTokens`, `encode`, `decode`: texts, values and documents in, counts and tokens out.

use std::path::PathBuf;
use std::sync::Arc;

use napi::bindgen_prelude::{Error, Result, Uint32Array, Unknown};
use napi::{Env, ScopedTask};
use napi_derive::napi;

use super::document::NativeDocument;
use super::parse::text_of_string;
use super::stringify::Handed;
use super::strings;
use super::task::{PoolTask, Submission, run_here};
use crate::cancel::CancelToken;
use crate::error;
use crate::json::Text;
use crate::json::document::Node;
use crate::json::document::{Document, Source};
use crate::json::text::well_formed;
use crate::memory::{Block, recycle};
use crate::tokens::{self, Counts, Encoding, Kind, Use, cached, count_up_to, count_value, is_known};

/// Says where the vocabularies lie.
#[napi]
pub fn set_vocabularies(folder: String) {
    tokens::set_folder(PathBuf::from(folder));
}

/// Whether an encoding can be used without loading anything.
#[napi]
pub fn is_vocabulary_loaded(encoding: u32) -> bool {
    tokens::is_loaded(encoding_of(encoding))
}

/// Encodings by the numbers that `lib/tokens.js` has for them.
fn encoding_of(number: u32) -> Encoding {
    if number == 0 { Encoding::O200k } else { Encoding::Cl100k }
}

/// A limit as a number of JavaScript, which may be infinite.
fn limit_of(limit: f64) -> usize {
    limit as usize
}

/// What is counted.
enum Input {
    Text(Block),
    Json(Text),
    Handed(Handed),
    Document(Document),
}

impl Input {
    /// A string of `length` units, as text or as the JSON text of a value.
    fn of_string(text: &Unknown<'_>, length: u32, is_json: bool) -> Result<Self> {
        if is_json {
            text_of_string(text, length).map(Self::Json)
        } else {
            units_of(text, length).map(Self::Text)
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(units) => units.len(),
            Self::Json(text) => text.byte_length(),
            Self::Handed(handed) => handed.bytes(),
            Self::Document(document) => document.byte_length(),
        }
    }
}

/// Counts one input.
pub struct Count {
    input: Option<Input>,
    encoding: Encoding,
    limit: usize,
    cancel: CancelToken,
}

impl Count {
    fn run(&mut self) -> Result<Option<Counts>> {
        let input = self.input.take().ok_or_else(|| Error::from_reason("computed twice"))?;
        Ok(match input {
            Input::Text(units) => self.text(&units)?,
            Input::Json(text) => self.json(text)?,
            Input::Handed(handed) => {
                let text = handed.to_utf8(&self.cancel)?;
                let block = Block::from_bytes(&text);
                recycle(text);
                self.json(Text::Bytes(block))?
            }
            Input::Document(document) => self.node(document.root(), Use::Again)?,
        })
    }

    fn text(&self, units: &Block) -> std::result::Result<Option<Counts>, error::Error> {
        let count = cached(units.as_slice(), Kind::Utf16, self.encoding, || {
            let text = well_formed(units);
            let count = count_up_to(&text, self.encoding, self.limit, &self.cancel);
            recycle(text.into_bytes());
            count
        })?;
        let count = count.filter(|&count| count <= self.limit);
        Ok(count.map(|rest| Counts { rest, messages: Vec::new() }))
    }

    fn json(&self, text: Text) -> std::result::Result<Option<Counts>, error::Error> {
        let source = Source::read(text, &Arc::default(), &self.cancel)?;
        let root = source.root();
        self.node(&Node::Part(source, root), Use::Once)
    }

    fn node(&self, node: &Node, used: Use) -> std::result::Result<Option<Counts>, error::Error> {
        count_value(node, used, self.encoding, self.limit, &self.cancel)
    }

    fn submit(pool: u32, control: f64, input: Input, encoding: u32, limit: f64) -> PoolTask<Self> {
        let mut submission = Submission::new(pool, control, "countTokens").bytes(input.bytes());
        let cancel = submission.token();
        let (encoding, limit) = (encoding_of(encoding), limit_of(limit));
        PoolTask::new(submission, Self { input: Some(input), encoding, limit, cancel })
    }

    fn now(env: Env, input: Input, encoding: u32, limit: f64) -> Result<Option<Uint32Array>> {
        let (encoding, limit) = (encoding_of(encoding), limit_of(limit));
        let mut count = Self { input: Some(input), encoding, limit, cancel: CancelToken::new() };
        let counted = run_here(env, || count.run())?;
        Ok(counted.map(figures))
    }
}

/// The count of all but the messages, then of each message.
fn figures(counts: Counts) -> Uint32Array {
    let mut figures = Vec::with_capacity(counts.messages.len() + 1);
    figures.push(counts.rest as u32);
    figures.extend(counts.messages);
    Uint32Array::from(figures)
}

impl ScopedTask<'_> for Count {
    type Output = Option<Counts>;
    type JsValue = Option<Uint32Array>;

    fn compute(&mut self) -> Result<Option<Counts>> {
        self.run()
    }

    fn resolve(&mut self, _env: &Env, counts: Option<Counts>) -> Result<Option<Uint32Array>> {
        Ok(counts.map(figures))
    }
}

fn units_of(text: &Unknown<'_>, length: u32) -> Result<Block> {
    match text_of_string(text, length)? {
        Text::Units(block) | Text::Bytes(block) => Ok(block),
    }
}

/// Counts a string of `length` units, or the value whose JSON text it is; null if it has more tokens than `limit`.
#[napi(
    ts_args_type = "pool: number, control: number, text: string, length: number, isJson: boolean, encoding: number, limit: number",
    ts_return_type = "Ticket<Uint32Array | null>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn count_string(
    pool: u32,
    control: f64,
    text: Unknown<'_>,
    length: u32,
    is_json: bool,
    encoding: u32,
    limit: f64,
) -> Result<PoolTask<Count>> {
    Ok(Count::submit(pool, control, Input::of_string(&text, length, is_json)?, encoding, limit))
}

/// The same, on the spot.
#[napi(ts_args_type = "text: string, length: number, isJson: boolean, encoding: number, limit: number")]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn count_string_now(
    env: Env,
    text: Unknown<'_>,
    length: u32,
    is_json: bool,
    encoding: u32,
    limit: f64,
) -> Result<Option<Uint32Array>> {
    Count::now(env, Input::of_string(&text, length, is_json)?, encoding, limit)
}

/// Counts the value in `words` and `numbers` (see `src/json/encoding.rs`), whose text is in the memory of `slot`.
#[napi(
    ts_args_type = "pool: number, control: number, slot: number, words: Uint32Array, numbers: Float64Array, encoding: number, limit: number",
    ts_return_type = "Ticket<Uint32Array | null>"
)]
#[allow(clippy::too_many_arguments, reason = "they come from JS one by one")]
pub fn count_encoded(
    env: Env,
    pool: u32,
    control: f64,
    slot: u32,
    words: &[u32],
    numbers: &[f64],
    encoding: u32,
    limit: f64,
) -> Result<PoolTask<Count>> {
    let input = Input::Handed(Handed::take(env, slot, words, numbers)?);
    Ok(Count::submit(pool, control, input, encoding, limit))
}

/// Counts a document.
#[napi(ts_return_type = "Ticket<Uint32Array | null>")]
pub fn count_document(
    pool: u32,
    control: f64,
    document: &NativeDocument,
    encoding: u32,
    limit: f64,
) -> Result<PoolTask<Count>> {
    let input = Input::Document(document.document()?.clone());
    Ok(Count::submit(pool, control, input, encoding, limit))
}

/// Whether all of a document was counted before, but for at most `budget` bytes.
#[napi]
pub fn is_document_known(document: &NativeDocument, encoding: u32, budget: u32) -> Result<bool> {
    let (root, encoding) = (document.document()?.root(), encoding_of(encoding));
    Ok(tokens::is_loaded(encoding) && is_known(root, encoding, budget as usize))
}

/// Counts a document, on the spot.
#[napi]
pub fn count_document_now(
    env: Env,
    document: &NativeDocument,
    encoding: u32,
    limit: f64,
) -> Result<Option<Uint32Array>> {
    Count::now(env, Input::Document(document.document()?.clone()), encoding, limit)
}

/// Makes tokens of a text.
#[derive(Debug)]
pub struct Encode {
    units: Block,
    encoding: Encoding,
    cancel: CancelToken,
}

impl ScopedTask<'_> for Encode {
    type Output = Vec<u32>;
    type JsValue = Uint32Array;

    fn compute(&mut self) -> Result<Vec<u32>> {
        Ok(tokens::encode(&well_formed(&self.units), self.encoding, &self.cancel)?)
    }

    fn resolve(&mut self, _env: &Env, tokens: Vec<u32>) -> Result<Uint32Array> {
        Ok(Uint32Array::from(tokens))
    }
}

/// The tokens of a string of `length` units.
#[napi(
    ts_args_type = "pool: number, control: number, text: string, length: number, encoding: number",
    ts_return_type = "Ticket<Uint32Array>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn encode_tokens(
    pool: u32,
    control: f64,
    text: Unknown<'_>,
    length: u32,
    encoding: u32,
) -> Result<PoolTask<Encode>> {
    let units = units_of(&text, length)?;
    let mut submission = Submission::new(pool, control, "encode").bytes(2 * units.len());
    let cancel = submission.token();
    Ok(PoolTask::new(submission, Encode { units, encoding: encoding_of(encoding), cancel }))
}

/// Makes text of tokens.
#[derive(Debug)]
pub struct Decode {
    tokens: Vec<u32>,
    encoding: Encoding,
}

impl<'env> ScopedTask<'env> for Decode {
    type Output = Vec<u16>;
    type JsValue = Unknown<'env>;

    fn compute(&mut self) -> Result<Vec<u16>> {
        let bytes = tokens::decode(&self.tokens, self.encoding)?;
        Ok(String::from_utf8_lossy(&bytes).encode_utf16().collect())
    }

    fn resolve(&mut self, env: &'env Env, text: Vec<u16>) -> Result<Unknown<'env>> {
        let text = strings::utf16(env.raw(), text)?;
        // SAFETY: the handle was just made by this environment.
        Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), text) })
    }
}

/// The text of tokens.
#[napi(
    ts_args_type = "pool: number, control: number, tokens: Uint32Array, encoding: number",
    ts_return_type = "Ticket<string>"
)]
pub fn decode_tokens(pool: u32, control: f64, tokens: &[u32], encoding: u32) -> PoolTask<Decode> {
    let submission = Submission::new(pool, control, "decode").bytes(size_of_val(tokens) * 3);
    PoolTask::new(submission, Decode { tokens: tokens.to_vec(), encoding: encoding_of(encoding) })
}

/// The tokens of a string of `length` units, about, on the spot.
#[napi(ts_args_type = "text: string, length: number")]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn estimate_string_now(text: Unknown<'_>, length: u32) -> Result<u32> {
    Ok(tokens::estimate(&well_formed(&units_of(&text, length)?)) as u32)
}
