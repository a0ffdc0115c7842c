//! Documents: `lib/document.js` holds them by handles of the class [`NativeDocument`].

use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{
    Array, ClassInstance, Either, Error, ObjectFinalize, Result, Status, Unknown, check_status, sys,
};
use napi::{Env, JsValue, ScopedTask};
use napi_derive::napi;

use super::compress::{CompressDocument, document_report};
use super::environment::Environment;
use super::parse::{Parse, Slices, build, text_of_bytes, text_of_chunks, text_of_string};
use super::strings::{self, Life};
use super::task::{PoolTask, Submission, run_here};
use crate::cancel::CancelToken;
use crate::compress::message::{Compressed, Message};
use crate::compress::{Action, Truncated, truncate};
use crate::error::{self, ErrorKind};
use crate::json::Text;
use crate::json::document::{Account, Change, Document, Kind, Node, Pointer, Source, Token, Value};
use crate::memory::Block;

/// A document, or what is left of one that was disposed of.
#[derive(Debug)]
#[napi(custom_finalize)]
pub struct NativeDocument {
    document: Option<Document>,
    account: Arc<Account>,
    /// Of a document that was compressed: see [`NativeDocument::figures`].
    figures: Vec<f64>,
    /// The same, of one that was compressed without a limit of characters.
    report: Option<(Vec<Message>, Vec<&'static str>)>,
    /// Of one that was converted: see [`NativeDocument::warnings`].
    warnings: Vec<String>,
}

impl NativeDocument {
    fn new(env: Env, document: Document) -> Self {
        let account = Arc::clone(document.account());
        let native = Self {
            document: Some(document),
            account,
            figures: Vec::new(),
            report: None,
            warnings: Vec::new(),
        };
        native.report(env);
        native
    }

    /// Tells V8 how much memory documents have come to hold, so that it collects them in time.
    fn report(&self, env: Env) {
        let change = self.account.report();
        if change != 0 {
            let mut total = 0;
            // SAFETY: on the environment's thread.
            unsafe { sys::napi_adjust_external_memory(env.raw(), change as i64, &raw mut total) };
        }
    }

    fn truncated(env: Env, truncated: Truncated) -> Self {
        let Truncated { document, count, before, after, actions } = truncated;
        let mut figures = [count, before, after].map(|figure| figure as f64).to_vec();
        for Action { index, is_assistant, before, after } in actions {
            figures.extend([index, usize::from(is_assistant), before, after].map(|figure| figure as f64));
        }
        Self { figures, ..Self::new(env, document) }
    }

    pub(super) fn compressed(env: Env, compressed: Compressed) -> Self {
        let Compressed { document, messages, transforms } = compressed;
        Self { report: Some((messages, transforms)), ..Self::new(env, document) }
    }

    pub(super) fn converted(env: Env, document: Document, warnings: Vec<String>) -> Self {
        Self { warnings, ..Self::new(env, document) }
    }

    pub(super) fn document(&self) -> Result<&Document> {
        self.document.as_ref().ok_or_else(|| Error::new(Status::InvalidArg, "disposed"))
    }
}

impl ObjectFinalize for NativeDocument {
    fn finalize(mut self, env: Env) -> Result<()> {
        self.dispose(env);
        Ok(())
    }
}

#[napi]
impl NativeDocument {
    /// Bytes of its text.
    #[napi(getter)]
    pub fn byte_length(&self) -> Result<f64> {
        Ok(self.document()?.byte_length() as f64)
    }

    /// The value at a pointer; undefined where nothing is.
    #[napi(ts_args_type = "pointer: string", ts_return_type = "unknown | Slices")]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
    pub fn get<'env>(&self, env: &'env Env, pointer: Unknown<'_>) -> Result<Either<Unknown<'env>, Slices>> {
        let found = run_here(*env, || {
            let pointer = with_units(&pointer, Pointer::parse)?.map_err(|_| not_a_pointer("pointer"))?;
            Ok(self.document_or_error()?.get(&pointer)?)
        })?;
        match found {
            Some(Value::Tapes(tapes)) => build(env, tapes),
            found => {
                let value = scalar(Environment::of(env)?, found)?;
                // SAFETY: the handle was just made by this environment.
                Ok(Either::A(unsafe { Unknown::from_raw_unchecked(env.raw(), value) }))
            }
        }
    }

