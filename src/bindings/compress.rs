//! `compress`: texts of a conversation in, what became of them out. `lib/compress/` knows messages; here are texts.

use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Error, Result, Status, Uint32Array, Unknown, check_status, sys};
use napi::{Env, ScopedTask};
use napi_derive::napi;

use super::document::NativeDocument;
use super::environment::Environment;
use super::stringify::{Lease, memory_at};
use super::strings;
use super::task::{PoolTask, Submission};
use crate::cancel::CancelToken;
use crate::compress::Id;
use crate::compress::message::{Compressed, Message, compress as compress_document};
use crate::compress::options::{Options, Tier};
use crate::compress::pipeline::{Before, Piece, Purpose, run};
use crate::compress::report::{ACTIONS, Report};
use crate::compress::retrieve::{search, whole};
use crate::compress::store::{Bounds, Store};
use crate::json::document::Document;
use crate::json::write::JsText;
use crate::tokens::Encoding;

/// What `lib/compress/` writes, in words.
mod layout {
    /// Of a piece: purpose, units, message, the pieces that led to it, each from 1.
    pub const PIECE: usize = 5;
    /// Of an earlier text: its key, lower half first, and its message.
    pub const TEXT: usize = 3;
    pub const ID: usize = 2;
}

/// The numbers among the options.
const OPTIONS: usize = 10;

fn invalid(what: &str) -> Error {
    Error::new(Status::InvalidArg, what)
}

/// So many ms from now; nothing for a negative number.
fn after(ms: f64) -> Option<Instant> {
    (ms >= 0.0).then(|| Instant::now() + Duration::from_micros((ms * 1000.0) as u64))
}

/// Options as `lib/compress/options.js` packs them: tier, target ratio or -1, token budget or -1, least tokens, whether
/// reversible, the encoding to count by from 1 or 0, whether cached, ms until the deadline or -1, ms of work or -1,
/// the store's number.
fn options(numbers: &[f64], query: String) -> Result<Options> {
    let [tier, ratio, budget, min_tokens, reversible, exact, cache, deadline, _, _]: [f64; OPTIONS] =
        numbers.try_into().map_err(|_| invalid("options"))?;
    Ok(Options {
        tier: if tier == 0.0 { Tier::Auto } else { Tier::Lossless },
        target_ratio: (ratio >= 0.0).then_some(ratio as f32),
        token_budget: (budget >= 0.0).then_some(budget as u64),
        min_tokens: min_tokens as u32,
        reversible: reversible != 0.0,
        exact: [None, Some(Encoding::O200k), Some(Encoding::Cl100k)].get(exact as usize).copied().flatten(),
        cache: cache != 0.0,
        deadline: after(deadline),
        query: (!query.is_empty()).then_some(query),
    })
}

/// Shortens texts.
pub struct Compress {
    lease: Option<Lease>,
    pieces: Vec<u32>,
    before: Before,
    options: Options,
    /// Ms of work after which the result so far is to be given.
    work: f64,
    store: Arc<Store>,
    cancel: CancelToken,
}

impl Compress {
    fn run(&mut self) -> Result<Report> {
        self.options.work_until(after(self.work));
        let lease = self.lease.take().ok_or_else(|| Error::from_reason("computed twice"))?;
        let text = Transcoded::new(&lease, &self.pieces, &self.cancel)?;
        // JS may write to the memory again.
        drop(lease);
        let pieces = text.pieces(&self.pieces);
        let before = std::mem::take(&mut self.before);
        let outcomes = run(&pieces, before, &self.options, &self.store, &self.cancel)?;
        Ok(Report::new(&outcomes))
    }
}

/// The words of earlier texts, how many those are, and ids.
fn before(words: &[u32]) -> Option<Before> {
    let wide = |words: &[u32]| u64::from(words[0]) | u64::from(words[1]) << 32;
    let (count, rest) = words.split_first()?;
    let (texts, ids) = rest.split_at_checked(*count as usize)?;
    Some(Before {
        texts: texts.chunks_exact(layout::TEXT).map(|text| (wide(text), text[2])).collect(),
        ids: ids.chunks_exact(layout::ID).map(|id| Id(wide(id))).collect(),
    })
}

/// The texts as UTF-8, one behind the other.
struct Transcoded {
    text: String,
    /// Where each piece ends, and whether it is what it was: lone surrogates have no UTF-8.
    ends: Vec<(usize, bool)>,
}

