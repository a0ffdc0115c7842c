//! The executor's protocols under loom: every interleaving and every allowed reordering of a few threads.
//!
//! `npm run test:models`

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use loom::thread;
use std::ptr::NonNull;
use std::sync::Arc;

use super::door::Door;
use super::sleepers::Sleepers;
use super::stack::{Link, Push, Stack};
use super::sync::UnsafeCell;
use super::task::{Met, State};

/// A message that keeps its own link alive, as a task does.
struct Node {
    link: Link<Arc<Node>>,
    number: usize,
}

fn push(stack: &Stack<Arc<Node>>, number: usize) -> Push<Arc<Node>> {
    let node = Arc::new(Node { link: Link::default(), number });
    let link = NonNull::from(&node.link);
    // SAFETY: the message owns the link, which is new.
    unsafe { stack.push(link, node) }
}

/// Whatever is pushed is taken, once, by the wake-up of its own push or of one before it.
#[test]
fn every_completion_is_covered_by_a_wake_up() {
    loom::model(|| {
        let stack = Arc::new(Stack::default());
        let bell = Arc::new(AtomicUsize::new(0));
        let producers: Vec<_> = (0..2)
            .map(|number| {
                let (stack, bell) = (Arc::clone(&stack), Arc::clone(&bell));
                thread::spawn(move || {
                    if let Push::First = push(&stack, number) {
                        bell.fetch_add(1, Ordering::AcqRel);
                    }
                })
            })
            .collect();
        // The consumer looks only when the bell has rung.
        let mut seen = Vec::new();
        if bell.swap(0, Ordering::AcqRel) > 0 {
            seen.extend(stack.take().map(|node| node.number));
        }
        for producer in producers {
            producer.join().unwrap();
        }
        if bell.swap(0, Ordering::AcqRel) > 0 {
            seen.extend(stack.take().map(|node| node.number));
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1]);
    });
}

/// A push meets either the consumer's last look or the closed stack, and nothing stays behind.
#[test]
fn nothing_is_left_in_a_closed_stack() {
    loom::model(|| {
        let stack = Arc::new(Stack::default());
        let theirs = Arc::clone(&stack);
        let producer =
            thread::spawn(move || matches!(push(&theirs, 7), Push::Closed(node) if node.number == 7));
        let taken = stack.close().count();
        let came_back = producer.join().unwrap();
        assert_eq!(taken + usize::from(came_back), 1);
        assert!(stack.take().is_empty());
    });
}

/// A thread never sleeps through a submission.
#[test]
fn no_wake_up_is_lost() {
    loom::model(|| {
        let sleepers = Arc::new(Sleepers::new(1));
        let work = Arc::new(AtomicBool::new(false));
        sleepers.start_searching();
        let (their_sleepers, their_work) = (Arc::clone(&sleepers), Arc::clone(&work));
        let sleeper = thread::spawn(move || {
            // As in `Worker::find`: a look that finds nothing, then to bed.
            if their_work.load(Ordering::Relaxed) {
                return true;
            }
            their_sleepers.lie_down(0);
            their_sleepers.stop_searching();
            let stay_up = their_work.load(Ordering::Relaxed);
            stay_up && (their_sleepers.get_up(0) || !their_sleepers.is_asleep(0))
        });
        // As in `Core::enqueue`.
        work.store(true, Ordering::Relaxed);
        let _ = sleepers.anyone_searching() || sleepers.wake_one();
        let is_up = sleeper.join().unwrap();
        assert!(is_up || !sleepers.is_asleep(0), "asleep with work at hand");
    });
}

/// Thread, interrupter and taker: the outcome has one owner at a time, and the task ends once.
#[test]
fn a_task_has_one_owner_and_one_ending() {
    loom::model(|| {
        let task = Arc::new((State::new(), UnsafeCell::new(0)));
        let endings = Arc::new(AtomicUsize::new(0));
        let theirs = (Arc::clone(&task), Arc::clone(&endings));
        let worker = thread::spawn(move || {
            let (task, endings) = theirs;
            let (state, outcome) = &*task;
            if !state.start() {
                return;
            }
            // SAFETY: running is owning.
            outcome.with_mut(|cell| unsafe { *cell = 1 });
            if state.finish() {
                endings.fetch_add(1, Ordering::Relaxed);
            } else {
                // SAFETY: abandoned is still owning.
                outcome.with_mut(|cell| unsafe { *cell = 2 });
                state.release();
            }
        });
        let (state, outcome) = &*task;
        if state.interrupt() != Met::Ended {
            endings.fetch_add(1, Ordering::Relaxed);
        }
        if state.take() {
            // SAFETY: taking is owning.
            outcome.with_mut(|cell| unsafe { *cell += 10 });
        }
        worker.join().unwrap();
        assert_eq!(endings.load(Ordering::Relaxed), 1);
        let taken_now = state.take();
        // SAFETY: the other thread has ended.
        let value = outcome.with_mut(|cell| unsafe { *cell });
        assert!(taken_now != (value >= 10), "taken once: {value}");
    });
}

