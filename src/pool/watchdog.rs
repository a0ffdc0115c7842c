//! The thread that watches the clock: running tasks' timeouts and closing clients' limits.
//!
//! It sleeps until the earliest deadline it knows of, `next`. Who sets a new deadline publishes it first, reads
//! `next` afterwards, and unparks the watchdog if the new one is earlier. The watchdog sets `next` to "never",
//! looks at the deadlines, and sets `next` to the earliest: whatever it did not see was published after "never"
//! was set, so its publisher saw "never" or the value after, and unparked. With equal timeouts the deadlines only
//! grow, so that the watchdog wakes about once per timeout however many tasks run.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::executor::Core;

const NEVER: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Watchdog {
    epoch: Instant,
    /// Nanoseconds since `epoch`.
    next: AtomicU64,
    thread: OnceLock<Option<Thread>>,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self { epoch: Instant::now(), next: AtomicU64::new(NEVER), thread: OnceLock::new() }
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(NEVER)
    }

    /// Sees to it that the watchdog is up at `deadline`, which has been published before.
    pub(super) fn watch(&self, core: &Arc<Core>, deadline: Instant) {
        fence(Ordering::SeqCst);
        if self.nanos(deadline) < self.next.load(Ordering::SeqCst) {
            // The thread may be missing where the system gives no more of them: no timeouts then.
            if let Some(thread) = self.thread.get_or_init(|| start(core)) {
                thread.unpark();
            }
        }
    }

    /// Lets the watchdog look whether it is still needed.
    pub(super) fn nudge(&self) {
        if let Some(Some(thread)) = self.thread.get() {
            thread.unpark();
        }
    }
}

fn start(core: &Arc<Core>) -> Option<Thread> {
    let core = Arc::clone(core);
    let run = move || {
        super::panic::silence_this_thread();
        while !core.is_over() {
            match look(&core) {
                Some(pause) => thread::park_timeout(pause),
                None => thread::park(),
            }
        }
    };
    let handle = thread::Builder::new().name("offloop-watchdog".to_owned()).spawn(run).ok()?;
    Some(handle.thread().clone())
}

/// One round: acts on what has expired, and says how long there is nothing to do.
fn look(core: &Arc<Core>) -> Option<Duration> {
    let watchdog = core.watchdog();
    watchdog.next.store(NEVER, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    let now = Instant::now();
    let earliest = core.expire(now)?;
    watchdog.next.store(watchdog.nanos(earliest), Ordering::SeqCst);
    Some(earliest.saturating_duration_since(now))
}
