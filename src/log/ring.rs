//! A ring of records, for one producer and one consumer.
//!
//! The producer is a JS thread: `lib/ring.js` writes a record into the memory, then moves the tail behind it, and makes
//! no native call unless the consumer sleeps. [`Producer`] does the same in Rust, for tests and for loom. The consumer is
//! the writer thread: it reads what lies between head and tail and moves the head when that is in the log file. So a
//! byte has one owner at a time, and the two positions hand it over:
//!
//! - The tail is stored after the record (release), and loaded before it is read (acquire).
//! - The head is stored after the last read, and loaded before what it frees is written again.
//!
//! *Sleep* is Dekker's protocol: the consumer says that it sleeps and then looks at the tail once more, the producer
//! moves the tail and then looks whether the consumer sleeps. Both are sequentially consistent, so one sees the other.
//!
//! In a mapped file all of it outlives the process. A process that is killed leaves its stores in program order, so what is
//! before the tail is whole; the check sums are for machines that lose power, and for what else may befall a file.

use std::sync::atomic::{AtomicU32, Ordering};

use super::layout::{HEADER, LARGEST, MAGIC, SMALLEST, UNIT, VERSION, at, record};
use super::memory::Memory;
use super::protocol;

/// See the module's documentation.
#[derive(Debug)]
pub struct Ring {
    memory: Memory,
    /// Bytes, a power of two.
    capacity: usize,
    /// Whether records carry check sums.
    checked: bool,
}

