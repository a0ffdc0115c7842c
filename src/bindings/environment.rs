//! What belongs to one napi environment: the main thread's, or a `worker_threads` worker's.
//!
//! Lives in the environment's instance data, and is touched by its JS thread only. What pool threads see of an
//! environment is its [`Inbox`].

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{
    Error, Object, Result, Status, check_status, retain_current_module_for_unload_safety, sys,
};
use napi::{Env, JsValue};

use super::inbox::{Inbox, Message, Settle};
use crate::error;
use crate::json::document::Account;
use crate::pool::{self, Batch, Client, Closing};

/// JS functions that native code calls, handed in once per environment by `install`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callback {
    /// `(code, message, position, line, column) => Error`
    MakeError,
    /// `(handle, event, text)`: something happened to a pool.
    Event,
    /// `(slot)`: the call with this abort slot is settled.
    Released,
    /// `()`: calls `endTurn` at the end of this turn of the event loop.
    AtTurnsEnd,
    /// `(…)`: builds a parsed value.
    Decode,
}

const CALLBACKS: [(Callback, &str); 5] = [
    (Callback::MakeError, "makeError"),
    (Callback::Event, "event"),
    (Callback::Released, "released"),
    (Callback::AtTurnsEnd, "atTurnsEnd"),
    (Callback::Decode, "decode"),
];

/// A pool as this environment sees it.
#[derive(Debug)]
pub struct PoolEntry {
    pub client: Client,
    /// What the documents loaded through it hold.
    pub documents: Arc<Account>,
    /// For calls that do not say otherwise.
    pub task_timeout: Option<Duration>,
    /// Promises to settle.
    pending: Cell<u32>,
    /// Whether the close event is waited for.
    closing: Cell<bool>,
}

impl PoolEntry {
    pub fn new(client: Client, task_timeout: Option<Duration>) -> Self {
        Self {
            client,
            documents: Arc::default(),
            task_timeout,
            pending: Cell::new(0),
            closing: Cell::new(false),
        }
    }

    pub(super) fn expect(&self) {
        self.pending.set(self.pending.get() + 1);
    }
}

/// How long a drain may settle promises before I/O gets its turn, unless `install` says otherwise.
const DEFAULT_SLICE: Duration = Duration::from_millis(4);

/// So many small results are settled between two looks at the clock, in one handle scope.
const LIGHT_TASKS: usize = 32;

/// See the module's documentation.
pub struct Environment {
    raw: sys::napi_env,
    inbox: Arc<Inbox>,
    bell: sys::napi_threadsafe_function,
    /// Promises to settle. While there are any, the bell keeps the event loop alive.
    pending: Cell<u32>,
    callbacks: [Cell<sys::napi_ref>; CALLBACKS.len()],
    /// By handle; handles are not used again.
    pools: RefCell<Vec<Option<Rc<PoolEntry>>>>,
    /// Calls that have an abort slot, by slot.
    abortable: RefCell<Vec<Option<Arc<dyn Settle>>>>,
    /// What the last slice left over.
    backlog: RefCell<Batch<Message>>,
    /// This turn of the event loop settles nothing more: `end_turn` has been asked for.
    drain_is_due: Cell<bool>,
    /// When this turn of the event loop settled its first heavy result; `end_turn` has been asked for then as
    /// well.
    turn: Cell<Option<Instant>>,
    slice: Cell<Duration>,
    /// Where the decoder reads tapes: start and length of an `ArrayBuffer` that JS never gives away.
    scratch: Cell<(*mut u8, usize)>,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("pending", &self.pending.get()).finish_non_exhaustive()
    }
}

impl Environment {
    pub fn of(env: &Env) -> Result<&Self> {
        // SAFETY: the reference does not outlive `env`, which is valid on this thread.
        unsafe { Self::of_raw(env.raw()) }
    }

    /// # Safety
    ///
    /// `env` is valid, the call is made on its thread, and the reference does not outlive the environment.
    pub(super) unsafe fn of_raw<'a>(env: sys::napi_env) -> Result<&'a Self> {
        let mut data = ptr::null_mut();
        // SAFETY: as promised.
        check_status!(unsafe { sys::napi_get_instance_data(env, &raw mut data) })?;
        if data.is_null() {
            // SAFETY: as promised; the instance data is not set yet.
            data = unsafe { Self::create(env) }?.cast();
        }
        // SAFETY: the instance data is an `Environment` made below, freed with the environment.
        Ok(unsafe { &*data.cast::<Self>() })
    }

