//! How the two sides of a ring hand over and sleep, apart from where the words lie, for loom to try out.

use std::sync::atomic::{AtomicU32, Ordering};

/// A shared word.
pub trait Word {
    fn load(&self, order: Ordering) -> u32;
    fn store(&self, value: u32, order: Ordering);
    fn swap(&self, value: u32, order: Ordering) -> u32;
}

impl Word for AtomicU32 {
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }

    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }

    fn swap(&self, value: u32, order: Ordering) -> u32 {
        self.swap(value, order)
    }
}

/// The producer: what lies before `tail` can be read. Returns whether the consumer is to be woken, which is once per sleep.
pub fn publish(tail: &impl Word, sleeping: &impl Word, position: u32) -> bool {
    // An exchange rather than a store: it is what `Atomics.store` comes to, and loom has no sequentially consistent stores.
    tail.swap(position, Ordering::SeqCst);
    sleeping.load(Ordering::SeqCst) != 0 && sleeping.swap(0, Ordering::SeqCst) != 0
}

/// The consumer: whether nothing came since `seen`, and the producer knows that it has to wake it.
pub fn lie_down(sleeping: &impl Word, tail: &impl Word, seen: u32) -> bool {
    sleeping.swap(1, Ordering::SeqCst);
    if tail.load(Ordering::SeqCst) == seen {
        return true;
    }
    get_up(sleeping);
    false
}

pub fn get_up(sleeping: &impl Word) {
    sleeping.store(0, Ordering::SeqCst);
}

/// `RUSTFLAGS="--cfg loom" cargo test --no-default-features --release --lib protocol`
#[cfg(all(loom, test))]
mod models {
    use super::{Word, lie_down, publish};
    use loom::cell::UnsafeCell;
    use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
    use loom::thread;
    use std::sync::Arc;
    use std::sync::atomic::Ordering as Order;

    impl Word for AtomicU32 {
        fn load(&self, order: Order) -> u32 {
            // loom takes sequentially consistent loads for acquiring ones; its fences are as strong as they should be.
            fence(Ordering::SeqCst);
            self.load(order)
        }

        fn store(&self, value: u32, order: Order) {
            self.store(value, order);
        }

        fn swap(&self, value: u32, order: Order) -> u32 {
            let old = self.swap(value, order);
            fence(Ordering::SeqCst);
            old
        }
    }

    /// What is before the tail is there, and a consumer that sleeps has nothing to read or is woken.
    #[test]
    fn nothing_is_read_too_early_or_slept_through() {
        loom::model(|| {
            let shared = Arc::new((AtomicU32::new(0), AtomicU32::new(0), AtomicBool::new(false)));
            let cells = Arc::new([UnsafeCell::new(0), UnsafeCell::new(0)]);
            let (theirs, their_cells) = (Arc::clone(&shared), Arc::clone(&cells));
            let producer = thread::spawn(move || {
                for number in 0..2u32 {
                    // SAFETY: not published yet.
                    their_cells[number as usize].with_mut(|cell| unsafe { *cell = number + 1 });
                    if publish(&theirs.0, &theirs.1, number + 1) {
                        theirs.2.store(true, Ordering::SeqCst);
                    }
                }
            });
            let (tail, sleeping, woken) = &*shared;
            let mut seen = 0;
            let mut asleep = false;
            for _ in 0..2 {
                let now = Word::load(tail, Order::Acquire);
                while seen < now {
                    // SAFETY: published.
                    let value = cells[seen as usize].with(|cell| unsafe { *cell });
                    assert_eq!(value, seen + 1);
                    seen += 1;
                }
                if lie_down(sleeping, tail, seen) {
                    asleep = true;
                    break;
                }
            }
            producer.join().unwrap();
            let all = Word::load(tail, Order::Acquire) == seen;
            assert!(!asleep || all || woken.load(Ordering::SeqCst), "asleep with lines to write");
        });
    }
}