    /// What is at a pointer, of `KINDS` in `lib/document.js`; undefined where nothing is.
    #[napi(js_name = "kind", ts_args_type = "pointer: string")]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
    pub fn kind(&self, env: Env, pointer: Unknown<'_>) -> Result<Either<u32, ()>> {
        let found = with_units(&pointer, Pointer::parse)?
            .map_err(|_| not_a_pointer("pointer"))
            .and_then(|pointer| Ok(self.document_or_error()?.root().at(pointer.tokens())));
        let environment = Environment::of(&env)?;
        let found = found.map_err(|error| environment.thrown(&error))?;
        Ok(found.map_or(Either::B(()), |node| {
            Either::A(match node.kind() {
                Kind::Object => 0,
                Kind::Array => 1,
                Kind::String => 2,
                Kind::Number => 3,
                Kind::True | Kind::False => 4,
                Kind::Null => 5,
            })
        }))
    }

    fn document_or_error(&self) -> std::result::Result<&Document, error::Error> {
        self.document
            .as_ref()
            .ok_or_else(|| error::Error::new(ErrorKind::InvalidArg, "the Document was disposed of"))
    }

    /// A document with changes. `changes` is JSON text of `length` units, a list of lists: a pointer, for a removal; a
    /// pointer and a value; a pointer and the number of one of `documents`, in a list.
    #[napi(ts_args_type = "changes: string, length: number, documents: NativeDocument[]")]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
    pub fn with(&self, env: Env, changes: Unknown<'_>, length: u32, documents: Array<'_>) -> Result<Self> {
        let document = self.document()?;
        let roots: Vec<Node> = (0..documents.len())
            .map(|index| {
                let given: Option<ClassInstance<'_, Self>> = documents.get(index)?;
                let given = given.ok_or_else(|| Error::from_status(Status::InvalidArg))?;
                Ok(given.document()?.root().clone())
            })
            .collect::<Result<_>>()?;
        let text = text_of_string(&changes, length)?;
        let document = run_here(env, || {
            let source = Source::read(text, document.account(), &CancelToken::new())?;
            Ok(document.with(read_changes(&source, &roots)?)?)
        })?;
        Ok(Self::new(env, document))
    }

    /// Its text, on the spot.
    #[napi(ts_return_type = "Buffer")]
    pub fn to_buffer_now<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        let document = self.document()?;
        let block =
            run_here(*env, || Ok(document.write(&CancelToken::new()).map_err(error::Error::from)?))?;
        to_buffer(env, block)
    }

    /// Its text.
    #[napi(ts_return_type = "Ticket<Buffer>")]
    pub fn to_buffer(&self, pool: u32, control: f64) -> Result<PoolTask<Write>> {
        let document = self.document()?.clone();
        let mut submission = Submission::new(pool, control, "toBuffer").bytes(document.byte_length());
        let cancel = submission.token();
        Ok(PoolTask::new(submission, Write { document, cancel }))
    }

    /// Its value.
    #[napi(ts_return_type = "Ticket<unknown>")]
    pub fn value(&self, pool: u32, control: f64) -> Result<PoolTask<Parse>> {
        Ok(Parse::document(pool, control, self.document()?.clone()))
    }

    /// A document with its messages truncated, on the spot.
    #[napi]
    pub fn truncate_now(&self, env: Env) -> Result<Self> {
        let document = self.document()?;
        let truncated = run_here(env, || Ok(truncate(document, &CancelToken::new())?))?;
        Ok(Self::truncated(env, truncated))
    }

    /// A document with its messages truncated.
    #[napi(ts_return_type = "Ticket<NativeDocument>")]
    pub fn truncate(&self, pool: u32, control: f64) -> Result<PoolTask<Truncate>> {
        let document = self.document()?.clone();
        let mut submission = Submission::new(pool, control, "compress").bytes(document.byte_length());
        let cancel = submission.token();
        Ok(PoolTask::new(submission, Truncate { document, cancel }))
    }

    /// A document with its messages shortened. `numbers` and `query` are as for `compress`; the last number says how many
    /// turns stay as they are.
    #[napi(
        ts_args_type = "pool: number, control: number, numbers: Float64Array, query: string",
        ts_return_type = "Ticket<NativeDocument>"
    )]
    pub fn compress(
        &self,
        pool: u32,
        control: f64,
        numbers: &[f64],
        query: String,
    ) -> Result<PoolTask<CompressDocument>> {
        CompressDocument::submit(self.document()?.clone(), pool, control, numbers, query)
    }

    /// What compressing did: of each message four numbers, its action, the place of its reason in the list that follows, its
    /// tokens before and after; reasons; names of what was done.
    #[napi(ts_return_type = "[Uint32Array, string[], string[]]")]
    pub fn what_was_done<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        let (messages, transforms) = self.report.as_ref().map_or((&[][..], &[][..]), |(m, t)| (m, t));
        let report = document_report(env.raw(), messages, transforms)?;
        // SAFETY: the handle was just made by this environment.
        Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), report) })
    }

    /// What truncating did: the number of messages, characters before and after; then, of every message that was
    /// changed, its index, whether it is the assistant's, its characters before and after.
    #[napi]
    pub fn figures(&self) -> Vec<f64> {
        self.figures.clone()
    }

    /// What converting it could not say in the other format.
    #[napi]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Lets go of what it holds.
    #[napi]
    pub fn dispose(&mut self, env: Env) {
        drop(self.document.take());
        self.report(env);
    }
}

