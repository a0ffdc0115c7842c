//! Settling what has arrived, for one slice of time in each turn of the event loop.

use std::ffi::c_void;
use std::ptr;
use std::time::Instant;

use napi::bindgen_prelude::sys;

use super::{Callback, Environment};
use crate::bindings::inbox::Message;
use crate::pool::{self, Batch};

/// So many small results are settled between two looks at the clock, in one handle scope.
const LIGHT_TASKS: usize = 128;

/// A handle scope for what one settled promise needs, so that a long drain holds on to nothing.
struct Scope {
    env: sys::napi_env,
    scope: sys::napi_handle_scope,
}

impl Scope {
    fn open(env: sys::napi_env) -> Self {
        let mut scope = ptr::null_mut();
        // SAFETY: on the environment's thread. If it fails, the surrounding scope serves.
        unsafe { sys::napi_open_handle_scope(env, &raw mut scope) };
        Self { env, scope }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if !self.scope.is_null() {
            // SAFETY: opened above, scopes nest as Rust values do.
            unsafe { sys::napi_close_handle_scope(self.env, self.scope) };
        }
    }
}

/// The bell: a threadsafe function without a JS function.
pub(super) unsafe extern "C" fn on_bell(
    env: sys::napi_env,
    _callback: sys::napi_value,
    _context: *mut c_void,
    _data: *mut c_void,
) {
    if env.is_null() {
        return; // The environment is being torn down.
    }
    // SAFETY: napi calls this on the environment's thread.
    if let Ok(environment) = unsafe { Environment::of_raw(env) }
        && !environment.drain_is_due.get()
    {
        environment.drain();
    }
}

impl Environment {
    /// Settles what has arrived, for one slice of time in each turn of the event loop.
    ///
    /// What awaits a small result does little, so many are settled at once. What awaits a heavy one may do much, in
    /// microtasks that run when this function has returned, and more results arrive while they do. So a heavy one
    /// is settled alone, the bell is rung for the rest, and the microtasks count as part of the slice.
    fn drain(&self) {
        let started = Instant::now();
        if self.turn.get().is_some_and(|start| started - start > self.slice.get()) {
            self.drain_is_due.set(true);
            return;
        }
        let _silence = pool::Silence::new();
        let mut batch = self.backlog.take();
        let is_heavy = loop {
            let scope = Scope::open(self.raw);
            match self.settle_some(&mut batch) {
                Settled::All => return,
                Settled::Heavy => break true,
                Settled::Light => {}
            }
            drop(scope);
            if started.elapsed() > self.slice.get() {
                break false;
            }
        };
        if batch.is_empty() {
            batch = self.inbox.take();
        }
        let is_rest = !batch.is_empty();
        self.backlog.replace(batch);
        match (is_heavy, is_rest) {
            (true, true) => {
                self.begin_turn(started);
                self.inbox.ring();
            }
            // With nothing else on its way there is nothing to tell apart.
            (true, false) if self.pending.get() > 0 => self.begin_turn(started),
            (false, true) => self.drain_later(),
            (_, false) => {}
        }
    }

    /// Settles up to and with the next heavy result, at most [`LIGHT_TASKS`].
    fn settle_some(&self, batch: &mut Batch<Message>) -> Settled {
        let settled = self.prepare_some(batch);
        self.settle_now();
        settled
    }

    fn prepare_some(&self, batch: &mut Batch<Message>) -> Settled {
        for _ in 0..LIGHT_TASKS {
            if batch.is_empty() {
                *batch = self.inbox.take();
            }
            let Some(Message { settle, ending }) = batch.next() else { return Settled::All };
            let is_heavy = settle.is_heavy();
            settle.settle(self, ending);
            if is_heavy {
                return Settled::Heavy;
            }
        }
        Settled::Light
    }

    /// A threadsafe function that is called while it runs is dispatched again at once, so only the event loop's own
    /// word tells its turns apart.
    fn begin_turn(&self, started: Instant) {
        if self.turn.get().is_none() && self.call(Callback::AtTurnsEnd, &[]).is_ok() {
            self.turn.set(Some(started));
        }
    }

    /// Goes on after I/O had its turn.
    fn drain_later(&self) {
        self.drain_is_due.set(true);
        if self.turn.get().is_none() && self.call(Callback::AtTurnsEnd, &[]).is_err() {
            self.drain_is_due.set(false);
            self.inbox.ring();
        }
    }

    /// The turn of the event loop is over: the next one has a slice of its own.
    pub(in crate::bindings) fn end_turn(&self) {
        self.turn.set(None);
        if self.drain_is_due.replace(false) {
            self.inbox.ring();
        }
    }
}

/// What [`Environment::settle_some`] came to.
enum Settled {
    All,
    Light,
    Heavy,
}
