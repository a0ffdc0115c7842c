//! Completions on their way to the thread that settles them: many producers, one consumer, no lock.
//!
//! The consumer is an event loop; it must not wait for a lock that a descheduled pool thread holds. So this is a
//! Treiber stack of links that live inside what they carry (no allocation), which the consumer takes whole with
//! one swap and reverses into the order of arrival. Taken whole, it has no ABA problem.
//!
//! The push that finds the stack empty is the one that wakes the consumer: one wake-up serves all that arrive
//! until the swap.

use std::fmt;
use std::ptr::{self, NonNull};

use super::sync::{AtomicPtr, Ordering, UnsafeCell};

/// The place of one message in a [`Stack`]; lives inside the object that the message keeps alive.
pub struct Link<M> {
    next: AtomicPtr<Link<M>>,
    message: UnsafeCell<Option<M>>,
}

impl<M> Default for Link<M> {
    fn default() -> Self {
        Self { next: AtomicPtr::new(ptr::null_mut()), message: UnsafeCell::new(None) }
    }
}

impl<M> fmt::Debug for Link<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

// SAFETY: a link is touched by the thread that pushes it, then by the one that takes it, and the message moves
// from one to the other.
unsafe impl<M: Send> Send for Link<M> {}
// SAFETY: as above.
unsafe impl<M: Send> Sync for Link<M> {}

/// What a push met.
#[derive(Debug)]
pub enum Push<M> {
    /// An empty stack: wake the consumer.
    First,
    /// Others are waiting; the consumer knows.
    Another,
    /// A closed stack; here is the message back.
    Closed(M),
}

/// See the module's documentation.
#[repr(align(128))]
pub struct Stack<M> {
    head: AtomicPtr<Link<M>>,
}

impl<M> fmt::Debug for Stack<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stack")
    }
}

impl<M> Default for Stack<M> {
    fn default() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()) }
    }
}

/// Marks a closed stack. Never dereferenced; no link has this address, as links are aligned.
fn closed<M>() -> *mut Link<M> {
    ptr::without_provenance_mut(1)
}

impl<M: Send> Stack<M> {
    /// Pushes a message.
    ///
    /// # Safety
    ///
    /// `link` points to a link that is in no stack and that no other thread is pushing, and `message` keeps it
    /// alive (owns the object that the link is part of) until it is dropped.
    pub unsafe fn push(&self, link: NonNull<Link<M>>, message: M) -> Push<M> {
        // SAFETY: alive and ours alone, as promised.
        let place = unsafe { link.as_ref() };
        // SAFETY: ours alone until the exchange below publishes it.
        place.message.with_mut(|cell| unsafe { *cell = Some(message) });
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if head == closed() {
                // SAFETY: it was not published, so still ours.
                let message = place.message.with_mut(|cell| unsafe { (*cell).take() });
                return message.map_or(Push::Another, Push::Closed);
            }
            place.next.store(head, Ordering::Relaxed);
            // Release publishes the message. From here on the consumer may take it and free the link.
            match self.head.compare_exchange_weak(head, link.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) if head.is_null() => return Push::First,
                Ok(_) => return Push::Another,
                Err(now) => head = now,
            }
        }
    }

    /// Takes all messages, the oldest first. Only the consumer calls it.
    pub fn take(&self) -> Batch<M> {
        if matches!(self.head.load(Ordering::Relaxed), head if head.is_null() || head == closed()) {
            return Batch::default();
        }
        Batch::reversed(self.head.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Takes all messages and refuses further ones.
    pub fn close(&self) -> Batch<M> {
        let head = self.head.swap(closed(), Ordering::Acquire);
        if head == closed() { Batch::default() } else { Batch::reversed(head) }
    }
}

impl<M> Drop for Stack<M> {
    fn drop(&mut self) {
        let head = self.head.swap(closed(), Ordering::Acquire);
        if head != closed() {
            drop(Batch::reversed(head));
        }
    }
}

/// Messages taken off a stack, in the order of their arrival.
pub struct Batch<M> {
    first: *mut Link<M>,
}

impl<M> fmt::Debug for Batch<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batch")
    }
}

impl<M> Default for Batch<M> {
    fn default() -> Self {
        Self { first: ptr::null_mut() }
    }
}

impl<M> Batch<M> {
    fn reversed(mut newest: *mut Link<M>) -> Self {
        let mut first = ptr::null_mut();
        while let Some(link) = NonNull::new(newest) {
            // SAFETY: a link on the stack is kept alive by the message in it, and is the consumer's since the
            // swap that took it.
            let place = unsafe { link.as_ref() };
            newest = place.next.load(Ordering::Relaxed);
            place.next.store(first, Ordering::Relaxed);
            first = link.as_ptr();
        }
        Self { first }
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }
}

impl<M> Iterator for Batch<M> {
    type Item = M;

    fn next(&mut self) -> Option<M> {
        let link = NonNull::new(self.first)?;
        // SAFETY: as in `reversed`; the message is moved out last, as dropping it may free the link.
        let place = unsafe { link.as_ref() };
        self.first = place.next.load(Ordering::Relaxed);
        // SAFETY: the consumer's since the swap.
        place.message.with_mut(|cell| unsafe { (*cell).take() })
    }
}

impl<M> Drop for Batch<M> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
