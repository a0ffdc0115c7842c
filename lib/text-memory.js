'use strict';

// Memory that strings are written into on their way out: native memory under an ArrayBuffer, read by a pool thread
// where it is. One is taken per call and comes back when its busy flag, which native code keeps, is 0 again.

const native = require('./native');
const { TEXT_HEADER } = require('./encoding');

/** Units of each half of the smallest memory; pages that nothing was written to cost nothing. */
const SMALLEST = 1 << 19;
/** What is larger than this many units is not kept for another call. */
const LARGEST_KEPT = 1 << 23;
/** How many are kept: as many calls can be under way without making new ones. */
const KEPT = 32;
/** Milliseconds without a call after which only the smallest one is kept. */
const IDLE_MS = 2000;

class TextMemory {
  /** @param {number} units */
  constructor(units) {
    const memory = native.createTextMemory(2 * units);
    /** Of each half: the first is for long strings, the second for short ones. */
    this.units = units;
    /** The busy flag, and the slot by which native code knows the memory. */
    this.flag = new Int32Array(memory, 0, 1);
    this.slot = new Uint32Array(memory, 4, 1)[0];
    this.bytes = /** @type {any} */ (Buffer.from(memory, TEXT_HEADER));
  }

  /**
   * Writes a string as UTF-16. There must be room.
   * @param {string} text
   * @param {number} at in units
   */
  write(text, at) {
    this.bytes.ucs2Write(text, at * 2);
  }
}

/** @type {TextMemory[]} */
const kept = [];
let used = false;
let watched = true;

/** Made once, so that it holds on to no call's AsyncLocalStorage; it runs while there is something to let go of. */
const timer = setTimeout(() => {
  watched = used;
  used = false;
  if (watched) timer.refresh();
  else kept.splice(0, kept.length, ...kept.slice(0, 1).filter((memory) => memory.units === SMALLEST));
}, IDLE_MS);
timer.unref();

/** Something was used that is let go of when nothing is for a while. */
function watch() {
  used = true;
  if (watched) return;
  watched = true;
  timer.refresh();
}

/**
 * Memory that no task is using.
 * @param {number} [units] room for at least so many
 */
function takeTextMemory(units = SMALLEST) {
  if (kept.length > 1) watch();
  // The largest ones come last: a value that outgrew one memory does not do so the next time.
  for (let i = kept.length - 1; i >= 0; i--) {
    if (kept[i].units >= units && Atomics.load(kept[i].flag, 0) === 0) return kept[i];
  }
  let size = SMALLEST;
  while (size < units) size *= 2;
  const memory = new TextMemory(size);
  if (size <= LARGEST_KEPT) {
    kept.push(memory);
    kept.sort((a, b) => a.units - b.units);
    if (kept.length > KEPT) kept.shift();
    if (size > SMALLEST || kept.length > 1) watch();
  }
  return memory;
}

/**
 * Larger memory with the same text.
 * @param {TextMemory} memory
 * @param {number} long units in use in the first half
 * @param {number} short units in use in the second half
 * @param {number} units room for at least so many in each
 */
function growTextMemory(memory, long, short, units) {
  const larger = takeTextMemory(Math.max(units, memory.units * 2));
  memory.bytes.copy(larger.bytes, 0, 0, long * 2);
  memory.bytes.copy(larger.bytes, larger.units * 2, memory.units * 2, (memory.units + short) * 2);
  return larger;
}

module.exports = { growTextMemory, takeTextMemory };
