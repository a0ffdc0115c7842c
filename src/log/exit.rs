//! The last moments of the process.
//!
//! A signal that ends the process gives the writers a moment: their threads still run, so the handler has nothing to do but
//! to say that the end is near, and to wait. Then the signal takes its course, through the handler that was there before.
//! All of it is atomics and a sleep, as a handler may interrupt anything.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use super::ring::Ring;

/// Rings that have a writer. What is over is not waited for.
const SLOTS: usize = 64;
static RINGS: [AtomicPtr<Ring>; SLOTS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; SLOTS];
/// The writers' threads.
static WRITERS: [AtomicUsize; SLOTS] = [const { AtomicUsize::new(0) }; SLOTS];

static IS_NEAR: AtomicBool = AtomicBool::new(false);

/// Whether writers should write what they have.
pub fn is_near() -> bool {
    IS_NEAR.load(Ordering::Relaxed)
}

/// Keeps a ring among those that are waited for.
#[derive(Debug)]
pub struct Watch {
    slot: Option<usize>,
    on_this_thread: PhantomData<*const ()>,
}

/// Called by the ring's writer, which keeps the ring until it has dropped the result.
pub fn watch(ring: &Ring) -> Watch {
    let pointer = std::ptr::from_ref(ring).cast_mut();
    let slot = RINGS.iter().position(|slot| {
        slot.compare_exchange(std::ptr::null_mut(), pointer, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    });
    if let Some(slot) = slot {
        WRITERS[slot].store(this_thread(), Ordering::SeqCst);
    }
    Watch { slot, on_this_thread: PhantomData }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(slot) = self.slot else { return };
        WRITERS[slot].store(0, Ordering::SeqCst);
        RINGS[slot].store(std::ptr::null_mut(), Ordering::SeqCst);
        // A handler that saw it may be reading it still.
        while IS_NEAR.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

#[cfg(unix)]
pub use signals::install;

#[cfg(unix)]
fn this_thread() -> usize {
    // SAFETY: no arguments, no effects.
    unsafe { libc::pthread_self() as usize }
}

#[cfg(not(unix))]
fn this_thread() -> usize {
    1
}

/// Elsewhere processes end otherwise.
#[cfg(not(unix))]
pub fn install(_signals: &[i32]) {}

#[cfg(unix)]
mod signals {
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicPtr, Ordering};

    use super::{IS_NEAR, RINGS, WRITERS, this_thread};

    /// Milliseconds that a signal waits for the writers.
    const LIMIT_MS: usize = 2000;
    const SIGNALS: usize = 65;

    /// What to do after us, by signal. Never freed.
    static BEFORE: [AtomicPtr<libc::sigaction>; SIGNALS] =
        [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS];

    /// Has these signals wait for the writers. Those that have been installed stay as they are.
    pub fn install(signals: &[i32]) {
        static INSTALLING: Mutex<()> = Mutex::new(());
        let _guard = INSTALLING.lock();
        for &signal in signals {
            let Some(slot) = BEFORE.get(signal as usize) else { continue };
            if slot.load(Ordering::Acquire).is_null() {
                install_one(signal, slot);
            }
        }
    }

    fn install_one(signal: i32, slot: &AtomicPtr<libc::sigaction>) {
        let mut before = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: valid pointers; the new action is complete, and its handler does only what handlers may.
        unsafe {
            if libc::sigaction(signal, ptr::null(), before.as_mut_ptr()) != 0 {
                return;
            }
            let before = before.assume_init();
            if before.sa_sigaction == libc::SIG_IGN {
                return; // It ends nothing.
            }
            slot.store(Box::into_raw(Box::new(before)), Ordering::Release);
            let mut ours = before;
            ours.sa_sigaction = on_signal as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | (before.sa_flags & libc::SA_ONSTACK);
            libc::sigaction(signal, &raw const ours, ptr::null_mut());
        }
    }

    extern "C" fn on_signal(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        wait_for_writers();
        let before = BEFORE[signal as usize].load(Ordering::Acquire);
        // SAFETY: stored before the handler was installed, and never freed.
        let Some(before) = (unsafe { before.as_ref() }) else { return };
        // SAFETY: what was there is called as the system would have called it; or put back, and the signal sent again:
        // it comes when we have returned, as it is blocked until then. A fault comes again by itself.
        unsafe {
            // A handler for one time counts on it that the next one ends the process: Node's for SIGTERM and SIGINT does.
            if before.sa_flags & libc::SA_RESETHAND != 0 {
                let mut default = *before;
                default.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, &raw const default, ptr::null_mut());
            }
            match before.sa_sigaction {
                libc::SIG_IGN => {}
                libc::SIG_DFL => {
                    libc::sigaction(signal, before, ptr::null_mut());
                    libc::raise(signal);
                }
                handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
                    let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) =
                        std::mem::transmute(handler);
                    handler(signal, info, context);
                }
                handler => {
                    let handler: extern "C" fn(i32) = std::mem::transmute(handler);
                    handler(signal);
                }
            }
        }
    }

    fn wait_for_writers() {
        let this = this_thread();
        if WRITERS.iter().any(|writer| writer.load(Ordering::SeqCst) == this) {
            return; // It would wait for itself.
        }
        if IS_NEAR.swap(true, Ordering::SeqCst) {
            return; // A fault while we waited.
        }
        for _ in 0..LIMIT_MS {
            let is_done = RINGS.iter().all(|slot| {
                let ring = slot.load(Ordering::SeqCst);
                // SAFETY: whoever takes it out waits until the end is not near any more.
                unsafe { ring.as_ref() }.is_none_or(super::Ring::is_empty)
            });
            if is_done {
                break;
            }
            let moment = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
            // SAFETY: a valid time; nobody asks how much of it was left.
            unsafe { libc::nanosleep(&raw const moment, ptr::null_mut()) };
        }
        IS_NEAR.store(false, Ordering::SeqCst);
    }
}
