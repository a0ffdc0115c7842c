//! Logs as JS sees them: a ring's memory to write lines into, and by handle what is asked of its writer.
//!
//! Writing a line makes no native call: `lib/ring.js` does it in the memory. What a writer has to say reaches JS like
//! the end of a task, through the environment's inbox.

use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Error, Object, Result, Status, Unknown, check_status, sys};
use napi_derive::napi;

use super::environment::{Callback, Environment};
use super::inbox::{Inbox, Message, Settle};
use crate::log::layout::{self, at, record};
use crate::log::rotation::{Names, Rotation};
use crate::log::sink::{Failure, Stall};
use crate::log::{Notice, Options, Sink, Target, exit};
use crate::pool::{Ending, Link};

/// How long the end of an environment waits for its logs.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Open logs by handle, of all environments.
static LOGS: Mutex<Vec<Option<Sink>>> = Mutex::new(Vec::new());

fn log(handle: u32) -> Result<Sink> {
    let logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
    let sink = logs.get(handle as usize).cloned().flatten();
    sink.ok_or_else(|| Error::new(Status::InvalidArg, format!("no log has handle {handle}")))
}

fn keep(sink: Sink) -> u32 {
    let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
    // Handles are not used again: an environment closes its own when it ends.
    logs.push(Some(sink));
    logs.len() as u32 - 1
}

fn forget(handle: u32) -> Option<Sink> {
    LOGS.lock().unwrap_or_else(PoisonError::into_inner).get_mut(handle as usize).and_then(Option::take)
}

/// A notice on its way to JS.
struct NoticeMessage {
    link: Link<Message>,
    /// JS's own number for the log.
    id: u32,
    notice: Notice,
}

impl NoticeMessage {
    fn post(inbox: &Inbox, id: u32, notice: Notice) {
        let message = Arc::new(Self { link: Link::default(), id, notice });
        let link = NonNull::from(&message.link);
        // SAFETY: the message owns the link, which is new.
        unsafe { inbox.push(link, Message { settle: message, ending: Ending::Done }) };
    }

    fn tell(&self, environment: &Environment) -> Result<()> {
        let fine = Failure { errno: 0, message: String::new() };
        let (name, ticket, failure) = match &self.notice {
            Notice::Failed(failure) => ("error", 0, failure),
            Notice::Recovered => ("recovered", 0, &fine),
            Notice::Flushed { ticket, result: Ok(()) } => ("flushed", *ticket, &fine),
            Notice::Flushed { ticket, result: Err(failure) } => ("unflushed", *ticket, failure),
            Notice::Closed => ("closed", 0, &fine),
        };
        let arguments = [
            environment.number(f64::from(self.id))?,
            environment.string(name)?,
            environment.number(f64::from(ticket))?,
            environment.number(f64::from(failure.errno))?,
            environment.string(&failure.message)?,
        ];
        environment.call(Callback::Log, &arguments).map(drop)
    }
}

impl Settle for NoticeMessage {
    fn settle(self: Arc<Self>, environment: &Environment, _ending: Ending) {
        // JS calls listeners later: what they throw is not ours.
        let _ = self.tell(environment);
        if matches!(self.notice, Notice::Flushed { .. } | Notice::Closed) {
            environment.fulfilled(1);
        }
    }

    fn is_heavy(&self) -> bool {
        false
    }

    fn abort(self: Arc<Self>, _environment: &Environment, _error: sys::napi_value) {}
}

/// Options of a log, checked by `lib/log-options.js`.
#[napi(object)]
#[derive(Clone, Debug)]
pub struct NativeLogOptions {
    /// JS's own number for it, for notices.
    pub id: u32,
    pub path: Option<String>,
    /// In place of a path.
    pub descriptor: Option<i32>,
    /// Lines.
    pub batch: u32,
    /// Milliseconds.
    pub interval: f64,
    /// Bytes, a power of two.
    pub capacity: u32,
    pub durable: bool,
    pub rotate: Option<NativeRotation>,
    /// Name of a link to the file.
    pub link: Option<String>,
}

#[napi(object)]
#[derive(Clone, Copy, Debug)]
pub struct NativeRotation {
    /// Bytes.
    pub size: Option<f64>,
    /// Milliseconds.
    pub interval: Option<f64>,
    pub keep: u32,
    pub dated: bool,
    pub gzip: bool,
}

