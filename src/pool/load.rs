//! How much is in the pool, bounded.
//!
//! A single counter would bounce between the submitter's CPU and the pool threads' with every task, and the
//! submitter's time is the dear one. So there are two counters that only grow, one written by submitters and one by
//! pool threads, on cache lines of their own. A submitter compares with what it last saw of the other, and looks
//! again only when that would make it refuse: with a wide bound, once in thousands of tasks.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Tasks waiting or running, and the bytes they hold.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub(super) tasks: Gauge,
    pub(super) bytes: Gauge,
}

/// The difference of two counters that only grow. Wraps around with the word.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    added: Added,
    removed: Removed,
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct Added {
    total: AtomicUsize,
    /// What a submitter last saw of the other counter; never ahead of it.
    removed_seen: AtomicUsize,
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct Removed(AtomicUsize);

impl Gauge {
    /// Adds, unless the sum then exceeds `limit`.
    pub(super) fn add(&self, amount: usize, limit: usize) -> bool {
        let before = self.added.total.fetch_add(amount, Ordering::SeqCst);
        let fits = |removed: usize| before.wrapping_sub(removed).saturating_add(amount) <= limit;
        if fits(self.added.removed_seen.load(Ordering::Relaxed)) {
            return true;
        }
        let removed = self.removed.0.load(Ordering::SeqCst);
        self.added.removed_seen.store(removed, Ordering::Relaxed);
        let fits = fits(removed);
        if !fits {
            self.take_back(amount);
        }
        fits
    }

    /// Undoes an addition.
    pub(super) fn take_back(&self, amount: usize) {
        self.added.total.fetch_sub(amount, Ordering::SeqCst);
    }

    pub(super) fn remove(&self, amount: usize) {
        self.removed.0.fetch_add(amount, Ordering::SeqCst);
    }

    pub(super) fn now(&self) -> usize {
        // In this order, as what is removed was added before.
        let removed = self.removed.0.load(Ordering::SeqCst);
        self.added.total.load(Ordering::SeqCst).wrapping_sub(removed)
    }

    /// All that was ever added.
    pub(super) fn ever(&self) -> usize {
        self.added.total.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_stops_at_its_limit_and_goes_on_below_it() {
        let gauge = Gauge::default();
        assert!(gauge.add(6, 10));
        assert!(!gauge.add(5, 10));
        assert!(gauge.add(4, 10));
        gauge.remove(6);
        assert_eq!(gauge.now(), 4);
        assert!(gauge.add(6, 10));
        assert!(!gauge.add(1, 10));
        assert_eq!((gauge.now(), gauge.ever()), (10, 16));
    }

    #[test]
    fn a_gauge_refuses_what_alone_exceeds_its_limit() {
        let gauge = Gauge::default();
        assert!(!gauge.add(usize::MAX, 10));
        assert_eq!(gauge.now(), 0);
    }

    #[test]
    fn a_gauge_survives_the_end_of_the_word() {
        let gauge = Gauge::default();
        for _ in 0..5 {
            assert!(gauge.add(usize::MAX / 2, usize::MAX / 2));
            gauge.remove(usize::MAX / 2);
        }
        assert!(gauge.add(1, 1));
        assert!(!gauge.add(1, 1));
    }
}
