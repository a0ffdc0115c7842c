//! Cooperative cancellation: one flag, set by whoever gives up on a task, read by the loops that do its work.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

/// Why a task should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Interrupt {
    /// The caller's `AbortSignal` fired.
    Aborted = 1,
    /// The task ran longer than its timeout.
    TimedOut = 2,
    /// The pool was shut down, or the task's environment is gone.
    Closed = 3,
}

const RUNNING: u8 = 0;

/// A cancellation flag shared by a task's owner and the thread that runs it.
///
/// The first reason wins and stays. Long loops call [`CancelToken::check`] about every 64 KB of work, which
/// bounds the time between a cancellation and the thread's return to the pool.
#[derive(Clone, Debug, Default)]
pub struct CancelToken {
    flag: Arc<AtomicU8>,
    deadline: Option<Instant>,
    #[cfg(test)]
    looks: Option<Arc<Looks>>,
}

/// Looks at a flag until it is set, and after that.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct Looks {
    pub most: usize,
    pub before: std::sync::atomic::AtomicUsize,
    pub after: std::sync::atomic::AtomicUsize,
}

impl CancelToken {
    pub fn new() -> Self {
        Self::default()
    }

    /// The same flag for work that has less time: it counts as timed out from `deadline` on.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// A token that is cancelled by so many looks at it.
    #[cfg(test)]
    pub fn after(most: usize) -> (Self, Arc<Looks>) {
        let looks = Arc::new(Looks { most, ..Looks::default() });
        (Self { looks: Some(Arc::clone(&looks)), ..Self::default() }, looks)
    }

    #[cfg(test)]
    fn look(&self) {
        let Some(looks) = &self.looks else { return };
        if self.flag.load(Ordering::Relaxed) != RUNNING {
            looks.after.fetch_add(1, Ordering::Relaxed);
        } else if looks.before.fetch_add(1, Ordering::Relaxed) == looks.most {
            self.cancel(Interrupt::Aborted);
        }
    }

    /// Asks the work to stop; `false` when somebody had asked before.
    pub fn cancel(&self, reason: Interrupt) -> bool {
        self.flag.compare_exchange(RUNNING, reason as u8, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The reason to stop, if there is one.
    pub fn interrupt(&self) -> Option<Interrupt> {
        #[cfg(test)]
        self.look();
        // Relaxed: the flag publishes no other memory, it only has to be seen soon.
        match self.flag.load(Ordering::Relaxed) {
            RUNNING => {
                self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Interrupt::TimedOut)
            }
            1 => Some(Interrupt::Aborted),
            2 => Some(Interrupt::TimedOut),
            _ => Some(Interrupt::Closed),
        }
    }

    /// `Err` once the work should stop.
    pub fn check(&self) -> Result<(), Interrupt> {
        self.interrupt().map_or(Ok(()), Err)
    }

    /// Runs `work` with this token as the thread's, for code that is too deep down to be handed one: see
    /// [`is_interrupted`].
    pub fn scope<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Restore(Option<CancelToken>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(self.clone())));
        work()
    }
}

thread_local! {
    static CURRENT: RefCell<Option<CancelToken>> = const { RefCell::new(None) };
}

/// Whether the work that this thread is doing within [`CancelToken::scope`] should stop. What it returns then is thrown
/// away, so it may return anything.
pub fn is_interrupted() -> bool {
    CURRENT.with_borrow(|current| current.as_ref().is_some_and(|token| token.interrupt().is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_wins() {
        let token = CancelToken::new();
        assert_eq!(token.check(), Ok(()));
        assert!(token.cancel(Interrupt::TimedOut));
        assert!(!token.clone().cancel(Interrupt::Aborted));
        assert_eq!(token.check(), Err(Interrupt::TimedOut));
    }

    #[test]
    fn a_deadline_counts_for_its_own_token_only() {
        let token = CancelToken::new();
        let late = token.until(Instant::now());
        assert_eq!((token.check(), late.check()), (Ok(()), Err(Interrupt::TimedOut)));
        token.cancel(Interrupt::Aborted);
        assert_eq!(late.check(), Err(Interrupt::Aborted));
    }

    #[test]
    fn a_scope_ends_with_its_work() {
        let token = CancelToken::new();
        token.cancel(Interrupt::Closed);
        assert!(!is_interrupted());
        assert!(token.scope(|| CancelToken::new().scope(|| !is_interrupted()) && is_interrupted()));
        assert!(!is_interrupted());
    }
}