    /// # Safety
    ///
    /// `env` is valid, the call is made on its thread, and it has no instance data.
    unsafe fn create(env: sys::napi_env) -> Result<*mut Self> {
        // Pool threads run this image's code when the last environment that loaded it may be gone.
        retain_current_module_for_unload_safety();
        let mut name = ptr::null_mut();
        let mut bell = ptr::null_mut();
        // SAFETY: valid environment and out-pointers. The function is not referenced: an idle pool does not keep
        // the process alive.
        unsafe {
            check_status!(sys::napi_create_string_utf8(env, c"offloop".as_ptr(), 7, &raw mut name))?;
            check_status!(sys::napi_create_threadsafe_function(
                env,
                ptr::null_mut(),
                ptr::null_mut(),
                name,
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                Some(on_bell),
                &raw mut bell,
            ))?;
            check_status!(sys::napi_unref_threadsafe_function(env, bell))?;
        }
        let inbox = Arc::new(Inbox::default());
        inbox.open(bell);
        let environment = Box::into_raw(Box::new(Self {
            raw: env,
            inbox,
            bell,
            pending: Cell::new(0),
            callbacks: [const { Cell::new(ptr::null_mut()) }; CALLBACKS.len()],
            pools: RefCell::default(),
            abortable: RefCell::default(),
            backlog: RefCell::default(),
            drain_is_due: Cell::new(false),
            turn: Cell::new(None),
            slice: Cell::new(DEFAULT_SLICE),
            scratch: Cell::new((ptr::null_mut(), 0)),
        }));
        // SAFETY: the box is freed by the finaliser, which the environment runs after its cleanup hooks. The hook
        // is added after the bell was made and hooks run last to first, so the inbox is closed before the bell is.
        unsafe {
            check_status!(sys::napi_set_instance_data(
                env,
                environment.cast(),
                Some(free_environment),
                ptr::null_mut()
            ))?;
            check_status!(sys::napi_add_env_cleanup_hook(env, Some(close_environment), environment.cast()))?;
        }
        Ok(environment)
    }

    pub fn raw(&self) -> sys::napi_env {
        self.raw
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Called by the cleanup hook.
    fn close(&self) {
        self.inbox.close();
        drop(self.backlog.take());
        self.abortable.borrow_mut().clear();
        // Rejects what is left, with nobody to hear it, and interrupts what runs.
        for entry in self.pools.take().into_iter().flatten() {
            entry.client.close(Closing::Now);
        }
    }
}

unsafe extern "C" fn close_environment(environment: *mut c_void) {
    // SAFETY: the hook's argument is the environment's box, which the finaliser frees later.
    unsafe { &*environment.cast::<Environment>() }.close();
}

unsafe extern "C" fn free_environment(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the instance data is the environment's box, and nothing uses it after the finaliser.
    drop(unsafe { Box::from_raw(data.cast::<Environment>()) });
}

/// Promises outstanding.
impl Environment {
    /// One more thing to wait for: the first keeps the event loop alive.
    pub(super) fn expect(&self) {
        let pending = self.pending.get();
        self.pending.set(pending + 1);
        if pending == 0 {
            // SAFETY: on the environment's thread, before its end.
            unsafe { sys::napi_ref_threadsafe_function(self.raw, self.bell) };
        }
    }

    fn fulfilled(&self) {
        let pending = self.pending.get() - 1;
        self.pending.set(pending);
        if pending == 0 {
            // SAFETY: as above.
            unsafe { sys::napi_unref_threadsafe_function(self.raw, self.bell) };
        }
    }
}

/// Pools and abort slots.
impl Environment {
    pub(super) fn next_handle(&self) -> u32 {
        self.pools.borrow().len() as u32
    }

    pub(super) fn add_pool(&self, entry: PoolEntry) -> u32 {
        let handle = self.next_handle();
        self.pools.borrow_mut().push(Some(Rc::new(entry)));
        handle
    }