/// A lane with room for one task, and a thread's slot: something is shown in it, or not. Sequentially consistent in the shipped code, where it
/// is a channel and a mutex; loom takes such accesses for acquiring and releasing ones, its fences are as strong as they should be.
#[derive(Default)]
struct Place(AtomicBool);

impl Place {
    fn show(&self) {
        self.0.swap(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    fn look(&self) -> bool {
        fence(Ordering::SeqCst);
        self.0.load(Ordering::SeqCst)
    }

    fn take(&self) -> bool {
        fence(Ordering::SeqCst);
        self.0.swap(false, Ordering::SeqCst)
    }
}

/// Whoever terminates a client finds each of its tasks, or the thread that starts one sees it: none runs on, none ends twice.
#[test]
fn nothing_runs_on_behind_a_terminated_door() {
    loom::model(|| {
        let shared = Arc::new((Door::new(), State::new(), Place::default(), Place::default()));
        let interrupts = Arc::new(AtomicUsize::new(0));
        let give_up = |state: &State, interrupts: &AtomicUsize| {
            if state.interrupt() != Met::Ended {
                interrupts.fetch_add(1, Ordering::Relaxed);
            }
        };
        shared.2.show();
        let (theirs, their_interrupts) = (Arc::clone(&shared), Arc::clone(&interrupts));
        let worker = thread::spawn(move || {
            // As in `Worker::execute`, with a task that only ends when it is interrupted.
            let (door, state, lane, slot) = &*theirs;
            if !lane.take() || !state.start() {
                return;
            }
            slot.show();
            if door.is_terminated() {
                give_up(state, &their_interrupts);
            }
        });
        // As in `Gate::terminate`.
        let (door, state, lane, slot) = &*shared;
        door.terminate();
        if lane.take() {
            give_up(state, &interrupts);
        }
        if slot.look() {
            give_up(state, &interrupts);
        }
        worker.join().unwrap();
        assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    });
}

/// A task that comes in while the door is shut is run by a thread that has not ended yet, or given up by its submitter.
#[test]
fn nothing_is_left_behind_a_door_that_is_shut() {
    // Three threads: all interleavings take minutes, those with so many preemptions seconds.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let shared = Arc::new((Door::new(), State::new(), Place::default(), AtomicBool::new(false)));
        let sleepers = Arc::new(Sleepers::new(1));
        let endings = Arc::new(AtomicUsize::new(0));
        sleepers.start_searching();
        let theirs = (Arc::clone(&shared), Arc::clone(&sleepers), Arc::clone(&endings));
        let submitter = thread::spawn(move || {
            // As in `Client::submit`.
            let ((door, state, lane, _), sleepers, endings) = (&*theirs.0, &theirs.1, &theirs.2);
            if !door.is_open() {
                return 0;
            }
            lane.show();
            let _ = sleepers.anyone_searching() || sleepers.wake_one();
            if !door.is_open() && lane.take() && state.interrupt() != Met::Ended {
                endings.fetch_add(1, Ordering::Relaxed);
            }
            1
        });
        let theirs = (Arc::clone(&shared), Arc::clone(&sleepers), Arc::clone(&endings));
        let worker = thread::spawn(move || {
            let ((_, state, lane, ending), sleepers, endings) = (&*theirs.0, &theirs.1, &theirs.2);
            let run = || {
                if lane.take() && state.start() && state.finish() {
                    endings.fetch_add(1, Ordering::Relaxed);
                }
            };
            // As in `Worker::find`: it looks, lies down, and is woken at the end if by nothing else.
            run();
            sleepers.lie_down(0);
            sleepers.stop_searching();
            if (lane.look() || ending.load(Ordering::SeqCst)) && sleepers.get_up(0) || !sleepers.is_asleep(0)
            {
                run();
                if ending.load(Ordering::SeqCst) && !lane.look() {
                    return Some(true);
                }
                return Some(false);
            }
            None
        });
        // As in `Client::close` and `Core::client_left`.
        let (door, state, lane, ending) = &*shared;
        assert!(door.shut());
        ending.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        sleepers.wake_all();
        let accepted = submitter.join().unwrap();
        let ended = worker.join().unwrap();
        // A thread that has not ended looks again: it is up, or has been woken.
        assert!(ended.is_some() || !sleepers.is_asleep(0), "asleep at the end");
        if ended != Some(true) && lane.take() && state.start() && state.finish() {
            endings.fetch_add(1, Ordering::Relaxed);
        }
        assert_eq!(endings.load(Ordering::Relaxed), accepted);
    });
}