/// What lies at a position.
#[derive(Debug, PartialEq, Eq)]
pub enum Slot<'a> {
    /// Nothing yet.
    Empty,
    Record(Record<'a>),
    /// A damaged record.
    Torn {
        next: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub kind: u32,
    pub continues: bool,
    pub payload: &'a [u8],
    /// The position behind it.
    pub next: u32,
}

/// Why a file is no ring.
#[derive(Debug)]
pub struct NotARing(pub String);

impl Ring {
    /// Takes zeroed memory.
    pub fn new(memory: Memory) -> Self {
        let capacity = memory.length() - HEADER;
        debug_assert!(capacity.is_power_of_two());
        let checked = memory.path().is_some();
        let ring = Self { memory, capacity, checked };
        ring.word(at::VERSION).store(VERSION, Ordering::Relaxed);
        ring.word(at::CAPACITY).store(capacity as u32, Ordering::Relaxed);
        ring.set_wide(at::CREATED, super::system::since_1970().as_nanos() as u64);
        ring.set_wide(at::MAGIC, MAGIC);
        ring
    }

    /// Takes the memory of a file that somebody left.
    pub fn open(memory: Memory) -> Result<Self, NotARing> {
        let not = |why: String| Err(NotARing(why));
        if memory.length() < HEADER + SMALLEST {
            return not(format!("it has {} bytes", memory.length()));
        }
        let capacity = memory.length() - HEADER;
        let ring = Self { memory, capacity, checked: true };
        let version = ring.word(at::VERSION).load(Ordering::Relaxed);
        let stated = ring.word(at::CAPACITY).load(Ordering::Relaxed) as usize;
        if ring.wide(at::MAGIC) != MAGIC {
            return not("it does not begin as one".to_owned());
        }
        if version != VERSION {
            return not(format!("it is of version {version}, and this is {VERSION}"));
        }
        if !capacity.is_power_of_two() || capacity > LARGEST || stated != capacity {
            return not(format!("it has {capacity} bytes and says {stated}"));
        }
        if ring.used() > capacity {
            return not("its positions make no sense".to_owned());
        }
        Ok(ring)
    }

    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    pub fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }

    pub fn created(&self) -> u64 {
        self.wide(at::CREATED)
    }

    /// Where a byte of the memory is. Callers ask for what is aligned: header fields, and units.
    #[allow(
        clippy::cast_ptr_alignment,
        reason = "the memory is aligned to 8 bytes, and so are callers' offsets"
    )]
    fn at<T>(&self, offset: usize) -> *mut T {
        debug_assert!(offset.is_multiple_of(align_of::<T>()) && offset < self.memory.length());
        // SAFETY: within the memory.
        unsafe { self.memory.start().add(offset).cast() }
    }

    pub(super) fn word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: aligned, within the memory, and accessed atomically by both sides while both may.
        unsafe { AtomicU32::from_ptr(self.at(offset)) }
    }

    /// A header field of 8 bytes, which one side alone uses.
    pub(super) fn wide(&self, offset: usize) -> u64 {
        // SAFETY: aligned, within the header.
        unsafe { self.at::<u64>(offset).read() }
    }

    pub(super) fn set_wide(&self, offset: usize, value: u64) {
        // SAFETY: as above.
        unsafe { self.at::<u64>(offset).write(value) };
    }

    pub fn tail(&self) -> u32 {
        self.word(at::TAIL).load(Ordering::Acquire)
    }

    pub fn head(&self) -> u32 {
        self.word(at::HEAD).load(Ordering::Acquire)
    }

    pub fn set_head(&self, head: u32) {
        protocol::hand_back(self.word(at::HEAD), head);
    }

    pub fn is_empty(&self) -> bool {
        self.head() == self.tail()
    }

    /// Bytes between head and tail.
    pub fn used(&self) -> usize {
        self.tail().wrapping_sub(self.head()) as usize * UNIT
    }

    /// Whether the consumer may go to sleep; if so, the producer wakes it.
    pub fn lie_down(&self) -> bool {
        protocol::lie_down(self.word(at::SLEEPING), self.word(at::TAIL), self.head())
    }

    pub fn get_up(&self) {
        protocol::get_up(self.word(at::SLEEPING));
    }

    fn index(&self, position: u32) -> usize {
        (position as usize * UNIT) & (self.capacity - 1)
    }

    /// What lies at `position`, which is the head, or behind a record that was read.
    pub fn read(&self, position: u32) -> Slot<'_> {
        let tail = self.tail();
        if position == tail {
            return Slot::Empty;
        }
        let index = self.index(position);
        let room = self.capacity - index;
        let published = tail.wrapping_sub(position) as usize * UNIT;
        // SAFETY: a record's header is within the ring, and before the tail nobody writes.
        let [word, sum] = unsafe { self.at::<[u32; 2]>(HEADER + index).read() };
        let kind = word >> record::LENGTH_BITS & 7;
        if kind == record::SKIP {
            let fits = word == 0 && room <= published;
            let next = position.wrapping_add((room / UNIT) as u32);
            // Nobody skips without writing a record behind.
            return if fits && next != tail { self.read(next) } else { Slot::Torn { next: tail } };
        }
        let length = (word & ((1 << record::LENGTH_BITS) - 1)) as usize;
        let whole = record::HEADER + length.next_multiple_of(UNIT);
        if whole > room || whole > published || kind > record::LARGE {
            return Slot::Torn { next: tail };
        }
        let next = position.wrapping_add((whole / UNIT) as u32);
        if self.checked && sum != self.check_sum(position) {
            return Slot::Torn { next };
        }
        // SAFETY: within the ring, and the producer leaves it alone until the head has passed it.
        let payload = unsafe {
            std::slice::from_raw_parts(self.memory.start().add(HEADER + index + record::HEADER), length)
        };
        Slot::Record(Record { kind, continues: word & record::CONTINUES != 0, payload, next })
    }

    /// The check sum of the record at `position`, whose length must be right.
    fn check_sum(&self, position: u32) -> u32 {
        let index = self.index(position);
        // SAFETY: as in `read`.
        let head = unsafe { self.at::<u32>(HEADER + index).read() };
        let length = (head & ((1 << record::LENGTH_BITS) - 1)) as usize;
        // SAFETY: as above; payloads are aligned, and padded to units.
        let units = unsafe {
            std::slice::from_raw_parts(self.at::<u64>(HEADER + index + record::HEADER), length.div_ceil(UNIT))
        };
        if length > record::LONG {
            check_sum_long(head, position, units)
        } else {
            check_sum(head, position, units)
        }
    }

    /// Writes the check sum into the record at `position`, which the producer has not published yet.
    ///
    /// # Safety
    ///
    /// Called by the producer, with a record of the right length there.
    pub unsafe fn seal(&self, position: u32) -> Result<(), NotARing> {
        let index = self.index(position);
        // SAFETY: within the ring.
        let word = unsafe { self.at::<u32>(HEADER + index).read() };
        let length = (word & ((1 << record::LENGTH_BITS) - 1)) as usize;
        if index + record::HEADER + length.next_multiple_of(UNIT) > self.capacity {
            return Err(NotARing("the record is longer than the ring".to_owned()));
        }
        let sum = self.check_sum(position);
        // SAFETY: within the ring, and the producer's.
        unsafe { self.at::<u32>(HEADER + index + 4).write(sum) };
        Ok(())
    }
}

