//! What belongs to one napi environment: the main thread's, or a `worker_threads` worker's.
//!
//! Lives in the environment's instance data, and is touched by its JS thread only. What pool threads see of an
//! environment is its [`Inbox`].

mod call;
mod drain;
mod tickets;

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use napi::Env;
use napi::bindgen_prelude::{
    Error, Result, Status, check_status, retain_current_module_for_unload_safety, sys,
};

use call::CALLBACKS;
pub use call::Callback;
pub use tickets::{Settlement, Ticket, Verdict};
use tickets::{Settling, Tickets};

use super::inbox::{Inbox, Message, Settle};
use crate::json::document::Account;
use crate::pool::{Batch, Client, Closing};

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

/// See the module's documentation.
pub struct Environment {
    raw: sys::napi_env,
    inbox: Arc<Inbox>,
    bell: sys::napi_threadsafe_function,
    /// Promises to settle. While there are any, the bell keeps the event loop alive.
    pending: Cell<u32>,
    tickets: RefCell<Tickets>,
    settling: Settling,
    /// The array of resolving functions, see `share_settlers`.
    settlers: Cell<sys::napi_ref>,
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
    /// The span of the task that is submitted next; 0: none.
    span: Cell<u64>,
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
                Some(drain::on_bell),
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
            tickets: RefCell::default(),
            settling: Settling::default(),
            settlers: Cell::new(ptr::null_mut()),
            callbacks: [const { Cell::new(ptr::null_mut()) }; CALLBACKS.len()],
            pools: RefCell::default(),
            abortable: RefCell::default(),
            backlog: RefCell::default(),
            drain_is_due: Cell::new(false),
            turn: Cell::new(None),
            slice: Cell::new(DEFAULT_SLICE),
            span: Cell::new(0),
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

    pub(super) fn set_span(&self, id: u64) {
        self.span.set(id);
    }

    pub(super) fn take_span(&self) -> u64 {
        self.span.take()
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

    pub(super) fn fulfilled(&self, count: u32) {
        let pending = self.pending.get() - count;
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

    /// So many promises of a pool's less to settle.
    fn tasks_settled(&self, handle: u32, count: u32) {
        self.fulfilled(count);
        // Released when JS has lost it: then nobody waits for its end.
        let Ok(entry) = self.pool(handle) else { return };
        entry.pending.set(entry.pending.get() - count);
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
            self.fulfilled(1);
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
