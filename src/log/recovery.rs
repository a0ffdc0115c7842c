//! Rings that killed processes left beside a log file.
//!
//! A ring file's lock is held while its owner lives. Whoever gets the lock takes the ring over: what the intent says was
//! being written is compared with the log file, and what is not there is written, before anything new.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::file::{LogFile, Place};
use super::intent::Intent;
use super::layout::HEADER;
use super::lines;
use super::memory::Memory;
use super::ring::Ring;
use super::rotation::folder;

const SUFFIX: &str = "ring";

/// A new ring file for the log at `path`.
pub fn create(path: &Path, capacity: usize) -> io::Result<Ring> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let stamp = super::system::since_1970().as_nanos();
    for _ in 0..100 {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let unique = format!("{}-{stamp:x}-{count}", std::process::id());
        // Found by others under its final name only, when it is locked and complete.
        let unfinished = with_suffix(path, &format!("{unique}.new"));
        let memory = match Memory::create(&unfinished, HEADER + capacity) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made?,
        };
        let mut ring = Ring::new(memory);
        ring.memory_mut().rename(&with_suffix(path, &format!("{unique}.{SUFFIX}")))?;
        return Ok(ring);
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// What was found beside a log.
#[derive(Debug, Default)]
pub struct Found {
    /// Oldest first.
    pub rings: Vec<Ring>,
    /// Files that are no rings of ours, where they are now, and why.
    pub set_aside: Vec<(PathBuf, String)>,
}

/// Takes over the rings of the log at `path` that have no owner.
pub fn adopt(path: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in std::fs::read_dir(folder(path))? {
        let candidate = entry?.path();
        if !is_ring_of(&candidate, path) {
            continue;
        }
        let memory = match Memory::adopt(&candidate) {
            Ok(Some(memory)) => Some(memory),
            Ok(None) => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
            Err(error) => return Err(error),
        };
        let opened = match memory {
            // Gone since we opened it: another process has written its lines.
            Some(memory) if !memory.is_current() => continue,
            Some(memory) => Ring::open(memory).map_err(|error| error.0),
            None => Err("it is empty".to_owned()),
        };
        match opened {
            Ok(ring) => found.rings.push(ring),
            Err(why) => {
                let aside = with_suffix(&candidate, "bad");
                std::fs::rename(&candidate, &aside)?;
                found.set_aside.push((aside, why));
            }
        }
    }
    found.rings.sort_by_key(Ring::created);
    Ok(found)
}

fn is_ring_of(candidate: &Path, path: &Path) -> bool {
    let name = candidate.file_name().and_then(OsStr::to_str);
    let base = path.file_name().and_then(OsStr::to_str);
    let (Some(name), Some(base)) = (name, base) else { return false };
    name.strip_prefix(base).is_some_and(|rest| rest.starts_with('.')) && name.ends_with(&format!(".{SUFFIX}"))
}

/// Carries out, or finds carried out, what the ring's owner was about to write when it died. The file is locked.
///
/// Its last line may be there in part. It is completed if it is the end of the file; otherwise it is written again.
pub fn resolve(ring: &Ring, file: &mut LogFile, place: &Place) -> io::Result<()> {
    let Some(intent) = Intent::of(ring) else { return Ok(()) };
    if intent.file != place.id || intent.offset > place.size {
        return Ok(()); // Another file, or one that was cut since: what is in the ring is all there is.
    }
    let there = file.read(intent.offset, intent.length as usize)?;
    let mut at = 0;
    let mut position = ring.head();
    let mut line = Vec::new();
    while position != intent.end {
        line.clear();
        let next = match lines::line(ring, position, &mut line) {
            // Its line, if it was written, is nothing that could be compared.
            lines::Found::Torn { next } => {
                at += memchr::memchr(b'\n', &there[at..]).map_or(there.len() - at, |end| end + 1);
                next
            }
            lines::Found::Line { next } => next,
            lines::Found::Part(_) => return take_back(ring, file, &intent, there.len(), place),
            lines::Found::Nothing => break,
        };
        let matching = there[at..].iter().zip(&line).take_while(|(a, b)| a == b).count();
        at += matching;
        if matching < line.len() {
            let is_end = matching > 0 && intent.offset + at as u64 == place.size;
            if is_end {
                let mut written = matching;
                file.write(&line, &mut written, place.size - matching as u64)?;
                position = next;
            }
            break;
        }
        position = next;
    }
    ring.set_head(position);
    Ok(())
}

/// The owner died while it wrote a line that is longer than the ring. Nobody was told that it is accepted, and its
/// beginning is gone: what the file has of it goes too, unless that is all of it.
fn take_back(
    ring: &Ring,
    file: &mut LogFile,
    intent: &Intent,
    there: usize,
    place: &Place,
) -> io::Result<()> {
    let is_whole = there as u64 == intent.length;
    if !is_whole && intent.offset + there as u64 == place.size {
        file.cut(intent.offset)?;
    }
    ring.set_head(intent.end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::layout::record;
    use crate::log::ring::Producer;

    /// A ring whose owner died while it wrote a line that is longer than the ring, of which it had only the end.
    fn left(path: &Path, place: &Place, length: u64) -> Ring {
        let ring = create(path, super::super::layout::SMALLEST).unwrap();
        // SAFETY: there is no other producer.
        let mut producer = unsafe { Producer::new(&ring) };
        producer.push(record::LARGE, true, b"the beginning, ");
        ring.set_head(ring.tail());
        producer.push(record::MORE, false, b"the end\n");
        let intent =
            Intent { start: ring.head(), end: ring.tail(), file: place.id, offset: place.size, length };
        intent.note(&ring);
        producer.push(record::LINE, false, b"another\n");
        ring
    }

    #[test]
    fn half_a_line_that_was_not_accepted_is_taken_back() {
        let line = "the beginning, the end\n";
        for written in 0..=line.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("app.log");
            std::fs::write(&path, "before\n").unwrap();
            let mut file = LogFile::open(&path, None, false).unwrap();
            let ring = left(&path, &file.prepare().unwrap(), line.len() as u64);
            file.release();
            std::fs::write(&path, format!("before\n{}", &line[..written])).unwrap();
            let place = file.prepare().unwrap();
            resolve(&ring, &mut file, &place).unwrap();
            let kept = if written == line.len() { line } else { "" };
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("before\n{kept}"));
            let mut next = Vec::new();
            lines::line(&ring, ring.head(), &mut next);
            assert_eq!(next, b"another\n", "{written} bytes were written");
        }
    }
}
