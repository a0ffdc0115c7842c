//! Pools as JS sees them: made, asked, closed by handle.

use std::ptr::{self, NonNull};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Error, Object, Result, Status, ToNapiValue, Unknown, check_status, sys};
use napi::{Env, JsError, JsValue, ScopedTask};
use napi_derive::napi;

use super::environment::{Environment, PoolEntry};
use super::inbox::{Inbox, Message, Settle};
use super::task::{PoolTask, Submission};
use crate::memory;
use crate::pool::{self, Client, Closing, Ending, Event, Executor, Limits, Link, Observer};

/// The executor behind `getWorkerPool()`, one for the process whatever number of threads asks. Replaced once it
/// has ended with its last client.
static SHARED: Mutex<Option<Executor>> = Mutex::new(None);

/// Tells the JS side of a pool what happened to it.
pub(super) struct JsObserver {
    pub(super) inbox: Arc<Inbox>,
    handle: u32,
}

struct EventMessage {
    link: Link<Message>,
    handle: u32,
    event: Event,
}

impl Observer for JsObserver {
    fn observe(&self, event: Event) {
        let message = Arc::new(EventMessage { link: Link::default(), handle: self.handle, event });
        let link = NonNull::from(&message.link);
        // SAFETY: the message owns the link, which is new.
        unsafe { self.inbox.push(link, Message { settle: message, ending: Ending::Done }) };
    }
}

impl Settle for EventMessage {
    fn settle(self: Arc<Self>, environment: &Environment, _ending: Ending) {
        let (name, text) = match &self.event {
            Event::Room => ("drain", ""),
            Event::ThreadDied(message) => ("error", message.as_str()),
        };
        // JS calls the listeners later: what they throw is not ours.
        let _ = environment.pool_event(self.handle, name, text);
    }

    fn is_heavy(&self) -> bool {
        true
    }

    fn abort(self: Arc<Self>, _environment: &Environment, _error: sys::napi_value) {}
}

/// Options of a pool, checked by `lib/config.js`.
#[napi(object)]
#[derive(Clone, Copy, Debug)]
pub struct NativePoolOptions {
    /// Whether to join the process-wide pool; the limits count if that does not exist yet.
    pub shared: bool,
    /// Threads; 0: as many as suit the machine.
    pub size: u32,
    /// That share the machine.
    pub processes: u32,
    /// Tasks.
    pub max_queue: f64,
    pub max_queue_bytes: f64,
    /// Milliseconds; 0: none.
    pub task_timeout: f64,
}

/// Makes a pool or joins the shared one, and returns its handle.
#[napi]
pub fn create_pool(env: Env, options: NativePoolOptions) -> Result<u32> {
    let environment = Environment::of(&env)?;
    let handle = environment.next_handle();
    let size = match options.size {
        0 => pool::default_size(options.processes as usize),
        size => size as usize,
    };
    let limits = Limits {
        size,
        max_queue: options.max_queue as usize,
        max_queue_bytes: options.max_queue_bytes as usize,
    };
    let observer: Arc<dyn Observer> = Arc::new(JsObserver { inbox: Arc::clone(environment.inbox()), handle });
    let client =
        if options.shared { join_shared(limits, &observer) } else { Executor::new(limits).client(observer) };
    let client = client.ok_or_else(|| Error::from_status(Status::GenericFailure))?;
    let timeout = Duration::from_millis(options.task_timeout as u64);
    let task_timeout = (!timeout.is_zero()).then_some(timeout);
    Ok(environment.add_pool(PoolEntry::new(client, task_timeout)))
}

fn join_shared(limits: Limits, observer: &Arc<dyn Observer>) -> Option<Client> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let joined = shared.as_ref().and_then(|executor| executor.client(Arc::clone(observer)));
    joined.or_else(|| shared.insert(Executor::new(limits)).client(Arc::clone(observer)))
}

/// Starts all of a pool's threads, which start as needed otherwise.
#[napi]
pub fn start_pool(env: Env, pool: u32) -> Result<()> {
    let entry = Environment::of(&env)?.pool(pool)?;
    entry.client.start().map_err(|error| Error::from_reason(error.to_string()))
}

#[napi]
pub fn is_pool_started(env: Env, pool: u32) -> Result<bool> {
    Ok(Environment::of(&env)?.pool(pool)?.client.is_started())
}

#[napi]
pub fn pool_size(env: Env, pool: u32) -> Result<u32> {
    Ok(Environment::of(&env)?.pool(pool)?.client.limits().size as u32)
}

