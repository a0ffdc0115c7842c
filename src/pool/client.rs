//! A client: one submitter's door to an executor.

use std::any::Any;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use super::door::Door;
use super::executor::{Core, Limits};
use super::metrics::{Spreads, Stats};
use super::task::{Ending, Job, Met, Spec, Task, Work};
use crate::cancel::Interrupt;

/// What a client is told besides the endings of its tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// There is room again after a submission of this client had been refused.
    Room,
    /// A thread died of this and was replaced.
    ThreadDied(String),
}

/// Who is told. Called on the pool's threads; must neither block nor panic.
pub trait Observer: Any + Send + Sync {
    fn observe(&self, event: Event);
}

/// Why a submission was refused.
#[derive(Debug)]
pub enum Refusal {
    Closed,
    /// Too many tasks are waiting.
    TooManyTasks,
    /// The tasks at hand hold too many bytes.
    TooManyBytes,
    /// The first thread could not be started.
    NoThread(io::Error),
}

/// A refused submission, with all that was handed in.
#[derive(Debug)]
pub struct Refused<W: Work> {
    pub reason: Refusal,
    pub work: W,
    pub side: W::Side,
}

/// The part of a client that its tasks, the threads and the watchdog share.
///
/// The alignment keeps its reference count, which submitters write with every task, on another cache line than
/// what pool threads read with every task.
#[repr(align(128))]
pub(super) struct Gate {
    pub(super) core: Arc<Core>,
    observer: Arc<dyn Observer>,
    door: Door,
    wants_room: AtomicBool,
    deadline: Mutex<Option<Instant>>,
}

impl Gate {
    pub(super) fn is_terminated(&self) -> bool {
        self.door.is_terminated()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        *super::lock(&self.deadline)
    }

    pub(super) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    pub(super) fn observe(&self, event: Event) {
        self.observer.observe(event);
    }

    pub(super) fn observe_room(&self) {
        if self.wants_room.swap(false, Ordering::SeqCst) {
            self.observe(Event::Room);
        }
    }

    /// Gives up on one of this client's tasks; `true` when its ending is the caller's to tell.
    pub(super) fn interrupt(&self, job: &dyn Job, reason: Interrupt) -> bool {
        match job.interrupt(reason) {
            Met::Ended => return false,
            Met::Queued => self.core.release(job.spec()),
            Met::Running => {}
        }
        self.core.count_interrupt(reason);
        true
    }

    /// Rejects whatever is left.
    pub(super) fn terminate(self: &Arc<Self>) {
        self.door.terminate();
        *super::lock(&self.deadline) = None;
        for job in self.core.jobs_of(self) {
            self.give_up(job, Interrupt::Closed);
        }
    }

    /// Interrupts a job and tells its submitter.
    pub(super) fn give_up(&self, job: Arc<dyn Job>, reason: Interrupt) {
        if self.interrupt(&*job, reason) {
            job.post(Ending::Interrupted(reason));
        }
    }
}

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Its tasks may go on, for so long at most (`None`: for as long as they take).
    Drain(Option<Duration>),
    /// What has not ended is rejected now.
    Now,
}

/// One submitter's door to an executor: submits, and is closed without disturbing the other clients. The
/// executor's threads end after its last client has closed. Dropping a client closes it, letting its tasks go on.
pub struct Client {
    gate: Arc<Gate>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(core: Arc<Core>, observer: Arc<dyn Observer>) -> Self {
        let gate = Arc::new(Gate {
            core,
            observer,
            door: Door::new(),
            wants_room: AtomicBool::new(false),
            deadline: Mutex::new(None),
        });
        Self { gate }
    }

    pub(super) fn downgrade(&self) -> Weak<Gate> {
        Arc::downgrade(&self.gate)
    }

    pub fn is_open(&self) -> bool {
        self.gate.door.is_open()
    }

    pub fn limits(&self) -> Limits {
        self.gate.core.limits()
    }

    /// Whether threads have been started.
    pub fn is_started(&self) -> bool {
        self.gate.core.is_started()
    }

    /// Starts all threads now instead of as they are needed.
    pub fn start(&self) -> io::Result<()> {
        self.gate.core.start_all()
    }

    pub fn stats(&self) -> Stats {
        self.gate.core.stats()
    }

    /// How the times of each operation spread over classes with these upper bounds, ascending.
    pub fn spreads(&self, bounds: &[Duration]) -> Vec<Spreads> {
        self.gate.core.spreads(bounds)
    }

    /// Queues a task. A refused one is handed back.
    pub fn submit<W: Work>(&self, spec: Spec, work: W, side: W::Side) -> Result<(), Refused<W>> {
        self.admit(spec, work, side).map(|task| self.enqueue(task))
    }

    /// Queues a task and keeps hold of it, to [`Task::abort`] it.
    pub fn submit_abortable<W: Work>(
        &self,
        spec: Spec,
        work: W,
        side: W::Side,
    ) -> Result<Arc<Task<W>>, Refused<W>> {
        let task = self.admit(spec, work, side)?;
        self.enqueue(Arc::<Task<W>>::clone(&task));
        Ok(task)
    }

    fn admit<W: Work>(&self, spec: Spec, work: W, side: W::Side) -> Result<Arc<Task<W>>, Refused<W>> {
        let core = &self.gate.core;
        let admitted = if self.is_open() { core.admit(&spec) } else { Err(Refusal::Closed) };
        if let Err(reason) = admitted {
            if matches!(reason, Refusal::TooManyTasks | Refusal::TooManyBytes) {
                self.gate.wants_room.store(true, Ordering::SeqCst);
                core.refuse();
            }
            return Err(Refused { reason, work, side });
        }
        Ok(Arc::new(Task::new(Arc::clone(&self.gate), spec, work, side)))
    }

    fn enqueue(&self, job: Arc<dyn Job>) {
        self.gate.core.enqueue(job);
        if !self.is_open() {
            // Closed by another thread meanwhile, so perhaps no thread looks at the lanes any more.
            for job in self.gate.core.jobs_of(&self.gate) {
                self.gate.give_up(job, Interrupt::Closed);
            }
        }
    }

    /// Stops accepting. Every task accepted before still has its ending told. Never blocks. A second call may only
    /// hasten the first.
    pub fn close(&self, closing: Closing) {
        let gate = &self.gate;
        if gate.door.shut() {
            gate.core.client_left();
        }
        match closing {
            Closing::Now => gate.terminate(),
            Closing::Drain(None) => {}
            Closing::Drain(Some(limit)) => {
                let deadline = Instant::now() + limit;
                *super::lock(&gate.deadline) = Some(deadline);
                gate.core.watch(deadline);
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close(Closing::Drain(None));
    }
}

impl<W: Work> Task<W> {
    /// Gives up on the task. `true`: it ends here and its ending will not be told by [`Work::ended`], the caller
    /// knows. `false`: it has ended before, and that has been or will be told.
    pub fn abort(&self) -> bool {
        Job::gate(self).interrupt(self, Interrupt::Aborted)
    }
}