fn not_a_pointer(name: &str) -> error::Error {
    let message =
        format!("{name} must be a JSON Pointer (RFC 6901): empty, or parts that each begin with '/'");
    error::Error::new(ErrorKind::InvalidArg, message)
}

/// Passes the units of a string on.
fn with_units<T>(text: &Unknown<'_>, read: impl FnOnce(&[u16]) -> T) -> Result<T> {
    const SHORT: usize = 256;
    let env = text.value().env;
    let mut units = [0u16; SHORT];
    let mut written = 0;
    // SAFETY: V8 writes at most `SHORT` units, the last of them a zero.
    check_status!(unsafe {
        sys::napi_get_value_string_utf16(env, text.raw(), units.as_mut_ptr(), SHORT, &raw mut written)
    })?;
    if written < SHORT - 1 {
        return Ok(read(&units[..written]));
    }
    let mut length = 0;
    // SAFETY: asks for the length only.
    check_status!(unsafe {
        sys::napi_get_value_string_utf16(env, text.raw(), ptr::null_mut(), 0, &raw mut length)
    })?;
    let mut units = vec![0u16; length + 1];
    // SAFETY: there is room for all units and the zero behind them.
    check_status!(unsafe {
        sys::napi_get_value_string_utf16(env, text.raw(), units.as_mut_ptr(), length + 1, &raw mut written)
    })?;
    Ok(read(&units[..length]))
}

/// What `lib/document.js` wrote for [`NativeDocument::with`].
fn read_changes(
    source: &Arc<Source>,
    documents: &[Node],
) -> std::result::Result<Vec<(Pointer, Change)>, error::Error> {
    let [first, second] = ["0", "1"].map(Token::ascii);
    let list = Node::Part(Arc::clone(source), source.root());
    let change = |entry: Node| {
        let malformed = || error::Error::new(ErrorKind::InvalidArg, "no such change");
        let Some(Node::Part(_, pointer)) = entry.child(&first) else { return Err(malformed()) };
        let by_number = source.kind(pointer) == Kind::Array;
        let start = match source.padded(pointer).as_slice() {
            [b'[', ..] => source.start(pointer) + 1,
            _ => source.start(pointer),
        };
        let units = source.units(start);
        let pointer = Pointer::parse(&units).map_err(|_| {
            not_a_pointer(&format!("the key '{}' of changes", String::from_utf16_lossy(&units)))
        })?;
        let change = match entry.child(&second) {
            None => Change::Remove,
            Some(Node::Part(_, number)) if by_number => {
                let document = documents.get(source.number(number) as usize).ok_or_else(malformed)?;
                Change::Set(document.clone())
            }
            Some(value) => Change::Set(value),
        };
        Ok((pointer, change))
    };
    list.items().into_iter().map(change).collect()
}

/// A value that takes no tape; undefined for nothing.
fn scalar(environment: &Environment, value: Option<Value>) -> Result<sys::napi_value> {
    let env = environment.raw();
    let mut result = ptr::null_mut();
    match value {
        Some(Value::String(text)) => return strings::characters(env, text, Life::Short),
        Some(Value::Number(number)) => return environment.number(number),
        Some(Value::Boolean(value)) => {
            // SAFETY: on the environment's thread.
            check_status!(unsafe { sys::napi_get_boolean(env, value, &raw mut result) })?;
        }
        // SAFETY: as above.
        Some(Value::Null) => check_status!(unsafe { sys::napi_get_null(env, &raw mut result) })?,
        None | Some(Value::Tapes(_)) => return Ok(environment.undefined()),
    }
    Ok(result)
}

/// Reads one text into a document.
#[derive(Debug)]
pub struct Load {
    text: Option<Text>,
    account: Arc<Account>,
    cancel: CancelToken,
}

impl Load {
    fn submit(env: Env, pool: u32, control: f64, text: Text) -> Result<PoolTask<Self>> {
        let account = Arc::clone(&Environment::of(&env)?.pool(pool)?.documents);
        let mut submission = Submission::new(pool, control, "load").bytes(text.byte_length());
        let cancel = submission.token();
        Ok(PoolTask::new(submission, Self { text: Some(text), account, cancel }))
    }

