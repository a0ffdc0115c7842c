//! A store in a file, which outlives the process: a redb database, bounded in bytes and time like the one in memory.
//!
//! The time of use is kept to the minute: texts are noted as used far more often than they come.

use std::collections::HashMap;
use std::fmt::Display;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{Builder, Database, DatabaseError, Durability, ReadableTable, TableDefinition, WriteTransaction};

use crate::compress::content::Id;
use crate::error::{Error, ErrorKind};

/// Texts by id.
const TEXTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("texts");
/// When each was used last, in minutes, and its bytes.
const USES: TableDefinition<'_, u64, (u64, u64)> = TableDefinition::new("uses");
/// The same in the order of use.
const ORDER: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("order");
/// Bytes of all texts.
const BYTES: TableDefinition<'_, (), u64> = TableDefinition::new("bytes");

/// Pages kept in memory.
const CACHE: usize = 8 << 20;

#[derive(Debug)]
pub struct Disk {
    database: Database,
    path: PathBuf,
    max_bytes: u64,
    keep_minutes: u64,
}

/// Those that are open, by path: a file can be opened once only.
static OPEN: Mutex<Option<HashMap<PathBuf, Weak<Disk>>>> = Mutex::new(None);

/// What redb says; its own errors are large.
#[derive(Debug)]
struct Fault(Box<str>);

impl<E: std::error::Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.to_string().into())
    }
}

fn minutes() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 60)
}

fn failed(path: &Path, what: &str, error: impl Display) -> Error {
    Error::new(ErrorKind::Store, format!("the store at {} {what}: {error}", path.display()))
}

/// redb trusts what it reads: a damaged file may make it panic.
fn caught<T>(path: &Path, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        // The payload's drop may panic in turn.
        std::mem::forget(payload);
        Err(failed(path, "is damaged", "its contents contradict themselves"))
    })
}

impl Disk {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    ///
    /// When it is no store, damaged, or in use by another process.
    pub fn open(path: &Path, max_bytes: u64, keep: Duration) -> Result<Arc<Self>, Error> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(path, "cannot be made", error))?;
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let open = open.get_or_insert_default();
        if let Some(disk) = open.get(&path).and_then(Weak::upgrade) {
            return Ok(disk);
        }
        let database = caught(&path, || create(&path))?;
        let disk =
            Arc::new(Self { database, path: path.clone(), max_bytes, keep_minutes: keep.as_secs() / 60 });
        open.retain(|_, disk| disk.strong_count() > 0);
        open.insert(path, Arc::downgrade(&disk));
        Ok(disk)
    }

    /// Keeps a text, or notes that it is used again.
    pub fn put(&self, id: Id, text: &str) -> Result<(), Error> {
        caught(&self.path, || {
            let known = self.used(id)?;
            let now = minutes();
            if known.is_some_and(|(used, _)| used == now) {
                return self.must_be(id, text);
            }
            if known.is_some() {
                self.must_be(id, text)?;
            }
            self.write(|writing| {
                if known.is_none() {
                    writing.open_table(TEXTS)?.insert(id.0, text.as_bytes())?;
                }
                note(writing, id, text.len() as u64, now)?;
                self.tidy(writing, now)
            })
        })
    }

    pub fn get(&self, id: Id) -> Result<Option<Arc<str>>, Error> {
        caught(&self.path, || {
            let Some((used, _)) = self.used(id)? else { return Ok(None) };
            if minutes().saturating_sub(used) > self.keep_minutes {
                return Ok(None);
            }
            self.read(|reading| {
                let texts = reading.open_table(TEXTS)?;
                let text = texts.get(id.0)?;
                Ok(text.map(|text| String::from_utf8_lossy(text.value()).into()))
            })
        })
    }

    /// When a text was used last, and its bytes.
    fn used(&self, id: Id) -> Result<Option<(u64, u64)>, Error> {
        self.read(|reading| Ok(reading.open_table(USES)?.get(id.0)?.map(|used| used.value())))
    }

    /// That the text of an id is this one.
    fn must_be(&self, id: Id, text: &str) -> Result<(), Error> {
        let is_it = self.read(|reading| {
            let texts = reading.open_table(TEXTS)?;
            let known = texts.get(id.0)?;
            Ok(known.is_some_and(|known| known.value() == text.as_bytes()))
        })?;
        if is_it { Ok(()) } else { Err(super::taken(id)) }
    }

    fn read<T>(&self, work: impl FnOnce(&redb::ReadTransaction) -> Result<T, Fault>) -> Result<T, Error> {
        let reading = self.database.begin_read().map_err(Fault::from);
        let result = reading.and_then(|reading| work(&reading));
        result.map_err(|fault| failed(&self.path, "cannot be read", fault.0))
    }

    fn write(&self, work: impl FnOnce(&WriteTransaction) -> Result<(), Fault>) -> Result<(), Error> {
        let write = || -> Result<(), Fault> {
            let mut writing = self.database.begin_write()?;
            writing.set_durability(Durability::Eventual);
            work(&writing)?;
            writing.commit()?;
            Ok(())
        };
        write().map_err(|fault| failed(&self.path, "cannot be written", fault.0))
    }

    /// Drops what is too old, and what is too much, oldest first.
    fn tidy(&self, writing: &WriteTransaction, now: u64) -> Result<(), Fault> {
        let mut bytes = writing.open_table(BYTES)?;
        let mut sum = bytes.get(())?.map_or(0, |bytes| bytes.value());
        let (mut order, mut uses) = (writing.open_table(ORDER)?, writing.open_table(USES)?);
        let mut texts = writing.open_table(TEXTS)?;
        loop {
            let Some((last, id)) = order.first()?.map(|first| first.0.value()) else { break };
            if sum <= self.max_bytes && now.saturating_sub(last) <= self.keep_minutes {
                break;
            }
            order.remove((last, id))?;
            texts.remove(id)?;
            sum = sum.saturating_sub(uses.remove(id)?.map_or(0, |used| used.value().1));
        }
        bytes.insert((), sum)?;
        Ok(())
    }
}

