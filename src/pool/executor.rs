//! The executor: what its clients and threads share.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use super::client::{Client, Event, Gate, Observer, Refusal};
use super::lanes::{Lanes, Turn};
use super::load::Load;
use super::metrics::{Counters, Spreads, Stats, spreads, summarise};
use super::sleepers::Sleepers;
use super::task::{Job, Spec};
use super::watchdog::Watchdog;
use super::worker::{self, Slot};
use crate::cancel::Interrupt;

/// The bounds of an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads.
    pub size: usize,
    /// Tasks that may wait while every thread is busy.
    pub max_queue: usize,
    /// Bytes that waiting and running tasks may hold.
    pub max_queue_bytes: usize,
}

/// The size when nothing else is asked for, of one pool of so many processes on this machine.
pub fn default_size(processes: usize) -> usize {
    // Reads CPU affinity and cgroup quotas, too.
    share(std::thread::available_parallelism().map_or(2, usize::from), processes)
}

/// One thread less than a process's share of the CPUs, which is the event loop's. A process that is alone has two at least, so
/// that a long task does not hold up the short ones; of several, the others' event loops would pay for them.
fn share(cpus: usize, processes: usize) -> usize {
    let threads = (cpus / processes.max(1)).saturating_sub(1);
    threads.max(if processes > 1 { 1 } else { 2 })
}

/// Makes clients. The threads belong to the executor's clients, and end after the last of them.
#[derive(Clone, Debug)]
pub struct Executor(Arc<Core>);

impl Executor {
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Core::new(limits)))
    }

    /// A new client; `None` when the executor has ended with its last client.
    pub fn client(&self, observer: Arc<dyn Observer>) -> Option<Client> {
        let mut clients = super::lock(&self.0.clients);
        if clients.ended {
            return None;
        }
        let client = Client::new(Arc::clone(&self.0), observer);
        clients.open += 1;
        clients.gates.retain(|gate| gate.strong_count() > 0);
        clients.gates.push(client.downgrade());
        Some(client)
    }
}

#[derive(Debug, Default)]
struct Clients {
    /// Also those closed, while they have tasks.
    gates: Vec<Weak<Gate>>,
    open: usize,
    ended: bool,
}

pub(super) struct Core {
    limits: Limits,
    lanes: Lanes,
    sleepers: Sleepers,
    slots: Box<[Slot]>,
    watchdog: Watchdog,
    clients: Mutex<Clients>,
    counters: Counters,
    load: Load,
    /// Threads ever started, replacements left out.
    started: AtomicUsize,
    /// Threads that exist.
    alive: AtomicUsize,
    /// A submission was refused, so somebody wants to hear of room.
    refused: AtomicBool,
    /// The last client is gone: threads end when the lanes are empty.
    ending: AtomicBool,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// Submitting.
impl Core {
    fn new(limits: Limits) -> Self {
        assert!(limits.size > 0, "an executor needs a thread");
        Self {
            limits,
            lanes: Lanes::new(),
            sleepers: Sleepers::new(limits.size),
            slots: (0..limits.size).map(|_| Slot::default()).collect(),
            watchdog: Watchdog::new(),
            clients: Mutex::default(),
            counters: Counters::default(),
            started: AtomicUsize::new(0),
            alive: AtomicUsize::new(0),
            load: Load::default(),
            refused: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        }
    }

    /// Takes a place in the queue, if there is one. The bound counts the running tasks as well, one per thread,
    /// so that it does not depend on how soon a thread picks up what it could run at once.
    pub(super) fn admit(self: &Arc<Self>, spec: &Spec) -> Result<(), Refusal> {
        if !self.is_started() {
            self.start_next().map_err(Refusal::NoThread)?;
        }
        if !self.load.tasks.add(1, self.limits.size.saturating_add(self.limits.max_queue)) {
            return Err(Refusal::TooManyTasks);
        }
        if spec.bytes > 0 && !self.load.bytes.add(spec.bytes, self.limits.max_queue_bytes) {
            self.load.tasks.take_back(1);
            return Err(Refusal::TooManyBytes);
        }
        Ok(())
    }

