//! The executor's behaviour, one test each, steered by gates instead of sleeps.

use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use offloop::cancel::{CancelToken, Interrupt};
use offloop::pool::{
    Client, Closing, Ending, Event, Executor, Limits, Observer, Outcome, Priority, Refusal, Spec, Task, Work,
};

/// Longer than anything here takes on the slowest machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

type Body = Box<dyn FnOnce() -> Result<u32, String> + Send>;

/// A closure as a task.
struct Closure(Option<Body>);

/// What a submitter was told: the ending, and the outcome if there was one to take.
type Told = (u32, Ending, Option<Outcome<u32, String>>);

struct Side {
    tag: u32,
    told: Sender<Told>,
}

impl Work for Closure {
    type Output = u32;
    type Error = String;
    type Side = Side;

    fn run(&mut self) -> Result<u32, String> {
        self.0.take().expect("runs once")()
    }

    fn ended(task: &Arc<Task<Self>>, _observer: &dyn Observer, ending: Ending) {
        let outcome = task.take().and_then(|(_, outcome)| outcome);
        let _ = task.side().told.send((task.side().tag, ending, outcome));
    }
}

struct Events(Sender<Event>);

impl Observer for Events {
    fn observe(&self, event: Event) {
        let _ = self.0.send(event);
    }
}

/// A client with an ear for its tasks and events.
struct Fixture {
    executor: Executor,
    client: Client,
    tell: Sender<Told>,
    told: Receiver<Told>,
    events: Receiver<Event>,
}

fn limits(size: usize) -> Limits {
    Limits { size, max_queue: 100_000, max_queue_bytes: usize::MAX }
}

impl Fixture {
    fn new(limits: Limits) -> Self {
        Self::on(Executor::new(limits))
    }

    fn on(executor: Executor) -> Self {
        let (events_in, events) = channel();
        let (tell, told) = channel();
        let client = executor.client(Arc::new(Events(events_in))).expect("a living executor");
        Self { executor, client, tell, told, events }
    }

    fn try_submit(
        &self,
        tag: u32,
        spec: Spec,
        body: impl FnOnce() -> Result<u32, String> + Send + 'static,
    ) -> Result<Arc<Task<Closure>>, Refusal> {
        let side = Side { tag, told: self.tell.clone() };
        self.client.submit_abortable(spec, Closure(Some(Box::new(body))), side).map_err(|refused| {
            assert!(refused.work.0.is_some() && refused.side.tag == tag, "a refusal hands everything back");
            refused.reason
        })
    }

    fn submit(
        &self,
        tag: u32,
        spec: Spec,
        body: impl FnOnce() -> Result<u32, String> + Send + 'static,
    ) -> Arc<Task<Closure>> {
        self.try_submit(tag, spec, body).expect("accepted")
    }

    fn next(&self) -> Told {
        self.told.recv_timeout(PATIENCE).expect("told in time")
    }

    fn event(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("an event in time")
    }

    /// Occupies a thread until the returned gate is opened; returns once it does.
    fn occupy(&self, tag: u32) -> Gate {
        let gate = Gate::new();
        let inside = gate.clone();
        self.submit(tag, spec(), move || {
            inside.pass();
            Ok(tag)
        });
        gate.entered.wait();
        gate
    }
}

fn spec() -> Spec {
    Spec::new("test")
}

fn done(told: &Told) -> bool {
    matches!(told, (_, Ending::Done, Some(_)))
}

/// Holds one task between two barriers.
#[derive(Clone)]
struct Gate {
    entered: Arc<Barrier>,
    leave: Arc<Barrier>,
}

impl Gate {
    fn new() -> Self {
        Self { entered: Arc::new(Barrier::new(2)), leave: Arc::new(Barrier::new(2)) }
    }

    fn pass(&self) {
        self.entered.wait();
        self.leave.wait();
    }

    fn open(&self) {
        self.leave.wait();
    }
}

