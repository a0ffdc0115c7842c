//! What a panic says, without a word on standard error.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
    static LAST_LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if SILENT.get() {
                let location = info.location().map(ToString::to_string);
                LAST_LOCATION.with_borrow_mut(|last| *last = location);
            } else {
                previous(info);
            }
        }));
    });
}

/// Marks the calling thread as one of the pool's: its panics are reported through the tasks' errors, and a
/// library has no business writing them to standard error as well.
pub(super) fn silence_this_thread() {
    install_hook();
    SILENT.set(true);
}

/// The panic's text and where it arose.
pub(super) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text");
    match LAST_LOCATION.with_borrow_mut(Option::take) {
        Some(location) => format!("{text} ({location})"),
        None => text.to_owned(),
    }
}

/// While it lives, panics of the calling thread go to [`catch`] without a word on standard error.
#[derive(Debug)]
pub struct Silence(bool);

impl Silence {
    pub fn new() -> Self {
        install_hook();
        Self(SILENT.replace(true))
    }
}

impl Default for Silence {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        SILENT.set(self.0);
    }
}

/// Runs a part of a task on another thread than the pool's, in [`Silence`]; a panic in it becomes its text.
pub fn catch<T>(part: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(part)).map_err(|payload| {
        let text = panic_text(&*payload);
        // The payload's drop may panic in turn, and this thread is not ours to lose.
        std::mem::forget(payload);
        text
    })
}
