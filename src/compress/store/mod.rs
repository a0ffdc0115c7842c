//! Originals of texts that lost something, by the id in their marker.

mod memory;

use std::sync::{Arc, LazyLock};

use super::content::Id;
use crate::error::Error;
use memory::Memory;

/// Where originals are kept.
#[derive(Debug)]
pub struct Store {
    memory: Memory,
}

impl Store {
    /// The one that the process shares.
    pub fn shared() -> Arc<Self> {
        static SHARED: LazyLock<Arc<Store>> = LazyLock::new(|| Arc::new(Store { memory: Memory::default() }));
        Arc::clone(&SHARED)
    }

    /// Keeps a text, or notes that it is used again.
    ///
    /// # Errors
    ///
    /// When another text has the same id.
    pub fn put(&self, id: Id, text: &str) -> Result<(), Error> {
        self.memory.put(id, text)
    }

    /// The text with this id.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn get(&self, id: Id) -> Result<Option<Arc<str>>, Error> {
        Ok(self.memory.get(id))
    }
}