impl Transcoded {
    fn new(lease: &Lease, pieces: &[u32], cancel: &CancelToken) -> Result<Self> {
        let lengths = || pieces.chunks_exact(layout::PIECE).map(|piece| piece[1]);
        let units = lease.text(0, lengths().sum())?;
        let mut text = String::with_capacity(units.len() + units.len() / 64);
        let mut ends = Vec::with_capacity(pieces.len() / layout::PIECE);
        let mut at = 0;
        for length in lengths() {
            let end = at + length as usize;
            let mut is_exact = true;
            while at < end {
                cancel.check().map_err(crate::error::Error::from)?;
                let next = cut(&units[..end], at + CHUNK);
                is_exact &= append(&units[at..next], &mut text);
                at = next;
            }
            ends.push((text.len(), is_exact));
        }
        Ok(Self { text, ends })
    }

    fn pieces(&self, words: &[u32]) -> Vec<Piece<'_>> {
        let mut start = 0;
        let pieces = words.chunks_exact(layout::PIECE).zip(&self.ends);
        pieces
            .map(|(words, &(end, is_exact))| {
                let purpose = match words[0] {
                    1 | 2 if !is_exact => Purpose::Unreadable,
                    1 => Purpose::Result,
                    2 => Purpose::Said,
                    3 => Purpose::Aside,
                    _ => Purpose::Count,
                };
                let led_by = [words[3], words[4]].map(|place| place.checked_sub(1));
                let text = &self.text[start..end];
                start = end;
                Piece { text, purpose, message: words[2], led_by }
            })
            .collect()
    }
}

/// Units between two looks at the cancellation flag.
const CHUNK: usize = 256 << 10;

/// The place near `at` where no surrogate pair is cut in two.
fn cut(units: &[u16], at: usize) -> usize {
    let at = at.min(units.len());
    at - usize::from(at < units.len() && (0xd800..0xdc00).contains(&units[at - 1]))
}

/// Appends UTF-16 text; whether it had no lone surrogates.
fn append(units: &[u16], to: &mut String) -> bool {
    const RUN: usize = 64;
    let (runs, _) = units.as_chunks::<RUN>();
    let mut at = 0;
    for run in runs {
        if run.iter().fold(0, |seen, unit| seen | unit) >= 0x80 {
            break;
        }
        let bytes = run.map(|unit| unit as u8);
        // SAFETY: all of them are ASCII.
        to.push_str(unsafe { std::str::from_utf8_unchecked(&bytes) });
        at += RUN;
    }
    let mut is_exact = true;
    while at < units.len() {
        let rest = &units[at..units.len().min(at + RUN)];
        if rest.iter().fold(0, |seen, unit| seen | unit) < 0x80 {
            to.extend(rest.iter().map(|unit| *unit as u8 as char));
            at += rest.len();
            continue;
        }
        // A pair is not cut in two.
        let cut = rest.len() == RUN && (0xd800..0xdc00).contains(&rest[RUN - 1]) && at + RUN < units.len();
        let rest = &rest[..rest.len() - usize::from(cut)];
        for c in char::decode_utf16(rest.iter().copied()) {
            is_exact &= c.is_ok();
            to.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        at += rest.len();
    }
    is_exact
}

impl<'env> ScopedTask<'env> for Compress {
    type Output = Report;
    type JsValue = Unknown<'env>;

    fn compute(&mut self) -> Result<Report> {
        self.run()
    }

    fn resolve(&mut self, env: &'env Env, report: Report) -> Result<Unknown<'env>> {
        let result = reply(env.raw(), report)?;
        // SAFETY: the handle was just made by this environment.
        Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), result) })
    }
}

/// `[figures, blocks, names, transforms]`.
fn reply(env: sys::napi_env, report: Report) -> Result<sys::napi_value> {
    let blocks = array(env, report.blocks.into_iter().map(|block| handed(env, block)))?;
    let names = array(env, report.names.into_iter().map(|name| string(env, &name)))?;
    let transforms = array(env, report.transforms.into_iter().map(|name| string(env, name)))?;
    // SAFETY: on the environment's thread.
    let figures =
        unsafe { napi::bindgen_prelude::ToNapiValue::to_napi_value(env, Uint32Array::new(report.figures)) }?;
    array(env, [Ok(figures), Ok(blocks), Ok(names), Ok(transforms)].into_iter())
}

