//! The pool's threads yield to the event loop where they compete for a CPU.

/// Steps of niceness below the process's own.
///
/// `npm run bench:pool -- --only readFile` shows what it buys: file reads beside a saturated pool. More would buy more
/// (and the idle policy most), but a pool that hardly runs beside a busy event loop, or beside other processes, would
/// let its tasks run into their timeouts.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// Lowers the calling thread's scheduling priority, where the system has such a thing and allows it.
#[cfg(target_os = "linux")]
pub(super) fn lower_this_thread() {
    // SAFETY: plain system calls; on Linux `who` 0 is the calling thread, whose niceness it has from the thread that
    // started it. getpriority's -1 may be an error or a niceness, and as either does no harm; a refusal changes
    // nothing.
    unsafe {
        let own = libc::getpriority(libc::PRIO_PROCESS, libc::getpid().cast_unsigned());
        libc::setpriority(libc::PRIO_PROCESS, 0, own + NICE);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn lower_this_thread() {}
