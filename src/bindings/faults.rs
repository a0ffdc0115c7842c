//! Operations that misbehave on purpose, for the test suite. Never in a published binary.

use std::collections::HashMap;
use std::hint;
use std::panic;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use napi::bindgen_prelude::Result;
use napi::{Env, Error, ScopedTask};
use napi_derive::napi;

use super::task::{PoolTask, Submission};
use crate::cancel::CancelToken;
use crate::error::{self, Place};
use crate::memory;

/// Fault tasks that have been dropped, and those whose `finally` ran.
static DROPPED: AtomicU32 = AtomicU32::new(0);
static FINALLY: AtomicU32 = AtomicU32::new(0);
/// The tags of the fault tasks that started, in order.
static STARTED: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// Gates by number: `true` when open.
static GATES: Mutex<Option<HashMap<u32, bool>>> = Mutex::new(None);
static GATE_MOVED: Condvar = Condvar::new();

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Fault {
    Echo,
    Error,
    SyntaxError,
    Panic,
    /// Panics with a payload whose drop panics, which kills the thread.
    Die,
    /// Panics on the JS thread, while the result is built.
    PanicInResolve,
    /// Panics on the JS thread, when the promise is settled.
    PanicInFinally,
    /// Runs until it is cancelled.
    Spin,
    /// Runs for so long, whatever anybody says.
    Ignore(Duration),
    /// Waits for a gate, whatever anybody says.
    Hold(u32),
}

pub struct FaultTask {
    tag: u32,
    fault: Fault,
    token: CancelToken,
}

struct DropBomb;

impl Drop for DropBomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "a panic's payload that panics");
    }
}

fn hold(gate: u32) {
    let mut gates = lock(&GATES);
    while !gates.get_or_insert_default().get(&gate).copied().unwrap_or_default() {
        gates = GATE_MOVED.wait(gates).unwrap_or_else(PoisonError::into_inner);
    }
}

impl ScopedTask<'_> for FaultTask {
    type Output = u32;
    type JsValue = u32;

    fn compute(&mut self) -> Result<u32> {
        lock(&STARTED).push(self.tag);
        match self.fault {
            Fault::Echo | Fault::PanicInResolve | Fault::PanicInFinally => {}
            Fault::Error => return Err(Error::from_reason("a fault")),
            Fault::SyntaxError => {
                let place = Place { position: 17, line: 2, column: 5 };
                return Err(error::Error::syntax("unexpected fault", place).into());
            }
            Fault::Panic => panic!("a fault, as asked for"),
            Fault::Die => panic::panic_any(DropBomb),
            Fault::Spin => loop {
                self.token.check().map_err(error::Error::from)?;
                thread::yield_now();
            },
            Fault::Ignore(duration) => {
                let started = Instant::now();
                while started.elapsed() < duration {
                    hint::spin_loop();
                }
            }
            Fault::Hold(gate) => hold(gate),
        }
        Ok(self.tag)
    }

    fn resolve(&mut self, _env: &Env, output: u32) -> Result<u32> {
        assert!(!matches!(self.fault, Fault::PanicInResolve), "a fault on the JS thread");
        Ok(output)
    }

    fn finally(self, _env: Env) -> Result<()> {
        FINALLY.fetch_add(1, Ordering::SeqCst);
        assert!(!matches!(self.fault, Fault::PanicInFinally), "a fault after the end");
        Ok(())
    }
}

impl Drop for FaultTask {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that misbehaves as `kind` says, resolves with `tag` if it comes to that, and holds `bytes`. `argument`
/// is ms for `ignore`, the gate's number for `hold`.
#[napi(ts_return_type = "Ticket<number>")]
#[allow(clippy::needless_pass_by_value)] // napi hands over owned values.
pub fn fault(
    pool: u32,
    control: f64,
    kind: String,
    tag: u32,
    argument: u32,
    bytes: u32,
) -> Result<PoolTask<FaultTask>> {
    let fault = match kind.as_str() {
        "echo" => Fault::Echo,
        "error" => Fault::Error,
        "syntax" => Fault::SyntaxError,
        "panic" => Fault::Panic,
        "die" => Fault::Die,
        "resolve" => Fault::PanicInResolve,
        "finally" => Fault::PanicInFinally,
        "spin" => Fault::Spin,
        "ignore" => Fault::Ignore(Duration::from_millis(u64::from(argument))),
        "hold" => Fault::Hold(argument),
        _ => return Err(Error::from_reason(format!("no fault is called {kind}"))),
    };
    let mut submission = Submission::new(pool, control, "fault").bytes(bytes as usize);
    let token = submission.token();
    Ok(PoolTask::new(submission, FaultTask { tag, fault, token }))
}

/// Opens or shuts a gate that `hold` tasks wait for. Shut at first.
#[napi]
pub fn fault_gate(gate: u32, open: bool) {
    lock(&GATES).get_or_insert_default().insert(gate, open);
    GATE_MOVED.notify_all();
}

/// Has memory of more than so many bytes be refused, in the whole process; without an argument, none.
#[napi]
pub fn fault_memory(most: Option<u32>) {
    memory::limit(most.map_or(usize::MAX, |most| most as usize));
}

/// What happened since the last call.
#[napi(object)]
pub struct FaultLog {
    /// Tags of the tasks that started, in order.
    pub started: Vec<u32>,
    /// Tasks dropped.
    pub dropped: u32,
    /// Tasks whose `finally` ran.
    pub finally: u32,
}

#[napi]
pub fn fault_log() -> FaultLog {
    FaultLog {
        started: std::mem::take(&mut *lock(&STARTED)),
        dropped: DROPPED.swap(0, Ordering::SeqCst),
        finally: FINALLY.swap(0, Ordering::SeqCst),
    }
}
