//! Cooperative cancellation: one flag, set by whoever gives up on a task, read by the loops that do its work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

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
pub struct CancelToken(Arc<AtomicU8>);

impl CancelToken {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop; `false` when somebody had asked before.
    pub fn cancel(&self, reason: Interrupt) -> bool {
        self.0.compare_exchange(RUNNING, reason as u8, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The reason to stop, if there is one.
    pub fn interrupt(&self) -> Option<Interrupt> {
        // Relaxed: the flag publishes no other memory, it only has to be seen soon.
        match self.0.load(Ordering::Relaxed) {
            RUNNING => None,
            1 => Some(Interrupt::Aborted),
            2 => Some(Interrupt::TimedOut),
            _ => Some(Interrupt::Closed),
        }
    }

    /// `Err` once the work should stop.
    pub fn check(&self) -> Result<(), Interrupt> {
        self.interrupt().map_or(Ok(()), Err)
    }
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
}
