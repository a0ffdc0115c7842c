//! JS strings from native memory: handed over where V8 can use the memory as it is, copied where that is cheaper.

use std::ffi::c_void;
use std::ptr;
use std::sync::LazyLock;

use napi::bindgen_prelude::{Result, check_status, sys};

/// Bytes from which handing over is cheaper than copying (`benchmarks/parse.js` would show it).
const EXTERNAL_FROM: usize = 2048;

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

/// A string of Latin-1 bytes.
pub fn latin1(env: sys::napi_env, text: Box<[u8]>) -> Result<sys::napi_value> {
    create(env, text, *EXTERNAL_LATIN1, |env, text, length, result| {
        // SAFETY: `create` passes a live slice, on the environment's thread.
        unsafe { sys::napi_create_string_latin1(env, text.cast(), length, result) }
    })
}

/// A string of UTF-16 units.
pub fn utf16(env: sys::napi_env, text: Box<[u16]>) -> Result<sys::napi_value> {
    create(env, text, *EXTERNAL_UTF16, |env, text, length, result| {
        // SAFETY: as above.
        unsafe { sys::napi_create_string_utf16(env, text, length, result) }
    })
}

fn create<T>(
    env: sys::napi_env,
    text: Box<[T]>,
    external: Option<CreateExternal<T>>,
    copy: impl FnOnce(sys::napi_env, *const T, isize, *mut sys::napi_value) -> sys::napi_status,
) -> Result<sys::napi_value> {
    let mut result = ptr::null_mut();
    let length = text.len();
    let Some(external) = external.filter(|_| size_of_val(&*text) >= EXTERNAL_FROM) else {
        check_status!(copy(env, text.as_ptr(), length as isize, &raw mut result))?;
        return Ok(result);
    };
    let memory = Box::into_raw(text).cast::<T>();
    let mut copied = false;
    // SAFETY: the memory stays as it is until `free` gets it back: from V8 when the string dies, or from this very
    // call when V8 cannot use it and copies.
    let status = unsafe {
        external(
            env,
            memory,
            length,
            Some(free::<T>),
            length as *mut c_void,
            &raw mut result,
            &raw mut copied,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: a call that failed did not take the memory.
        unsafe { free::<T>(env, memory.cast(), length as *mut c_void) };
    }
    check_status!(status)?;
    Ok(result)
}

unsafe extern "C" fn free<T>(_env: sys::napi_env, memory: *mut c_void, length: *mut c_void) {
    // SAFETY: memory and length are those of the box that `create` let go.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(memory.cast::<T>(), length as usize)) });
}
