//! A pool thread: finds jobs, runs them, sleeps; and what happens when it dies.

use std::hint;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use tracing::trace_span;

use super::executor::Core;
use super::lanes::Turn;
use super::metrics::{Recorder, Verdict, nanos};
use super::task::{Ending, Job, Ran, Spec};
use crate::cancel::Interrupt;

/// How often a thread that has run out of work looks for more before it sleeps, and how long it spins between two
/// looks: some 15 microseconds in all. Waking a thread costs the submitter several microseconds, so a submitter that
/// awaits one task after the other finds the thread still up. Only one thread at a time does that.
const LOOKS: usize = 60;
const SPINS: usize = 16;

/// A running job, for those who have to find it: the watchdog, a closing client, the thread's own last will.
struct Running {
    job: Arc<dyn Job>,
    started: Instant,
    deadline: Option<Instant>,
}

/// What one thread shows to the others.
#[derive(Default)]
pub(super) struct Slot {
    running: Mutex<Option<Running>>,
    recorder: Recorder,
}

impl Slot {
    pub(super) fn is_busy(&self) -> bool {
        super::lock(&self.running).is_some()
    }

    pub(super) fn job(&self) -> Option<Arc<dyn Job>> {
        super::lock(&self.running).as_ref().map(|running| Arc::clone(&running.job))
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The job whose deadline has passed (reported once), or the deadline to come.
    pub(super) fn expired(&self, now: Instant) -> Result<Arc<dyn Job>, Option<Instant>> {
        let mut slot = super::lock(&self.running);
        match slot.as_mut() {
            Some(running) if running.deadline.is_some_and(|deadline| deadline <= now) => {
                running.deadline = None;
                Ok(Arc::clone(&running.job))
            }
            Some(running) => Err(running.deadline),
            None => Err(None),
        }
    }

    fn publish(&self, running: Running) {
        *super::lock(&self.running) = Some(running);
    }

    fn clear(&self) -> Option<Running> {
        super::lock(&self.running).take()
    }
}

pub(super) fn spawn(core: Arc<Core>, index: usize) -> io::Result<()> {
    let run = move || {
        super::panic::silence_this_thread();
        super::priority::lower_this_thread();
        core.sleepers().register(index);
        Worker { core, index, searching: true, free_since: None, turn: Turn::default() }.run();
    };
    thread::Builder::new().name(format!("offloop-{index}")).spawn(run).map(drop)
}

struct Worker {
    core: Arc<Core>,
    index: usize,
    /// Whether this thread is counted in `Sleepers::searching`.
    searching: bool,
    /// When its last task ended.
    free_since: Option<Instant>,
    turn: Turn,
}

impl Worker {
    fn run(mut self) {
        while let Some(job) = self.find() {
            self.execute(&job);
        }
    }

    /// The next job, however long that takes; `None` when the executor ends.
    fn find(&mut self) -> Option<Arc<dyn Job>> {
        loop {
            if let Some(job) = self.look() {
                return Some(job);
            }
            if self.core.is_ending() && !self.core.has_work() {
                return None;
            }
            self.sleep();
        }
    }

    fn look(&mut self) -> Option<Arc<dyn Job>> {
        for _ in 0..LOOKS {
            if let Some(job) = self.core.next_job(&mut self.turn) {
                if self.searching {
                    self.searching = false;
                    self.core.found();
                }
                return Some(job);
            }
            if !self.searching {
                if self.core.sleepers().anyone_searching() {
                    break;
                }
                self.searching = true;
                self.core.sleepers().start_searching();
            }
            for _ in 0..SPINS {
                hint::spin_loop();
            }
        }
        None
    }

    fn sleep(&mut self) {
        let sleepers = self.core.sleepers();
        sleepers.lie_down(self.index);
        if self.searching {
            self.searching = false;
            sleepers.stop_searching();
        }
        let stay_up = self.core.has_work() || self.core.is_ending();
        if !(stay_up && sleepers.get_up(self.index)) {
            while sleepers.is_asleep(self.index) {
                thread::park();
            }
        }
        // Counted by itself in `get_up`, or by whoever woke it.
        self.searching = true;
    }

    fn execute(&mut self, job: &Arc<dyn Job>) {
        if !job.start() {
            return; // Interrupted in the queue; all accounts are settled.
        }
        if self.free_since.is_some_and(|since| job.queued_at() < since) {
            self.core.count_delayed();
        }
        let started = Instant::now();
        let deadline = job.spec().timeout.map(|timeout| started + timeout);
        let slot = self.core.slot(self.index);
        slot.publish(Running { job: Arc::clone(job), started, deadline });
        if job.gate().is_terminated() {
            job.gate().give_up(Arc::clone(job), Interrupt::Closed);
            self.conclude(job, started, Verdict::Failed);
            return;
        }
        if let Some(deadline) = deadline {
            self.core.watch(deadline);
        }
        match self.run_in_span(job, started) {
            Ran::Well => self.conclude(job, started, Verdict::Well),
            Ran::Failed => self.conclude(job, started, Verdict::Failed),
            Ran::Panicked(payload) => {
                self.conclude(job, started, Verdict::Panicked);
                // May panic in turn: the task is settled, and the thread's last will does the rest.
                drop(payload);
            }
        }
    }

    fn run_in_span(&self, job: &Arc<dyn Job>, started: Instant) -> Ran {
        let Spec { operation, bytes, span: id, .. } = *job.spec();
        let wait = started.saturating_duration_since(job.queued_at());
        if id != 0 {
            job.times().starts(wait, self.index);
        }
        // Costs a look at one number where nobody subscribes.
        let span = trace_span!("task", operation, id, bytes, wait_ns = nanos(wait));
        span.in_scope(|| job.run())
    }

    fn conclude(&mut self, job: &Arc<dyn Job>, started: Instant, verdict: Verdict) {
        let ending = job.finish();
        self.settle(job, started, verdict, ending);
    }

    /// Does all the accounts and tells the submitter last, so that whoever hears of the ending finds them done.
    fn settle(&mut self, job: &Arc<dyn Job>, started: Instant, verdict: Verdict, ending: Ending) {
        let slot = self.core.slot(self.index);
        drop(slot.clear());
        let ended = Instant::now();
        self.free_since = Some(ended);
        if job.spec().span != 0 {
            job.times().ends(ended.saturating_duration_since(started));
        }
        if ending == Ending::Done {
            let wait = started.saturating_duration_since(job.queued_at());
            let run = ended.saturating_duration_since(started);
            slot.recorder().record(job.spec().operation, wait, run, verdict);
        }
        self.core.release(job.spec());
        Arc::clone(job).post(ending);
    }
}

impl Drop for Worker {
    /// The thread's last will: it ends, or it dies of a panic and leaves a successor.
    fn drop(&mut self) {
        if self.searching {
            self.core.sleepers().stop_searching();
        }
        if thread::panicking() {
            let message = format!("offloop-{} died of a panic", self.index);
            if let Some(running) = self.core.slot(self.index).clear() {
                let ending = running.job.finish_dead(&message);
                self.settle(&running.job, running.started, Verdict::Panicked, ending);
            }
            self.core.thread_died(self.index, &message);
        }
        self.core.thread_gone();
    }
}
