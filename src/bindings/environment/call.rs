//! Calling into JS, and making the values that it is called with.

use std::ptr;
use std::time::Duration;

use napi::JsValue;
use napi::bindgen_prelude::{Error, Object, Result, Status, check_status, sys};

use super::Environment;
use crate::error;

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
    /// `(place, value, place, value, …)`: settles promises; a place is twice the ticket, plus 1 to reject.
    Settle,
    /// `(…)`: builds a parsed value.
    Decode,
    /// `(id, event, ticket, errno, message)`: something happened to a log.
    Log,
    /// `(id, queued, wait, run, out, bytes, thread)`: where the time of a task that has a span went, in ms; it is about to
    /// be settled.
    Spanned,
}

pub(super) const CALLBACKS: [(Callback, &str); 8] = [
    (Callback::MakeError, "makeError"),
    (Callback::Event, "event"),
    (Callback::Released, "released"),
    (Callback::AtTurnsEnd, "atTurnsEnd"),
    (Callback::Settle, "settle"),
    (Callback::Decode, "decode"),
    (Callback::Log, "log"),
    (Callback::Spanned, "spanned"),
];

impl Environment {
    /// Remembers the functions that `functions` has, under their names; called again, adds and replaces.
    pub(in crate::bindings) fn install(&self, functions: &Object<'_>) -> Result<()> {
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

    pub(in crate::bindings) fn set_slice(&self, slice: Duration) {
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
    pub(in crate::bindings) fn thrown(&self, error: &error::Error) -> Error {
        match self.error_value(error) {
            // SAFETY: the handle was just made by this environment.
            Ok(value) => Error::from_unknown_without_coercion(unsafe {
                napi::bindgen_prelude::Unknown::from_raw_unchecked(self.raw, value)
            }),
            Err(error) => error,
        }
    }

    pub(in crate::bindings) fn undefined(&self) -> sys::napi_value {
        let mut undefined = ptr::null_mut();
        // SAFETY: on the environment's thread.
        unsafe { sys::napi_get_undefined(self.raw, &raw mut undefined) };
        undefined
    }

    pub(in crate::bindings) fn string(&self, text: &str) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: valid text of this length, on the environment's thread.
        check_status!(unsafe {
            sys::napi_create_string_utf8(self.raw, text.as_ptr().cast(), text.len() as isize, &raw mut value)
        })?;
        Ok(value)
    }

    pub(in crate::bindings) fn number(&self, number: f64) -> Result<sys::napi_value> {
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
