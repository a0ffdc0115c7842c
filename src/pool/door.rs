//! A client's door: how a closing client and those who meet it in the doorway see each other, apart from what they do then, so that
//! loom can try it out.
//!
//! Both sides write before they look. A submitter puts its task in the lanes and then looks whether the door is open
//! still; who shuts it does so before the threads are told to end. A thread shows what it is about to run and then looks whether that may
//! run still; who terminates says so before looking at what the threads show.

use super::sync::{AtomicBool, Ordering, fence};

#[derive(Debug)]
pub(super) struct Door {
    open: AtomicBool,
    /// No task may start any more.
    terminated: AtomicBool,
}

impl Door {
    pub(super) fn new() -> Self {
        Self { open: AtomicBool::new(true), terminated: AtomicBool::new(false) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }

    /// `true` for the one who shuts it.
    pub(super) fn shut(&self) -> bool {
        self.open.swap(false, Ordering::SeqCst)
    }

    /// For a thread that has shown its task.
    pub(super) fn is_terminated(&self) -> bool {
        self.terminated.load(Ordering::SeqCst)
    }

    /// The caller then looks for tasks that wait or run, and interrupts them.
    pub(super) fn terminate(&self) {
        self.terminated.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }
}