/// As `lib/ring.js` makes it: two lanes of xor and multiplication. Each is a bijection of its state for any input, so one
/// changed word always shows there.
fn check_sum(head: u32, position: u32, units: &[u64]) -> u32 {
    let (mut a, mut b) = (head ^ 0x9e37_79b9, position ^ 0x7f4a_7c15);
    for unit in units {
        let [even, odd]: [u32; 2] = [*unit as u32, (*unit >> 32) as u32];
        a = (a ^ even).wrapping_mul(0x85eb_ca6b);
        b = (b ^ odd).wrapping_mul(0xc2b2_ae35);
        // What differs in the high bits only must not stay there.
        a ^= a >> 15;
        b ^= b >> 13;
    }
    a ^ b.rotate_left(16)
}

/// The same idea with wider and more lanes, which the CPU works on at once.
fn check_sum_long(head: u32, position: u32, units: &[u64]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut lanes = [u64::from(head) << 32 | u64::from(position); 8];
    let (chunks, rest) = units.as_chunks::<8>();
    for chunk in chunks {
        for (lane, unit) in lanes.iter_mut().zip(chunk) {
            *lane = (*lane ^ unit).wrapping_mul(FACTOR);
        }
    }
    for (lane, unit) in lanes.iter_mut().zip(rest) {
        *lane = (*lane ^ unit).wrapping_mul(FACTOR);
    }
    let mut sum = 0u64;
    for lane in lanes {
        sum = (sum.rotate_left(23) ^ lane ^ lane >> 29).wrapping_mul(FACTOR);
    }
    (sum >> 32) as u32
}

/// The producer's side, as `lib/ring.js` has it.
#[derive(Debug)]
pub struct Producer<'a> {
    ring: &'a Ring,
}

/// What a push met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    Done,
    /// The consumer sleeps: wake it.
    Wake,
    Full,
}

impl<'a> Producer<'a> {
    /// # Safety
    ///
    /// There is no other producer for this ring.
    pub unsafe fn new(ring: &'a Ring) -> Self {
        Self { ring }
    }

