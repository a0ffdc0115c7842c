//! Packing old log files, and removing the oldest.
//!
//! A thread of its own does it and ends: a file takes seconds, which neither the writer nor a pool thread, with requests
//! waiting, should spend.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::rotation::{Rotation, archived};

/// Starts what is to be done after a rotation of the file at `path`.
pub fn start(path: &Path, rotation: Rotation) -> Option<JoinHandle<()>> {
    let path = path.to_owned();
    let work = move || {
        // A full disk or a missing folder: the next rotation tries again.
        let _ = prune(&path, rotation.keep);
        if rotation.gzip {
            let _ = pack_all(&path);
        }
    };
    std::thread::Builder::new().name("offloop-archive".to_owned()).spawn(work).ok()
}

fn prune(path: &Path, keep: usize) -> io::Result<()> {
    let files = archived(path)?;
    let excess = files.len().saturating_sub(keep);
    for file in &files[..excess] {
        fs::remove_file(file)?;
    }
    Ok(())
}

fn pack_all(path: &Path) -> io::Result<()> {
    for file in archived(path)? {
        if file.extension().is_none_or(|extension| extension != "gz") {
            pack(&file)?;
        }
    }
    Ok(())
}

/// Packs one file. Its lock keeps other processes from doing the same, and ours from the end of a writer's batch.
fn pack(path: &Path) -> io::Result<()> {
    let source = File::open(path)?;
    if source.try_lock().is_err() {
        return Ok(()); // Somebody has it in hand.
    }
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let (unfinished, packed) = (with(".gz.tmp"), with(".gz"));
    let mut encoder = GzEncoder::new(File::create(&unfinished)?, Compression::new(4));
    let copied = io::copy(&mut &source, &mut encoder).and_then(|_| encoder.finish()?.sync_all());
    if let Err(error) = copied {
        let _ = fs::remove_file(&unfinished); // The disk may be full because of it.
        return Err(error);
    }
    fs::rename(&unfinished, &packed)?;
    fs::remove_file(path)
}