fn create(path: &Path) -> Result<Database, Error> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).create_with_file_format_v3(true);
    let database = builder.create(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => failed(path, "cannot be opened", "another process has it open"),
        error => failed(path, "cannot be opened: it is damaged, or no store", error),
    })?;
    let tables = || -> Result<(), Fault> {
        let writing = database.begin_write()?;
        writing.open_table(TEXTS)?;
        writing.open_table(USES)?;
        writing.open_table(ORDER)?;
        writing.open_table(BYTES)?;
        writing.commit()?;
        Ok(())
    };
    tables().map_err(|fault| failed(path, "cannot be opened: it is damaged, or no store", fault.0))?;
    Ok(database)
}

/// Notes a use.
fn note(writing: &WriteTransaction, id: Id, bytes: u64, now: u64) -> Result<(), Fault> {
    let mut order = writing.open_table(ORDER)?;
    let before = writing.open_table(USES)?.insert(id.0, (now, bytes))?.map(|used| used.value().0);
    if let Some(before) = before {
        order.remove((before, id.0))?;
    } else {
        let mut sum = writing.open_table(BYTES)?;
        let known = sum.get(())?.map_or(0, |bytes| bytes.value());
        sum.insert((), known + bytes)?;
    }
    order.insert((now, id.0), ())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("offloop-store-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    fn open(path: &Path, max_bytes: u64) -> Result<Arc<Disk>, Error> {
        Disk::open(path, max_bytes, Duration::from_secs(3600))
    }

    #[test]
    fn texts_outlive_the_store() {
        let path = path("outlive");
        let ids = ["one", "two"].map(Id::of);
        let disk = open(&path, 1000).unwrap();
        disk.put(ids[0], "one").unwrap();
        disk.put(ids[0], "one").unwrap();
        assert_eq!(disk.put(ids[0], "another").unwrap_err().kind, ErrorKind::Store);
        drop(disk);
        let disk = open(&path, 1000).unwrap();
        assert_eq!(disk.get(ids[0]).unwrap().as_deref(), Some("one"));
        assert_eq!(disk.get(ids[1]).unwrap(), None);
        assert!(Arc::ptr_eq(&disk, &open(&path, 1000).unwrap()));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_oldest_texts_go_first() {
        let path = path("bounded");
        let disk = open(&path, 25).unwrap();
        // In the order of their ids where the minute is the same.
        let mut texts = ["0123456789", "1123456789", "2123456789"];
        texts.sort_by_key(|text| Id::of(text));
        for text in texts {
            disk.put(Id::of(text), text).unwrap();
        }
        let found = texts.map(|text| disk.get(Id::of(text)).unwrap().is_some());
        assert_eq!(found.iter().filter(|found| **found).count(), 2);
        drop(disk);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_that_is_no_store_is_an_error() {
        let path = path("damaged");
        for contents in [b"no store at all".to_vec(), vec![0; 5000], vec![0xff; 100_000]] {
            fs::write(&path, contents).unwrap();
            let error = open(&path, 1000).unwrap_err();
            assert!(error.message.contains("damaged, or no store"), "{error}");
        }
        let _ = fs::remove_file(&path);
        let disk = open(&path, 1 << 20).unwrap();
        disk.put(Id::of("text"), "text").unwrap();
        drop(disk);
        let mut contents = fs::read(&path).unwrap();
        let middle = contents.len() / 2;
        contents.truncate(middle);
        contents[64..2048].fill(0xaa);
        fs::write(&path, contents).unwrap();
        assert_eq!(open(&path, 1000).unwrap_err().kind, ErrorKind::Store);
        fs::remove_file(path).unwrap();
    }
}
