//! From the ring to the file: batches.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Writer;
use crate::log::file::{Opened, Place};
use crate::log::intent::Intent;
use crate::log::layout::record;
use crate::log::lines::{self, Found};
use crate::log::ring::{Record, Ring};
use crate::log::sink::Notice;
use crate::log::{recovery, system};

/// Bytes that are written at once, unless a line is longer.
const BATCH: usize = 256 << 10;

/// Lines on their way.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) written: usize,
    pub(super) lines: u64,
    /// Whether they come from the first ring that was left, rather than ours.
    pub(super) is_left: bool,
    /// The head, once they are written.
    pub(super) end: u32,
    /// Where in the file they began, the last time they were tried.
    pub(super) offset: u64,
}

impl Writer {
    pub(super) fn write_all(&mut self) {
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
            match lines::line(ring, position, &mut self.batch.bytes) {
                Found::Nothing => break,
                Found::Torn { next } => {
                    self.count_torn();
                    position = next;
                }
                Found::Line { .. } if self.batch.bytes.len() > room && before > 0 => {
                    self.batch.bytes.truncate(before);
                    break;
                }
                Found::Line { next } => {
                    self.partial.clear(); // A line that was given up.
                    self.batch.lines += 1;
                    position = next;
                }
                // Its line is a batch of its own.
                Found::Part(_) if before > 0 => break,
                Found::Part(part) => {
                    position = part.next;
                    if self.add_part(&part) {
                        break;
                    }
                    ring.set_head(position);
                    shared.moved.notify_all();
                }
            }
        }
        self.batch.end = position;
        if let Some(ring) = left {
            self.left.push_front(ring);
        }
    }

    /// Adds a part of a line that is longer than the ring; whether that is complete.
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

    pub(super) fn adopt(&mut self) {
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
}
