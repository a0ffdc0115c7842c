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
use super::memory::Memory;
use super::render::render;
use super::ring::{Ring, Slot};
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
        let next = match ring.read(position) {
            // Its line, if it was written, is nothing that could be compared.
            Slot::Torn { next } => {
                at += memchr::memchr(b'\n', &there[at..]).map_or(there.len() - at, |end| end + 1);
                next
            }
            Slot::Record(record) if render(&record, &mut line) => record.next,
            Slot::Record(record) => record.next,
            Slot::Empty => break,
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