    pub(super) fn pool(&self, handle: u32) -> Result<Rc<PoolEntry>> {
        let pools = self.pools.borrow();
        let entry = pools.get(handle as usize).and_then(Option::as_ref);
        entry.cloned().ok_or_else(|| Error::new(Status::InvalidArg, format!("no pool has handle {handle}")))
    }

    pub(super) fn remove_pool(&self, handle: u32) {
        let entry = self.pools.borrow_mut().get_mut(handle as usize).and_then(Option::take);
        drop(entry);
    }

    /// One promise of a pool's less to settle.
    pub(super) fn task_settled(&self, handle: u32) {
        self.fulfilled();
        // Released when JS has lost it: then nobody waits for its end.
        let Ok(entry) = self.pool(handle) else { return };
        entry.pending.set(entry.pending.get() - 1);
        self.close_if_done(handle, &entry);
    }

    /// Closes a pool. Its close event is something to wait for, and comes when the last of its promises is settled.
    pub(super) fn close_pool(&self, handle: u32, closing: Closing) -> Result<()> {
        let entry = self.pool(handle)?;
        if !entry.closing.replace(true) {
            self.expect();
        }
        entry.client.close(closing);
        self.close_if_done(handle, &entry);
        Ok(())
    }

    fn close_if_done(&self, handle: u32, entry: &PoolEntry) {
        if entry.pending.get() == 0 && entry.closing.replace(false) {
            self.fulfilled();
            // It resolves a promise, and throws nothing.
            let _ = self.pool_event(handle, "close", "");
        }
    }

    pub(super) fn pool_event(&self, handle: u32, name: &str, text: &str) -> Result<sys::napi_value> {
        let handle = self.number(f64::from(handle))?;
        self.call(Callback::Event, &[handle, self.string(name)?, self.string(text)?])
    }

    pub(super) fn set_abortable(&self, slot: u32, task: Arc<dyn Settle>) {
        let mut abortable = self.abortable.borrow_mut();
        let index = slot as usize;
        if abortable.len() <= index {
            abortable.resize_with(index + 1, || None);
        }
        abortable[index] = Some(task);
    }