impl From<NativeLogOptions> for Options {
    fn from(options: NativeLogOptions) -> Self {
        let capacity =
            (options.capacity as usize).next_power_of_two().clamp(layout::SMALLEST, layout::LARGEST);
        Self {
            target: match (options.path, options.descriptor) {
                (Some(path), _) => Target::Path(PathBuf::from(path)),
                (None, descriptor) => Target::Descriptor(descriptor.unwrap_or(1)),
            },
            batch: options.batch.max(1) as usize,
            interval: Duration::from_secs_f64(options.interval.max(0.0) / 1000.0),
            capacity,
            durable: options.durable,
            rotation: options.rotate.map(|rotate| Rotation {
                size: rotate.size.map(|bytes| bytes as u64),
                interval: rotate.interval.map(|ms| ms as u64),
                keep: rotate.keep as usize,
                names: if rotate.dated { Names::Date } else { Names::Number },
                gzip: rotate.gzip,
            }),
            link: options.link,
        }
    }
}

/// A system error, or none: `errno` is 0 and the message says what happened.
#[napi(object)]
#[derive(Clone, Debug)]
pub struct NativeFailure {
    pub errno: i32,
    pub message: String,
}

impl From<Failure> for NativeFailure {
    fn from(Failure { errno, message }: Failure) -> Self {
        Self { errno, message }
    }
}

impl From<Stall> for NativeFailure {
    fn from(stall: Stall) -> Self {
        match stall {
            Stall::Failed(failure) => failure.into(),
            Stall::TimedOut => {
                Self { errno: 0, message: "the lines could not be written in time".to_owned() }
            }
        }
    }
}

/// Opens a log: `{ handle, memory, ring }`, or `{ errno, message }` where that fails.
#[napi(
    ts_return_type = "{ handle: number, memory: ArrayBuffer, ring?: string } | { errno: number, message: string }"
)]
pub fn open_log(env: &Env, options: NativeLogOptions) -> Result<Object<'_>> {
    let environment = Environment::of(env)?;
    let id = options.id;
    let inbox = Arc::clone(environment.inbox());
    let notify = Box::new(move |notice| NoticeMessage::post(&inbox, id, notice));
    let mut result = Object::new(env)?;
    match Sink::open(options.into(), notify) {
        Err(error) => {
            let failure = Failure::from(&error);
            result.set("errno", failure.errno)?;
            result.set("message", failure.message)?;
        }
        Ok(sink) => {
            result.set("memory", ring_memory(env, &sink)?)?;
            if let Some(path) = sink.ring_path() {
                result.set("ring", path.to_string_lossy().into_owned())?;
            }
            let handle = keep(sink);
            result.set("handle", handle)?;
            // SAFETY: on the environment's thread. The hook does without the environment.
            check_status!(unsafe {
                sys::napi_add_env_cleanup_hook(
                    env.raw(),
                    Some(end_of_environment),
                    handle as usize as *mut c_void,
                )
            })?;
        }
    }
    Ok(result)
}

/// The environment ends: nobody logs any more, and what was logged is written.
unsafe extern "C" fn end_of_environment(handle: *mut c_void) {
    if let Some(sink) = forget(handle as usize as u32) {
        let _ = sink.flush_sync(END_LIMIT); // Nobody is left to tell.
        sink.close();
    }
}

unsafe extern "C" fn free_memory(_env: sys::napi_env, _memory: *mut c_void, sink: *mut c_void) {
    // SAFETY: the box that `ring_memory` made.
    drop(unsafe { Box::from_raw(sink.cast::<Sink>()) });
}

/// An `ArrayBuffer` over the ring, which lives as long as that does.
fn ring_memory<'a>(env: &'a Env, sink: &Sink) -> Result<Unknown<'a>> {
    let memory = sink.ring().memory();
    let owner = Box::into_raw(Box::new(sink.clone()));
    let mut result = ptr::null_mut();
    // SAFETY: on the environment's thread. The ring has one producer, the JS thread that has this memory; the sink owns
    // it until the finaliser.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            memory.start().cast(),
            memory.length(),
            Some(free_memory),
            owner.cast(),
            &raw mut result,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: nobody took it.
        drop(unsafe { Box::from_raw(owner) });
    }
    check_status!(status)?;
    // SAFETY: the handle was just made by this environment.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), result) })
}