    pub fn push(&mut self, kind: u32, continues: bool, payload: &[u8]) -> Push {
        let ring = self.ring;
        let mut tail = ring.tail();
        let whole = record::HEADER + payload.len().next_multiple_of(UNIT);
        let mut index = ring.index(tail);
        let skipped = if index + whole > ring.capacity { ring.capacity - index } else { 0 };
        let units = |bytes: usize| (bytes / UNIT) as u32;
        if !protocol::has_room(ring.word(at::HEAD), tail, units(skipped + whole), units(ring.capacity)) {
            return Push::Full;
        }
        // SAFETY: between tail and head the ring is the producer's, and there is room.
        unsafe {
            if skipped > 0 {
                ring.at::<u64>(HEADER + index).write(0);
                tail = tail.wrapping_add((skipped / UNIT) as u32);
                index = 0;
            }
            let flag = if continues { record::CONTINUES } else { 0 };
            let word = payload.len() as u32 | kind << record::LENGTH_BITS | flag;
            ring.at::<[u32; 2]>(HEADER + index).write([word, 0]);
            let to = ring.memory.start().add(HEADER + index + record::HEADER);
            std::ptr::copy_nonoverlapping(payload.as_ptr(), to, payload.len());
            if ring.checked && ring.seal(tail).is_err() {
                return Push::Full;
            }
        }
        let next = tail.wrapping_add((whole / UNIT) as u32);
        if protocol::publish(ring.word(at::TAIL), ring.word(at::SLEEPING), next) {
            Push::Wake
        } else {
            Push::Done
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn small() -> Ring {
        Ring::new(Memory::heap(HEADER + SMALLEST).unwrap())
    }

    fn take(ring: &Ring) -> Option<Vec<u8>> {
        match ring.read(ring.head()) {
            Slot::Empty => None,
            Slot::Record(record) => {
                let line = record.payload.to_vec();
                ring.set_head(record.next);
                Some(line)
            }
            Slot::Torn { .. } => panic!("torn"),
        }
    }

    proptest! {
        /// Against a queue: whatever the order of pushes and reads, and the lengths.
        #[test]
        fn a_ring_is_a_queue(steps in prop::collection::vec((any::<bool>(), 0usize..9000), 1..400), start in any::<u32>()) {
            let ring = small();
            // Positions wrap.
            let start = start / (SMALLEST / UNIT) as u32 * (SMALLEST / UNIT) as u32;
            ring.word(at::TAIL).store(start, Ordering::Relaxed);
            ring.set_head(start);
            // SAFETY: the only one.
            let mut producer = unsafe { Producer::new(&ring) };
            let mut model = VecDeque::new();
            for (number, (is_push, length)) in steps.into_iter().enumerate() {
                if is_push {
                    let line = vec![number as u8; length];
                    match producer.push(record::LINE, false, &line) {
                        Push::Full => prop_assert!(ring.used() + length * 2 + 32 > SMALLEST / 2),
                        _ => model.push_back(line),
                    }
                } else {
                    prop_assert_eq!(take(&ring), model.pop_front());
                }
            }
            while let Some(line) = model.pop_front() {
                prop_assert_eq!(take(&ring), Some(line));
            }
            prop_assert_eq!(take(&ring), None);
        }

        /// A changed bit anywhere in a record shows.
        #[test]
        fn damage_shows(line in prop::collection::vec(any::<u8>(), 1..2000), at in any::<prop::sample::Index>(), bit in 0u32..8) {
            let mut ring = small();
            ring.checked = true;
            // SAFETY: the only one.
            let mut producer = unsafe { Producer::new(&ring) };
            producer.push(record::LINE, false, &line);
            let index = at.index(line.len() + 8);
            // SAFETY: within the record; nobody else is there.
            unsafe { *ring.memory.start().add(HEADER + index) ^= 1 << bit };
            let is_torn = matches!(ring.read(0), Slot::Torn { .. });
            prop_assert!(is_torn);
        }

        /// No bytes make a reader leave the ring or go on for ever.
        #[test]
        fn random_bytes_are_harmless(bytes in prop::collection::vec(any::<u8>(), SMALLEST), tail in 0u32..=(SMALLEST / UNIT) as u32) {
            let mut ring = small();
            ring.checked = true;
            // SAFETY: within the memory.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), ring.memory.start().add(HEADER), SMALLEST) };
            ring.word(at::TAIL).store(tail, Ordering::Relaxed);
            let (mut position, mut steps) = (0, 0);
            loop {
                position = match ring.read(position) {
                    Slot::Empty => break,
                    Slot::Record(record) => record.next,
                    Slot::Torn { next } => next,
                };
                steps += 1;
                prop_assert!(steps <= SMALLEST / UNIT);
            }
        }
    }

    #[test]
    fn two_threads_lose_nothing() {
        let ring = small();
        let count = 200_000u32;
        std::thread::scope(|scope| {
            let producing = scope.spawn(|| {
                // SAFETY: the only one.
                let mut producer = unsafe { Producer::new(&ring) };
                for number in 0..count {
                    let line = vec![number as u8; (number % 700) as usize];
                    while producer.push(record::LINE, false, &line) == Push::Full {
                        std::thread::yield_now();
                    }
                }
            });
            let mut number = 0;
            while number < count {
                match take(&ring) {
                    None => std::thread::yield_now(),
                    Some(line) => {
                        assert_eq!(line, vec![number as u8; (number % 700) as usize]);
                        number += 1;
                    }
                }
            }
            // The end of the scope is a wait that ThreadSanitizer does not see.
            producing.join().unwrap();
        });
    }
}
