//! When the file is full or old.

use std::io;
use std::path::PathBuf;

use super::Writer;
use crate::log::file::Place;
use crate::log::rotation::next_name;
use crate::log::{archive, system};

impl Writer {
    /// Bytes until the file is full.
    pub(super) fn room(&self, place: &Place) -> usize {
        let limit = self.shared.options.rotation.and_then(|rotation| rotation.size);
        limit.map_or(usize::MAX, |limit| limit.saturating_sub(place.size) as usize)
    }

    /// The name that the file gets, where the batch does not belong into it any more.
    pub(super) fn rotation_due(&mut self, place: &Place) -> io::Result<Option<PathBuf>> {
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

    pub(super) fn rotated(&mut self) {
        let Some(rotation) = self.shared.options.rotation else { return };
        self.period = Some(rotation.period(system::since_1970()));
        self.archive_again = true;
        self.archive_if_due();
    }

    /// Starts the thread for old files, if there are any that the last one did not see and it has ended.
    pub(super) fn archive_if_due(&mut self) {
        let Some(rotation) = self.shared.options.rotation else { return };
        let is_busy = self.archive.as_ref().is_some_and(|archive| !archive.is_finished());
        if self.archive_again && !is_busy {
            self.archive_again = false;
            self.archive = self.file.path().and_then(|path| archive::start(path, rotation));
        }
    }
}
