//! `stringify`: what `lib/encode.js` made of a value in, JSON text out.
//!
//! The strings of a value are written by JS straight into memory of ours, an `ArrayBuffer` over it, which the pool
//! thread reads where it is. That memory is never seen by users. `lib/encode.js` writes only into memory whose busy
//! flag, the first word, is 0; it is set here at submission and cleared when the task is done with it. Both the
//! `ArrayBuffer` and the task own the memory, so either may go first.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Error, Result, Status, Unknown, Utf16String, check_status, sys};
use napi::{Env, ScopedTask};
use napi_derive::napi;

use super::strings;
use super::task::{PoolTask, Submission, run_here};
use crate::cancel::CancelToken;
use crate::json::encoding::{TEXT_HEADER, word};
use crate::json::write::{Encoded, JsText, to_js_text, to_utf8};
use crate::memory;

/// Memory that JS writes text into.
pub(super) struct TextMemory {
    bytes: Box<[UnsafeCell<u64>]>,
}

// SAFETY: JS writes only while the busy flag is 0, a task reads only while it is 1.
unsafe impl Sync for TextMemory {}

impl TextMemory {
    fn start(&self) -> *mut u64 {
        UnsafeCell::raw_get(self.bytes.as_ptr())
    }

    /// The first unit of text.
    fn text(&self) -> *const u16 {
        // SAFETY: the header lies within the memory.
        unsafe { self.start().add(TEXT_HEADER / size_of::<u64>()) }.cast()
    }

    fn byte_length(&self) -> usize {
        size_of_val(&*self.bytes)
    }

    fn busy(&self) -> &AtomicU32 {
        // SAFETY: the first word is the flag and nothing else; the memory is aligned for it.
        unsafe { AtomicU32::from_ptr(self.start().cast()) }
    }
}

/// A task's hold on text memory.
pub(super) struct Lease(Arc<TextMemory>);

impl Lease {
    pub(super) fn new(memory: Arc<TextMemory>) -> Result<Self> {
        // Acquire: what an earlier task read there is behind us.
        if memory.busy().swap(1, Ordering::Acquire) == 0 {
            Ok(Self(memory))
        } else {
            Err(Error::new(Status::InvalidArg, "the text memory is in use"))
        }
    }

    /// `count` units of text, from unit `first` on.
    pub(super) fn text(&self, first: u32, count: u32) -> Result<&[u16]> {
        let (first, count) = (first as usize, count as usize);
        if first + count > (self.0.byte_length() - TEXT_HEADER) / 2 {
            return Err(Error::new(Status::InvalidArg, "the text is longer than its memory"));
        }
        // SAFETY: within the memory, initialised, aligned, and not written while it is leased.
        Ok(unsafe { std::slice::from_raw_parts(self.0.text().add(first), count) })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Release: our reads are over before JS can see the flag.
        self.0.busy().store(0, Ordering::Release);
    }
}

/// Text memory by slot. A slot is free again when its `ArrayBuffer` has died.
static SLOTS: Mutex<Vec<Option<Arc<TextMemory>>>> = Mutex::new(Vec::new());

pub(super) fn memory_at(slot: u32) -> Option<Arc<TextMemory>> {
    SLOTS.lock().unwrap_or_else(PoisonError::into_inner).get(slot as usize).cloned().flatten()
}

fn keep(memory: &Arc<TextMemory>) -> u32 {
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = slots.iter().position(Option::is_none).unwrap_or_else(|| {
        slots.push(None);
        slots.len() - 1
    });
    slots[slot] = Some(Arc::clone(memory));
    slot as u32
}

unsafe extern "C" fn free_slot(_env: sys::napi_env, _memory: *mut c_void, slot: *mut c_void) {
    if let Some(entry) = SLOTS.lock().unwrap_or_else(PoisonError::into_inner).get_mut(slot as usize) {
        *entry = None;
        memory::give_back_soon();
    }
}

/// An `ArrayBuffer` to write text into: the busy flag, the slot (one word each, a header of 16 bytes), the units.
/// Long strings go to its first half, short ones to the second.
#[napi(ts_return_type = "ArrayBuffer")]
pub fn create_text_memory(env: &Env, units: u32) -> Result<Unknown<'_>> {
    let bytes = run_here(*env, || Ok(memory::try_zeroed(TEXT_HEADER + units as usize * 2)?))?;
    let memory = Arc::new(TextMemory { bytes });
    let slot = keep(&memory);
    // SAFETY: nobody else knows the memory yet; its second word is the slot.
    unsafe { memory.start().cast::<u32>().add(1).write(slot) };
    let mut result = ptr::null_mut();
    // SAFETY: on the environment's thread. The slot owns the memory until the finaliser empties it.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            memory.start().cast(),
            memory.byte_length(),
            Some(free_slot),
            slot as usize as *mut c_void,
            &raw mut result,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: nobody took the slot.
        unsafe { free_slot(env.raw(), ptr::null_mut(), slot as usize as *mut c_void) };
    }
    check_status!(status)?;
    // SAFETY: the handle was just made by this environment.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), result) })
}

