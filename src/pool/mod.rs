//! The executor: threads, queues, cancellation, completions, metrics.

mod client;
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
pub use metrics::{OperationStats, Quantiles, Stats};
pub use panic::{Silence, catch};
pub use stack::{Batch, Link, Push, Stack};
pub use task::{Ending, Outcome, Priority, Spec, Taken, Task, Work};

/// A lock whose holder died is as good as any: nothing in here panics halfway through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