/// Closes a pool: the `close` event follows when the last of its tasks has ended. `limit` is for how many ms they
/// may go on before they are rejected: 0 for not at all, a negative number for as long as they take.
#[napi]
pub fn close_pool(env: Env, pool: u32, limit: f64) -> Result<()> {
    let closing = if limit < 0.0 {
        Closing::Drain(None)
    } else if limit == 0.0 {
        Closing::Now
    } else {
        Closing::Drain(Some(Duration::from_secs_f64(limit / 1000.0)))
    };
    Environment::of(&env)?.close_pool(pool, closing)
}

/// Forgets a pool that JS has lost; the tasks it still has go on.
#[napi]
pub fn release_pool(env: Env, pool: u32) -> Result<()> {
    Environment::of(&env)?.remove_pool(pool);
    Ok(())
}

/// Gives up on the call with this abort slot and rejects its promise with `error`.
#[napi]
pub fn abort_task(env: Env, slot: u32, error: Unknown<'_>) -> Result<()> {
    let environment = Environment::of(&env)?;
    if let Some(task) = environment.take_abortable(slot) {
        task.abort(environment, error.raw());
    }
    Ok(())
}

/// Tells that a turn of the event loop is over; what the `atTurnsEnd` callback asks for.
#[napi]
pub fn end_turn(env: Env) -> Result<()> {
    Environment::of(&env)?.end_turn();
    Ok(())
}

/// Hands in JS functions that native code calls.
#[napi]
pub fn install(env: Env, functions: Object<'_>) -> Result<()> {
    Environment::of(&env)?.install(&functions)
}

/// The environment's array of resolving functions: this one, unless another copy of the library handed in its own before.
#[napi(ts_args_type = "settlers: unknown[]", ts_return_type = "unknown[]")]
pub fn share_settlers<'env>(env: &'env Env, settlers: Unknown<'env>) -> Result<Unknown<'env>> {
    let shared = Environment::of(env)?.share_settlers(settlers.raw())?;
    // SAFETY: the handle was just made by this environment.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), shared) })
}

/// For how many ms a drain may settle promises before I/O gets its turn.
#[napi]
pub fn set_slice(env: Env, ms: f64) -> Result<()> {
    Environment::of(&env)?.set_slice(Duration::from_secs_f64(ms / 1000.0));
    Ok(())
}

/// The task that is submitted next has a span with this number: the `spanned` callback will tell of it.
#[napi]
pub fn span_next(env: Env, id: f64) -> Result<()> {
    Environment::of(&env)?.set_span(id as u64);
    Ok(())
}

/// When the clock below began.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Milliseconds on a clock of this process, which JS sets against its own; negative for what was before its first use.
pub(super) fn clock_of(instant: Instant) -> f64 {
    match instant.checked_duration_since(*START) {
        Some(since) => millis(since),
        None => -millis(START.saturating_duration_since(instant)),
    }
}

/// That clock's time.
#[napi]
pub fn clock() -> f64 {
    clock_of(Instant::now())
}

