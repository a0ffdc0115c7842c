//! What documents hold, for those who count it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Documents alive and the bytes they hold together. Shared by all that are loaded through one pool.
#[derive(Debug, Default)]
pub struct Account {
    documents: AtomicUsize,
    bytes: AtomicUsize,
    /// Bytes that the garbage collector knows of.
    reported: AtomicUsize,
}

/// Bytes that a document takes beside its texts.
const DOCUMENT: usize = 256;

/// Changes that the garbage collector hears of. It answers a growing account with a full collection, so what comes and
/// goes with each request is none of its business; documents that nobody disposes of add up to this soon enough.
const STEP: usize = 64 << 20;

impl Account {
    /// What has changed since the last call that gave anything, in bytes, once it is worth telling. On one thread.
    pub fn report(&self) -> isize {
        let (bytes, reported) = (self.bytes(), self.reported.load(Ordering::Relaxed));
        // Nothing left is always worth it: no more calls may come.
        if bytes.abs_diff(reported) < STEP && (bytes > 0 || reported == 0) {
            return 0;
        }
        self.reported.store(bytes, Ordering::Relaxed);
        bytes as isize - reported as isize
    }

    pub fn documents(&self) -> usize {
        self.documents.load(Ordering::Relaxed)
    }

    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// An entry in an account: one document, or the memory of one text. Taken out again when dropped.
#[derive(Debug)]
pub struct Held {
    account: Arc<Account>,
    documents: usize,
    bytes: usize,
}

impl Held {
    pub fn document(account: &Arc<Account>) -> Self {
        Self::new(account, 1, DOCUMENT)
    }

    pub fn bytes(account: &Arc<Account>, bytes: usize) -> Self {
        Self::new(account, 0, bytes)
    }

    fn new(account: &Arc<Account>, documents: usize, bytes: usize) -> Self {
        account.documents.fetch_add(documents, Ordering::Relaxed);
        account.bytes.fetch_add(bytes, Ordering::Relaxed);
        Self { account: Arc::clone(account), documents, bytes }
    }

    /// Holds so many bytes more.
    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.account.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.account.documents.fetch_sub(self.documents, Ordering::Relaxed);
        self.account.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
