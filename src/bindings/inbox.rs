//! Where pool threads leave what an environment's JS thread has to settle, and the bell they ring.

use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::sys;

use super::environment::Environment;
use crate::pool::{Batch, Ending, Link, Push, Stack};

/// Something to settle on the JS thread.
pub trait Settle: Send + Sync {
    fn settle(self: Arc<Self>, environment: &Environment, ending: Ending);

    /// Whether settling may take long enough to look at the clock, and make handles enough to let them go.
    fn is_heavy(&self) -> bool;

    /// Gives up on a task and rejects its promise with `error`; also when it has ended, but is not settled yet.
    fn abort(self: Arc<Self>, environment: &Environment, error: sys::napi_value);
}

/// A thing to settle and how.
pub struct Message {
    pub settle: Arc<dyn Settle>,
    pub ending: Ending,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("ending", &self.ending).finish_non_exhaustive()
    }
}

/// The environment's threadsafe function. Callable from any thread while the environment lives.
#[derive(Clone, Copy, Debug)]
struct Bell(sys::napi_threadsafe_function);

// SAFETY: a threadsafe function is made to be called from any thread; `Inbox::bell` sees to it that none calls
// it after the environment's end.
unsafe impl Send for Bell {}

/// One environment's completions. Outlives the environment, closed.
#[derive(Debug, Default)]
pub struct Inbox {
    stack: Stack<Message>,
    /// `None` once the environment ends. The lock is held over the ring, once per wake-up, so that the
    /// environment cannot end in the midst of it; the JS thread takes it only then.
    bell: Mutex<Option<Bell>>,
}

impl Inbox {
    pub(super) fn open(&self, bell: sys::napi_threadsafe_function) {
        *self.bell.lock().unwrap_or_else(PoisonError::into_inner) = Some(Bell(bell));
    }

    /// Hands a message to the JS thread; drops it when the environment is gone.
    ///
    /// # Safety
    ///
    /// As for [`Stack::push`]: `link` is part of what `message.settle` keeps alive, and in no stack.
    pub(super) unsafe fn push(&self, link: NonNull<Link<Message>>, message: Message) {
        // SAFETY: as promised by the caller.
        match unsafe { self.stack.push(link, message) } {
            Push::First => self.ring(),
            Push::Another => {}
            Push::Closed(message) => drop(message),
        }
    }

    pub(super) fn ring(&self) {
        let bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Bell(function)) = *bell {
            // SAFETY: the environment has not ended, or `close` would have emptied the bell; it waits for us
            // with the lock. The queue has no bound, so the call neither blocks nor fails but for lack of memory.
            unsafe {
                sys::napi_call_threadsafe_function(
                    function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                );
            }
        }
    }

    pub(super) fn take(&self) -> Batch<Message> {
        self.stack.take()
    }

    /// The environment ends: nothing is settled any more, and no thread calls into napi from here on.
    pub(super) fn close(&self) {
        *self.bell.lock().unwrap_or_else(PoisonError::into_inner) = None;
        drop(self.stack.close());
    }
}
