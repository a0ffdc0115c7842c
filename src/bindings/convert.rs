//! `convert`: bodies in documents and in values in, the same in another format out.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::{Either, Error, Result, Status, Unknown};
use napi::{Env, ScopedTask};
use napi_derive::napi;

use super::document::NativeDocument;
use super::parse::{Slices, build, text_of_string};
use super::stringify::Handed;
use super::task::{PoolTask, Submission, run_here};
use crate::cancel::CancelToken;
use crate::convert::{Converted, Format, Kind, Options, convert, with_warnings};
use crate::json::document::{Document, Node, Source};
use crate::json::{self, Tape, Text};
use crate::memory::{Block, recycle};

/// What `lib/convert.js` packs into one number: the kind, the format that it is in, the format to come, each by its
/// place in a list of two or three.
fn options(packed: u32) -> Result<Options> {
    let place = |divisor: u32, count: u32| (packed / divisor % count) as usize;
    if packed >= 18 {
        return Err(Error::new(Status::InvalidArg, "no such conversion"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Ok(Options {
        kind: Kind::ALL[place(9, 2)],
        from: Format::ALL[place(3, 3)],
        to: Format::ALL[place(1, 3)],
        now,
    })
}

fn block_of(text: Vec<u8>) -> Block {
    let block = Block::from_bytes(&text);
    recycle(text);
    block
}

/// Converts a document.
#[derive(Debug)]
pub struct ConvertDocument {
    document: Document,
    options: Options,
    cancel: CancelToken,
}

impl ScopedTask<'_> for ConvertDocument {
    type Output = (Document, Vec<String>);
    type JsValue = NativeDocument;

    fn compute(&mut self) -> Result<Self::Output> {
        let Converted { text, warnings } = convert(self.document.root(), self.options, &self.cancel)?;
        let text = Text::Bytes(block_of(text));
        Ok((Document::load(text, self.document.account(), &self.cancel)?, warnings))
    }

    fn resolve(&mut self, env: &Env, (document, warnings): Self::Output) -> Result<NativeDocument> {
        Ok(NativeDocument::converted(*env, document, warnings))
    }
}

/// Converts the body that a document is.
#[napi(ts_return_type = "Ticket<NativeDocument>")]
pub fn convert_document(
    pool: u32,
    control: f64,
    document: &NativeDocument,
    conversion: u32,
) -> Result<PoolTask<ConvertDocument>> {
    let document = document.document()?.clone();
    let mut submission = Submission::new(pool, control, "convert").bytes(document.byte_length());
    let cancel = submission.token();
    Ok(PoolTask::new(submission, ConvertDocument { document, options: options(conversion)?, cancel }))
}

/// Converts the body that a document is, on the spot.
#[napi]
pub fn convert_document_now(env: Env, document: &NativeDocument, conversion: u32) -> Result<NativeDocument> {
    let document = document.document()?.clone();
    let mut task = ConvertDocument { document, options: options(conversion)?, cancel: CancelToken::new() };
    let converted = run_here(env, || task.compute())?;
    task.resolve(&env, converted)
}

enum Input {
    Handed(Handed),
    Json(Text),
}

/// Converts a value. What JavaScript builds is a list of the body and its warnings.
pub struct ConvertValue {
    input: Option<Input>,
    options: Options,
    cancel: CancelToken,
}

impl<'env> ScopedTask<'env> for ConvertValue {
    type Output = Vec<Tape>;
    type JsValue = Either<Unknown<'env>, Slices>;

    fn compute(&mut self) -> Result<Vec<Tape>> {
        let cancel = &self.cancel;
        let text = match self.input.take().ok_or_else(|| Error::from_reason("computed twice"))? {
            Input::Handed(handed) => Text::Bytes(block_of(handed.to_utf8(cancel)?)),
            Input::Json(text) => text,
        };
        let source = Source::read(text, &Arc::default(), cancel)?;
        let body = Node::Part(Arc::clone(&source), source.root());
        let converted = convert(&body, self.options, cancel)?;
        Ok(json::parse(block_of(with_warnings(converted, cancel)?).padded(), cancel)?)
    }

    fn resolve(&mut self, env: &'env Env, tapes: Vec<Tape>) -> Result<Self::JsValue> {
        build(env, tapes)
    }
}

impl ConvertValue {
    fn submit(
        pool: u32,
        control: f64,
        input: Input,
        bytes: usize,
        conversion: u32,
    ) -> Result<PoolTask<Self>> {
        let mut submission = Submission::new(pool, control, "convert").bytes(bytes);
        let cancel = submission.token();
        Ok(PoolTask::new(submission, Self { input: Some(input), options: options(conversion)?, cancel }))
    }
}

/// Converts the body in `words` and `numbers` (see `src/json/encoding.rs`), whose text is in the memory of `slot`.
#[napi(
    ts_args_type = "pool: number, control: number, slot: number, words: Uint32Array, numbers: Float64Array, conversion: number",
    ts_return_type = "Ticket<unknown>"
)]
pub fn convert_encoded(
    env: Env,
    pool: u32,
    control: f64,
    slot: u32,
    words: &[u32],
    numbers: &[f64],
    conversion: u32,
) -> Result<PoolTask<ConvertValue>> {
    let handed = Handed::take(env, slot, words, numbers)?;
    let bytes = handed.bytes();
    ConvertValue::submit(pool, control, Input::Handed(handed), bytes, conversion)
}

/// The same, on the spot.
#[napi(
    ts_args_type = "slot: number, words: Uint32Array, numbers: Float64Array, conversion: number",
    ts_return_type = "unknown"
)]
pub fn convert_encoded_now<'env>(
    env: &'env Env,
    slot: u32,
    words: &[u32],
    numbers: &[f64],
    conversion: u32,
) -> Result<Either<Unknown<'env>, Slices>> {
    let input = Some(Input::Handed(Handed::take(*env, slot, words, numbers)?));
    let mut task = ConvertValue { input, options: options(conversion)?, cancel: CancelToken::new() };
    let tapes = run_here(*env, || task.compute())?;
    build(env, tapes)
}

/// Converts the body in JSON text of `length` units.
#[napi(
    ts_args_type = "pool: number, control: number, text: string, length: number, conversion: number",
    ts_return_type = "Ticket<unknown>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn convert_json(
    pool: u32,
    control: f64,
    text: Unknown<'_>,
    length: u32,
    conversion: u32,
) -> Result<PoolTask<ConvertValue>> {
    let text = text_of_string(&text, length)?;
    let bytes = text.byte_length();
    ConvertValue::submit(pool, control, Input::Json(text), bytes, conversion)
}