    /// Notes that a client was refused and wants to hear of room; the client's own flag is set already.
    pub(super) fn refuse(&self) {
        self.counters.refused.add();
        self.refused.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        // The last task may have ended just before the flag was set: nobody else would tell.
        self.tell_of_room();
    }

    pub(super) fn enqueue(self: &Arc<Self>, job: Arc<dyn Job>) {
        self.lanes.push(job);
        self.call_a_thread();
    }

    /// Sees to it that some thread looks at the lanes, which something was pushed to before.
    fn call_a_thread(self: &Arc<Self>) {
        if self.sleepers.anyone_searching() || self.sleepers.wake_one() {
            return;
        }
        // All are at work. If another cannot be started, those do it.
        let _ = self.start_next();
    }

    /// Gives up a place in the queue, of a task that is through.
    pub(super) fn release(&self, spec: &Spec) {
        if spec.bytes > 0 {
            self.load.bytes.remove(spec.bytes);
        }
        self.load.tasks.remove(1);
        fence(Ordering::SeqCst);
        self.tell_of_room();
    }

    /// Tells the refused clients once the queue is down to half of its bounds: told at the first free place, they
    /// would be refused again at once.
    fn tell_of_room(&self) {
        if !self.refused.load(Ordering::SeqCst) {
            return;
        }
        let waiting = self.load.tasks.now().saturating_sub(self.limits.size);
        let roomy =
            waiting <= self.limits.max_queue / 2 && self.load.bytes.now() <= self.limits.max_queue_bytes / 2;
        if roomy && self.refused.swap(false, Ordering::SeqCst) {
            for gate in self.gates() {
                gate.observe_room();
            }
        }
    }
}

/// Threads.
impl Core {
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn is_started(&self) -> bool {
        self.started.load(Ordering::Relaxed) > 0
    }

    pub(super) fn start_all(self: &Arc<Self>) -> io::Result<()> {
        while self.start_next()? {}
        Ok(())
    }

    /// Starts one more thread, which begins by searching; `false` when all have been started.
    fn start_next(self: &Arc<Self>) -> io::Result<bool> {
        let claim = |started: usize| (started < self.limits.size).then_some(started + 1);
        let Ok(index) = self.started.fetch_update(Ordering::SeqCst, Ordering::SeqCst, claim) else {
            return Ok(false);
        };
        let spawned = self.spawn(index);
        if spawned.is_err() {
            // The indices in use stay dense: nobody else claims one between, as only submitters start threads
            // and a failed claim is the last.
            self.started.fetch_sub(1, Ordering::SeqCst);
        }
        spawned.map(|()| true)
    }

    /// Starts the thread with this index, for the first time or again.
    pub(super) fn spawn(self: &Arc<Self>, index: usize) -> io::Result<()> {
        self.alive.fetch_add(1, Ordering::SeqCst);
        self.sleepers.start_searching();
        let spawned = worker::spawn(Arc::clone(self), index);
        if spawned.is_err() {
            self.sleepers.stop_searching();
            self.alive.fetch_sub(1, Ordering::SeqCst);
        }
        spawned
    }

    pub(super) fn slot(&self, index: usize) -> &Slot {
        &self.slots[index]
    }

    pub(super) fn sleepers(&self) -> &Sleepers {
        &self.sleepers
    }

    pub(super) fn next_job(&self, turn: &mut Turn) -> Option<Arc<dyn Job>> {
        self.lanes.pop(turn)
    }