/// Waits for a state that the pool reaches by itself.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::yield_now();
    }
}

#[test]
fn every_task_ends_once_with_its_own_outcome() {
    let fixture = Fixture::new(limits(3));
    for tag in 0..10_000 {
        fixture.submit(
            tag,
            spec(),
            move || if tag % 3 == 0 { Err(format!("no {tag}")) } else { Ok(tag * 2) },
        );
    }
    let mut seen = vec![0; 10_000];
    for _ in 0..10_000 {
        let (tag, ending, outcome) = fixture.next();
        assert_eq!(ending, Ending::Done);
        match outcome.expect("an outcome") {
            Outcome::Output(output) => assert!(tag % 3 != 0 && output == tag * 2),
            Outcome::Error(error) => assert!(tag % 3 == 0 && error == format!("no {tag}")),
            Outcome::Panicked(text) => panic!("{text}"),
        }
        seen[tag as usize] += 1;
    }
    assert!(seen.iter().all(|&times| times == 1));
    let stats = fixture.client.stats();
    assert_eq!((stats.accepted, stats.succeeded, stats.failed), (10_000, 6_666, 3_334));
    assert_eq!((stats.in_flight, stats.operations["test"].count), (0, 10_000));
}

#[test]
fn threads_start_as_they_are_needed() {
    let fixture = Fixture::new(limits(3));
    assert_eq!(fixture.client.stats().threads, 0);
    assert!(!fixture.client.is_started());
    let first = fixture.occupy(0);
    let second = fixture.occupy(1);
    assert!((2..=3).contains(&fixture.client.stats().threads));
    assert_eq!(fixture.client.stats().active, 2);
    first.open();
    second.open();
    fixture.client.start().unwrap();
    assert_eq!(fixture.client.stats().threads, 3);
}

#[test]
fn a_full_queue_refuses_and_tells_of_room() {
    let fixture = Fixture::new(Limits { size: 1, max_queue: 4, max_queue_bytes: usize::MAX });
    let gate = fixture.occupy(0);
    for tag in 1..=4 {
        fixture.submit(tag, spec(), move || Ok(tag));
    }
    assert!(matches!(fixture.try_submit(5, spec(), || Ok(5)), Err(Refusal::TooManyTasks)));
    assert!(matches!(fixture.try_submit(6, spec(), || Ok(6)), Err(Refusal::TooManyTasks)));
    assert!(fixture.events.try_recv().is_err(), "no room yet");
    gate.open();
    assert_eq!(fixture.event(), Event::Room);
    (0..5).for_each(|_| assert!(done(&fixture.next())));
    fixture.submit(7, spec(), || Ok(7));
    assert!(done(&fixture.next()));
    assert!(fixture.events.try_recv().is_err(), "told once");
    assert_eq!(fixture.client.stats().refused, 2);
}

#[test]
fn tasks_hold_their_bytes_until_they_are_done() {
    let fixture = Fixture::new(Limits { size: 1, max_queue: 100, max_queue_bytes: 100 });
    let bytes = |bytes| Spec { bytes, ..spec() };
    let gate = fixture.occupy(0);
    let queued = fixture.submit(1, bytes(60), || Ok(1));
    assert!(matches!(fixture.try_submit(2, bytes(41), || Ok(2)), Err(Refusal::TooManyBytes)));
    fixture.submit(3, bytes(40), || Ok(3));
    assert_eq!(fixture.client.stats().bytes, 100);
    assert!(queued.abort());
    assert_eq!(fixture.client.stats().bytes, 40, "an aborted task's bytes are free at once");
    assert_eq!(fixture.event(), Event::Room);
    assert!(matches!(fixture.try_submit(4, bytes(101), || Ok(4)), Err(Refusal::TooManyBytes)));
    gate.open();
    assert_eq!(fixture.next().0, 0);
    assert_eq!(fixture.next().0, 3);
    assert_eq!(fixture.client.stats().bytes, 0);
}

