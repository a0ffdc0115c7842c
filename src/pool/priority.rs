//! The pool's threads yield to the event loop where they compete for a CPU.

/// Lowers the calling thread's scheduling priority, where the system has such a thing and allows it.
pub(super) fn lower_this_thread() {}
