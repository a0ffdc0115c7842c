//! [`PoolTask`]: the twin of napi's `AsyncTask` that runs on our threads and settles in our drain.

use std::any::Any;
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Error, Result, Status, ToNapiValue, sys};
use napi::{Env, ScopedTask};

use super::environment::{Callback, Environment, PoolEntry, Settlement, Ticket, Verdict};
use super::inbox::{Message, Settle};
use super::pool::{JsObserver, clock_of, millis};
use crate::cancel::CancelToken;
use crate::error::{self, ErrorKind};
use crate::memory::OutOfMemory;
use crate::pool::{self, Course, Ending, Link, Observer, Outcome, Priority, Refusal, Spec, Task, Work};

/// What every native operation is called with besides its own arguments: the pool's handle, and how to run the
/// task, packed by `lib/submit.js` into one number.
///
/// | bits | meaning |
/// |---|---|
/// | 0 | bulk priority |
/// | 1–32 | 0: the pool's timeout, 1: none, else the timeout in ms plus 1 |
/// | 33–52 | 0: cannot be aborted, else the abort slot |
#[derive(Debug)]
pub struct Submission {
    pool: u32,
    control: u64,
    spec: Spec,
}

impl Submission {
    pub fn new(pool: u32, control: f64, operation: &'static str) -> Self {
        Self { pool, control: control as u64, spec: Spec::new(operation) }
    }

    /// Bytes that the task holds, input and output to come, for the bound in bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.spec.bytes = bytes;
        self
    }

    /// The flag that tells the work to stop. Work that never asks for it goes on to its end.
    pub fn token(&mut self) -> CancelToken {
        self.spec.token.get_or_insert_default().clone()
    }

    fn slot(&self) -> u32 {
        (self.control >> 33) as u32
    }

    /// The spec, completed with what the control word says.
    fn into_spec(self, entry: &PoolEntry) -> Spec {
        let mut spec = self.spec;
        if self.control & 1 != 0 {
            spec.priority = Priority::Bulk;
        }
        spec.timeout = match (self.control >> 1) & 0xffff_ffff {
            0 => entry.task_timeout,
            1 => None,
            coded => Some(Duration::from_millis(coded - 1)),
        };
        spec
    }
}

/// A task to run on a pool. Returned from a `#[napi]` function, it becomes a ticket: the number by which
/// `lib/tickets.js` knows the promise of what `resolve` gives. A task that is refused becomes the exception that says so.
///
/// `compute` runs on a pool thread; `resolve` or `reject`, then `finally`, on the JS thread. Two things differ
/// from `AsyncTask`:
/// - A task that is aborted, timed out or closed is rejected at once, without `reject`, as `compute` may still be
///   running; `finally` follows when it has come back.
/// - When the environment ends with the task in flight, the task is dropped on a pool thread. It must not hold
///   napi handles or references.
#[derive(Debug)]
pub struct PoolTask<T: for<'a> ScopedTask<'a>> {
    submission: Submission,
    task: T,
}

impl<T: for<'a> ScopedTask<'a>> PoolTask<T> {
    pub fn new(submission: Submission, task: T) -> Self {
        Self { submission, task }
    }
}

/// From so many bytes on a task's result is taken for a large one.
const HEAVY_BYTES: usize = 1024;

/// The task as the pool sees it.
struct JsWork<T>(T);

type Output<T> = <T as ScopedTask<'static>>::Output;

/// What the JS side keeps beside a task.
struct JsSide {
    /// `None` once settled. JS thread only.
    ticket: Cell<Option<Ticket>>,
    pool: u32,
    slot: u32,
    /// For the ending, and for the late return of an interrupted task.
    links: [Link<Message>; 2],
}

// SAFETY: `ticket` is touched by the JS thread only; the rest is `Sync`.
unsafe impl Sync for JsSide {}

impl<T> Work for JsWork<T>
where
    T: for<'a> ScopedTask<'a> + 'static,
{
    type Output = Output<T>;
    type Error = Error;
    type Side = JsSide;

    fn run(&mut self) -> Result<Self::Output> {
        <T as ScopedTask<'static>>::compute(&mut self.0)
    }

    fn ended(task: &Arc<Task<Self>>, observer: &dyn Observer, ending: Ending) {
        let observer: &dyn Any = observer;
        let Some(observer) = observer.downcast_ref::<JsObserver>() else { return };
        let link = NonNull::from(&task.side().links[usize::from(ending == Ending::Late)]);
        // SAFETY: the message owns the task that the link is part of. Each link is pushed once: a task has one
        // ending, and is late at most once.
        unsafe { observer.inbox.push(link, Message { settle: Arc::clone(task) as Arc<dyn Settle>, ending }) };
    }
}

impl<T> ToNapiValue for PoolTask<T>
where
    T: for<'a> ScopedTask<'a> + 'static,
{
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        // SAFETY: napi-rs calls this on the environment's thread, within a native call.
        let environment = unsafe { Environment::of_raw(env) }?;
        environment.submit(value)
    }
}

