'use strict';

// Aborting: which calls wait for which signal.
//
// A call with a signal has a slot, a small number that native code knows the call by. There is one listener for
// each signal, however many calls wait for it, and it goes when the last of them is settled.

const native = require('./native');
const { abortError, codeError } = require('./errors');

/** Slots are the upper 20 bits of the control word; 0 is for calls that have none. */
const MAX_SLOT = 2 ** 20 - 1;

/** @typedef {{ signal: AbortSignal, slots: Set<number>, listener: () => void }} Watch */

/** @type {WeakMap<AbortSignal, Watch>} */
const watches = new WeakMap();
/** @type {(Watch | undefined)[]} By slot. */
const watchOf = [undefined];
/** @type {number[]} Slots to use again. */
const freeSlots = [];

/**
 * @param {AbortSignal} signal
 * @returns {Watch}
 */
function watch(signal) {
  /** @type {Watch} */
  const created = {
    signal,
    slots: new Set(),
    listener() {
      // Each abort takes its slot out of the set, which iteration allows.
      for (const slot of created.slots) native.abortTask(slot, abortError(signal.reason));
    },
  };
  signal.addEventListener('abort', created.listener, { once: true });
  watches.set(signal, created);
  return created;
}

/**
 * Watches the signal for one call.
 * @param {AbortSignal} signal Not aborted yet.
 * @returns {number} The call's slot.
 */
function acquire(signal) {
  const slot = freeSlots.pop() ?? watchOf.length;
  if (slot > MAX_SLOT) throw codeError('ERR_QUEUE_FULL', `more than ${MAX_SLOT} calls with a signal are waiting`);
  const watched = watches.get(signal) ?? watch(signal);
  watched.slots.add(slot);
  watchOf[slot] = watched;
  return slot;
}

/**
 * The call with this slot is settled.
 * @param {number} slot
 */
function release(slot) {
  const watched = watchOf[slot];
  if (watched === undefined) return;
  watchOf[slot] = undefined;
  freeSlots.push(slot);
  watched.slots.delete(slot);
  if (watched.slots.size === 0) {
    watched.signal.removeEventListener('abort', watched.listener);
    watches.delete(watched.signal);
  }
}

module.exports = { acquire, release };
