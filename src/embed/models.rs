//! The models that are loaded: each once in a process, until it is unloaded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::Model;
use crate::error::Error;

/// A model, or the place for one that is being loaded: who holds the lock loads it, and the others wait.
type Place = Arc<Mutex<Option<Arc<Model>>>>;

static PLACES: LazyLock<Mutex<HashMap<PathBuf, Place>>> = LazyLock::new(Mutex::default);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The model in a folder, loaded unless it is. The next call tries again what has failed.
pub fn model(folder: &Path) -> Result<Arc<Model>, Error> {
    let place = Arc::clone(lock(&PLACES).entry(folder.to_owned()).or_default());
    let mut held = lock(&place);
    if let Some(model) = &*held {
        return Ok(Arc::clone(model));
    }
    match Model::open(folder) {
        Ok(model) => Ok(Arc::clone(held.insert(Arc::new(model)))),
        Err(error) => {
            drop(held);
            forget(folder, &place);
            Err(error)
        }
    }
}

/// Forgets a place where nothing was put, unless it is another one by now, or somebody else is trying.
fn forget(folder: &Path, place: &Place) {
    let mut places = lock(&PLACES);
    let is_same = places.get(folder).is_some_and(|other| Arc::ptr_eq(other, place));
    if is_same && place.try_lock().is_ok_and(|held| held.is_none()) {
        places.remove(folder);
    }
}

/// Lets go of the model in a folder; its memory is free when the tasks that use it are done. False if it was not loaded.
pub fn unload(folder: &Path) -> bool {
    lock(&PLACES).remove(folder).is_some()
}
