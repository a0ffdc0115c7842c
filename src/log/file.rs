//! The log file: whole lines are appended to it, whatever else happens to it.
//!
//! Other writers, of this process or others, append to the same file, and each may rotate it. So a batch of lines is
//! written under an advisory lock of the file, after a look whether the path still leads to it. A batch that cannot be
//! written whole is taken back: under the lock, the end of the file is ours.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::rotation::folder;
use super::system::{self, FileId};

/// How long one attempt waits for a pipe to take more.
const PATIENCE: Duration = Duration::from_millis(50);

/// How often the path may lead to another file while we look.
const ATTEMPTS: usize = 100;

#[derive(Debug)]
pub struct LogFile {
    path: Option<PathBuf>,
    /// The name of a link to the file, in its folder.
    link: Option<String>,
    open: Option<Open>,
    /// Somebody asked for the path to be opened anew.
    is_stale: bool,
    /// Where the file has been moved away, whether to begin a new one at its path.
    follows_path: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    id: FileId,
    is_regular: bool,
    is_locked: bool,
    /// Its length when we last let go of it. Another length: others have written.
    left_at: u64,
}

/// When the file was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    Before,
    Now,
    /// Now, as the one before was removed with what was in it.
    Again,
}

/// The file, ready for a batch.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub id: FileId,
    /// Its length; 0 for what is no regular file.
    pub size: u64,
    pub is_regular: bool,
    /// It ends in the midst of a line that somebody did not finish.
    pub is_torn: bool,
    pub opened: Opened,
    /// Since 1970, when it was last written before we opened it.
    pub modified: Duration,
}

impl LogFile {
    /// Opens the file, with its folder.
    pub fn open(path: &Path, link: Option<String>, follows_path: bool) -> io::Result<Self> {
        let mut log = Self { path: Some(path.to_owned()), link, open: None, is_stale: false, follows_path };
        log.ensure_open()?;
        Ok(log)
    }

