//! offloop: CPU work off the Node.js event loop.
//!
//! Layers, imports pointing down only (`__test__/layering.spec.js` checks it):
//!
//! ```text
//! bindings   the only module that knows napi: converts, submits, settles
//! compress   shortening conversations
//! convert    bodies of one provider's format as another's
//! log        lines from JS threads to files: ring, writer, rotation, recovery
//! json       scanning, tape, printing, documents
//! pool       executor, queues, tasks, completions, metrics
//! tokens     counting tokens
//! embed      texts as vectors, vectors that are alike
//! cancel, error   shared by all
//! ```
//!
//! Nothing imports `bindings`; `compress` builds on `json` and `tokens`, `convert` and `log` on `json`; `pool` and `json` do not know each other. Without the `node` feature the crate
//! has no napi in it, so `cargo test --no-default-features` runs without Node.

pub mod cancel;
pub mod compress;
pub mod convert;
pub mod embed;
pub mod error;
pub mod json;
pub mod log;
pub mod memory;
pub mod pool;
pub mod tokens;

// A test build registers nothing with Node, so that nothing there is used.
#[cfg(feature = "node")]
#[cfg_attr(test, allow(dead_code))]
mod bindings;
