//! What is about to be written to the log file, noted in a ring's header before it is.
//!
//! Between the write and the new head a process can be killed, and the write itself can be cut short by that. Whoever
//! takes the ring over compares the file with what was intended, and knows what is there already.
//!
//! Fields from [`at::INTENT`] on:
//!
//! | offset | | |
//! |---|---|---|
//! | 0 | u32 | 1: the rest is valid |
//! | 4, 8 | u32 | positions: from the head at that time, to what it will be |
//! | 16, 24 | u64 | the file's device and inode |
//! | 32 | u64 | its length before |
//! | 40 | u64 | bytes to write |

use std::sync::atomic::Ordering;

use super::layout::at;
use super::ring::Ring;
use super::system::FileId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    pub start: u32,
    pub end: u32,
    pub file: FileId,
    pub offset: u64,
    pub length: u64,
}

impl Intent {
    pub fn note(&self, ring: &Ring) {
        let valid = ring.word(at::INTENT);
        valid.store(0, Ordering::Release);
        ring.word(at::INTENT + 4).store(self.start, Ordering::Relaxed);
        ring.word(at::INTENT + 8).store(self.end, Ordering::Relaxed);
        ring.set_wide(at::INTENT + 16, self.file.device);
        ring.set_wide(at::INTENT + 24, self.file.inode);
        ring.set_wide(at::INTENT + 32, self.offset);
        ring.set_wide(at::INTENT + 40, self.length);
        valid.store(1, Ordering::Release);
    }

    /// The intent that had not been carried out, as far as the ring knows.
    pub fn of(ring: &Ring) -> Option<Self> {
        let intent = Self {
            start: ring.word(at::INTENT + 4).load(Ordering::Relaxed),
            end: ring.word(at::INTENT + 8).load(Ordering::Relaxed),
            file: FileId { device: ring.wide(at::INTENT + 16), inode: ring.wide(at::INTENT + 24) },
            offset: ring.wide(at::INTENT + 32),
            length: ring.wide(at::INTENT + 40),
        };
        let is_valid = ring.word(at::INTENT).load(Ordering::Acquire) == 1;
        let unwritten = ring.tail().wrapping_sub(ring.head());
        let is_open = intent.start == ring.head() && intent.end.wrapping_sub(intent.start) <= unwritten;
        (is_valid && is_open && intent.start != intent.end).then_some(intent)
    }
}