/// A value as `lib/encode.js` laid it out, with its hold on the text.
pub(super) struct Handed {
    lease: Lease,
    words: Vec<u32>,
    numbers: Vec<f64>,
}

impl Handed {
    /// Takes what is in `words` and `numbers`, and the text in the memory of `slot`.
    pub(super) fn take(env: Env, slot: u32, words: &[u32], numbers: &[f64]) -> Result<Self> {
        let invalid = |what| Error::new(Status::InvalidArg, what);
        let text = memory_at(slot).ok_or_else(|| invalid("no such text memory"))?;
        let used = words.get(..word::HEADER).ok_or_else(|| invalid("no header"))?;
        let numbers =
            numbers.get(..used[word::NUMBERS] as usize).ok_or_else(|| invalid("too few numbers"))?;
        let words = words.get(..used[word::WORDS] as usize).ok_or_else(|| invalid("too few words"))?;
        if words.len() < word::HEADER {
            return Err(invalid("no header"));
        }
        let lease = Lease::new(text)?;
        run_here(env, || {
            Ok(Self { lease, words: memory::try_copy(words)?, numbers: memory::try_copy(numbers)? })
        })
    }

    /// What it holds now, and about as much text to come.
    pub(super) fn bytes(&self) -> usize {
        let text = self.words[word::LONG] as usize + self.words[word::SHORT] as usize;
        text * 3 + self.words.len() * 8 + self.numbers.len() * 24
    }

    fn value<'a>(&'a self, gap: &'a [u16]) -> Result<Encoded<'a>> {
        let (header, ops) = self.words.split_at(word::HEADER);
        Ok(Encoded {
            ops,
            numbers: &self.numbers,
            long: self.lease.text(0, header[word::LONG])?,
            short: self.lease.text(header[word::SHORT_FROM], header[word::SHORT])?,
            gap,
        })
    }

    /// Its JSON text.
    pub(super) fn to_utf8(&self, cancel: &CancelToken) -> Result<Vec<u8>> {
        Ok(to_utf8(self.value(&[])?, cancel)?)
    }
}

/// Writes one value.
pub struct Stringify {
    handed: Option<Handed>,
    gap: Vec<u16>,
    as_buffer: bool,
    cancel: CancelToken,
}

/// What was written.
pub enum Written {
    Text(JsText),
    Bytes(Vec<u8>),
}

impl<'env> ScopedTask<'env> for Stringify {
    type Output = Written;
    type JsValue = Unknown<'env>;

    fn compute(&mut self) -> Result<Written> {
        let handed = self.handed.take().ok_or_else(|| Error::from_reason("computed twice"))?;
        let value = handed.value(&self.gap)?;
        if self.as_buffer {
            Ok(Written::Bytes(to_utf8(value, &self.cancel)?))
        } else {
            Ok(Written::Text(to_js_text(value, &self.cancel)?))
        }
    }

    fn resolve(&mut self, env: &'env Env, written: Written) -> Result<Self::JsValue> {
        let result = match written {
            Written::Bytes(bytes) => strings::buffer(env.raw(), bytes)?,
            Written::Text(JsText::Latin1(text)) => strings::latin1(env.raw(), text)?,
            Written::Text(JsText::Utf16(text)) => strings::utf16(env.raw(), text)?,
        };
        // SAFETY: the handle was just made by this environment.
        Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), result) })
    }
}

/// Writes the value in `words` and `numbers` (see `src/json/encoding.rs`), whose text is in the memory of `slot`.
#[napi(
    ts_args_type = "pool: number, control: number, slot: number, words: Uint32Array, numbers: Float64Array, gap: string, asBuffer: boolean",
    ts_return_type = "Ticket<string | Buffer>"
)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
#[allow(clippy::too_many_arguments, reason = "they come from JS one by one")]
pub fn stringify(
    env: Env,
    pool: u32,
    control: f64,
    slot: u32,
    words: &[u32],
    numbers: &[f64],
    gap: Utf16String,
    as_buffer: bool,
) -> Result<PoolTask<Stringify>> {
    let handed = Handed::take(env, slot, words, numbers)?;
    let mut submission = Submission::new(pool, control, "stringify").bytes(handed.bytes());
    let cancel = submission.token();
    let task = Stringify { handed: Some(handed), gap: gap.to_vec(), as_buffer, cancel };
    Ok(PoolTask::new(submission, task))
}
