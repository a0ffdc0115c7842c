//! Which threads sleep, and whom to wake.
//!
//! Waking a thread is a system call, and the submitter is the one thread whose time counts. So a submission wakes
//! a sleeper only when no thread is *searching* for work: a searcher finds the new job by itself, and on finding
//! one it wakes the next if more is waiting. A burst of a thousand submissions costs one wake-up.
//!
//! No wake-up gets lost. The submitter pushes, then looks at `searching`; a searcher that goes to sleep lowers
//! `searching`, then looks at the lanes. Both have a sequentially consistent fence in between, so at least one of
//! them sees the other. A searcher that found a job looks at the lanes again in the same way.

use std::sync::Mutex;
use std::thread::Thread;

use super::sync::{AtomicU64, AtomicUsize, Ordering, fence};

#[derive(Debug)]
pub(super) struct Sleepers {
    searching: AtomicUsize,
    /// One bit for each thread that sleeps or is about to.
    asleep: Box<[AtomicU64]>,
    /// To unpark them. Written at a thread's birth only.
    threads: Box<[Mutex<Option<Thread>>]>,
}

impl Sleepers {
    pub(super) fn new(size: usize) -> Self {
        Self {
            searching: AtomicUsize::new(0),
            asleep: (0..size.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            threads: (0..size).map(|_| Mutex::new(None)).collect(),
        }
    }

    /// Enters the calling thread under its index.
    pub(super) fn register(&self, index: usize) {
        *super::lock(&self.threads[index]) = Some(std::thread::current());
    }

    /// Counts a thread as searching: itself, or a newborn one on behalf of its parent.
    pub(super) fn start_searching(&self) {
        self.searching.fetch_add(1, Ordering::SeqCst);
    }

    /// Stops searching; the caller looks at the lanes afterwards.
    pub(super) fn stop_searching(&self) {
        self.searching.fetch_sub(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Whether a new job would be found without a wake-up. The caller has pushed before.
    pub(super) fn anyone_searching(&self) -> bool {
        fence(Ordering::SeqCst);
        self.searching.load(Ordering::SeqCst) != 0
    }

    /// Says that the thread is about to park. From here on it may be woken; it stops searching if it did, and looks
    /// at the lanes once more.
    pub(super) fn lie_down(&self, index: usize) {
        self.asleep[index / 64].fetch_or(1 << (index % 64), Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Takes the announcement back: `true` on success, `false` when somebody has woken (and counted) the thread.
    pub(super) fn get_up(&self, index: usize) -> bool {
        let bit = 1 << (index % 64);
        if self.asleep[index / 64].fetch_and(!bit, Ordering::SeqCst) & bit == 0 {
            return false;
        }
        self.start_searching();
        true
    }

    pub(super) fn is_asleep(&self, index: usize) -> bool {
        self.asleep[index / 64].load(Ordering::SeqCst) & (1 << (index % 64)) != 0
    }

    /// Wakes one sleeper, which counts as searching from now on; `false` when none sleeps.
    pub(super) fn wake_one(&self) -> bool {
        for (word, asleep) in self.asleep.iter().enumerate() {
            let mut bits = asleep.load(Ordering::SeqCst);
            while bits != 0 {
                let bit = bits & bits.wrapping_neg();
                bits = asleep.fetch_and(!bit, Ordering::SeqCst);
                if bits & bit != 0 {
                    self.start_searching();
                    self.unpark(word * 64 + bit.trailing_zeros() as usize);
                    return true;
                }
            }
        }
        false
    }

    pub(super) fn wake_all(&self) {
        while self.wake_one() {}
    }

    fn unpark(&self, index: usize) {
        if let Some(thread) = &*super::lock(&self.threads[index]) {
            thread.unpark();
        }
    }
}