    pub fn from_descriptor(descriptor: i32) -> io::Result<Self> {
        let open = Open::new(system::from_descriptor(descriptor)?)?;
        Ok(Self { path: None, link: None, open: Some(open), is_stale: false, follows_path: false })
    }

    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub fn is_regular(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.is_regular)
    }

    pub fn reopen(&mut self) {
        self.is_stale = self.path.is_some();
    }

    fn ensure_open(&mut self) -> io::Result<&mut Open> {
        match (&mut self.open, &self.path) {
            (Some(_), _) => {}
            (None, Some(path)) => {
                fs::create_dir_all(folder(path))?;
                let open = Open::new(system::open_log(path)?)?;
                if let Some(link) = &self.link {
                    point(path, link);
                }
                self.open = Some(open);
            }
            (None, None) => return Err(io::Error::from(io::ErrorKind::NotFound)),
        }
        self.open.as_mut().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// Locks the file that the path leads to, and says what it is like. [`LogFile::release`] must follow.
    pub fn prepare(&mut self) -> io::Result<Place> {
        let mut opened = Opened::Before;
        if std::mem::take(&mut self.is_stale) {
            self.open = None;
        }
        for _ in 0..ATTEMPTS {
            if self.open.is_none() && opened == Opened::Before {
                opened = Opened::Now;
            }
            let path = self.path.clone();
            let follows_path = self.follows_path;
            let open = self.ensure_open()?;
            open.lock();
            let path = path.as_deref().filter(|_| open.is_regular);
            match path.map_or(Ok(true), |path| system::is_same(&open.file, path)) {
                Ok(true) => {
                    let mut place = open.place()?;
                    place.opened = opened;
                    return Ok(place);
                }
                // Another file has taken its name: a rotation by somebody else.
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let is_deleted = system::is_deleted(&open.file);
                    if is_deleted {
                        opened = Opened::Again;
                    } else if !follows_path {
                        // Moved, and `reopen` will follow, as with logrotate.
                        return open.place();
                    }
                }
                Err(error) => {
                    self.release();
                    return Err(error);
                }
            }
            self.release();
            self.open = None;
        }
        Err(io::Error::other("the log file is replaced again and again"))
    }

    /// Writes all of `bytes` from `written` on, which counts what has been written.
    ///
    /// On an error a regular file is as it was before, unless others have written behind; then, and with pipes, `written`
    /// says how to go on.
    pub fn write(&mut self, bytes: &[u8], written: &mut usize, start: u64) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Err(io::Error::from(io::ErrorKind::NotFound)) };
        while *written < bytes.len() {
            match open.file.write(&bytes[*written..]) {
                Ok(0) => return Err(open.take_back(io::ErrorKind::WriteZero.into(), written, start)),
                Ok(count) => *written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let before = *written;
                    system::wait_writable(&open.file, PATIENCE);
                    if let Ok(count) = open.file.write(&bytes[*written..]) {
                        *written += count;
                    }
                    if *written == before {
                        return Err(error);
                    }
                }
                Err(error) => return Err(open.take_back(error, written, start)),
            }
        }
        Ok(())
    }

    /// Lets others write.
    pub fn release(&mut self) {
        if let Some(open) = &mut self.open {
            open.unlock();
        }
    }

    /// Gives the file another name, and begins a new one at its path. The lock is held, and passes to the new file.
    pub fn rotate(&mut self, to: &Path) -> io::Result<Place> {
        let Some(path) = &self.path else { return Err(io::Error::from(io::ErrorKind::Unsupported)) };
        // Not onto a file that is there: its lines would go.
        if to.exists() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        fs::rename(path, to)?;
        self.release();
        self.open = None;
        self.prepare()
    }

    /// The length of a regular file.
    pub fn length(&self) -> io::Result<u64> {
        self.open.as_ref().map_or(Ok(0), |open| Ok(open.file.metadata()?.len()))
    }

    /// Takes away what is in the file from `length` on.
    pub fn cut(&mut self, length: u64) -> io::Result<()> {
        self.open.as_ref().map_or(Ok(()), |open| open.file.set_len(length))
    }

    /// What is in the file from `offset` on, at most `length` bytes.
    pub fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let Some(open) = &self.open else { return Ok(Vec::new()) };
        let mut bytes = Vec::new();
        (&open.file).seek(SeekFrom::Start(offset))?;
        (&open.file).take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Open {
    fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let is_regular = metadata.is_file();
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        Ok(Self { file, id: system::id_of(&metadata), is_regular, is_locked: false, left_at: 0 })
    }

    fn lock(&mut self) {
        // Where a file system has no locks, one writer is all there can be.
        #[cfg(unix)]
        if self.is_regular && !self.is_locked {
            self.is_locked = self.file.lock().is_ok();
        }
    }

    fn unlock(&mut self) {
        if self.is_regular {
            self.left_at = self.file.metadata().map_or(0, |metadata| metadata.len());
        }
        if std::mem::take(&mut self.is_locked) {
            let _ = self.file.unlock(); // Closing it does the same.
        }
    }

    fn place(&self) -> io::Result<Place> {
        let metadata = self.file.metadata()?;
        let size = if self.is_regular { metadata.len() } else { 0 };
        let is_torn = size > 0 && size != self.left_at && !self.ends_a_line(size);
        let modified =
            metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Ok(Place {
            id: self.id,
            size,
            is_regular: self.is_regular,
            is_torn,
            opened: Opened::Before,
            modified: modified.unwrap_or_default(),
        })
    }

    /// A file that cannot be read is taken to be in order.
    fn ends_a_line(&self, size: u64) -> bool {
        let mut last = [0];
        let mut file = &self.file;
        let read = file.seek(SeekFrom::Start(size - 1)).and_then(|_| file.read_exact(&mut last));
        read.is_err() || last == *b"\n"
    }

    fn take_back(&mut self, error: io::Error, written: &mut usize, start: u64) -> io::Error {
        if !self.is_regular || *written == 0 {
            return error;
        }
        let is_ours = self.file.metadata().is_ok_and(|metadata| metadata.len() == start + *written as u64);
        if is_ours && self.file.set_len(start).is_ok() {
            *written = 0;
        }
        error
    }
}

/// Makes the link point to the file. It is a convenience: where it cannot be made, there is none.
fn point(path: &Path, link: &str) {
    #[cfg(unix)]
    if let Some(name) = path.file_name() {
        let link = folder(path).join(link);
        if fs::read_link(&link).is_ok_and(|target| target == Path::new(name)) {
            return;
        }
        if fs::symlink_metadata(&link).is_ok_and(|metadata| metadata.is_symlink()) {
            let _ = fs::remove_file(&link);
        }
        let _ = std::os::unix::fs::symlink(name, &link);
    }
    #[cfg(not(unix))]
    let _ = (path, link);
}