fn array(
    env: sys::napi_env,
    items: impl ExactSizeIterator<Item = Result<sys::napi_value>>,
) -> Result<sys::napi_value> {
    let mut result = ptr::null_mut();
    // SAFETY: on the environment's thread.
    check_status!(unsafe { sys::napi_create_array_with_length(env, items.len(), &raw mut result) })?;
    for (index, item) in items.enumerate() {
        // SAFETY: as above; both handles are live.
        check_status!(unsafe { sys::napi_set_element(env, result, index as u32, item?) })?;
    }
    Ok(result)
}

fn string(env: sys::napi_env, text: &str) -> Result<sys::napi_value> {
    let mut result = ptr::null_mut();
    // SAFETY: a live slice, on the environment's thread.
    check_status!(unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &raw mut result)
    })?;
    Ok(result)
}

/// Shortens the texts that `pieces` describes, which are in the memory of `slot`. `before` is what they follow.
#[napi(
    ts_args_type = "pool: number, control: number, slot: number, pieces: Uint32Array, before: Uint32Array, numbers: Float64Array, query: string",
    ts_return_type = "Ticket<[Uint32Array, string[], string[], string[]]>"
)]
pub fn compress(
    pool: u32,
    control: f64,
    slot: u32,
    pieces: &[u32],
    before: &[u32],
    numbers: &[f64],
    query: String,
) -> Result<PoolTask<Compress>> {
    let memory = memory_at(slot).ok_or_else(|| invalid("no such text memory"))?;
    let units = pieces.chunks_exact(layout::PIECE).map(|piece| piece[1] as usize).sum::<usize>();
    let bytes = units * 3 + size_of_val(pieces);
    let mut submission = Submission::new(pool, control, "compress").bytes(bytes);
    let task = Compress {
        pieces: pieces.to_vec(),
        before: self::before(before).ok_or_else(|| invalid("too few words"))?,
        options: options(numbers, query)?,
        work: numbers[OPTIONS - 2],
        store: store_at(numbers[OPTIONS - 1] as usize)?,
        cancel: submission.token(),
        lease: Some(Lease::new(memory)?),
    };
    Ok(PoolTask::new(submission, task))
}

/// Shortens the messages of a document.
#[derive(Debug)]
pub struct CompressDocument {
    document: Document,
    turns: usize,
    options: Options,
    /// As in [`Compress`].
    work: f64,
    store: Arc<Store>,
    cancel: CancelToken,
}

impl CompressDocument {
    /// `numbers` are the options, and how many turns stay as they are.
    pub(super) fn submit(
        document: Document,
        pool: u32,
        control: f64,
        numbers: &[f64],
        query: String,
    ) -> Result<PoolTask<Self>> {
        let (turns, numbers) = numbers.split_last().ok_or_else(|| invalid("options"))?;
        let mut submission = Submission::new(pool, control, "compress").bytes(document.byte_length() * 2);
        let task = Self {
            document,
            turns: *turns as usize,
            options: options(numbers, query)?,
            work: numbers[OPTIONS - 2],
            store: store_at(numbers[OPTIONS - 1] as usize)?,
            cancel: submission.token(),
        };
        Ok(PoolTask::new(submission, task))
    }
}

impl ScopedTask<'_> for CompressDocument {
    type Output = Compressed;
    type JsValue = NativeDocument;

    fn compute(&mut self) -> Result<Compressed> {
        self.options.work_until(after(self.work));
        Ok(compress_document(&self.document, self.turns, &self.options, &self.store, &self.cancel)?)
    }

    fn resolve(&mut self, env: &Env, compressed: Compressed) -> Result<NativeDocument> {
        Ok(NativeDocument::compressed(*env, compressed))
    }
}

/// Of each message its action, the place of its reason in the list that follows, its tokens before and after; reasons; what
/// was done.
pub(super) fn document_report(
    env: sys::napi_env,
    messages: &[Message],
    transforms: &[&str],
) -> Result<sys::napi_value> {
    let mut names: Vec<&str> = Vec::new();
    let mut figures = Vec::with_capacity(messages.len() * 4);
    for message in messages {
        let known = names.iter().position(|name| *name == message.reason);
        let name = known.unwrap_or_else(|| {
            names.push(&message.reason);
            names.len() - 1
        });
        figures.extend([message.action as u32, name as u32, message.before, message.after]);
    }
    // SAFETY: on the environment's thread.
    let figures =
        unsafe { napi::bindgen_prelude::ToNapiValue::to_napi_value(env, Uint32Array::new(figures)) };
    let names = array(env, names.into_iter().map(|name| string(env, name)));
    let transforms = array(env, transforms.iter().map(|name| string(env, name)));
    array(env, [figures, names, transforms].into_iter())
}