/// Milliseconds.
#[napi(object)]
pub struct NativeTimes {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

#[napi(object)]
pub struct NativeOperationStats {
    pub name: String,
    pub count: f64,
    pub wait_time: NativeTimes,
    pub run_time: NativeTimes,
}

/// Recycled memory, see `memory::Stats`.
#[napi(object)]
pub struct NativeMemoryStats {
    pub in_use: f64,
    pub kept: f64,
    pub limit: f64,
    pub hits: f64,
    pub misses: f64,
    pub trimmed: f64,
}

#[napi(object)]
pub struct NativePoolStats {
    pub size: u32,
    pub threads: u32,
    pub active: u32,
    pub waiting: f64,
    pub in_flight: f64,
    pub bytes: f64,
    pub accepted: f64,
    pub delayed: f64,
    pub refused: f64,
    pub succeeded: f64,
    pub failed: f64,
    pub panicked: f64,
    pub aborted: f64,
    pub timed_out: f64,
    pub closed: f64,
    pub restarted: f64,
    /// Milliseconds, of all tasks that ran to their end.
    pub run_time: f64,
    pub operations: Vec<NativeOperationStats>,
    /// Documents alive that were loaded through this pool object, and the bytes they hold.
    pub documents: f64,
    pub document_bytes: f64,
    pub memory: NativeMemoryStats,
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn times(quantiles: &pool::Quantiles) -> NativeTimes {
    NativeTimes { p50: millis(quantiles.p50), p99: millis(quantiles.p99), max: millis(quantiles.max) }
}

fn memory_stats() -> NativeMemoryStats {
    let memory::Stats { in_use, kept, limit, hits, misses, trimmed } = memory::stats();
    NativeMemoryStats {
        in_use: in_use as f64,
        kept: kept as f64,
        limit: limit as f64,
        hits: hits as f64,
        misses: misses as f64,
        trimmed: trimmed as f64,
    }
}

#[napi]
pub fn pool_stats(env: Env, pool: u32) -> Result<NativePoolStats> {
    let entry = Environment::of(&env)?.pool(pool)?;
    let stats = entry.client.stats();
    let operations = stats.operations.iter().map(|(name, operation)| NativeOperationStats {
        name: (*name).to_owned(),
        count: operation.count as f64,
        wait_time: times(&operation.wait),
        run_time: times(&operation.run),
    });
    Ok(NativePoolStats {
        operations: operations.collect(),
        size: stats.size as u32,
        threads: stats.threads as u32,
        active: stats.active as u32,
        waiting: stats.waiting as f64,
        in_flight: stats.in_flight as f64,
        bytes: stats.bytes as f64,
        accepted: stats.accepted as f64,
        delayed: stats.delayed as f64,
        refused: stats.refused as f64,
        succeeded: stats.succeeded as f64,
        failed: stats.failed as f64,
        panicked: stats.panicked as f64,
        aborted: stats.aborted as f64,
        timed_out: stats.timed_out as f64,
        closed: stats.closed as f64,
        restarted: stats.restarted as f64,
        run_time: millis(stats.run_time),
        documents: entry.documents.documents() as f64,
        document_bytes: entry.documents.bytes() as f64,
        memory: memory_stats(),
    })
}

/// See `pool::Spread`; seconds.
#[napi(object)]
pub struct NativeSpread {
    pub counts: Vec<f64>,
    pub count: f64,
    pub sum: f64,
}

impl From<pool::Spread> for NativeSpread {
    fn from(spread: pool::Spread) -> Self {
        let counts = spread.counts.iter().map(|count| *count as f64).collect();
        Self { counts, count: spread.count as f64, sum: spread.sum.as_secs_f64() }
    }
}

#[napi(object)]
pub struct NativeSpreads {
    pub name: String,
    pub wait: NativeSpread,
    pub run: NativeSpread,
}

/// How the times of each operation spread over classes with these upper bounds, in seconds.
#[napi]
pub fn pool_spreads(env: Env, pool: u32, bounds: Vec<f64>) -> Result<Vec<NativeSpreads>> {
    let entry = Environment::of(&env)?.pool(pool)?;
    let bounds: Vec<Duration> = bounds.into_iter().map(Duration::from_secs_f64).collect();
    let spreads = entry.client.spreads(&bounds).into_iter().map(|spreads| NativeSpreads {
        name: spreads.operation.to_owned(),
        wait: spreads.wait.into(),
        run: spreads.run.into(),
    });
    Ok(spreads.collect())
}

/// Does nothing, on a pool thread: what the pool itself costs.
pub struct Noop;

impl ScopedTask<'_> for Noop {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        Ok(())
    }

    fn resolve(&mut self, _env: &Env, (): ()) -> Result<()> {
        Ok(())
    }
}

/// `noop(pool: number, control: number): Ticket<void>`, by hand: the glue that is generated for a function with
/// arguments takes a third of the time that the whole task takes.
unsafe extern "C" fn noop(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut count = 2;
    let mut arguments = [ptr::null_mut(); 2];
    let (mut pool, mut control) = (0, 0.0);
    // SAFETY: called by napi, on the environment's thread; missing arguments come as undefined.
    let result = unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
        );
        sys::napi_get_value_uint32(env, arguments[0], &raw mut pool);
        sys::napi_get_value_double(env, arguments[1], &raw mut control);
        PoolTask::to_napi_value(env, PoolTask::new(Submission::new(pool, control, "noop"), Noop))
    };
    result.unwrap_or_else(|error| {
        // SAFETY: as above.
        unsafe { JsError::from(error).throw_into(env) };
        ptr::null_mut()
    })
}

#[napi(module_exports)]
pub fn register(mut exports: Object<'_>, env: Env) -> Result<()> {
    let mut function = ptr::null_mut();
    // SAFETY: a valid environment, name and function.
    let status = unsafe {
        sys::napi_create_function(
            env.raw(),
            c"noop".as_ptr(),
            4,
            Some(noop),
            ptr::null_mut(),
            &raw mut function,
        )
    };
    check_status!(status)?;
    // SAFETY: the handle was just made.
    exports.set("noop", unsafe { Unknown::from_raw_unchecked(env.raw(), function) })
}