/// Wakes the writer, which said in the ring that it sleeps.
#[napi]
pub fn wake_log(handle: u32) -> Result<()> {
    log(handle)?.wake();
    Ok(())
}

/// Writes the check sum of the record at `position`, which is not published yet.
#[napi]
pub fn seal_log(handle: u32, position: u32) -> Result<()> {
    // SAFETY: the caller is the producer.
    unsafe { log(handle)?.ring().seal(position) }.map_err(|error| Error::from_reason(error.0))
}

/// Has everything written; a notice with the ticket follows, and keeps the process alive until then.
#[napi]
pub fn flush_log(env: Env, handle: u32, ticket: u32) -> Result<()> {
    let sink = log(handle)?;
    Environment::of(&env)?.expect();
    sink.flush(ticket);
    Ok(())
}

/// Waits until everything is written, at most `limit` ms.
#[napi]
pub fn flush_log_sync(handle: u32, limit: f64) -> Result<Option<NativeFailure>> {
    let result = log(handle)?.flush_sync(Duration::from_secs_f64(limit.max(0.0) / 1000.0));
    Ok(result.err().map(NativeFailure::from))
}

/// Waits for so many bytes of room, at most `limit` ms; whether there are.
#[napi]
pub fn wait_for_log(handle: u32, bytes: u32, limit: f64) -> Result<bool> {
    let limit = Duration::from_secs_f64(limit.max(0.0) / 1000.0);
    Ok(log(handle)?.wait_for_room(bytes as usize, limit).is_ok())
}

#[napi]
pub fn reopen_log(handle: u32) -> Result<()> {
    log(handle)?.reopen();
    Ok(())
}

/// Closes a log: a notice follows, and keeps the process alive until then.
#[napi]
pub fn close_log(env: Env, handle: u32) -> Result<()> {
    let sink = log(handle)?;
    Environment::of(&env)?.expect();
    sink.close();
    Ok(())
}

/// Lets go of a log that has been closed.
#[napi]
pub fn release_log(handle: u32) {
    drop(forget(handle));
}

/// Removes the ring file of a log that is flushed after each line from now on.
#[napi]
pub fn forget_log_ring(handle: u32) -> Result<()> {
    log(handle)?.forget_ring();
    Ok(())
}

#[napi(ts_return_type = "Record<string, number>")]
pub fn log_counts(env: &Env, handle: u32) -> Result<Object<'_>> {
    let sink = log(handle)?;
    let counts = sink.counts();
    let fields: [(&str, &AtomicU64); 7] = [
        ("lines", &counts.lines),
        ("bytes", &counts.bytes),
        ("batches", &counts.batches),
        ("failures", &counts.failures),
        ("torn", &counts.torn),
        ("recovered", &counts.recovered),
        ("rotations", &counts.rotations),
    ];
    let mut object = Object::new(env)?;
    for (name, count) in fields {
        object.set(name, count.load(Ordering::Relaxed) as f64)?;
    }
    object.set("waiting", sink.ring().used() as f64)?;
    Ok(object)
}

/// Has these signals wait for the writers before they end the process.
#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands lists over by value")]
pub fn watch_exit_signals(signals: Vec<i32>) {
    exit::install(&signals);
}

/// The figures of `log::layout`, for the test that compares them with `lib/ring-layout.js`.
#[napi(ts_return_type = "Record<string, number>")]
pub fn ring_layout(env: &Env) -> Result<Object<'_>> {
    let figures = [
        ("HEADER", layout::HEADER),
        ("UNIT", layout::UNIT),
        ("SMALLEST", layout::SMALLEST),
        ("LARGEST", layout::LARGEST),
        ("TAIL", at::TAIL),
        ("HEAD", at::HEAD),
        ("SLEEPING", at::SLEEPING),
        ("RECORD_HEADER", record::HEADER),
        ("LENGTH_BITS", record::LENGTH_BITS as usize),
        ("CONTINUES", record::CONTINUES as usize),
        ("LONG", record::LONG),
        ("LINE", record::LINE as usize),
        ("PIECES", record::PIECES as usize),
        ("MORE", record::MORE as usize),
        ("LARGE", record::LARGE as usize),
    ];
    let mut object = Object::new(env)?;
    for (name, figure) in figures {
        object.set(name, figure as f64)?;
    }
    Ok(object)
}