    pub(super) fn has_work(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// A searching thread has found a job: the next one searches if there is more.
    pub(super) fn found(self: &Arc<Self>) {
        self.sleepers.stop_searching();
        if self.has_work() {
            self.call_a_thread();
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Nothing is left to watch.
    pub(super) fn is_over(&self) -> bool {
        self.is_ending() && self.alive.load(Ordering::SeqCst) == 0
    }

    /// A thread's last word, whether it ends or dies.
    pub(super) fn thread_gone(&self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
        self.watchdog.nudge();
    }

    pub(super) fn thread_died(self: &Arc<Self>, index: usize, message: &str) {
        self.counters.restarted.add();
        tracing::error!(thread = index, message, "a pool thread died and is replaced");
        // Where the system gives no thread, the others go on; without any, the tasks wait for the next attempt.
        let _ = self.spawn(index);
        for gate in self.gates() {
            gate.observe(Event::ThreadDied(message.to_owned()));
        }
    }
}

/// Deadlines and clients.
impl Core {
    pub(super) fn watchdog(&self) -> &Watchdog {
        &self.watchdog
    }

    pub(super) fn watch(self: &Arc<Self>, deadline: Instant) {
        self.watchdog.watch(self, deadline);
    }

    /// Acts on all deadlines that have passed and returns the earliest of the others.
    pub(super) fn expire(&self, now: Instant) -> Option<Instant> {
        let mut earliest = None;
        let mut consider = |deadline: Instant| {
            let best = earliest.get_or_insert(deadline);
            *best = deadline.min(*best);
        };
        for slot in &self.slots {
            match slot.expired(now) {
                Ok(job) => time_out(job),
                Err(deadline) => deadline.into_iter().for_each(&mut consider),
            }
        }
        for gate in self.gates() {
            match gate.deadline() {
                Some(deadline) if deadline <= now => gate.terminate(),
                deadline => deadline.into_iter().for_each(&mut consider),
            }
        }
        earliest
    }

    fn gates(&self) -> Vec<Arc<Gate>> {
        super::lock(&self.clients).gates.iter().filter_map(Weak::upgrade).collect()
    }

    /// A client has closed; the last one ends the executor, once the lanes are empty.
    pub(super) fn client_left(&self) {
        let mut clients = super::lock(&self.clients);
        clients.open -= 1;
        if clients.open > 0 {
            return;
        }
        clients.ended = true;
        drop(clients);
        self.ending.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.sleepers.wake_all();
        self.watchdog.nudge();
    }

    /// All jobs of a client, waiting (taken out of the lanes) and running.
    pub(super) fn jobs_of(&self, gate: &Arc<Gate>) -> Vec<Arc<dyn Job>> {
        let is_ours = |job: &Arc<dyn Job>| Arc::ptr_eq(job.gate(), gate);
        let mut jobs = Vec::new();
        self.lanes.retain(|job| {
            let ours = is_ours(job);
            if ours {
                jobs.push(Arc::clone(job));
            }
            !ours
        });
        jobs.extend(self.slots.iter().filter_map(Slot::job).filter(is_ours));
        jobs
    }

    pub(super) fn count_delayed(&self) {
        self.counters.delayed.add();
    }

    pub(super) fn count_interrupt(&self, reason: Interrupt) {
        match reason {
            Interrupt::Aborted => self.counters.aborted.add(),
            Interrupt::TimedOut => self.counters.timed_out.add(),
            Interrupt::Closed => self.counters.closed.add(),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let active = self.slots.iter().filter(|slot| slot.is_busy()).count();
        let in_flight = self.load.tasks.now();
        let counters = &self.counters;
        let mut stats = Stats {
            size: self.limits.size,
            threads: self.alive.load(Ordering::SeqCst),
            active,
            waiting: in_flight.saturating_sub(active),
            in_flight,
            bytes: self.load.bytes.now(),
            accepted: self.load.tasks.ever() as u64,
            delayed: counters.delayed.get(),
            refused: counters.refused.get(),
            aborted: counters.aborted.get(),
            timed_out: counters.timed_out.get(),
            closed: counters.closed.get(),
            restarted: counters.restarted.get(),
            ..Stats::default()
        };
        summarise(self.slots.iter().map(Slot::recorder), &mut stats);
        stats
    }

    pub(super) fn spreads(&self, bounds: &[Duration]) -> Vec<Spreads> {
        spreads(self.slots.iter().map(Slot::recorder), bounds)
    }
}

fn time_out(job: Arc<dyn Job>) {
    tracing::debug!(operation = job.spec().operation, id = job.spec().span, "a task timed out");
    let gate = Arc::clone(job.gate());
    gate.give_up(job, Interrupt::TimedOut);
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_pool_has_its_share_of_the_cpus_less_an_event_loop() {
        let shares = |cpus| [1, 2, 4, 16].map(|processes| share(cpus, processes));
        assert_eq!(shares(1), [2, 1, 1, 1]);
        assert_eq!(shares(2), [2, 1, 1, 1]);
        assert_eq!(shares(16), [15, 7, 3, 1]);
        assert_eq!(share(8, 0), 7);
    }
}