    pub(super) fn take_abortable(&self, slot: u32) -> Option<Arc<dyn Settle>> {
        self.abortable.borrow_mut().get_mut(slot as usize).and_then(Option::take)
    }
}

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

unsafe extern "C" fn on_bell(
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

/// Settling.
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
    pub(super) fn end_turn(&self) {
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

/// The scratch memory.
impl Environment {
    pub(super) fn set_scratch(&self, memory: sys::napi_value) -> Result<()> {
        let (mut start, mut length, mut reference) = (ptr::null_mut(), 0, ptr::null_mut());
        // SAFETY: a valid handle of this environment, on its thread. The reference is never deleted, so the memory
        // lives as long as the environment; the decoder keeps it to itself, so nobody detaches it.
        unsafe {
            check_status!(sys::napi_get_arraybuffer_info(self.raw, memory, &raw mut start, &raw mut length))?;
            check_status!(sys::napi_create_reference(self.raw, memory, 1, &raw mut reference))?;
        }
        self.scratch.set((start.cast(), length));
        Ok(())
    }

    /// Copies `bytes` to where the decoder reads them.
    pub(super) fn write_scratch(&self, bytes: &[u8]) -> Result<()> {
        let (start, length) = self.scratch.get();
        if bytes.len() > length {
            return Err(Error::from_reason(format!("{} bytes for {length} of scratch memory", bytes.len())));
        }
        // SAFETY: `start` and `length` are those of a live `ArrayBuffer`, which only this thread touches.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len()) };
        Ok(())
    }
}

/// Calling JS.
impl Environment {
    /// Remembers the functions that `functions` has, under their names; called again, adds and replaces.
    pub(super) fn install(&self, functions: &Object<'_>) -> Result<()> {
        for (index, (_, name)) in CALLBACKS.iter().enumerate() {
            let mut value = ptr::null_mut();
            let mut kind = 0;
            let mut reference = ptr::null_mut();
            // SAFETY: valid values of this environment, on its thread.
            unsafe {
                let key = self.string(name)?;
                check_status!(sys::napi_get_property(self.raw, functions.raw(), key, &raw mut value))?;
                check_status!(sys::napi_typeof(self.raw, value, &raw mut kind))?;
                if kind != sys::ValueType::napi_function {
                    continue;
                }
                check_status!(sys::napi_create_reference(self.raw, value, 1, &raw mut reference))?;
                let previous = self.callbacks[index].replace(reference);
                if !previous.is_null() {
                    sys::napi_delete_reference(self.raw, previous);
                }
            }
        }
        Ok(())
    }

    pub(super) fn set_slice(&self, slice: Duration) {
        self.slice.set(slice);
    }

    /// Calls an installed function. What it throws becomes the error, which turns into the same JS value again
    /// when a promise is rejected with it.
    pub fn call(&self, callback: Callback, arguments: &[sys::napi_value]) -> Result<sys::napi_value> {
        let reference = self.callbacks[callback as usize].get();
        if reference.is_null() {
            return Err(Error::new(Status::GenericFailure, format!("{callback:?} is not installed")));
        }
        let mut function = ptr::null_mut();
        let mut this = ptr::null_mut();
        let mut result = ptr::null_mut();
        // SAFETY: a live strong reference of this environment, on its thread; the arguments are the caller's
        // valid handles.
        let status = unsafe {
            check_status!(sys::napi_get_reference_value(self.raw, reference, &raw mut function))?;
            check_status!(sys::napi_get_undefined(self.raw, &raw mut this))?;
            sys::napi_call_function(
                self.raw,
                this,
                function,
                arguments.len(),
                arguments.as_ptr(),
                &raw mut result,
            )
        };
        match status {
            sys::Status::napi_ok => Ok(result),
            sys::Status::napi_pending_exception => Err(self.exception()),
            _ => Err(Error::new(Status::from(status), format!("calling {callback:?} failed"))),
        }
    }

    fn exception(&self) -> Error {
        let mut exception = ptr::null_mut();
        // SAFETY: on the environment's thread.
        let status = unsafe { sys::napi_get_and_clear_last_exception(self.raw, &raw mut exception) };
        if status != sys::Status::napi_ok {
            return Error::new(Status::from(status), "the environment is ending".to_owned());
        }
        // SAFETY: the handle was just made.
        let unknown = unsafe { napi::bindgen_prelude::Unknown::from_raw_unchecked(self.raw, exception) };
        Error::from_unknown_without_coercion(unknown)
    }

    /// One of our errors, to be thrown by a native function.
    pub(super) fn thrown(&self, error: &error::Error) -> Error {
        match self.error_value(error) {
            // SAFETY: the handle was just made by this environment.
            Ok(value) => Error::from_unknown_without_coercion(unsafe {
                napi::bindgen_prelude::Unknown::from_raw_unchecked(self.raw, value)
            }),
            Err(error) => error,
        }
    }

    pub(super) fn undefined(&self) -> sys::napi_value {
        let mut undefined = ptr::null_mut();
        // SAFETY: on the environment's thread.
        unsafe { sys::napi_get_undefined(self.raw, &raw mut undefined) };
        undefined
    }

    pub(super) fn string(&self, text: &str) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: valid text of this length, on the environment's thread.
        check_status!(unsafe {
            sys::napi_create_string_utf8(self.raw, text.as_ptr().cast(), text.len() as isize, &raw mut value)
        })?;
        Ok(value)
    }

    pub(super) fn number(&self, number: f64) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: on the environment's thread.
        check_status!(unsafe { sys::napi_create_double(self.raw, number, &raw mut value) })?;
        Ok(value)
    }

    /// The JS error for one of ours, with its `code` and, for a syntax error, its place.
    pub fn error_value(&self, error: &error::Error) -> Result<sys::napi_value> {
        let code = self.string(error.kind.code())?;
        let message = self.string(&error.message)?;
        match error.place {
            None => self.call(Callback::MakeError, &[code, message]),
            Some(place) => {
                let [position, line, column] =
                    [place.position, place.line, place.column].map(|n| self.number(n as f64));
                self.call(Callback::MakeError, &[code, message, position?, line?, column?])
            }
        }
    }
}
