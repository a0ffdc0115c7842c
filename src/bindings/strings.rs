//! JS strings and buffers from native memory: handed over where V8 can use the memory as it is, copied where that is cheaper.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::LazyLock;

use napi::bindgen_prelude::{Result, check_status, sys};

use crate::json::Characters;
use crate::memory::{Unit, recycle, recycle_soon};

/// Bytes from which a string is handed over rather than copied. A copy this large goes to V8's large-object space,
/// which costs more than the bytes; a smaller one is made in the young generation, where it dies cheaply, while an
/// external string lives in the old one until a full collection.
const EXTERNAL_FROM: usize = 128 << 10;

/// The same for strings of a value that takes long to build: they would be copied twice more, as all of them survive
/// the young generation's collections, and those are what holds the event loop up while it is built.
const EXTERNAL_FROM_IF_LASTING: usize = 2 << 10;

/// The same for buffers, whose memory is outside of V8's heap either way and freed with the young generation.
const EXTERNAL_BUFFER_FROM: usize = 2048;

/// `node_api_create_external_string_latin1` and `…_utf16`: Node has them from 20.4 on, as experimental, so they are
/// looked up when first needed.
type CreateExternal<T> = unsafe extern "C" fn(
    env: sys::napi_env,
    text: *mut T,
    length: usize,
    finalize: sys::napi_finalize,
    hint: *mut c_void,
    result: *mut sys::napi_value,
    copied: *mut bool,
) -> sys::napi_status;

static EXTERNAL_LATIN1: LazyLock<Option<CreateExternal<u8>>> =
    LazyLock::new(|| symbol(b"node_api_create_external_string_latin1\0"));
static EXTERNAL_UTF16: LazyLock<Option<CreateExternal<u16>>> =
    LazyLock::new(|| symbol(b"node_api_create_external_string_utf16\0"));

/// A function that the process exports.
fn symbol<T: Copy>(name: &[u8]) -> Option<T> {
    #[cfg(unix)]
    let process = libloading::os::unix::Library::this();
    #[cfg(windows)]
    let process = libloading::os::windows::Library::this().ok()?;
    // SAFETY: Node exports the symbol, if at all, with the signature of its documentation, which `T` is.
    unsafe { process.get::<T>(name) }.ok().map(|found| *found)
}

/// How long a string is expected to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Short,
    /// Beyond the young generation.
    Lasting,
}

/// A string of Latin-1 bytes.
pub fn latin1(env: sys::napi_env, text: Vec<u8>) -> Result<sys::napi_value> {
    latin1_of(env, text, Life::Short)
}

/// A string of UTF-16 units.
pub fn utf16(env: sys::napi_env, text: Vec<u16>) -> Result<sys::napi_value> {
    utf16_of(env, text, Life::Short)
}

/// A string of either.
pub fn characters(env: sys::napi_env, text: Characters, life: Life) -> Result<sys::napi_value> {
    match text {
        Characters::Latin1(text) => latin1_of(env, text.into_vec(), life),
        Characters::Utf16(text) => utf16_of(env, text.into_vec(), life),
    }
}

fn latin1_of(env: sys::napi_env, text: Vec<u8>, life: Life) -> Result<sys::napi_value> {
    create(env, text, life, *EXTERNAL_LATIN1, |env, text, length, result| {
        // SAFETY: `create` passes a live slice, on the environment's thread.
        unsafe { sys::napi_create_string_latin1(env, text.cast(), length, result) }
    })
}

fn utf16_of(env: sys::napi_env, text: Vec<u16>, life: Life) -> Result<sys::napi_value> {
    create(env, text, life, *EXTERNAL_UTF16, |env, text, length, result| {
        // SAFETY: as above.
        unsafe { sys::napi_create_string_utf16(env, text, length, result) }
    })
}

