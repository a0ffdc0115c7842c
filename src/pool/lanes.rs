//! The two waiting lines, interactive and bulk.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::task::{Job, Priority};

/// Of so many picks of one thread, one looks at the bulk lane first: the rate at which bulk work advances while
/// interactive work never ends.
const BULK_EVERY: u32 = 8;

struct Lane {
    sender: Sender<Arc<dyn Job>>,
    receiver: Receiver<Arc<dyn Job>>,
}

impl Lane {
    fn new() -> Self {
        // Unbounded, as the admission bounds it, in tasks and in bytes.
        let (sender, receiver) = unbounded();
        Self { sender, receiver }
    }

    fn push(&self, job: Arc<dyn Job>) {
        // Cannot fail: the receiver is beside the sender.
        let _ = self.sender.send(job);
    }
}

/// Which pick of a thread this is.
#[derive(Debug, Default)]
pub(super) struct Turn(u32);

pub(super) struct Lanes {
    interactive: Lane,
    bulk: Lane,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self { interactive: Lane::new(), bulk: Lane::new() }
    }

    pub(super) fn push(&self, job: Arc<dyn Job>) {
        self.lane(job.spec().priority).push(job);
    }

    fn lane(&self, priority: Priority) -> &Lane {
        match priority {
            Priority::Interactive => &self.interactive,
            Priority::Bulk => &self.bulk,
        }
    }

    /// The next job, tombstones of interrupted ones included.
    pub(super) fn pop(&self, turn: &mut Turn) -> Option<Arc<dyn Job>> {
        turn.0 = turn.0.wrapping_add(1);
        let (first, second) = if turn.0.is_multiple_of(BULK_EVERY) {
            (&self.bulk, &self.interactive)
        } else {
            (&self.interactive, &self.bulk)
        };
        first.receiver.try_recv().or_else(|_| second.receiver.try_recv()).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.interactive.receiver.is_empty() && self.bulk.receiver.is_empty()
    }

    /// Looks at every waiting job and keeps those that `keep` says, in their order.
    pub(super) fn retain(&self, mut keep: impl FnMut(&Arc<dyn Job>) -> bool) {
        for lane in [&self.interactive, &self.bulk] {
            for _ in 0..lane.receiver.len() {
                let Ok(job) = lane.receiver.try_recv() else { break };
                if keep(&job) {
                    lane.push(job);
                }
            }
        }
    }
}