#[test]
fn interactive_goes_ahead_and_bulk_is_not_starved() {
    let fixture = Fixture::new(limits(1));
    let gate = fixture.occupy(0);
    let order = Arc::new(Mutex::new(Vec::new()));
    let submit = |tag, priority| {
        let order = Arc::clone(&order);
        fixture.submit(tag, Spec { priority, ..spec() }, move || {
            order.lock().unwrap().push(priority);
            Ok(tag)
        });
    };
    (0..10).for_each(|tag| submit(tag, Priority::Bulk));
    (10..110).for_each(|tag| submit(tag, Priority::Interactive));
    gate.open();
    (0..111).for_each(|_| assert!(done(&fixture.next())));
    let order = order.lock().unwrap();
    let bulk_among = |count: usize| order[..count].iter().filter(|p| **p == Priority::Bulk).count();
    assert!((2..=4).contains(&bulk_among(24)), "one in eight: {}", bulk_among(24));
    assert_eq!(bulk_among(88), 10, "all of it while interactive tasks still wait");
}

#[test]
fn an_aborted_task_in_the_queue_never_runs_and_lets_go_at_once() {
    let fixture = Fixture::new(limits(1));
    let gate = fixture.occupy(0);
    let payload = Arc::new(());
    let held = Arc::clone(&payload);
    let task = fixture.submit(1, spec(), move || {
        drop(held);
        panic!("must not run");
    });
    assert!(task.abort());
    assert!(!task.abort(), "once");
    assert_eq!(fixture.client.stats().waiting, 0);
    drop(task.take().expect("the work comes back"));
    assert_eq!(Arc::strong_count(&payload), 1);
    gate.open();
    assert_eq!(fixture.next().0, 0);
    fixture.submit(2, spec(), || Ok(2));
    assert_eq!(fixture.next().0, 2, "nothing was told of the aborted one");
    assert_eq!(fixture.client.stats().aborted, 1);
}

#[test]
fn an_aborted_running_task_gets_its_flag_and_comes_back_late() {
    let fixture = Fixture::new(limits(1));
    let token = CancelToken::new();
    let seen = token.clone();
    let started = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&started);
    let task = fixture.submit(1, Spec { token: Some(token), ..spec() }, move || {
        inside.wait();
        while seen.check().is_ok() {
            thread::yield_now();
        }
        assert_eq!(seen.interrupt(), Some(Interrupt::Aborted));
        Ok(1)
    });
    started.wait();
    assert!(task.abort());
    assert!(matches!(fixture.next(), (1, Ending::Late, None)), "the late outcome is thrown away");
    fixture.submit(2, spec(), || Ok(2));
    assert!(done(&fixture.next()));
}

#[test]
fn an_ended_task_cannot_be_aborted() {
    let fixture = Fixture::new(limits(1));
    let task = fixture.submit(1, spec(), || Ok(1));
    assert!(done(&fixture.next()));
    assert!(!task.abort());
    assert_eq!(fixture.client.stats().aborted, 0);
}

#[test]
fn a_timeout_is_told_at_once_even_of_work_that_will_not_stop() {
    let fixture = Fixture::new(limits(1));
    let gate = Gate::new();
    let inside = gate.clone();
    let timeout = Some(Duration::from_millis(5));
    fixture.submit(1, Spec { timeout, ..spec() }, move || {
        inside.pass();
        Ok(1)
    });
    gate.entered.wait();
    assert!(matches!(fixture.next(), (1, Ending::Interrupted(Interrupt::TimedOut), None)));
    gate.open();
    assert!(matches!(fixture.next(), (1, Ending::Late, None)));
    let stats = fixture.client.stats();
    assert_eq!((stats.timed_out, stats.succeeded, stats.in_flight), (1, 0, 0));
}