impl Environment {
    fn submit<T>(&self, PoolTask { submission, task }: PoolTask<T>) -> Result<sys::napi_value>
    where
        T: for<'a> ScopedTask<'a> + 'static,
    {
        let entry = self.pool(submission.pool)?;
        let pool = submission.pool;
        let slot = submission.slot();
        let mut spec = submission.into_spec(&entry);
        spec.span = self.take_span();
        let ticket = self.issue_ticket();
        let links = [Link::default(), Link::default()];
        let side = JsSide { ticket: Cell::new(Some(ticket)), pool, slot, links };
        let submitted = if slot == 0 {
            entry.client.submit(spec, JsWork(task), side)
        } else {
            let submitted = entry.client.submit_abortable(spec, JsWork(task), side);
            submitted.map(|task| self.set_abortable(slot, task))
        };
        if let Err(refused) = submitted {
            self.return_ticket(ticket);
            let _silence = pool::Silence::new();
            finish(refused.work.0, Env::from_raw(self.raw()));
            return Err(self.thrown(&refusal_error(&refused.reason, &entry)));
        }
        self.expect();
        entry.expect();
        self.ticket_value(ticket)
    }
}

fn refusal_error(refusal: &Refusal, entry: &PoolEntry) -> error::Error {
    match refusal {
        Refusal::Closed => error::Error::new(ErrorKind::PoolClosed, "the pool has been shut down"),
        Refusal::TooManyTasks => error::Error::new(
            ErrorKind::QueueFull,
            format!(
                "the pool's queue is full: {} tasks are waiting (maxQueue)",
                entry.client.limits().max_queue
            ),
        ),
        Refusal::TooManyBytes => error::Error::new(
            ErrorKind::QueueFull,
            format!(
                "the pool's queue is full: its tasks may hold {} bytes (maxQueueBytes)",
                entry.client.limits().max_queue_bytes
            ),
        ),
        Refusal::NoThread(error) => {
            error::Error::new(ErrorKind::PoolClosed, format!("the pool could not start a thread: {error}"))
        }
    }
}

impl JsSide {
    /// The ticket, to the first who settles it.
    fn settling(&self, environment: &Environment) -> Option<Ticket> {
        let ticket = self.ticket.take()?;
        if self.slot != 0 {
            drop(environment.take_abortable(self.slot));
            if let Ok(slot) = environment.number(f64::from(self.slot)) {
                // It only tidies up a listener.
                let _ = environment.call(Callback::Released, &[slot]);
            }
        }
        Some(ticket)
    }

    fn is_settled(&self) -> bool {
        let ticket = self.ticket.take();
        self.ticket.set(ticket);
        ticket.is_none()
    }

    fn settle(&self, environment: &Environment, verdict: Verdict) {
        if let Some(ticket) = self.settling(environment) {
            environment.settle_soon(Settlement { ticket, verdict, pool: self.pool });
        }
    }

    fn reject(&self, environment: &Environment, rejection: impl Into<Rejection>) {
        let value = rejection.into().into_value(environment).unwrap_or_else(|_| environment.undefined());
        self.settle(environment, Verdict::Rejected(value));
    }
}

/// What a promise is rejected with.
enum Rejection {
    Ours(error::Error),
    /// Anything napi: a JS exception thrown by a callback, or a failed conversion.
    Napi(Error),
}

impl From<error::Error> for Rejection {
    fn from(error: error::Error) -> Self {
        Self::Ours(error)
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        match recover(&error) {
            Some(ours) => Self::Ours(ours),
            None => Self::Napi(error),
        }
    }
}

impl Rejection {
    fn into_value(self, environment: &Environment) -> Result<sys::napi_value> {
        match self {
            Self::Ours(error) => environment.error_value(&error),
            // SAFETY: on the environment's thread.
            Self::Napi(error) => unsafe { ToNapiValue::to_napi_value(environment.raw(), error) },
        }
    }
}

impl<T> Settle for Task<JsWork<T>>
where
    T: for<'a> ScopedTask<'a> + 'static,
{
    fn settle(self: Arc<Self>, environment: &Environment, ending: Ending) {
        let taken = self.take();
        let env = Env::from_raw(environment.raw());
        match (ending, taken) {
            (Ending::Done, Some((JsWork(mut task), Some(outcome)))) if !self.side().is_settled() => {
                let watch = self.has_span().then(Instant::now);
                let converted = convert(environment, &mut task, outcome, self.spec().operation);
                if let Some(watch) = watch {
                    self.tell_course(environment, watch.elapsed());
                }
                match converted {
                    Ok(value) => self.side().settle(environment, Verdict::Fulfilled(value)),
                    Err(rejection) => self.side().reject(environment, rejection),
                }
                finish(task, env);
            }
            (ending, taken) => {
                if let Ending::Interrupted(reason) = ending {
                    self.tell_course(environment, Duration::ZERO);
                    self.side().reject(environment, error::Error::from(reason));
                }
                if let Some((JsWork(task), _)) = taken {
                    finish(task, env);
                }
            }
        }
    }

    fn is_heavy(&self) -> bool {
        self.spec().bytes >= HEAVY_BYTES
    }

    fn abort(self: Arc<Self>, environment: &Environment, error: sys::napi_value) {
        let _silence = pool::Silence::new();
        let is_given_up = Task::abort(&self);
        self.tell_course(environment, Duration::ZERO);
        self.side().settle(environment, Verdict::Rejected(error));
        environment.settle_now();
        if !is_given_up {
            return; // It has ended; its completion is on the way, and will find the promise settled.
        }
        if let Some((JsWork(task), _)) = self.take() {
            finish(task, Env::from_raw(environment.raw()));
        }
    }
}

