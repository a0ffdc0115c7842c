//! Layouts seen across texts, so that decoders compile a constructor for those worth one.
//!
//! A bounded, process-wide table. A layout keeps its slot while it is in use; a clock hand takes the slots of those
//! that are not. A slot taken over gets a new stamp, so a decoder knows that what it compiled for it is stale.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::layout::{NO_SLOT, SHAPE_SLOTS};
use super::shapes::{Shape, Shapes};

/// Objects of a layout after which it is hot: compiling pays from about here.
const HOT: u64 = 16;
/// Layouts with more keys, or longer ones, are maps rather than records, and not worth compiling.
const MAX_KEYS: usize = 64;
const MAX_KEY_BYTES: usize = 2048;
/// In a text with more layouts than this only those with several objects are looked up.
const MANY_SHAPES: usize = 256;
const SEVERAL: u32 = 8;

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

/// What the registry knows of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Slot in the decoder's table, or [`NO_SLOT`].
    pub slot: u32,
    /// Changes when the slot is given to another layout.
    pub stamp: u32,
    pub hot: bool,
}

const UNREGISTERED: Registered = Registered { slot: NO_SLOT, stamp: 0, hot: false };

#[derive(Debug)]
struct Layout {
    keys: Box<[u8]>,
    stamp: u32,
    objects: u64,
    /// Seen since the clock hand passed.
    recent: bool,
}

#[derive(Debug, Default)]
struct Registry {
    slots: HashMap<Box<[u8]>, u32>,
    layouts: Vec<Layout>,
    hand: usize,
    stamps: u32,
}

impl Registry {
    fn visit(&mut self, keys: &[u8], objects: u32) -> Registered {
        // A newcomer does not count as used until it comes again: one text full of odd layouts pushes no other out.
        let (slot, again) = match self.slots.get(keys) {
            Some(&slot) => (slot, true),
            None => (self.admit(keys), false),
        };
        let layout = &mut self.layouts[slot as usize];
        layout.objects += u64::from(objects);
        layout.recent |= again;
        Registered { slot, stamp: layout.stamp, hot: layout.objects >= HOT }
    }

    fn admit(&mut self, keys: &[u8]) -> u32 {
        self.stamps = self.stamps.wrapping_add(1);
        let layout = Layout { keys: keys.into(), stamp: self.stamps, objects: 0, recent: false };
        let slot = if self.layouts.len() < SHAPE_SLOTS {
            self.layouts.push(layout);
            self.layouts.len() - 1
        } else {
            let slot = self.sweep();
            self.slots.remove(&self.layouts[slot].keys);
            self.layouts[slot] = layout;
            slot
        } as u32;
        if let Place::Vacant(place) = self.slots.entry(keys.into()) {
            place.insert(slot);
        }
        slot
    }

    /// The next slot that nobody used since the hand last passed.
    fn sweep(&mut self) -> usize {
        loop {
            let slot = self.hand;
            self.hand = (self.hand + 1) % self.layouts.len();
            if !std::mem::take(&mut self.layouts[slot].recent) {
                return slot;
            }
        }
    }
}

/// Looks up the layouts of one text, in order of their numbers.
///
/// `text` must be the one that `shapes` was made from.
pub fn visit(shapes: &Shapes, text: &[u8]) -> Vec<Registered> {
    let many = shapes.shapes().len() > MANY_SHAPES;
    let mut joined = Vec::with_capacity(256);
    let mut registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    let look_up = |&shape: &Shape| {
        let count = shapes.key_count(shape);
        if count == 0 || count > MAX_KEYS || (many && shape.objects < SEVERAL) {
            return UNREGISTERED;
        }
        joined.clear();
        for key in shapes.keys_backwards(shape) {
            joined.extend((key.length as u32).to_le_bytes());
            joined.extend(&text[key.start..key.start + key.length]);
        }
        if joined.len() > MAX_KEY_BYTES { UNREGISTERED } else { registry.visit(&joined, shape.objects) }
    };
    shapes.shapes().iter().map(look_up).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_keeps_its_slot_and_becomes_hot() {
        let mut registry = Registry::default();
        let first = registry.visit(b"a", 1);
        assert!(!first.hot);
        assert_eq!(registry.visit(b"a", HOT as u32), Registered { hot: true, ..first });
        assert_ne!(registry.visit(b"b", 1).slot, first.slot);
    }

    #[test]
    fn a_slot_taken_over_has_a_new_stamp_and_those_in_use_stay() {
        let mut registry = Registry::default();
        let kept = registry.visit(b"kept", 100);
        for round in 0..5 * SHAPE_SLOTS {
            registry.visit(&round.to_le_bytes(), 1);
            assert_eq!(registry.visit(b"kept", 1), kept);
        }
        assert_eq!(registry.layouts.len(), SHAPE_SLOTS);
        assert_eq!(registry.slots.len(), SHAPE_SLOTS);
        let mut stamps: Vec<u32> = registry.layouts.iter().map(|layout| layout.stamp).collect();
        stamps.sort_unstable();
        stamps.dedup();
        assert_eq!(stamps.len(), SHAPE_SLOTS);
    }
}
