//! The thread that brings lines from rings to the file.
//!
//! It looks every few milliseconds while lines come, so that the thread that logs need not wake it; a log that has been
//! quiet for a while is left until the next line. A batch is written when there are enough lines for one, or the first has
//! waited long enough, or somebody waits.

mod batch;
mod rotate;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::batch::Batch;
use super::file::LogFile;
use super::ring::{Ring, Slot};
use super::sink::{Failure, Notice, Shared};
use super::{exit, system};

/// Between two looks while lines come.
const LOOK: Duration = Duration::from_millis(5);
/// A log without lines for so long is left alone.
const QUIET: Duration = Duration::from_millis(500);
/// Between attempts after a failure: from, to.
const RETRY: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];
/// How long a log that is being closed waits for a reader of its pipe.
const GIVE_UP: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    file: LogFile,
    /// Rings of dead processes, to be written before ours.
    left: VecDeque<Ring>,
    batch: Batch,
    /// A line that is longer than the ring, as far as it has come.
    partial: Vec<u8>,
    /// Positions in our ring: what has been looked at, and how many lines that are.
    seen: u32,
    lines: usize,
    /// When the first of them was seen.
    since: Option<Instant>,
    /// When there was a line last.
    active: Instant,
    failing: Option<Failing>,
    /// The interval that the file belongs to.
    period: Option<u64>,
    archive: Option<JoinHandle<()>>,
    /// Files have become old since that began.
    archive_again: bool,
}

#[derive(Debug)]
struct Failing {
    first: Instant,
    again: Instant,
    pause: Duration,
    is_told: bool,
}

impl Writer {
    pub fn new(shared: Arc<Shared>, file: LogFile) -> Self {
        Self {
            shared,
            file,
            left: VecDeque::new(),
            batch: Batch::default(),
            partial: Vec::new(),
            seen: 0,
            lines: 0,
            since: None,
            active: Instant::now(),
            failing: None,
            period: None,
            archive: None,
            archive_again: false,
        }
    }

    pub fn run(&mut self) {
        system::refuse_signals();
        let _watched = exit::watch(&self.shared.ring);
        if self.shared.options.durable {
            self.adopt();
        }
        loop {
            let urgent = self.shared.urgent.swap(false, Ordering::AcqRel) || exit::is_near();
            if urgent && std::mem::take(&mut self.shared.lock().reopen) {
                self.file.reopen();
            }
            self.look();
            if self.is_due(urgent) {
                self.write_all();
            }
            if urgent && self.settle() {
                break;
            }
            self.archive_if_due();
            self.rest();
        }
        self.end();
    }

    /// Counts the lines that have come.
    fn look(&mut self) {
        let ring = &self.shared.ring;
        let head = ring.head();
        if self.seen.wrapping_sub(head) as i32 <= 0 {
            (self.seen, self.lines) = (head, 0);
        }
        loop {
            let next = match ring.read(self.seen) {
                Slot::Empty => break,
                Slot::Record(record) => record.next,
                Slot::Torn { next } => next,
            };
            self.seen = next;
            self.lines += 1;
            if self.lines >= self.shared.options.batch {
                break; // Enough to know.
            }
        }
        if self.lines > 0 || !self.left.is_empty() {
            self.active = Instant::now();
            self.since.get_or_insert(self.active);
        } else {
            self.since = None;
        }
    }

    fn is_due(&self, urgent: bool) -> bool {
        let Some(since) = self.since else { return false };
        if let Some(failing) = &self.failing {
            return urgent || Instant::now() >= failing.again;
        }
        urgent
            || !self.left.is_empty()
            || self.lines >= self.shared.options.batch
            || since.elapsed() + LOOK / 2 >= self.shared.options.interval
            || self.shared.ring.used() > self.shared.ring.capacity() / 4
    }

    fn rest(&mut self) {
        if self.shared.urgent.load(Ordering::Acquire) {
            return;
        }
        let ring = &self.shared.ring;
        if self.since.is_none() && self.active.elapsed() > QUIET && ring.lie_down() {
            thread::park();
            ring.get_up();
            self.active = Instant::now();
            return;
        }
        let pause = match (&self.failing, self.since) {
            (Some(failing), _) => failing.again.saturating_duration_since(Instant::now()).min(LOOK * 4),
            (None, Some(since)) => self.shared.options.interval.saturating_sub(since.elapsed()).min(LOOK),
            (None, None) => LOOK,
        };
        thread::park_timeout(pause.max(Duration::from_millis(1)));
    }

    /// Tells those who wait; whether the log is closed.
    fn settle(&mut self) -> bool {
        let mut control = self.shared.lock();
        let head = self.shared.ring.head();
        let failure = if self.failing.is_some() { control.failure.clone() } else { None };
        let mut told = Vec::new();
        control.tickets.retain(|&(until, ticket)| {
            let is_written = until.wrapping_sub(head) as i32 <= 0;
            if is_written {
                told.push(Notice::Flushed { ticket, result: Ok(()) });
            } else if let Some(failure) = &failure {
                told.push(Notice::Flushed { ticket, result: Err(failure.clone()) });
            }
            !is_written && failure.is_none()
        });
        if !control.tickets.is_empty() {
            self.shared.urgent.store(true, Ordering::Release);
        }
        let is_stuck = self.failing.as_ref().is_some_and(|failing| failing.first.elapsed() > GIVE_UP);
        let is_over = control.closing && (self.shared.ring.is_empty() || failure.is_some() || is_stuck);
        if control.closing && !is_over {
            self.shared.urgent.store(true, Ordering::Release);
        }
        drop(control);
        for notice in told {
            (self.shared.notify)(notice);
        }
        is_over
    }

    fn end(&mut self) {
        while let Some(archive) = self.archive.take() {
            let _ = archive.join(); // It has nothing to tell.
            self.archive_if_due();
        }
        if self.shared.ring.is_empty() {
            let _ = self.shared.ring.memory().unlink(); // An empty ring left behind does no harm.
        }
        {
            let mut control = self.shared.lock();
            control.closed = true;
        }
        self.shared.moved.notify_all();
        (self.shared.notify)(Notice::Closed);
    }
}

/// Failing, and getting over it.
impl Writer {
    fn succeeded(&mut self) {
        if let Some(failing) = self.failing.take() {
            self.shared.lock().failure = None;
            if failing.is_told {
                (self.shared.notify)(Notice::Recovered);
            }
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.file.release();
        // A pipe that is full is no failure, though whoever waits should know.
        let is_full = error.kind() == io::ErrorKind::WouldBlock;
        let now = Instant::now();
        let (first, was_told, pause) = match &self.failing {
            Some(before) => (before.first, before.is_told, (before.pause * 2).min(RETRY[1])),
            None => (now, false, RETRY[0]),
        };
        let pause = if is_full { RETRY[0] } else { pause };
        self.failing = Some(Failing { first, again: now + pause, pause, is_told: was_told || !is_full });
        if is_full {
            return;
        }
        self.shared.counts.failures.fetch_add(1, Ordering::Relaxed);
        {
            let mut control = self.shared.lock();
            control.failures += 1;
            control.failure = Some(Failure::from(error));
        }
        self.shared.moved.notify_all();
        if !was_told {
            self.tell(error);
        }
        if self.batch.written == 0 {
            // Opened anew at the next attempt: the descriptor may be what is wrong.
            self.file.reopen();
        }
    }

    fn wake_waiting(&self) {
        if self.shared.lock().waiting > 0 {
            self.shared.moved.notify_all();
        }
    }

    fn tell(&self, error: &io::Error) {
        (self.shared.notify)(Notice::Failed(Failure::from(error)));
    }
}
