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

/// The producer: whether so many units fit behind `tail` in a ring of `capacity` units. Positions wrap around.
pub fn has_room(head: &impl Word, tail: u32, units: u32, capacity: u32) -> bool {
    // Acquire: what the consumer read in the room that it gave back is behind us.
    tail.wrapping_sub(head.load(Ordering::Acquire)).saturating_add(units) <= capacity
}

/// The consumer: what lies before `position` has been read, and may be written again.
pub fn hand_back(head: &impl Word, position: u32) {
    head.store(position, Ordering::Release);
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
    use super::{Word, hand_back, has_room, lie_down, publish};
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

    /// A unit is written again only when it has been read, and read only as it was written, also where positions wrap around.
    #[test]
    fn no_unit_is_used_by_both_sides() {
        const UNITS: usize = 2;
        const FIRST: u32 = u32::MAX - 1;
        let place = |position: u32| position as usize % UNITS;
        loom::model(move || {
            let words = || AtomicU32::new(FIRST);
            let shared =
                Arc::new((words(), words(), AtomicU32::new(0), [UnsafeCell::new(0), UnsafeCell::new(0)]));
            let theirs = Arc::clone(&shared);
            let producer = thread::spawn(move || {
                let (head, tail, sleeping, cells) = &*theirs;
                let mut position = FIRST;
                for _ in 0..4 {
                    if has_room(head, position, 1, UNITS as u32) {
                        // SAFETY: the producer's, as there is room.
                        cells[place(position)].with_mut(|cell| unsafe { *cell = position });
                        position = position.wrapping_add(1);
                        publish(tail, sleeping, position);
                    }
                }
                position
            });
            let (head, tail, _, cells) = &*shared;
            let mut seen = FIRST;
            let mut read = |until: u32| {
                while seen != until {
                    // SAFETY: published, and not given back.
                    let value = cells[place(seen)].with(|cell| unsafe { *cell });
                    assert_eq!(value, seen);
                    seen = seen.wrapping_add(1);
                    hand_back(head, seen);
                }
            };
            for _ in 0..2 {
                read(Word::load(tail, Order::Acquire));
            }
            let written = producer.join().unwrap();
            assert!(written.wrapping_sub(FIRST) >= UNITS as u32);
            read(written);
        });
    }
}
