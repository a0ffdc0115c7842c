//! A ring's memory: on the heap, or a mapped file that outlives the process.

use std::cell::UnsafeCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use memmap2::{MmapOptions, MmapRaw};

use crate::memory::try_zeroed;

/// Zeroed at first. Who may touch which byte when is the ring's protocol, not the borrow checker's.
#[derive(Debug)]
pub struct Memory {
    start: *mut u8,
    length: usize,
    backing: Backing,
}

#[derive(Debug)]
enum Backing {
    Heap(#[allow(dead_code, reason = "owns the memory")] Box<[UnsafeCell<u64>]>),
    /// The file stays open: its lock says that the ring has an owner.
    File {
        #[allow(dead_code, reason = "owns the mapping")]
        map: MmapRaw,
        file: File,
        path: PathBuf,
    },
}

// SAFETY: the pointer is to memory that the backing owns; accesses are coordinated by the ring.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub fn heap(length: usize) -> io::Result<Self> {
        let words = try_zeroed(length).map_err(|error| io::Error::new(io::ErrorKind::OutOfMemory, error))?;
        let start = UnsafeCell::raw_get(words.as_ptr()).cast();
        Ok(Self { start, length, backing: Backing::Heap(words) })
    }

    /// A new file of `length` bytes at `path`, with its blocks allocated, locked. A mapping of a file with holes dies
    /// by `SIGBUS` when the disk is full.
    pub fn create(path: &Path, length: usize) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let made =
            file.lock().and_then(|()| allocate(&file, length)).and_then(|()| Self::map(file, path, length));
        if made.is_err() {
            let _ = std::fs::remove_file(path); // Half made, and nobody knows it.
        }
        made
    }

    /// A file that somebody left; `None` while its owner lives.
    pub fn adopt(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        let length = file.metadata()?.len() as usize;
        if length == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty"));
        }
        Self::map(file, path, length).map(Some)
    }

    fn map(file: File, path: &Path, length: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(length).map_raw(&file)?;
        let start = map.as_mut_ptr();
        Ok(Self { start, length, backing: Backing::File { map, file, path: path.to_owned() } })
    }

    pub fn start(&self) -> *mut u8 {
        self.start
    }

    pub fn length(&self) -> usize {
        self.length
    }

    /// The file's path; `None` on the heap.
    pub fn path(&self) -> Option<&Path> {
        match &self.backing {
            Backing::Heap(_) => None,
            Backing::File { path, .. } => Some(path),
        }
    }

    /// Gives a file its final name, by which others find it.
    pub fn rename(&mut self, to: &Path) -> io::Result<()> {
        if let Backing::File { path, .. } = &mut self.backing {
            std::fs::rename(&*path, to)?;
            to.clone_into(path);
        }
        Ok(())
    }

    /// Whether the file is still the one at its path: another process may have taken care of it.
    pub fn is_current(&self) -> bool {
        match &self.backing {
            Backing::Heap(_) => true,
            Backing::File { file, path, .. } => super::system::is_same(file, path).unwrap_or(false),
        }
    }

    /// Removes the file; the memory stays.
    pub fn unlink(&self) -> io::Result<()> {
        self.path().map_or(Ok(()), std::fs::remove_file)
    }
}

#[cfg(target_os = "linux")]
fn allocate(file: &File, length: usize) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: an open descriptor; no memory is involved.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length as libc::off_t) } {
        0 => Ok(()),
        libc::EOPNOTSUPP | libc::EINVAL => fill(file, length),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(file: &File, length: usize) -> io::Result<()> {
    fill(file, length)
}

/// Allocates blocks where there is no call for it.
fn fill(mut file: &File, length: usize) -> io::Result<()> {
    let zeros = vec![0; length.min(1 << 20)];
    let mut left = length;
    while left > 0 {
        let count = left.min(zeros.len());
        file.write_all(&zeros[..count])?;
        left -= count;
    }
    Ok(())
}