/// Runs until it is cancelled; returns once it does, with the flag.
fn spin(fixture: &Fixture, tag: u32, timeout: Duration) -> CancelToken {
    let token = CancelToken::new();
    let seen = token.clone();
    let started = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&started);
    let spec = Spec { timeout: Some(timeout), token: Some(token.clone()), ..spec() };
    fixture.submit(tag, spec, move || {
        inside.wait();
        while seen.check().is_ok() {
            thread::yield_now();
        }
        Ok(tag)
    });
    started.wait();
    token
}

#[test]
fn an_earlier_deadline_is_not_slept_over() {
    let fixture = Fixture::new(limits(2));
    let patient = spin(&fixture, 1, PATIENCE * 10);
    spin(&fixture, 2, Duration::from_millis(5));
    // The watchdog and the thread that comes back tell independently.
    let told = [fixture.next(), fixture.next()].map(|(tag, ending, _)| (tag, ending));
    assert!(told.contains(&(2, Ending::Interrupted(Interrupt::TimedOut))));
    assert!(told.contains(&(2, Ending::Late)));
    assert_eq!(patient.interrupt(), None);
    patient.cancel(Interrupt::Aborted);
    assert_eq!(fixture.next().0, 1);
}

#[test]
fn a_timeout_does_not_count_the_time_in_the_queue() {
    let fixture = Fixture::new(limits(1));
    let gate = fixture.occupy(0);
    let timeout = Duration::from_millis(500);
    fixture.submit(1, Spec { timeout: Some(timeout), ..spec() }, || Ok(1));
    thread::sleep(timeout + timeout / 5);
    gate.open();
    assert!(done(&fixture.next()));
    assert!(done(&fixture.next()));
}

#[test]
fn a_panic_is_the_tasks_own_affair() {
    let fixture = Fixture::new(limits(1));
    fixture.submit(1, spec(), || panic!("out of {}", "luck"));
    let (_, ending, outcome) = fixture.next();
    assert_eq!(ending, Ending::Done);
    assert!(
        matches!(outcome, Some(Outcome::Panicked(text)) if text.starts_with("out of luck (tests/pool.rs:"))
    );
    fixture.submit(2, spec(), || Ok(2));
    assert!(done(&fixture.next()));
    let stats = fixture.client.stats();
    assert_eq!((stats.panicked, stats.restarted, stats.in_flight), (1, 0, 0));
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "a panic's payload that panics");
    }
}

#[test]
fn a_dead_thread_is_replaced_and_its_task_told() {
    let fixture = Fixture::new(limits(2));
    for round in 1..=20 {
        fixture.submit(round, spec(), || panic_any(Bomb));
        let (tag, ending, outcome) = fixture.next();
        assert!(tag == round && ending == Ending::Done && matches!(outcome, Some(Outcome::Panicked(_))));
        assert!(matches!(fixture.event(), Event::ThreadDied(text) if text.starts_with("offloop-")));
    }
    for tag in 0..100 {
        fixture.submit(tag, spec(), move || Ok(tag));
    }
    (0..100).for_each(|_| assert!(done(&fixture.next())));
    assert_eq!(fixture.client.stats().restarted, 20);
    eventually("the dead are gone", || fixture.client.stats().threads <= 2);
}

#[test]
fn a_closed_client_drains_and_refuses() {
    let fixture = Fixture::new(limits(1));
    let gate = fixture.occupy(0);
    fixture.submit(1, spec(), || Ok(1));
    fixture.client.close(Closing::Drain(Some(PATIENCE)));
    assert!(!fixture.client.is_open());
    assert!(matches!(fixture.try_submit(2, spec(), || Ok(2)), Err(Refusal::Closed)));
    gate.open();
    assert!(done(&fixture.next()) && done(&fixture.next()));
    eventually("the threads end", || fixture.client.stats().threads == 0);
    let (events, _) = channel();
    assert!(fixture.executor.client(Arc::new(Events(events))).is_none(), "ended with its last client");
}

