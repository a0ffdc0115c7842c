//! `parse`: text in, tape off-thread, value built by `lib/decode.js`.

use std::{ptr, vec};

use napi::bindgen_prelude::{
    Array, Either, Error, Object, Result, Status, Unknown, Utf16String, check_status, sys,
};
use napi::{Env, JsValue, ScopedTask};
use napi_derive::napi;

use super::environment::{Callback, Environment};
use super::strings::{self, Life};
use super::task::{PoolTask, Submission, run_here};
use crate::cancel::CancelToken;
use crate::json::document::Document;
use crate::json::{self, StringBlock, Tape, Text};
use crate::memory::Block;

/// Reads one text, or the text of a document.
#[derive(Debug)]
pub struct Parse {
    input: Option<Input>,
    cancel: CancelToken,
}

#[derive(Debug)]
enum Input {
    Text(Text),
    Document(Document),
}

impl Parse {
    fn submit(pool: u32, control: f64, text: Text) -> PoolTask<Self> {
        let submission = Submission::new(pool, control, "parse").bytes(text.byte_length());
        Self::run(submission, Input::Text(text))
    }

    pub(super) fn document(pool: u32, control: f64, document: Document) -> PoolTask<Self> {
        let submission = Submission::new(pool, control, "value").bytes(document.byte_length());
        Self::run(submission, Input::Document(document))
    }

    fn run(mut submission: Submission, input: Input) -> PoolTask<Self> {
        let cancel = submission.token();
        PoolTask::new(submission, Self { input: Some(input), cancel })
    }
}

impl<'env> ScopedTask<'env> for Parse {
    type Output = Vec<Tape>;
    type JsValue = Either<Unknown<'env>, Slices>;

    fn compute(&mut self) -> Result<Vec<Tape>> {
        match self.input.take().ok_or_else(|| Error::from_reason("computed twice"))? {
            Input::Text(text) => Ok(json::parse(text.into_utf8().padded(), &self.cancel)?),
            Input::Document(document) => Ok(document.value(&self.cancel)?),
        }
    }

    fn resolve(&mut self, env: &'env Env, tapes: Vec<Tape>) -> Result<Self::JsValue> {
        build(env, tapes)
    }
}

/// The value on one tape; of several, what JS builds it from.
pub(super) fn build(env: &Env, tapes: Vec<Tape>) -> Result<Either<Unknown<'_>, Slices>> {
    let environment = Environment::of(env)?;
    if tapes.len() > 1 {
        return Ok(Either::B(Slices { tapes: tapes.into_iter() }));
    }
    let tape = tapes.into_iter().next().ok_or_else(|| Error::from_reason("no tape"))?;
    let blocks = load(environment, tape, Life::Short)?;
    let value = environment.call(Callback::Decode, &[blocks])?;
    // SAFETY: the handle was just made by this environment.
    Ok(Either::A(unsafe { Unknown::from_raw_unchecked(env.raw(), value) }))
}

/// Puts a tape into the scratch memory; its string blocks as an array of JS strings.
fn load(environment: &Environment, tape: Tape, life: Life) -> Result<sys::napi_value> {
    environment.write_scratch(tape.as_bytes())?;
    let env = environment.raw();
    let mut blocks = ptr::null_mut();
    // SAFETY: on the environment's thread.
    check_status!(unsafe { sys::napi_create_array_with_length(env, tape.blocks.len(), &raw mut blocks) })?;
    for (index, StringBlock { characters, .. }) in tape.blocks.into_iter().enumerate() {
        let string = strings::characters(env, characters, life)?;
        // SAFETY: on the environment's thread, both handles just made.
        check_status!(unsafe { sys::napi_set_element(env, blocks, index as u32, string) })?;
    }
    Ok(blocks)
}

/// What a large text was parsed into: tapes, to be built one at a time between turns of the event loop.
#[derive(Debug)]
#[napi]
pub struct Slices {
    tapes: vec::IntoIter<Tape>,
}