/// Stores by number, from 1; 0 is the one that the process shares.
static STORES: Mutex<Vec<Arc<Store>>> = Mutex::new(Vec::new());

fn store_at(number: usize) -> Result<Arc<Store>> {
    let Some(place) = number.checked_sub(1) else { return Ok(Store::shared()) };
    let stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    stores.get(place).cloned().ok_or_else(|| invalid("no such store"))
}

/// The number of the store in a file, which is opened for good; without a path, of the one in memory. Bounds below 0 are
/// not set.
#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
pub fn open_store(env: Env, path: String, max_bytes: f64, keep_ms: f64) -> Result<u32> {
    let bounds = Bounds {
        max_bytes: (max_bytes >= 0.0).then_some(max_bytes as u64),
        keep: (keep_ms >= 0.0).then(|| Duration::from_millis(keep_ms as u64)),
    };
    if path.is_empty() {
        Store::shared().bound(bounds);
        return Ok(0);
    }
    let environment = Environment::of(&env)?;
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = Store::at(Path::new(&path), bounds).map_err(|error| environment.thrown(&error))?;
    let known = stores.iter().position(|store| store.is(&opened));
    let place = known.unwrap_or_else(|| {
        stores.push(opened);
        stores.len() - 1
    });
    Ok(place as u32 + 1)
}

/// Gives originals back.
pub struct Retrieve {
    id: Id,
    query: Option<String>,
    most: usize,
    store: Arc<Store>,
    cancel: CancelToken,
}

impl<'env> ScopedTask<'env> for Retrieve {
    type Output = Option<(JsText, usize)>;
    type JsValue = Unknown<'env>;

    fn compute(&mut self) -> Result<Self::Output> {
        let Some(text) = self.store.get(self.id)? else { return Ok(None) };
        let found = match &self.query {
            Some(query) => search(&text, query, self.most, &self.cancel)?,
            None => whole(&text, &self.cancel)?,
        };
        Ok(Some((js_text(found.content), found.items)))
    }

    fn resolve(&mut self, env: &'env Env, found: Self::Output) -> Result<Unknown<'env>> {
        let raw = env.raw();
        let environment = Environment::of(env)?;
        let values = match found {
            Some((text, items)) => {
                vec![Ok(handed(raw, text)?), Ok(environment.number(items as f64)?)]
            }
            None => Vec::new(),
        };
        let result = array(raw, values.into_iter())?;
        // SAFETY: the handle was just made by this environment.
        Ok(unsafe { Unknown::from_raw_unchecked(raw, result) })
    }
}

/// The text with this hash, or its best matches of a query that is not empty, with the number of its items; nothing where
/// the store has none.
#[napi(ts_return_type = "Ticket<[string, number] | []>")]
#[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
pub fn retrieve(
    pool: u32,
    control: f64,
    store: u32,
    hash: String,
    query: String,
    most: f64,
) -> Result<PoolTask<Retrieve>> {
    let mut submission = Submission::new(pool, control, "retrieve");
    let task = Retrieve {
        id: Id::parse(&hash).ok_or_else(|| invalid("no such hash"))?,
        query: (!query.is_empty()).then_some(query),
        most: most as usize,
        store: store_at(store as usize)?,
        cancel: submission.token(),
    };
    Ok(PoolTask::new(submission, task))
}

fn js_text(text: String) -> JsText {
    if text.is_ascii() {
        JsText::Latin1(text.into_bytes())
    } else {
        JsText::Utf16(text.encode_utf16().collect())
    }
}

fn handed(env: sys::napi_env, text: JsText) -> Result<sys::napi_value> {
    match text {
        JsText::Latin1(text) => strings::latin1(env, text),
        JsText::Utf16(text) => strings::utf16(env, text),
    }
}

/// The actions that figures name by number.
#[napi]
pub fn compress_actions() -> Vec<&'static str> {
    ACTIONS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_is_transcoded(text in any::<String>(), tail in "[a-zé😀]{0,200}", lone in any::<bool>()) {
            let text = text + &tail;
            let mut units: Vec<u16> = text.encode_utf16().collect();
            let mut out = String::new();
            prop_assert!(append(&units, &mut out));
            prop_assert_eq!(&out, &text);
            if lone {
                units.push(0xd800);
                prop_assert!(!append(&units, &mut out));
            }
        }
    }
}
