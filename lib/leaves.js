'use strict';

/**
 * Finds out whether an object graph that was walked as if it were a tree was one: whether any object was visited twice.
 *
 * Whatever is visited twice has below it, or is, a *leaf* (an object or array without objects in it) that is visited
 * twice, so only leaves need looking at. `new Set(leaves)` would tell, at 25 to 50 ns for each of them, more than
 * their copy costs. Instead each leaf comes with a hash of its content, a by-product of copying it: two visits of one
 * leaf have equal hashes, so leaves whose hash is their own need no look at their identity. A bitmap finds those; the
 * others are compared by identity.
 */

const FIRST_CAPACITY = 1024;
/** Room for this many leaves is kept between calls (8 + 4 bytes each); what a larger value needed is given back. */
const KEPT_CAPACITY = 65536;
/** Bitmaps of up to this many words are kept, too. */
const KEPT_WORDS = 8192;
/** Slots of the table in which a group of visits is compared, and how many of them a visit tries. */
const SLOTS = 1024;
const MAX_PROBES = 12;
/** So many leaves go into one table without telling suspects apart first: it fits the processor's second cache. */
const MEDIUM = 16384;
/** So few objects are compared each with each: that takes less time than making a Set. */
const PAIRS = 24;
/** A Set above this size leaves V8's new space, and each insertion costs double. */
const SMALL_SET = 4096;

class Leaves {
  constructor() {
    this.count = 0;
    this.capacity = FIRST_CAPACITY;
    /** @type {(object | null)[]} */
    this.objects = new Array(FIRST_CAPACITY).fill(null);
    this.hashes = new Int32Array(FIRST_CAPACITY);
    /** Leaves with hash 0, most of them `[]` and `{}`. @type {object[]} */
    this.empty = [];
    this.nextCheck = FIRST_CAPACITY;
    /** Number of visits so far. */
    this.visits = 0;
    /** @type {(object | null)[]} */
    this.slots = new Array(SLOTS).fill(null);
    /** The table of up to MEDIUM leaves: their numbers plus 1. */
    this.places = new Int32Array(FIRST_CAPACITY);
    /** Bitmaps by hash: met, and met again. */
    this.once = new Int32Array(KEPT_WORDS);
    this.twice = new Int32Array(KEPT_WORDS);
  }

  /**
   * Notes a visit of a leaf.
   * @param {object} leaf
   * @param {number} hash
   * @returns {boolean} false when the walk should stop, as a leaf is known to have been visited twice. It is found
   *   out now and then during the walk, too: a few levels of shared references are exponentially many paths.
   */
  add(leaf, hash) {
    if (++this.visits > this.nextCheck) {
      if (this.hasRepeats()) return false;
      this.nextCheck *= 4;
    }
    if (hash === 0) {
      this.empty.push(leaf);
      return true;
    }
    if (this.count === this.capacity) this.grow();
    this.objects[this.count] = leaf;
    this.hashes[this.count++] = hash;
    return true;
  }

  grow() {
    const hashes = new Int32Array(this.capacity * 2);
    hashes.set(this.hashes);
    this.hashes = hashes;
    for (let i = 0; i < this.capacity; i++) this.objects.push(null);
    this.capacity *= 2;
  }

  /** Forgets the leaves, and holds on to none of them. */
  clear() {
    this.empty = [];
    this.nextCheck = FIRST_CAPACITY;
    if (this.capacity > KEPT_CAPACITY) {
      this.capacity = FIRST_CAPACITY;
      this.objects = new Array(FIRST_CAPACITY).fill(null);
      this.hashes = new Int32Array(FIRST_CAPACITY);
    } else {
      this.objects.fill(null, 0, this.count);
    }
    this.count = 0;
    this.visits = 0;
  }