#[napi]
impl Slices {
    /// Puts the next tape into the scratch memory and returns its string blocks; null when there is none left.
    #[napi(ts_return_type = "string[] | null")]
    pub fn next<'env>(&mut self, env: &'env Env) -> Result<Option<Unknown<'env>>> {
        let Some(tape) = self.tapes.next() else { return Ok(None) };
        let blocks = load(Environment::of(env)?, tape, Life::Lasting)?;
        // SAFETY: the handle was just made by this environment.
        Ok(Some(unsafe { Unknown::from_raw_unchecked(env.raw(), blocks) }))
    }
}

/// Parses the text in a `Uint8Array`.
#[napi(
    catch_unwind,
    ts_args_type = "pool: number, control: number, bytes: Uint8Array",
    ts_return_type = "Ticket<unknown>"
)]
pub fn parse_bytes(env: Env, pool: u32, control: f64, bytes: &[u8]) -> Result<PoolTask<Parse>> {
    Ok(Parse::submit(pool, control, text_of_bytes(env, bytes)?))
}

/// A text that is in one piece.
pub(super) fn text_of_bytes(env: Env, bytes: &[u8]) -> Result<Text> {
    run_here(env, || Ok(Text::Bytes(Block::try_from_bytes(bytes)?)))
}

/// Memory for a text, or the error that says that there is none.
fn room(env: sys::napi_env, bytes: usize) -> Result<Block> {
    run_here(Env::from_raw(env), || Ok(Block::try_with_capacity(bytes)?))
}

/// Parses the text that the `Uint8Array`s make together; `total` is their length.
#[napi(
    catch_unwind,
    ts_args_type = "pool: number, control: number, chunks: Uint8Array[], total: number",
    ts_return_type = "Ticket<unknown>"
)]
pub fn parse_chunks(pool: u32, control: f64, chunks: Array<'_>, total: u32) -> Result<PoolTask<Parse>> {
    Ok(Parse::submit(pool, control, text_of_chunks(&chunks, total)?))
}

/// The text that `Uint8Array`s make together; `total` is their length.
pub(super) fn text_of_chunks(chunks: &Array<'_>, total: u32) -> Result<Text> {
    let mut block = room(chunks.value().env, total as usize)?;
    for index in 0..chunks.len() {
        let chunk: &[u8] = chunks.get(index)?.ok_or_else(|| Error::from_status(Status::InvalidArg))?;
        if chunk.len() > total as usize - block.len() {
            return Err(Error::new(Status::InvalidArg, "the chunks are longer than their total"));
        }
        block.extend(chunk);
    }
    Ok(Text::Bytes(block))
}

/// Frees the memory of `Uint8Array`s that have an `ArrayBuffer` to themselves, and leaves them empty. The collector would
/// do it too, but has to be driven to it by what they add up to.
#[napi(ts_args_type = "chunks: readonly Uint8Array[]")]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn detach(env: Env, chunks: Array<'_>) -> Result<()> {
    for index in 0..chunks.len() {
        let Some(chunk) = chunks.get::<Unknown<'_>>(index)? else { continue };
        let (mut length, mut offset, mut whole) = (0, 0, 0);
        let mut memory = ptr::null_mut();
        // SAFETY: on the environment's thread, valid out-pointers; what is not asked for is null. Memory that cannot be
        // detached stays as it is.
        unsafe {
            check_status!(sys::napi_get_typedarray_info(
                env.raw(),
                chunk.raw(),
                ptr::null_mut(),
                &raw mut length,
                ptr::null_mut(),
                &raw mut memory,
                &raw mut offset
            ))?;
            check_status!(sys::napi_get_arraybuffer_info(
                env.raw(),
                memory,
                ptr::null_mut(),
                &raw mut whole
            ))?;
            if offset == 0 && length == whole {
                sys::napi_detach_arraybuffer(env.raw(), memory);
            }
        }
    }
    Ok(())
}

