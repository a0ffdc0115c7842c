//! One submitted task: the work, its outcome, and the state machine that says who may touch them.
//!
//! ```text
//!            start                finish                take
//!  QUEUED ──────────▶ RUNNING ──────────────▶ READY ──────────▶ TAKEN
//!     │                  │ interrupt            ▲
//!     │ interrupt        ▼                      │
//!     │             ABANDONED ──────────────────┤  finish: the outcome is thrown away
//!     └─────────────────────────────────────────┘
//! ```
//!
//! | state | who owns `work` and `outcome` |
//! |---|---|
//! | `QUEUED` | nobody: whoever moves it on does |
//! | `RUNNING`, `ABANDONED` | the pool thread that called `start` |
//! | `READY` | nobody: whoever calls `take` first does |
//! | `TAKEN` | nobody: both are gone |
//!
//! Every task accepted ends exactly once for its submitter, with [`Ending::Done`] or [`Ending::Interrupted`];
//! one that was interrupted while it ran gives [`Ending::Late`] besides, once its thread is back.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

use super::client::{Gate, Observer};
use super::metrics::nanos;
use super::panic::panic_text;
use super::sync::{AtomicU8, Ordering, UnsafeCell};
use crate::cancel::{CancelToken, Interrupt};

/// Which lane a task waits in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// Somebody is waiting for the answer.
    #[default]
    Interactive,
    /// Goes behind the interactive tasks, though never starved by them.
    Bulk,
}

/// What the pool has to know about a task.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Name in the statistics.
    pub operation: &'static str,
    pub priority: Priority,
    /// Bytes the task holds until it is done, for the bound in bytes.
    pub bytes: usize,
    /// From the start of execution.
    pub timeout: Option<Duration>,
    /// Set when the work looks at it.
    pub token: Option<CancelToken>,
    /// The number of the span that the submitter made for it; 0: none.
    pub span: u64,
}

impl Spec {
    pub fn new(operation: &'static str) -> Self {
        Self { operation, priority: Priority::Interactive, bytes: 0, timeout: None, token: None, span: 0 }
    }
}

/// What a pool thread runs.
pub trait Work: Send + Sized + 'static {
    type Output: Send + 'static;
    type Error: Send + 'static;
    /// What the submitter keeps beside the work; reachable from any thread while the task lives.
    type Side: Send + Sync + 'static;

    fn run(&mut self) -> Result<Self::Output, Self::Error>;

    /// Tells the submitter, whose client has this observer. Called on the pool's threads or on the one that closes the client; must not block
    /// or panic. [`Task::take`] gives the work back, and the outcome when the ending is [`Ending::Done`].
    fn ended(task: &Arc<Task<Self>>, observer: &dyn Observer, ending: Ending);
}

/// What became of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ran; [`Task::take`] has the outcome.
    Done,
    /// Given up on, before or while it ran: there will be no outcome.
    Interrupted(Interrupt),
    /// The thread of a task interrupted before has come back: nothing to tell, but the work can be had.
    Late,
}

/// What running the work gave.
#[derive(Debug)]
pub enum Outcome<T, E> {
    Output(T),
    Error(E),
    /// The panic's text.
    Panicked(String),
}

/// What an interruption met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// The task had not started and now never will; its work is dropped or taken by the caller.
    Queued,
    /// The task is running; its thread comes back by itself.
    Running,
    /// Too late: it has ended before.
    Ended,
}

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const ABANDONED: u8 = 2;
const READY: u8 = 3;
const TAKEN: u8 = 4;

/// The states of a task and nothing else, so that they can be model-checked.
#[derive(Debug)]
pub(super) struct State(AtomicU8);

impl State {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(QUEUED))
    }

    fn advance(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// `false` when the task was interrupted in the queue. Else the caller owns the cells.
    pub(super) fn start(&self) -> bool {
        self.advance(QUEUED, RUNNING)
    }

    pub(super) fn interrupt(&self) -> Met {
        if self.advance(QUEUED, READY) {
            Met::Queued
        } else if self.advance(RUNNING, ABANDONED) {
            Met::Running
        } else {
            Met::Ended
        }
    }

    /// Lets go of the cells, unless the task was interrupted meanwhile: `false`, and they are still the caller's.
    pub(super) fn finish(&self) -> bool {
        self.advance(RUNNING, READY)
    }

    /// Lets go of the cells of an abandoned task.
    pub(super) fn release(&self) {
        self.0.store(READY, Ordering::Release);
    }

    /// `true` for the first caller after the task has come to rest, who owns the cells from now on.
    pub(super) fn take(&self) -> bool {
        self.advance(READY, TAKEN)
    }
}

/// When a task that has a span was where, for its submitter. Relaxed: what is written before the ending is told has
/// been written when it is heard.
#[derive(Debug, Default)]
pub struct Times {
    /// Nanoseconds that it waited and ran; 0: not yet known.
    wait: AtomicU64,
    run: AtomicU64,
    thread: AtomicU32,
}

impl Times {
    pub(super) fn starts(&self, wait: Duration, thread: usize) {
        self.thread.store(thread as u32, Relaxed);
        self.wait.store(nanos(wait).max(1), Relaxed);
    }

    pub(super) fn ends(&self, run: Duration) {
        self.run.store(nanos(run).max(1), Relaxed);
    }
}

/// What became of a task's time, seen from its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    pub queued_at: Instant,
    pub wait: Duration,
    /// So far, of one that is still running.
    pub run: Duration,
    /// The thread that took it, if any did.
    pub thread: Option<usize>,
}

