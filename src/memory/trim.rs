//! Memory that is kept for reuse goes back to the system when nobody has asked for it for a while.
//!
//! A thread of its own does it, as blocks are put on the shelf by whoever is done with them, be it a finaliser on a JS
//! thread long after the last task. It sleeps until the oldest block expires, and with nothing kept it sleeps until
//! something is: who keeps the first block wakes it. Either side writes before it looks (`WATCHING` here, the bytes
//! kept there), so that one of the two sees the other.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::shelf;

/// How long a block is kept without being asked for.
const IDLE: Duration = Duration::from_millis(1500);
/// Blocks that expire shortly after each other are freed together.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes freed after which the allocator is asked to give back what it holds.
const WORTHWHILE: usize = 8 << 20;

/// Whether the thread knows that there is something kept.
static WATCHING: AtomicBool = AtomicBool::new(false);

/// Something was put on a shelf, or much memory was freed: the system gets it back when all is quiet.
pub fn watch() {
    static TRIMMER: OnceLock<Option<Thread>> = OnceLock::new();
    if WATCHING.load(Ordering::SeqCst) || WATCHING.swap(true, Ordering::SeqCst) {
        return;
    }
    // Where the system has no thread to give, memory stays kept.
    if let Some(thread) = TRIMMER.get_or_init(start) {
        thread.unpark();
    }
}

fn start() -> Option<Thread> {
    let handle = thread::Builder::new().name("offloop-memory".to_owned()).spawn(run).ok()?;
    Some(handle.thread().clone())
}

fn run() {
    loop {
        while !WATCHING.load(Ordering::SeqCst) {
            thread::park();
        }
        trim_until_empty();
        WATCHING.store(false, Ordering::SeqCst);
        if shelf::kept() > 0 {
            WATCHING.store(true, Ordering::SeqCst);
        }
    }
}

fn trim_until_empty() {
    let mut freed = 0;
    loop {
        let now = Instant::now();
        let (bytes, oldest) = now.checked_sub(IDLE).map_or((0, Some(now)), shelf::expire);
        freed += bytes;
        if freed >= WORTHWHILE || oldest.is_none() {
            give_back();
            freed = 0;
        }
        let Some(oldest) = oldest else { return };
        thread::sleep((oldest + IDLE).saturating_duration_since(now).max(PAUSE));
    }
}

/// Asks the allocator to return free memory: what threads allocated in turns leaves holes that it keeps.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    // SAFETY: may be called at any time, from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