    fn now(env: Env, pool: u32, text: Text) -> Result<NativeDocument> {
        let account = Arc::clone(&Environment::of(&env)?.pool(pool)?.documents);
        let document = run_here(env, || Ok(Document::load(text, &account, &CancelToken::new())?))?;
        Ok(NativeDocument::new(env, document))
    }
}

impl ScopedTask<'_> for Load {
    type Output = Document;
    type JsValue = NativeDocument;

    fn compute(&mut self) -> Result<Document> {
        let text = self.text.take().ok_or_else(|| Error::from_reason("computed twice"))?;
        Ok(Document::load(text, &self.account, &self.cancel)?)
    }

    fn resolve(&mut self, env: &Env, document: Document) -> Result<NativeDocument> {
        Ok(NativeDocument::new(*env, document))
    }
}

/// Loads the text in a `Uint8Array`.
#[napi(
    catch_unwind,
    ts_args_type = "pool: number, control: number, bytes: Uint8Array",
    ts_return_type = "Ticket<NativeDocument>"
)]
pub fn load_bytes(env: Env, pool: u32, control: f64, bytes: &[u8]) -> Result<PoolTask<Load>> {
    Load::submit(env, pool, control, text_of_bytes(env, bytes)?)
}

/// Loads the text that the `Uint8Array`s make together; `total` is their length.
#[napi(
    catch_unwind,
    ts_args_type = "pool: number, control: number, chunks: Uint8Array[], total: number",
    ts_return_type = "Ticket<NativeDocument>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn load_chunks(
    env: Env,
    pool: u32,
    control: f64,
    chunks: Array<'_>,
    total: u32,
) -> Result<PoolTask<Load>> {
    Load::submit(env, pool, control, text_of_chunks(&chunks, total)?)
}

/// Loads a string of `length` UTF-16 units.
#[napi(
    catch_unwind,
    ts_args_type = "pool: number, control: number, text: string, length: number",
    ts_return_type = "Ticket<NativeDocument>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn load_string(
    env: Env,
    pool: u32,
    control: f64,
    text: Unknown<'_>,
    length: u32,
) -> Result<PoolTask<Load>> {
    Load::submit(env, pool, control, text_of_string(&text, length)?)
}

/// Loads the text that the `Uint8Array`s make together, on the spot.
#[napi(catch_unwind, ts_args_type = "pool: number, chunks: Uint8Array[], total: number")]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn load_chunks_now(env: Env, pool: u32, chunks: Array<'_>, total: u32) -> Result<NativeDocument> {
    Load::now(env, pool, text_of_chunks(&chunks, total)?)
}

/// Loads a string of `length` UTF-16 units, on the spot.
#[napi(catch_unwind, ts_args_type = "pool: number, text: string, length: number")]
#[allow(clippy::needless_pass_by_value, reason = "napi hands values over by value")]
pub fn load_string_now(env: Env, pool: u32, text: Unknown<'_>, length: u32) -> Result<NativeDocument> {
    Load::now(env, pool, text_of_string(&text, length)?)
}

/// Writes a document's text.
#[derive(Debug)]
pub struct Write {
    document: Document,
    cancel: CancelToken,
}

impl<'env> ScopedTask<'env> for Write {
    type Output = Block;
    type JsValue = Unknown<'env>;

    fn compute(&mut self) -> Result<Block> {
        Ok(self.document.write(&self.cancel).map_err(error::Error::from)?)
    }

    fn resolve(&mut self, env: &'env Env, block: Block) -> Result<Unknown<'env>> {
        to_buffer(env, block)
    }
}

/// Truncates a document's messages.
#[derive(Debug)]
pub struct Truncate {
    document: Document,
    cancel: CancelToken,
}

impl ScopedTask<'_> for Truncate {
    type Output = Truncated;
    type JsValue = NativeDocument;

    fn compute(&mut self) -> Result<Truncated> {
        Ok(truncate(&self.document, &self.cancel)?)
    }

    fn resolve(&mut self, env: &Env, truncated: Truncated) -> Result<NativeDocument> {
        Ok(NativeDocument::truncated(*env, truncated))
    }
}

/// A `Buffer` of the block's contents.
fn to_buffer(env: &Env, block: Block) -> Result<Unknown<'_>> {
    let buffer = strings::buffer(env.raw(), block.into_vec())?;
    // SAFETY: the handle was just made by this environment.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), buffer) })
}