#[test]
fn closing_now_or_at_the_limit_rejects_the_rest() {
    for closing in [Closing::Now, Closing::Drain(Some(Duration::from_millis(5)))] {
        let fixture = Fixture::new(limits(1));
        let gate = fixture.occupy(0);
        for tag in 1..=50 {
            fixture.submit(tag, spec(), || panic!("must not run"));
        }
        fixture.client.close(closing);
        let mut told: Vec<_> = (0..51).map(|_| fixture.next()).collect();
        told.sort_by_key(|(tag, ..)| *tag);
        for (index, (tag, ending, outcome)) in told.iter().enumerate() {
            assert_eq!(*tag as usize, index);
            assert_eq!(*ending, Ending::Interrupted(Interrupt::Closed));
            assert!(outcome.is_none());
        }
        gate.open();
        assert!(matches!(fixture.next(), (0, Ending::Late, None)));
        eventually("the threads end", || fixture.client.stats().threads == 0);
        assert_eq!(fixture.client.stats().closed, 51);
    }
}

#[test]
fn closing_one_client_leaves_the_others_alone() {
    let one = Fixture::new(limits(1));
    let other = Fixture::on(one.executor.clone());
    let gate = one.occupy(0);
    for tag in 1..=10 {
        one.submit(tag, spec(), || panic!("must not run"));
        other.submit(tag, spec(), move || Ok(tag));
    }
    one.client.close(Closing::Now);
    (0..11).for_each(|_| assert!(matches!(one.next().1, Ending::Interrupted(Interrupt::Closed))));
    gate.open();
    for tag in 1..=10 {
        let told = other.next();
        assert!(done(&told) && told.0 == tag, "in their order");
    }
    assert!(one.executor.client(Arc::new(Events(channel().0))).is_some(), "the executor goes on");
}

#[test]
fn a_dropped_client_lets_its_tasks_go_on() {
    let Fixture { executor, client, tell, told, events: _events } = Fixture::new(limits(1));
    let side = Side { tag: 1, told: tell };
    assert!(client.submit(spec(), Closure(Some(Box::new(|| Ok(1)))), side).is_ok());
    drop(client);
    assert!(done(&told.recv_timeout(PATIENCE).unwrap()));
    assert!(executor.client(Arc::new(Events(channel().0))).is_none());
}

#[test]
fn everything_at_once_settles_once() {
    // Aborts, timeouts, panics, deaths and a shutdown race with the threads that run the tasks.
    const TASKS: u32 = 10_000;
    let fixture = Fixture::new(limits(3));
    let aborted = AtomicUsize::new(0);
    let mut tasks = Vec::new();
    for tag in 0..TASKS {
        let token = CancelToken::new();
        let timeout = (tag % 5 == 1).then_some(Duration::from_micros(50));
        let spec = Spec { timeout, token: Some(token.clone()), ..spec() };
        tasks.push(fixture.submit(tag, spec, move || match tag % 50 {
            1 | 11 => {
                while token.check().is_ok() {
                    thread::yield_now();
                }
                Ok(tag)
            }
            2 | 22 => panic!("one of many"),
            3 => panic_any(Bomb),
            _ => Ok(tag),
        }));
    }
    thread::scope(|scope| {
        for quarter in 0..2 {
            let (tasks, aborted) = (&tasks, &aborted);
            scope.spawn(move || {
                for task in tasks.iter().skip(quarter).step_by(7) {
                    if task.abort() {
                        aborted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    fixture.client.close(Closing::Now);
    eventually("the threads end", || fixture.client.stats().threads == 0);
    let mut endings = vec![0; TASKS as usize];
    for (tag, ending, _) in fixture.told.try_iter() {
        endings[tag as usize] += usize::from(ending != Ending::Late);
    }
    assert!(endings.iter().all(|&times| times <= 1), "told twice");
    assert_eq!(endings.iter().sum::<usize>() + aborted.into_inner(), TASKS as usize);
    assert_eq!(fixture.client.stats().in_flight, 0);
}