  /** Whether any leaf was added twice. */
  hasRepeats() {
    if (repeats(this.empty)) return true;
    const { hashes, count } = this;
    if (count < 2) return false;
    if (count <= MEDIUM) return this.tableRepeats();
    // One word of 32 bits per leaf or more: one leaf in 64 or fewer is a suspect by accident.
    const shift = Math.clz32(count);
    const words = 2 ** (32 - shift);
    const once = words > KEPT_WORDS ? new Int32Array(words) : this.once.fill(0, 0, words);
    const twice = words > KEPT_WORDS ? new Int32Array(words) : this.twice.fill(0, 0, words);
    let suspects = 0;
    for (let i = 0; i < count; i++) {
      const hash = spread(hashes[i]);
      const bit = 1 << (hash & 31);
      if (once[hash >>> shift] & bit) {
        twice[hash >>> shift] |= bit;
        suspects++;
      } else {
        once[hash >>> shift] |= bit;
      }
    }
    if (suspects === 0) return false;
    // Groups of some hundred, by hash: what is kept of one to compare with fits the processor's first cache.
    const mask = 2 ** (32 - Math.clz32(Math.min(suspects >> 8, 255))) - 1;
    /** @type {number[][]} */
    const groups = [];
    for (let i = 0; i <= mask; i++) groups.push([]);
    for (let i = 0; i < count; i++) {
      const hash = spread(hashes[i]);
      if (twice[hash >>> shift] & (1 << (hash & 31))) groups[(hash >>> 5) & mask].push(i);
    }
    return groups.some((group) => this.groupRepeats(group));
  }

  /** The same for a medium number: all in one hash table with linear probing. Of those with equal content, as below. */
  tableRepeats() {
    const { hashes, objects, count } = this;
    const size = 2 ** (33 - Math.clz32(count));
    if (size > this.places.length) this.places = new Int32Array(size);
    const places = this.places.fill(0, 0, size);
    /** @type {(object | null)[]} */
    const many = [];
    for (let i = 0; i < count; i++) {
      let slot = spread(hashes[i]);
      let probes = 0;
      for (; probes < MAX_PROBES; probes++) {
        slot &= size - 1;
        const other = places[slot] - 1;
        if (other < 0) {
          places[slot] = i + 1;
          break;
        }
        if (objects[other] === objects[i]) return true;
        slot++;
      }
      if (probes === MAX_PROBES) many.push(objects[i]);
    }
    return repeats(many);
  }

  /**
   * Whether a leaf is in a group of visits twice: a hash table with linear probing, in which leaves of equal content
   * lie side by side. Those of which there are more than a few go into a Set.
   * @param {number[]} group the visits' numbers
   */
  groupRepeats(group) {
    const { hashes, objects, slots } = this;
    const count = group.length;
    /** @type {(object | null)[]} */
    const many = [];
    if (count > SLOTS / 2) return repeats(group.map((i) => objects[i]));
    // Half of it stays free.
    const mask = 2 ** (33 - Math.clz32(count)) - 1;
    slots.fill(null, 0, mask + 1);
    for (const index of group) {
      const object = objects[index];
      // Not the bits that chose the group.
      let slot = spread(hashes[index]) >>> 16;
      let probes = 0;
      for (; probes < MAX_PROBES; probes++) {
        slot &= mask;
        if (slots[slot] === object) return true;
        if (slots[slot] === null) {
          slots[slot] = object;
          break;
        }
        slot++;
      }
      if (probes === MAX_PROBES) many.push(object);
    }
    slots.fill(null, 0, mask + 1);
    return repeats(many);
  }
}

/** Spreads a hash's entropy over all its bits (the finaliser of MurmurHash3). @param {number} hash */
function spread(hash) {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Whether an object is in the list twice. @param {(object | null)[]} list */
function repeats(list) {
  if (list.length <= PAIRS) return list.some((object, at) => list.indexOf(object) < at);
  if (list.length <= SMALL_SET || list.length > 8 * SMALL_SET) return new Set(list).size !== list.length;
  /** @type {Set<object | null>[]} */
  const sets = [];
  for (let start = 0; start < list.length; start += SMALL_SET) {
    const part = list.slice(start, start + SMALL_SET);
    for (const set of sets) {
      for (let i = 0; i < part.length; i++) if (set.has(part[i])) return true;
    }
    const set = new Set(part);
    if (set.size !== part.length) return true;
    sets.push(set);
  }
  return false;
}

module.exports = { Leaves };
