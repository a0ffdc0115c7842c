//! Lines from JS threads to files, in order, whole, and once.
//!
//! A line is accepted when it is in the [`ring`]; a thread of its own, the [`writer`], brings it to the [`file`]. The thread
//! that logs writes to memory and does nothing else, and the writer goes on while that thread is busy.
//!
//! | module | what it knows |
//! |---|---|
//! | [`layout`], [`memory`], [`ring`], [`protocol`] | where lines wait, and how one thread hands them to another |
//! | [`render`] | a record's line |
//! | [`file`] | appending whole lines to a file that others append to, that fills its disk, that is moved or removed |
//! | [`rotation`], [`archive`] | when to begin a new file, what the old ones are called, how many stay, packing |
//! | [`intent`], [`recovery`] | what a killed process left, and what of it was written already |
//! | [`writer`], [`sink`] | the thread, and the handle on it |
//! | [`exit`] | the last moments of the process |

pub mod archive;
pub mod exit;
pub mod file;
pub mod intent;
pub mod layout;
pub mod lines;
pub mod memory;
pub mod protocol;
pub mod recovery;
pub mod render;
pub mod ring;
pub mod rotation;
pub mod sink;
pub mod system;
pub mod writer;

pub use sink::{Notice, Options, Sink, Target};