/// Parses a string of `length` UTF-16 units.
#[napi(
    catch_unwind,
    ts_args_type = "pool: number, control: number, text: string, length: number",
    ts_return_type = "Ticket<unknown>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn parse_string(pool: u32, control: f64, text: Unknown<'_>, length: u32) -> Result<PoolTask<Parse>> {
    Ok(Parse::submit(pool, control, text_of_string(&text, length)?))
}

/// The text of a string of `length` UTF-16 units.
pub(super) fn text_of_string(text: &Unknown<'_>, length: u32) -> Result<Text> {
    // One unit more than asked for: V8 ends what it writes with a zero.
    let units = length as usize + 1;
    let mut block = room(text.value().env, units * 2)?;
    let mut written = 0;
    // SAFETY: the block has room for `units` units, aligned as the allocator aligns; V8 writes at most so many.
    unsafe {
        check_status!(sys::napi_get_value_string_utf16(
            text.value().env,
            text.raw(),
            block.spare().as_mut_ptr().cast(),
            units,
            &raw mut written
        ))?;
        block.advance(written * 2);
    }
    Ok(Text::Units(block))
}

/// Hands in the memory that tapes are read from: `lib/decode.js` keeps it for good and to itself.
#[napi(ts_args_type = "memory: ArrayBuffer")]
pub fn set_scratch(env: Env, memory: Unknown<'_>) -> Result<()> {
    Environment::of(&env)?.set_scratch(memory.raw())
}

/// Where a text is not JSON; null when it is. For texts so short that they are read on the spot.
#[napi(ts_return_type = "Error | null")]
#[allow(clippy::needless_pass_by_value, reason = "napi-rs hands strings over by value")]
pub fn find_syntax_error(env: &Env, text: Utf16String) -> Result<Option<Unknown<'_>>> {
    let bytes: Vec<u8> = text.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
    let mut utf8 = Text::Units(Block::from_bytes(&bytes)).into_utf8();
    let Err(error) = json::parse(utf8.padded(), &CancelToken::new()) else { return Ok(None) };
    let value = Environment::of(env)?.error_value(&error)?;
    // SAFETY: the handle was just made by this environment.
    Ok(Some(unsafe { Unknown::from_raw_unchecked(env.raw(), value) }))
}

/// The figures of `json::layout`, for the test that compares them with `lib/layout.js`.
#[napi(ts_return_type = "Record<string, number>")]
pub fn tape_layout(env: &Env) -> Result<Object<'_>> {
    use crate::json::layout::{MAX_SLICE_WORDS, SHAPE_SLOTS, TAG_BITS, open, tag, word};
    let figures = [
        ("TAG_BITS", TAG_BITS as usize),
        ("STRING", tag::STRING as usize),
        ("INTEGER", tag::INTEGER as usize),
        ("OBJECT", tag::OBJECT as usize),
        ("ARRAY", tag::ARRAY as usize),
        ("NUMBER", tag::NUMBER as usize),
        ("LITERAL", tag::LITERAL as usize),
        ("NUMBERS", tag::NUMBERS as usize),
        ("OPEN", tag::OPEN as usize),
        ("OPEN_OBJECT", open::OBJECT as usize),
        ("OPEN_LAST", open::LAST as usize),
        ("OPEN_FLAG_BITS", open::FLAG_BITS as usize),
        ("CURSOR", word::CURSOR),
        ("DEPTH", word::DEPTH),
        ("STRINGS", word::STRINGS),
        ("BLOCKS_AT", word::BLOCKS_AT),
        ("ENTRIES_AT", word::ENTRIES_AT),
        ("SHAPES", word::SHAPES),
        ("SHAPES_AT", word::SHAPES_AT),
        ("NUMBERS_AT", word::HEADER / 2),
        ("MAX_SLICE_WORDS", MAX_SLICE_WORDS),
        ("SHAPE_SLOTS", SHAPE_SLOTS),
    ];
    let mut object = Object::new(env)?;
    for (name, figure) in figures {
        object.set(name, figure as u32)?;
    }
    Ok(object)
}