fn create<T: Unit>(
    env: sys::napi_env,
    text: Vec<T>,
    life: Life,
    external: Option<CreateExternal<T>>,
    copy: impl FnOnce(sys::napi_env, *const T, isize, *mut sys::napi_value) -> sys::napi_status,
) -> Result<sys::napi_value> {
    let mut result = ptr::null_mut();
    let from = if life == Life::Lasting { EXTERNAL_FROM_IF_LASTING } else { EXTERNAL_FROM };
    let Some(external) = external.filter(|_| size_of_val(&*text) >= from) else {
        let status = copy(env, text.as_ptr(), text.len() as isize, &raw mut result);
        recycle(text);
        check_status!(status)?;
        return Ok(result);
    };
    let (memory, length, capacity) = let_go(text);
    let extent = Box::into_raw(Box::new(Extent { length, capacity: capacity as usize })).cast();
    let mut copied = false;
    // SAFETY: the memory stays as it is until `free_string` gets it back: from V8 when the string dies, or from this
    // very call when V8 cannot use it and copies.
    let status = unsafe {
        external(env, memory, length, Some(free_string::<T>), extent, &raw mut result, &raw mut copied)
    };
    if status != sys::Status::napi_ok {
        // SAFETY: a call that failed did not take the memory.
        unsafe {
            drop(Box::from_raw(extent.cast::<Extent>()));
            free::<T>(env, memory.cast(), capacity);
        }
        check_status!(status)?;
    }
    // What was copied is freed, and counted as such, by now.
    report(env, (size_of::<T>() * length) as i64);
    Ok(result)
}

thread_local! {
    /// Bytes of external strings that died on this JS thread and are still counted as in use.
    static FREED: Cell<i64> = const { Cell::new(0) };
}

/// Reports the memory of external strings. V8 makes them in its old space, where nothing but a full collection frees
/// them, and does not count what is behind them: it would let gigabytes pile up before it looks. What died is
/// subtracted with the next new one, as strings die in the middle of a collection.
fn report(env: sys::napi_env, bytes: i64) {
    let mut now = 0;
    // SAFETY: on the environment's thread, outside of a collection. A failure leaves the count as it was.
    unsafe { sys::napi_adjust_external_memory(env, bytes - FREED.take(), &raw mut now) };
}

/// A `Buffer` of bytes.
pub fn buffer(env: sys::napi_env, bytes: Vec<u8>) -> Result<sys::napi_value> {
    let mut result = ptr::null_mut();
    if bytes.len() >= EXTERNAL_BUFFER_FROM {
        let (memory, length, capacity) = let_go(bytes);
        // SAFETY: the memory stays as it is until `free` gets it back when the buffer dies.
        let status = unsafe {
            sys::napi_create_external_buffer(
                env,
                length,
                memory.cast(),
                Some(free::<u8>),
                capacity,
                &raw mut result,
            )
        };
        if status == sys::Status::napi_ok {
            return Ok(result);
        }
        // SAFETY: a call that failed did not take the memory.
        let bytes = unsafe { Vec::from_raw_parts(memory, length, capacity as usize) };
        // Some hosts, Electron among them, have no external buffers.
        if status != sys::Status::napi_no_external_buffers_allowed {
            check_status!(status)?;
        }
        return copy_buffer(env, bytes);
    }
    copy_buffer(env, bytes)
}

fn copy_buffer(env: sys::napi_env, bytes: Vec<u8>) -> Result<sys::napi_value> {
    let (mut copy, mut result) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: a live slice, on the environment's thread.
    let status = unsafe {
        sys::napi_create_buffer_copy(env, bytes.len(), bytes.as_ptr().cast(), &raw mut copy, &raw mut result)
    };
    recycle(bytes);
    check_status!(status)?;
    Ok(result)
}

/// A vector's memory and length, and its capacity as [`free`] wants it.
fn let_go<T>(vector: Vec<T>) -> (*mut T, usize, *mut c_void) {
    let mut vector = ManuallyDrop::new(vector);
    (vector.as_mut_ptr(), vector.len(), ptr::without_provenance_mut(vector.capacity()))
}

/// Units of an external string, and of the memory it is in.
struct Extent {
    length: usize,
    capacity: usize,
}

unsafe extern "C" fn free_string<T: Unit>(env: sys::napi_env, memory: *mut c_void, extent: *mut c_void) {
    // SAFETY: `create` let it go together with the memory.
    let Extent { length, capacity } = *unsafe { Box::from_raw(extent.cast::<Extent>()) };
    // Gone when the thread ends, and its count with it.
    let _ = FREED.try_with(|freed| freed.set(freed.get() + (size_of::<T>() * length) as i64));
    // SAFETY: as below.
    unsafe { free::<T>(env, memory, ptr::without_provenance_mut(capacity)) };
}

unsafe extern "C" fn free<T: Unit>(_env: sys::napi_env, memory: *mut c_void, capacity: *mut c_void) {
    // SAFETY: memory and capacity are those of the vector that was let go.
    recycle_soon(unsafe { Vec::from_raw_parts(memory.cast::<T>(), 0, capacity as usize) });
}
