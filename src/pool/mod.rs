//! The executor: threads, queues, cancellation, completions, metrics.
//!
//! # Threads: who owns what, and why it is sound
//!
//! Four kinds of threads meet here. *Submitters* (JS threads, one for each environment) hold a [`Client`] each.
//! *Pool threads* `offloop-0`… run tasks; they belong to the [`Executor`] that the clients share, start as
//! tasks need them, and end after the last client has closed and the lanes are empty. One *watchdog*, started by the
//! first timeout, keeps the deadlines. Nobody waits for anybody but by choice: no submitter ever joins a thread,
//! takes a lock that is held over any work, or spins.
//!
//! **A task is one allocation** ([`Task`]), shared by reference count and owned by state. Its state machine
//! (`task.rs` draws it) says who may touch the work and its outcome: nobody while it waits, the thread that started
//! it while it runs, the first who takes it once it rests. Every transition is one compare-and-swap, so that of a
//! thread, an abort, a timeout and a shutdown that meet in the same instant exactly one wins, and the loser knows.
//! That is why each task ends once. An interrupted task that waits comes to rest at once: its work can be dropped
//! and its place in the queue is free; what is left in the lane is a tombstone that the next thread passes over.
//! One that runs is given up on: its submitter hears so immediately, its flag ([`CancelToken`]) is set, and when the
//! thread comes back, however late, it finds the outcome unwanted and drops it.
//!
//! **Waiting** (`lanes.rs`): two unbounded crossbeam channels, bounded by `load.rs` before a task is made. Threads
//! prefer the interactive one, and one pick in eight the other, so neither starves.
//!
//! **Sleeping** (`sleepers.rs`): threads park outside of the channels, since waking one is a system call that the
//! submitter pays for. It wakes one only when none is searching; a searcher that finds work wakes the next if there
//! is more. No wake-up is lost, as submitter and sleeper each write before they look, with a fence in between.
//!
//! **Finding what runs**: each thread shows its running job and deadline in a slot, behind a mutex that is held for a
//! few instructions and contended only by the watchdog or by a closing client. Whoever scans the slots after setting
//! a flag (`terminated`, `next`) cannot miss a job: a thread publishes first and reads the flag afterwards.
//!
//! **Telling** (`stack.rs`): endings go through [`Work::ended`] on the thread that knows of them; the bindings push
//! them on a lock-free stack whose links live inside the tasks. The consumer takes the stack whole with one swap.
//! The push that found it empty wakes the consumer, so one wake-up serves many.
//!
//! **Dying**: the work's panics are caught where it is called (`Task::run`) and become its outcome. A panic outside
//! of that (a payload whose drop panics, say) unwinds the thread; its last will settles the job in the slot, starts a
//! successor, and tells every client. The panic hook keeps pool threads off standard error.
//!
//! **Telling where time goes**: a task that has a span (`Spec::span`) notes when it started and ended, for its submitter
//! ([`Task::course`]). All run within a `tracing` span, for whoever subscribes in Rust.
//!
//! The stack, the sleepers, a client's door and the task's states use the atomics of `sync.rs`, which loom replaces to try every
//! interleaving (`models.rs`).
//!
//! [`CancelToken`]: crate::cancel::CancelToken

mod client;
mod door;
mod executor;
mod lanes;
mod load;
mod metrics;
#[cfg(all(loom, test))]
mod models;
mod panic;
mod priority;
mod sleepers;
mod stack;
mod sync;
mod task;
mod watchdog;
mod worker;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use client::{Client, Closing, Event, Observer, Refusal, Refused};
pub use executor::{Executor, Limits, default_size};
pub use metrics::{OperationStats, Quantiles, Spread, Spreads, Stats};
pub use panic::{Silence, catch};
pub use stack::{Batch, Link, Push, Stack};
pub use task::{Course, Ending, Outcome, Priority, Spec, Taken, Task, Work};

/// A lock whose holder died is as good as any: nothing in here panics halfway through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
