//! The handle on a log: what JS threads ask of the writer thread, and wait for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::file::LogFile;
use super::layout::{HEADER, UNIT};
use super::memory::Memory;
use super::recovery;
use super::ring::Ring;
use super::rotation::Rotation;
use super::writer::Writer;

#[derive(Clone, Debug)]
pub enum Target {
    Path(PathBuf),
    Descriptor(i32),
}

#[derive(Clone, Debug)]
pub struct Options {
    pub target: Target,
    /// Lines that make a batch.
    pub batch: usize,
    /// How long a line may wait for others.
    pub interval: Duration,
    /// Bytes of the ring, a power of two.
    pub capacity: usize,
    /// Whether the ring is a file.
    pub durable: bool,
    pub rotation: Option<Rotation>,
    /// A link to the file, beside it.
    pub link: Option<String>,
}

/// What the writer has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Lines cannot be written; said once, until they can.
    Failed(Failure),
    /// They can again.
    Recovered,
    /// A call of [`Sink::flush`] is done.
    Flushed {
        ticket: u32,
        result: Result<(), Failure>,
    },
    Closed,
}

/// An I/O error that can be told to several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// 0: not the system's.
    pub errno: i32,
    pub message: String,
}

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Self {
        Self { errno: error.raw_os_error().unwrap_or(0), message: error.to_string() }
    }
}

/// Counts since the log was opened.
#[derive(Debug, Default)]
pub struct Counts {
    pub lines: AtomicU64,
    pub bytes: AtomicU64,
    pub batches: AtomicU64,
    /// Attempts to write that failed.
    pub failures: AtomicU64,
    /// Damaged records.
    pub torn: AtomicU64,
    /// Lines that an earlier process had left.
    pub recovered: AtomicU64,
    pub rotations: AtomicU64,
}

/// What waits for the writer.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// What is to be written at once: up to which position, and whom to tell.
    pub tickets: Vec<(u32, u32)>,
    pub reopen: bool,
    pub closing: bool,
    pub closed: bool,
    /// Threads waiting for `moved`.
    pub waiting: u32,
    /// Grows with each failed attempt.
    pub failures: u64,
    pub failure: Option<Failure>,
}

/// What both sides have.
pub(super) struct Shared {
    pub ring: Ring,
    pub options: Options,
    pub counts: Counts,
    pub control: Mutex<Control>,
    /// The head has moved, or an attempt has failed.
    pub moved: Condvar,
    /// There is something in `control`, or somebody waits.
    pub urgent: AtomicBool,
    pub notify: Box<dyn Fn(Notice) + Send + Sync>,
    thread: OnceLock<Thread>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hurry(&self) {
        self.urgent.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// Why a wait ended without what was waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stall {
    Failed(Failure),
    TimedOut,
}

/// A log that is open. Its writer goes on until it is closed.
#[derive(Clone, Debug)]
pub struct Sink(Arc<Shared>);

impl Sink {
    /// Opens the file and starts the writer. Lines that a killed process left come first.
    pub fn open(options: Options, notify: Box<dyn Fn(Notice) + Send + Sync>) -> io::Result<Self> {
        let file = match &options.target {
            Target::Path(path) => LogFile::open(path, options.link.clone(), options.rotation.is_some())?,
            Target::Descriptor(descriptor) => LogFile::from_descriptor(*descriptor)?,
        };
        let ring = match file.path() {
            Some(path) if options.durable => recovery::create(path, options.capacity)?,
            _ => Ring::new(Memory::heap(HEADER + options.capacity)?),
        };
        let shared = Arc::new(Shared {
            ring,
            options,
            counts: Counts::default(),
            control: Mutex::default(),
            moved: Condvar::new(),
            urgent: AtomicBool::new(false),
            notify,
            thread: OnceLock::new(),
        });
        let mut writer = Writer::new(Arc::clone(&shared), file);
        let thread =
            std::thread::Builder::new().name("offloop-log".to_owned()).spawn(move || writer.run())?;
        // The writer may have begun; until it can be woken, nobody knows of the log.
        let _ = shared.thread.set(thread.thread().clone());
        Ok(Self(shared))
    }

    pub fn ring(&self) -> &Ring {
        &self.0.ring
    }

    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    pub fn ring_path(&self) -> Option<&Path> {
        self.0.ring.memory().path()
    }

    /// The producer found the writer asleep.
    pub fn wake(&self) {
        self.0.wake();
    }

    /// Has all accepted lines written; a notice with this ticket says when they are, or that they cannot be.
    pub fn flush(&self, ticket: u32) {
        let mut control = self.0.lock();
        if control.closed {
            drop(control);
            (self.0.notify)(Notice::Flushed { ticket, result: Ok(()) });
            return;
        }
        control.tickets.push((self.0.ring.tail(), ticket));
        drop(control);
        self.0.hurry();
    }

    /// Waits until all accepted lines are written, or an attempt to write them has failed.
    pub fn flush_sync(&self, limit: Duration) -> Result<(), Stall> {
        let target = self.0.ring.tail();
        let is_written = |ring: &Ring| target.wrapping_sub(ring.head()) as i32 <= 0;
        self.wait(limit, FailsFast::Yes, is_written)
    }

    /// Waits until there are `bytes` of room.
    pub fn wait_for_room(&self, bytes: usize, limit: Duration) -> Result<(), Stall> {
        let bytes = bytes.next_multiple_of(UNIT);
        self.wait(limit, FailsFast::No, |ring| ring.capacity() - ring.used() >= bytes)
    }

    fn wait(
        &self,
        limit: Duration,
        fails_fast: FailsFast,
        holds: impl Fn(&Ring) -> bool,
    ) -> Result<(), Stall> {
        let shared = &*self.0;
        let deadline = Instant::now() + limit;
        let mut control = shared.lock();
        let failures = control.failures;
        control.waiting += 1;
        let result = loop {
            if holds(&shared.ring) {
                break Ok(());
            }
            if control.closed || (fails_fast == FailsFast::Yes && control.failures != failures) {
                break Err(control.failure.clone().map_or(Stall::TimedOut, Stall::Failed));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break Err(control.failure.clone().map_or(Stall::TimedOut, Stall::Failed));
            }
            shared.hurry();
            control = shared.moved.wait_timeout(control, left).unwrap_or_else(PoisonError::into_inner).0;
        };
        control.waiting -= 1;
        result
    }

    /// Has the path opened anew, before the next line is written.
    pub fn reopen(&self) {
        self.0.lock().reopen = true;
        self.0.hurry();
    }

    /// Writes what is there and ends the writer; a notice says when.
    pub fn close(&self) {
        self.0.lock().closing = true;
        self.0.hurry();
    }

    /// Removes the ring file, when all that is in it is written and nobody will write more without waiting for it.
    pub fn forget_ring(&self) {
        if self.0.ring.is_empty() {
            let _ = self.0.ring.memory().unlink(); // An empty ring left behind does no harm.
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailsFast {
    Yes,
    No,
}
