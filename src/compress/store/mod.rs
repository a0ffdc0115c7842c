//! Originals of texts that lost something, by the id in their marker.
//!
//! There is one store in memory, which the process shares; a store that lasts is in a file.

mod disk;
mod memory;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::content::Id;
use crate::error::{Error, ErrorKind};
use disk::Disk;
use memory::Memory;

/// Where originals are kept.
#[derive(Debug)]
pub enum Store {
    Memory(Memory),
    Disk(Arc<Disk>),
}

/// How much is kept, unless it is told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub max_bytes: Option<u64>,
    /// How long after its last use.
    pub keep: Option<Duration>,
}

/// Bytes on disk, and for how long they are kept.
const DISK_BYTES: u64 = 1 << 30;
const DISK_KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Store {
    /// The one that the process shares.
    pub fn shared() -> Arc<Self> {
        static SHARED: LazyLock<Arc<Store>> = LazyLock::new(|| Arc::new(Store::Memory(Memory::default())));
        Arc::clone(&SHARED)
    }

    /// The one in a file, which is made where there is none.
    ///
    /// # Errors
    ///
    /// When the file is no store, damaged, or in use by another process.
    pub fn at(path: &Path, bounds: Bounds) -> Result<Arc<Self>, Error> {
        let max_bytes = bounds.max_bytes.unwrap_or(DISK_BYTES);
        Ok(Arc::new(Self::Disk(Disk::open(path, max_bytes, bounds.keep.unwrap_or(DISK_KEEP))?)))
    }

    /// Sets how much is kept in memory; a file's bounds are set when it is opened.
    pub fn bound(&self, bounds: Bounds) {
        if let Self::Memory(memory) = self {
            memory.bound(bounds);
        }
    }

    /// Whether it is the same one.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Disk(one), Self::Disk(other)) => Arc::ptr_eq(one, other),
            (Self::Memory(_), Self::Memory(_)) => true,
            _ => false,
        }
    }

    /// Keeps a text, or notes that it is used again.
    ///
    /// # Errors
    ///
    /// When another text has the same id, or when the store cannot be written.
    pub fn put(&self, id: Id, text: &str) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => memory.put(id, text),
            Self::Disk(disk) => disk.put(id, text),
        }
    }

    /// The text with this id.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn get(&self, id: Id) -> Result<Option<Arc<str>>, Error> {
        match self {
            Self::Memory(memory) => Ok(memory.get(id)),
            Self::Disk(disk) => disk.get(id),
        }
    }
}

/// Two texts with one id: whoever would ask for the second one would get the first.
fn taken(id: Id) -> Error {
    Error::new(ErrorKind::Store, format!("another text has the id {id}"))
}
