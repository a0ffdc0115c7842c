//! The only module that knows napi: converts, submits, settles.
//!
//! # From a call to its promise, and who owns what
//!
//! An [`Environment`](environment::Environment) is what one napi environment has: its pools by handle, the JS
//! functions it lent us, its count of pending promises. It lives in the environment's instance data and only its JS
//! thread touches it, so it is all cells and no locks. A [`PoolTask`](task::PoolTask) that a `#[napi]` function
//! returns takes a ticket, goes to the executor of its pool, and from then on owns the ticket, by which JS knows the
//! promise; whoever takes the ticket out of its cell, on the JS thread, settles the promise, and nobody can twice.
//!
//! Pool threads never call into napi but for one thing: ringing the environment's bell, a threadsafe function
//! without a JS function. What they know of an environment is its [`Inbox`](inbox::Inbox), a lock-free stack of
//! endings, and only the push that finds it empty rings. The JS thread then takes all of them and settles them in
//! one go; reactions run when the last one is settled. After `maxBlockMs` it stops and goes on from `setImmediate`,
//! so that I/O has its turn in between; ringing again would not do, as Node dispatches a threadsafe function that is
//! called while it runs again at once.
//!
//! **Keeping the process alive**: the bell is referenced while promises are pending, and only then. A task whose
//! promise is settled (aborted, timed out) does not count, however long its thread takes.
//!
//! **An environment's end** (a worker terminated, the process exiting): its cleanup hook runs before the bell is
//! taken down, as hooks run last to first. It empties the bell under the lock that a ringing thread holds, so that
//! none rings afterwards; closes the stack, so that endings are dropped where they arise; and closes the pools'
//! clients, which interrupts what runs. Tasks are then dropped on pool threads, which is why they hold no napi
//! handles. The environment's box is freed by the instance data's finaliser, later still. The addon's image stays
//! loaded for good, since pool threads may outlive every environment.
//!
//! **Several environments** share the executor behind `getWorkerPool()`, each as a client with an inbox of its own;
//! one that ends or shuts down takes its own tasks along and nobody else's.
//!
//! **Errors**: ours travel through `compute`'s napi result in the cause of a napi error (`task.rs`), and become JS
//! errors with a `code` through the `makeError` callback. What a JS callback throws comes out as it went in.

mod compress;
mod convert;
mod document;
mod embed;
pub mod environment;
#[cfg(feature = "faults")]
mod faults;
pub mod inbox;
mod log;
mod parse;
mod poison;
mod pool;
mod stringify;
mod strings;
pub mod task;
mod tokens;
