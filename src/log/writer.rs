//! The thread that brings lines from rings to the file.
//!
//! It looks every few milliseconds while lines come, so that the thread that logs need not wake it; a log that has been
//! quiet for a while is left until the next line. A batch is written when there are enough lines for one, or the first has
//! waited long enough, or somebody waits.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::file::{LogFile, Opened, Place};
use super::intent::Intent;
use super::layout::record;
use super::render::render;
use super::ring::{Record, Ring, Slot};
use super::rotation::next_name;
use super::sink::{Failure, Notice, Shared};
use super::{archive, exit, recovery, system};

/// Between two looks while lines come.
const LOOK: Duration = Duration::from_millis(5);
/// A log without lines for so long is left alone.
const QUIET: Duration = Duration::from_millis(500);
/// Between attempts after a failure: from, to.
const RETRY: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];
/// How long a log that is being closed waits for a reader of its pipe.
const GIVE_UP: Duration = Duration::from_secs(5);
/// Bytes that are written at once, unless a line is longer.
const BATCH: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    file: LogFile,
    /// Rings of dead processes, to be written before ours.
    left: VecDeque<Ring>,
    batch: Batch,
    /// A line of several records, as far as it has come.
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

/// Lines on their way.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    written: usize,
    lines: u64,
    /// Whether they come from the first ring that was left, rather than ours.
    is_left: bool,
    /// The head, once they are written.
    end: u32,
    /// Where in the file they began, the last time they were tried.
    offset: u64,
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

/// Writing.
impl Writer {
    fn write_all(&mut self) {
        loop {
            match self.write_batch() {
                Ok(true) => self.succeeded(),
                Ok(false) => return,
                Err(error) => return self.failed(&error),
            }
            // What comes while we write makes batches of its own.
            if self.left.is_empty() && self.shared.ring.is_empty() {
                return;
            }
        }
    }

    /// Writes a batch; whether there was one.
    fn write_batch(&mut self) -> io::Result<bool> {
        let place = self.prepare()?;
        let result = self.write_at(place);
        self.file.release();
        if result.is_ok() {
            self.wake_waiting();
        }
        result
    }

    fn prepare(&mut self) -> io::Result<Place> {
        let place = self.file.prepare()?;
        if place.opened != Opened::Before || self.period.is_none() {
            let modified = if place.size > 0 { place.modified } else { system::since_1970() };
            self.period = self.shared.options.rotation.map(|rotation| rotation.period(modified));
        }
        if place.opened == Opened::Again {
            let error =
                io::Error::new(io::ErrorKind::NotFound, "the log file was removed, and has been made again");
            self.tell(&error);
            (self.shared.notify)(Notice::Recovered);
        }
        if place.is_torn {
            self.mend(&place)?;
        }
        Ok(place)
    }

    /// The file ends in half a line: its writer was killed. If it left a ring, that has the other half.
    fn mend(&mut self, place: &Place) -> io::Result<()> {
        self.adopt();
        for ring in &self.left {
            recovery::resolve(ring, &mut self.file, place)?;
        }
        let size = self.file.length()?;
        if size > 0 && self.file.read(size - 1, 1)? != b"\n" {
            self.file.write(b"\n", &mut 0, size)?;
        }
        Ok(())
    }

    fn write_at(&mut self, mut place: Place) -> io::Result<bool> {
        if self.batch.bytes.is_empty() {
            let room = self.room(&place);
            self.gather(room, &place)?;
            if self.batch.bytes.is_empty() {
                return Ok(false);
            }
        }
        if place.is_regular {
            place.size = self.file.length()?; // What dead processes left undone may have been added.
        }
        if let Some(to) = self.rotation_due(&place)? {
            place = self.file.rotate(&to)?;
            self.shared.counts.rotations.fetch_add(1, Ordering::Relaxed);
            self.rotated();
        }
        if place.is_regular && self.batch.written == 0 {
            self.batch.offset = place.size;
            self.note_intent(&place);
        }
        let Batch { bytes, written, offset, .. } = &mut self.batch;
        self.file.write(bytes, written, *offset)?;
        self.written();
        Ok(true)
    }

    /// The ring that the batch is from.
    fn ring(&self) -> &Ring {
        self.left.front().filter(|_| self.batch.is_left).unwrap_or(&self.shared.ring)
    }

    fn note_intent(&self, place: &Place) {
        let ring = self.ring();
        if ring.memory().path().is_none() {
            return;
        }
        let length = self.batch.bytes.len() as u64;
        let intent =
            Intent { start: ring.head(), end: self.batch.end, file: place.id, offset: place.size, length };
        intent.note(ring);
    }

    /// The batch is in the file.
    fn written(&mut self) {
        self.ring().set_head(self.batch.end);
        let counts = &self.shared.counts;
        counts.lines.fetch_add(self.batch.lines, Ordering::Relaxed);
        counts.bytes.fetch_add(self.batch.bytes.len() as u64, Ordering::Relaxed);
        counts.batches.fetch_add(1, Ordering::Relaxed);
        if self.batch.is_left {
            counts.recovered.fetch_add(self.batch.lines, Ordering::Relaxed);
        }
        self.batch.bytes.clear();
        if self.batch.bytes.capacity() > 4 * BATCH {
            self.batch.bytes = Vec::new();
        }
        self.batch.written = 0;
        self.batch.lines = 0;
        self.since = None;
    }

