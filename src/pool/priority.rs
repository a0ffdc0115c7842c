//! The pool's threads yield to the event loop where they compete for a CPU.

/// Steps of niceness below the process's own.
///
/// Two CPUs, pool saturated with 2 MB parses, medians of interleaved runs on a machine that others used as well:
/// `fs.readFile` p99 took 15 ms at 0, 8 at 5, 7 at 10; event-loop delay p99 was 6, 4 and 3 ms. At 10 the pool starved
/// beside other processes (a third of the throughput in the worst run), at 5 it did not.
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
