//! The little that is asked of the operating system beyond `std`.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What tells a file from others, whatever it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileId {
    pub device: u64,
    pub inode: u64,
}

#[cfg(unix)]
pub fn id_of(metadata: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    FileId { device: metadata.dev(), inode: metadata.ino() }
}

/// Elsewhere the time of its creation has to do.
#[cfg(not(unix))]
pub fn id_of(metadata: &Metadata) -> FileId {
    let created = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    FileId { device: 0, inode: created.unwrap_or_default().as_nanos() as u64 }
}

pub fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    Ok(id_of(&file.metadata()?) == id_of(&std::fs::metadata(path)?))
}

/// Whether the file has no name any more.
#[cfg(unix)]
pub fn is_deleted(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

#[cfg(not(unix))]
pub fn is_deleted(_file: &File) -> bool {
    true
}

/// Opens a log file to append to, without ever waiting: a pipe need not have a reader.
#[cfg(unix)]
pub fn open_log(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
    let is_pipe = std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo());
    let mut options = OpenOptions::new();
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    if is_pipe {
        return options.read(true).write(true).open(path);
    }
    let file = options.read(true).append(true).create(true).open(path);
    match file {
        // A file that may be written and not read, or a terminal.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            options.read(false).append(true).create(true).open(path)
        }
        other => other,
    }
}

#[cfg(not(unix))]
pub fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

/// A file of its own for a descriptor that the process has.
#[cfg(unix)]
pub fn from_descriptor(descriptor: i32) -> io::Result<File> {
    use std::os::fd::BorrowedFd;
    if descriptor < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: not -1; a closed one makes the call fail.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    Ok(File::from(borrowed.try_clone_to_owned()?))
}

#[cfg(not(unix))]
pub fn from_descriptor(_descriptor: i32) -> io::Result<File> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Waits until the file takes more, for a while.
#[cfg(unix)]
pub fn wait_writable(file: &File, limit: Duration) {
    use std::os::fd::AsRawFd;
    let mut poll = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one valid entry.
    unsafe { libc::poll(&raw mut poll, 1, limit.as_millis() as libc::c_int) };
}

#[cfg(not(unix))]
pub fn wait_writable(_file: &File, limit: Duration) {
    std::thread::sleep(limit);
}

/// Has signals handled by other threads: a handler waits for the writer.
#[cfg(unix)]
pub fn refuse_signals() {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: a set of our own, filled before it is used. Faults are not held back by it.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT] {
            libc::sigdelset(set.as_mut_ptr(), fault);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
    }
}

#[cfg(not(unix))]
pub fn refuse_signals() {}

pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