/// A task as it lies in the queue, runs, and goes back to its submitter: one allocation for all of it.
pub struct Task<W: Work> {
    state: State,
    spec: Spec,
    queued_at: Instant,
    times: Times,
    gate: Arc<Gate>,
    work: UnsafeCell<Option<W>>,
    outcome: UnsafeCell<Option<Outcome<W::Output, W::Error>>>,
    side: W::Side,
}

// SAFETY: `work` and `outcome` are touched by one thread at a time, as the state machine above says, and both
// are `Send`; everything else in here is `Sync`.
unsafe impl<W: Work> Sync for Task<W> {}

impl<W: Work> fmt::Debug for Task<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("state", &self.state).field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// The work and, if it ran to its end in time, the outcome.
pub type Taken<W> = (W, Option<Outcome<<W as Work>::Output, <W as Work>::Error>>);

impl<W: Work> Task<W> {
    pub(super) fn new(gate: Arc<Gate>, spec: Spec, work: W, side: W::Side) -> Self {
        Self {
            state: State::new(),
            spec,
            queued_at: Instant::now(),
            times: Times::default(),
            gate,
            work: UnsafeCell::new(Some(work)),
            outcome: UnsafeCell::new(None),
            side,
        }
    }

    pub fn side(&self) -> &W::Side {
        &self.side
    }

    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Where the time of a task that has a span went.
    pub fn course(&self) -> Course {
        let queued_at = self.queued_at;
        let age = queued_at.elapsed();
        match self.times.wait.load(Relaxed) {
            0 => Course { queued_at, wait: age, run: Duration::ZERO, thread: None },
            wait => {
                let wait = Duration::from_nanos(wait);
                let run = match self.times.run.load(Relaxed) {
                    0 => age.saturating_sub(wait),
                    run => Duration::from_nanos(run),
                };
                Course { queued_at, wait, run, thread: Some(self.times.thread.load(Relaxed) as usize) }
            }
        }
    }

    /// The work and its outcome, to the first who asks after the task has come to rest.
    pub fn take(&self) -> Option<Taken<W>> {
        if !self.state.take() {
            return None;
        }
        // SAFETY: moving READY to TAKEN made this thread the owner of both cells, and it saw what their last
        // owner wrote (acquire here, release there).
        let work = self.work.with_mut(|work| unsafe { (*work).take() })?;
        // SAFETY: as above.
        let outcome = self.outcome.with_mut(|outcome| unsafe { (*outcome).take() });
        Some((work, outcome))
    }
}

/// How a run went, with the panic's payload, whose drop may panic again.
pub(super) enum Ran {
    Well,
    Failed,
    Panicked(Box<dyn Any + Send>),
}

/// A task of any kind, as the queue and the threads see it.
pub(super) trait Job: Send + Sync {
    fn spec(&self) -> &Spec;
    fn gate(&self) -> &Arc<Gate>;
    fn queued_at(&self) -> Instant;
    fn times(&self) -> &Times;
    /// `false` when the task was interrupted in the queue.
    fn start(&self) -> bool;
    /// Runs the work. Only the thread whose `start` gave `true` calls it, once, before `finish`.
    fn run(&self) -> Ran;
    /// Brings the task to rest: [`Ending::Done`] or [`Ending::Late`]. Called by the thread that ran it.
    fn finish(&self) -> Ending;
    /// The same for a thread that died outside of the work's own code.
    fn finish_dead(&self, message: &str) -> Ending;
    fn interrupt(&self, reason: Interrupt) -> Met;
    fn post(self: Arc<Self>, ending: Ending);
}

impl<W: Work> Job for Task<W> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    fn queued_at(&self) -> Instant {
        self.queued_at
    }

    fn times(&self) -> &Times {
        &self.times
    }

    fn start(&self) -> bool {
        self.state.start()
    }

    fn run(&self) -> Ran {
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.work.with_mut(|work| {
                // SAFETY: this thread moved the task to RUNNING and so owns the cell until `finish`.
                unsafe { (*work).as_mut() }.map(W::run)
            })
        }));
        let (outcome, ran) = match result {
            Ok(Some(Ok(output))) => (Outcome::Output(output), Ran::Well),
            Ok(Some(Err(error))) => (Outcome::Error(error), Ran::Failed),
            Ok(None) => (Outcome::Panicked("the task has no work".to_owned()), Ran::Failed),
            Err(payload) => (Outcome::Panicked(panic_text(&*payload)), Ran::Panicked(payload)),
        };
        // SAFETY: as above.
        self.outcome.with_mut(|cell| unsafe { *cell = Some(outcome) });
        ran
    }

    fn finish(&self) -> Ending {
        if self.state.finish() {
            return Ending::Done;
        }
        // Too late for anyone to want it; dropped here, off the submitter's thread.
        // SAFETY: the task is ABANDONED, this thread owns the cells until `release`.
        let outcome = self.outcome.with_mut(|cell| unsafe { (*cell).take() });
        drop(outcome);
        self.state.release();
        Ending::Late
    }

    fn finish_dead(&self, message: &str) -> Ending {
        // SAFETY: called by the thread that moved the task to RUNNING, while it dies.
        self.outcome.with_mut(|cell| unsafe {
            if !matches!(*cell, Some(Outcome::Panicked(_))) {
                *cell = Some(Outcome::Panicked(message.to_owned()));
            }
        });
        self.finish()
    }

    fn interrupt(&self, reason: Interrupt) -> Met {
        let met = self.state.interrupt();
        if met == Met::Running
            && let Some(token) = &self.spec.token
        {
            token.cancel(reason);
        }
        met
    }

    fn post(self: Arc<Self>, ending: Ending) {
        W::ended(&self, self.gate.observer(), ending);
    }
}