    /// Renders lines: as many as fit in `room` bytes, one at least.
    fn gather(&mut self, room: usize, place: &Place) -> io::Result<()> {
        loop {
            if let Some(ring) = self.left.front() {
                recovery::resolve(ring, &mut self.file, place)?;
            }
            self.batch.is_left = !self.left.is_empty();
            self.gather_from_ring(room);
            if !self.batch.bytes.is_empty() {
                return Ok(());
            }
            self.ring().set_head(self.batch.end);
            let Some(ring) = self.left.pop_front() else { return Ok(()) };
            // Nothing more in a ring that was left. A line that it has in part only was never accepted.
            let _ = ring.memory().unlink(); // Empty: it does no harm.
            if !std::mem::take(&mut self.partial).is_empty() {
                self.count_torn();
            }
        }
    }

    fn gather_from_ring(&mut self, room: usize) {
        let shared = Arc::clone(&self.shared);
        let left = if self.batch.is_left { self.left.pop_front() } else { None };
        let ring = left.as_ref().unwrap_or(&shared.ring);
        let mut position = ring.head();
        while self.batch.bytes.len() < BATCH {
            let before = self.batch.bytes.len();
            match ring.read(position) {
                Slot::Empty => break,
                Slot::Torn { next } => {
                    self.count_torn();
                    position = next;
                }
                // A long line comes in parts, which make room for each other, and is a batch of its own.
                Slot::Record(part) if part.continues || part.kind == record::MORE => {
                    if before > 0 {
                        break;
                    }
                    position = part.next;
                    if self.add_part(&part) {
                        break;
                    }
                    ring.set_head(position);
                    shared.moved.notify_all();
                }
                Slot::Record(record) => {
                    self.partial.clear(); // A line that was given up.
                    let batch = &mut self.batch;
                    if !render(&record, &mut batch.bytes) {
                        self.count_torn();
                    } else if batch.bytes.len() > room && before > 0 {
                        batch.bytes.truncate(before);
                        break;
                    } else {
                        batch.lines += 1;
                    }
                    position = record.next;
                }
            }
        }
        self.batch.end = position;
        if let Some(ring) = left {
            self.left.push_front(ring);
        }
    }

    /// Adds a part of a line; whether that is complete.
    fn add_part(&mut self, part: &Record<'_>) -> bool {
        if part.kind != record::MORE {
            self.partial.clear();
        } else if self.partial.is_empty() {
            self.count_torn(); // Its beginning is lost.
            return false;
        }
        self.partial.extend_from_slice(part.payload);
        if part.continues {
            return false;
        }
        std::mem::swap(&mut self.batch.bytes, &mut self.partial);
        self.partial.clear();
        self.batch.lines = 1;
        true
    }

    fn count_torn(&self) {
        self.shared.counts.torn.fetch_add(1, Ordering::Relaxed);
    }

    fn adopt(&mut self) {
        let Some(path) = self.file.path().map(PathBuf::from) else { return };
        match recovery::adopt(&path) {
            Ok(found) => {
                self.left.extend(found.rings);
                for (file, why) in found.set_aside {
                    self.count_torn();
                    let text = format!("a ring file was set aside as {}: {why}", file.display());
                    self.tell(&io::Error::new(io::ErrorKind::InvalidData, text));
                }
            }
            Err(error) => self.tell(&error),
        }
    }

    fn tell(&self, error: &io::Error) {
        (self.shared.notify)(Notice::Failed(Failure::from(error)));
    }
}

/// Rotation.
impl Writer {
    /// Bytes until the file is full.
    fn room(&self, place: &Place) -> usize {
        let limit = self.shared.options.rotation.and_then(|rotation| rotation.size);
        limit.map_or(usize::MAX, |limit| limit.saturating_sub(place.size) as usize)
    }

    /// The name that the file gets, where the batch does not belong into it any more.
    fn rotation_due(&mut self, place: &Place) -> io::Result<Option<PathBuf>> {
        let Some(rotation) = self.shared.options.rotation else { return Ok(None) };
        if !place.is_regular || self.batch.written > 0 {
            return Ok(None);
        }
        let now = system::since_1970();
        let period = rotation.period(now);
        let is_old = self.period.is_some_and(|of_file| of_file != period);
        if place.size == 0 {
            self.period = Some(period);
            return Ok(None);
        }
        if !is_old && self.batch.bytes.len() <= self.room(place) {
            return Ok(None);
        }
        self.file.path().map(|path| next_name(path, rotation.names, now)).transpose()
    }

    fn rotated(&mut self) {
        let Some(rotation) = self.shared.options.rotation else { return };
        self.period = Some(rotation.period(system::since_1970()));
        self.archive_again = true;
        self.archive_if_due();
    }

    /// Starts the thread for old files, if there are any that the last one did not see and it has ended.
    fn archive_if_due(&mut self) {
        let Some(rotation) = self.shared.options.rotation else { return };
        let is_busy = self.archive.as_ref().is_some_and(|archive| !archive.is_finished());
        if self.archive_again && !is_busy {
            self.archive_again = false;
            self.archive = self.file.path().and_then(|path| archive::start(path, rotation));
        }
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
}
