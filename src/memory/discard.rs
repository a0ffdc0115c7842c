//! Large memory that V8 has let go of is freed off the event loop.
//!
//! External strings die in the midst of a full collection, dozens at a time. To unmap a megabyte takes some hundred
//! microseconds, so freeing them there and then makes the pause three times as long.

use std::sync::OnceLock;
use std::thread;

use crossbeam_channel::{Sender, bounded};

/// Bytes from which freeing is worth another thread's while: the allocator maps what is larger.
const LARGE: usize = 128 << 10;
/// Vectors that may wait. With more of them the caller frees what it has, so that it cannot run ahead.
const WAITING: usize = 256;

type Discarded = Box<dyn Send>;

/// Frees a vector, soon.
pub fn free_soon<T: Send + 'static>(vector: Vec<T>) {
    static THREAD: OnceLock<Option<Sender<Discarded>>> = OnceLock::new();
    if size_of::<T>() * vector.capacity() < LARGE {
        return;
    }
    // Where there is no thread, or no room, it is freed here.
    if let Some(thread) = THREAD.get_or_init(start) {
        drop(thread.try_send(Box::new(vector)));
    }
}

fn start() -> Option<Sender<Discarded>> {
    let (sender, receiver) = bounded::<Discarded>(WAITING);
    let free = move || receiver.iter().for_each(drop);
    thread::Builder::new().name("offloop-free".to_owned()).spawn(free).ok()?;
    Some(sender)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread::ThreadId;

    use super::*;

    struct Witness(Sender<ThreadId>);

    impl Drop for Witness {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    #[test]
    fn only_large_memory_is_freed_on_another_thread() {
        let (sender, freed_on) = channel();
        let mut large = Vec::with_capacity(LARGE);
        large.push(Witness(sender.clone()));
        free_soon(large);
        assert_ne!(freed_on.recv().unwrap(), thread::current().id());
        free_soon(vec![Witness(sender)]);
        assert_eq!(freed_on.recv().unwrap(), thread::current().id());
    }
}