/// The task's last word. Its promise is taken care of: nobody is left to be told of an error or a panic.
fn finish<T: for<'a> ScopedTask<'a>>(task: T, env: Env) {
    let _ = pool::catch(|| task.finally(env));
}

impl<T> Task<JsWork<T>>
where
    T: for<'a> ScopedTask<'a> + 'static,
{
    fn has_span(&self) -> bool {
        self.spec().span != 0
    }

    /// Tells JS where the time went, if it made a span for the task; before its promise is settled.
    fn tell_course(&self, environment: &Environment, out: Duration) {
        if !self.has_span() {
            return;
        }
        let Course { queued_at, wait, run, thread } = self.course();
        let [wait, run, out] = [wait, run, out].map(millis);
        let thread = thread.map_or(-1.0, |index| index as f64);
        let figures =
            [self.spec().span as f64, clock_of(queued_at), wait, run, out, self.spec().bytes as f64, thread];
        let numbers: Result<Vec<_>> = figures.iter().map(|figure| environment.number(*figure)).collect();
        if let Ok(numbers) = numbers {
            // It only notes them down.
            let _ = environment.call(Callback::Spanned, &numbers);
        }
    }
}

/// The outcome as a JS value. Native frames below must not unwind, so a panic on the JS side is caught, too.
fn convert<T>(
    environment: &Environment,
    task: &mut T,
    outcome: Outcome<Output<T>, Error>,
    operation: &'static str,
) -> std::result::Result<sys::napi_value, Rejection>
where
    T: for<'a> ScopedTask<'a> + 'static,
{
    let raw = environment.raw();
    let converted = pool::catch(|| {
        let env = Env::from_raw(raw);
        // SAFETY: `Env` wraps a pointer that outlives this call; what `resolve` returns is turned into a JS value
        // before `env` goes out of scope.
        let env: &'static Env = unsafe { &*ptr::from_ref(&env) };
        let value = match outcome {
            Outcome::Output(output) => task.resolve(env, output),
            Outcome::Error(error) => task.reject(env, error),
            Outcome::Panicked(text) => Err(panicked(operation, &text).into()),
        };
        // SAFETY: on the environment's thread.
        value.and_then(|value| unsafe { ToNapiValue::to_napi_value(raw, value) })
    });
    match converted {
        Ok(result) => result.map_err(Rejection::from),
        Err(text) => Err(panicked(operation, &text).into()),
    }
}

fn panicked(operation: &str, text: &str) -> error::Error {
    error::Error::new(ErrorKind::TaskPanic, format!("the {operation} task panicked: {text}"))
}

/// napi's error type has room for a text only. Ours travels through it (`compute` returns it) with its kind and
/// place in the cause: `ERR_JSON_SYNTAX 17 2 5`.
impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        let mut details = error.kind.code().to_owned();
        if let Some(place) = error.place {
            details = format!("{details} {} {} {}", place.position, place.line, place.column);
        }
        let mut carrier = Self::new(Status::GenericFailure, error.message);
        carrier.set_cause(Self::new(Status::GenericFailure, details));
        carrier
    }
}

impl From<OutOfMemory> for Error {
    fn from(error: OutOfMemory) -> Self {
        error::Error::from(error).into()
    }
}

/// Runs work on the JS thread: an error of ours becomes the JS error that it is, and so does a panic.
pub(super) fn run_here<T>(env: Env, run: impl FnOnce() -> Result<T>) -> Result<T> {
    let environment = Environment::of(&env)?;
    let done =
        pool::catch(run).unwrap_or_else(|text| Err(error::Error::new(ErrorKind::TaskPanic, text).into()));
    done.map_err(|error| match recover(&error) {
        Some(ours) => environment.thrown(&ours),
        None => error,
    })
}

/// The error that [`From<error::Error>`] packed, if it was one.
fn recover(error: &Error) -> Option<error::Error> {
    let details = error.cause.as_ref()?;
    let mut words = details.reason.split(' ');
    let kind = ErrorKind::from_code(words.next()?)?;
    let mut numbers = words.map_while(|word| word.parse::<usize>().ok());
    let place = match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(position), Some(line), Some(column)) => Some(error::Place { position, line, column }),
        _ => None,
    };
    Some(error::Error { kind, message: error.reason.clone(), place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_way_through_napi() {
        let place = error::Place { position: 17, line: 2, column: 5 };
        let syntax = error::Error::syntax("unexpected token", place);
        let full = error::Error::new(ErrorKind::QueueFull, "no room");
        for original in [syntax, full] {
            assert_eq!(recover(&Error::from(original.clone())), Some(original));
        }
        assert_eq!(recover(&Error::from_reason("something else")), None);
    }
}
