'use strict';

/**
 * What was counted of conversations, so that messages that come again are not handed over again.
 *
 * A conversation is found by identity, of its first message, or by likeness: one that is parsed anew with each request
 * is found by how it begins. Either way all that is in its messages is compared with what was counted, so that a change
 * always shows; for texts that is the speed of memory. What is found by likeness holds its texts: it is bounded.
 */

const { performance } = require('node:perf_hooks');
const { types } = require('node:util');

const { ENCODINGS } = require('./models');

/** Values deeper than this are not remembered. */
const MAX_DEPTH = 32;
/** Characters of texts held for likeness, all together; conversations; and milliseconds that one is held unused. */
const MAX_CHARACTERS = 8 * 1024 * 1024;
const MAX_ALIKE = 256;
const MAX_AGE = 600_000;
/** What has fewer characters is counted about as fast as it is found. */
const MIN_CHARACTERS = 1500;
/** How much of a conversation is in its sketch: items of a list, characters of each, and how deep they are looked for. */
const SKETCHED = 3;
const SKETCHED_CHARACTERS = 48;
const SKETCHED_DEPTH = 5;

/** What was counted of values that belong together, in their order. */
class Known {
  constructor() {
    /** What is in them, as `note` writes it down, one after the other; where each begins. @type {unknown[]} */
    this.contents = [];
    /** @type {number[]} */
    this.starts = [];
    /** @type {number[]} */
    this.counts = [];
    /** Characters of each, about. @type {number[]} */
    this.sizes = [];
    this.characters = 0;
    /** By what it is found, when it was last, and the characters it is held with. @type {string | undefined} */
    this.sketch = undefined;
    this.used = 0;
    this.held = 0;
  }

  /** Forgets all but the first so many values. @param {number} length */
  cut(length) {
    if (length === this.counts.length) return;
    this.contents.length = this.starts[length];
    this.starts.length = length;
    this.counts.length = length;
    for (const size of this.sizes.splice(length)) this.characters -= size;
  }
}

/**
 * What is known for each encoding: of conversations by their first message, of what else a body has by its tools or
 * prompt. A record lives as long as that object. An entry for each message would cost the garbage collector more
 * than it saves.
 * @type {WeakMap<object, Known>[]}
 */
const records = ENCODINGS.map(() => new WeakMap());

/** The same by sketches, the one that was not used for the longest time first. @type {Map<string, Known>} */
const alike = new Map();
/** Characters held by them. */
let held = 0;

/** Marks in written-down contents. */
const OBJECT = Symbol('object');
const ARRAY = Symbol('array');
const END = Symbol('end');

/**
 * What is known of some values, and what there is to remember of the others.
 *
 * @typedef {object} Found
 * @property {number} sum Tokens of the first so many values, which are known,
 * @property {number} from this many.
 * @property {Known | undefined} record The others are to be remembered there, if they can be,
 * @property {string | undefined} sketch under this,
 * @property {unknown[]} contents with this in them,
 * @property {number[]} starts which begins there for each,
 * @property {number[]} sizes and has so many characters, about.
 * @property {number} characters The sum of these.
 */

/**
 * @param {unknown} key What the values are known by; an object by its identity.
 * @param {readonly unknown[]} values
 * @param {number} encoding
 * @returns {Found}
 */
function lookUp(key, values, encoding) {
  const isObject = typeof key === 'object' && key !== null;
  let record = isObject ? records[encoding].get(key) : undefined;
  let from = record === undefined ? 0 : agreeing(values, record);
  const sketches = from < values.length ? sketchesOf(values, encoding) : [];
  if (from === 0) {
    record = find(sketches);
    from = record === undefined ? 0 : agreeing(values, record);
    if (from === 0) record = new Known();
    if (isObject) records[encoding].set(key, /** @type {Known} */ (record));
  }
  return foundIn(/** @type {Known} */ (record), from, values, sketches[0]);
}

/**
 * @param {Known} record
 * @param {number} from
 * @param {readonly unknown[]} values
 * @param {string | undefined} sketch
 * @returns {Found}
 */
function foundIn(record, from, values, sketch) {
  /** @type {Found} */
  const found = { sum: 0, from, record, sketch, contents: [], starts: [], sizes: [], characters: 0 };
  for (let i = 0; i < from; i++) found.sum += record.counts[i];
  for (let i = from; i < values.length; i++) {
    found.starts.push(found.contents.length);
    const characters = note(values[i], found.contents, 0);
    // A proxy or the like: nobody knows what it will have in it the next time.
    if (characters < 0) found.record = undefined;
    found.sizes.push(Math.abs(characters));
    found.characters += Math.abs(characters);
  }
  return found;
}

/** How many of the values a record begins with. @param {readonly unknown[]} values @param {Known} record */
function agreeing(values, { counts, starts, contents }) {
  const most = Math.min(counts.length, values.length);
  let from = 0;
  while (from < most && agrees(values[from], contents, starts[from])) from++;
  return from;
}

/**
 * Remembers the counts of what was not known.
 * @param {Found} found
 * @param {Uint32Array} counts
 * @param {number} first The first of them.
 */
function remember({ from, record, sketch, contents, starts, sizes }, counts, first) {
  // Another call may have been here in the meantime.
  if (record === undefined || record.counts.length < from) return;
  record.cut(from);
  const start = record.contents.length;
  for (const value of contents) record.contents.push(value);
  for (let i = 0; i < starts.length; i++) {
    record.starts.push(start + starts[i]);
    record.counts.push(counts[first + i]);
    record.sizes.push(sizes[i]);
    record.characters += sizes[i];
  }
  hold(record, sketch);
}

/** What is held by the first of the sketches that something is held by. @param {readonly string[]} sketches */
function find(sketches) {
  const sketch = sketches.find((sketch) => alike.has(sketch));
  if (sketch === undefined) return undefined;
  const record = /** @type {Known} */ (alike.get(sketch));
  record.used = performance.now();
  alike.delete(sketch);
  alike.set(sketch, record);
  return record;
}

/** Has a record found by a sketch, and lets go of others that there is no room for. @param {Known} record @param {string | undefined} sketch */
function hold(record, sketch) {
  release(record);
  if (sketch === undefined || record.characters < MIN_CHARACTERS || record.characters > MAX_CHARACTERS) return;
  const other = alike.get(sketch);
  if (other !== undefined) release(other);
  const now = performance.now();
  alike.set(sketch, Object.assign(record, { sketch, used: now, held: record.characters }));
  held += record.held;
  for (const oldest of alike.values()) {
    if (held <= MAX_CHARACTERS && alike.size <= MAX_ALIKE && now - oldest.used <= MAX_AGE) break;
    release(oldest);
  }
}

/** @param {Known} record */
function release(record) {
  if (record.sketch === undefined || alike.get(record.sketch) !== record) return;
  alike.delete(record.sketch);
  held -= record.held;
  record.sketch = undefined;
}

/**
 * How a conversation begins, from the longest beginning to the shortest: it was shorter when it was counted first.
 * None where that cannot be said.
 * @param {readonly any[]} values
 * @param {number} encoding
 */
function sketchesOf(values, encoding) {
  const sketches = [];
  let sketch = `${encoding}`;
  for (let i = 0; i < values.length && i < SKETCHED; i++) {
    const next = sketchOf(values[i]);
    if (next === undefined) break;
    sketch += next;
    sketches.unshift(sketch);
  }
  return sketches;
}

/** @param {any} value @param {number} [depth] @returns {string | undefined} */
function sketchOf(value, depth = 0) {
  if (typeof value === 'string') return `${value.length}:${value.slice(0, SKETCHED_CHARACTERS)}`;
  if (typeof value !== 'object' || value === null || depth === SKETCHED_DEPTH) return '-';
  if (types.isProxy(value)) return undefined;
  if (!Array.isArray(value)) {
    return sketchOf(value.content ?? value.text ?? value.name ?? value.function ?? value.output ?? value.arguments, depth + 1);
  }
  let sketch = `${value.length}`;
  for (let i = 0; i < value.length && i < SKETCHED; i++) sketch += `,${sketchOf(value[i], depth + 1)}`;
  return sketch;
}

/**
 * Writes down what is in a value.
 * @param {any} value
 * @param {unknown[]} contents
 * @param {number} depth
 * @returns {number} its characters, about; negative if it cannot be remembered
 */
function note(value, contents, depth) {
  if (typeof value !== 'object' || value === null) {
    contents.push(value);
    return typeof value === 'string' ? value.length + 4 : typeof value === 'function' ? -8 : 8;
  }
  if (depth === MAX_DEPTH || types.isProxy(value) || value.toJSON !== undefined) return -Infinity;
  let characters = 4;
  let isWhole = true;
  if (Array.isArray(value)) {
    contents.push(ARRAY);
    for (let i = 0; i < value.length; i++) {
      const more = note(value[i], contents, depth + 1);
      isWhole &&= more >= 0;
      characters += Math.abs(more);
    }
  } else {
    contents.push(OBJECT);
    for (const key in value) {
      contents.push(key);
      const more = note(value[key], contents, depth + 1);
      isWhole &&= more >= 0;
      characters += key.length + Math.abs(more);
    }
  }
  contents.push(END);
  return isWhole ? characters : -characters;
}

/** How far `agreesFrom` has come. */
let at = 0;

/** Whether a value has the contents that begin at `start`. @param {any} value @param {unknown[]} contents @param {number} start */
function agrees(value, contents, start) {
  at = start;
  return agreesFrom(value, contents);
}

/** @param {any} value @param {unknown[]} contents @returns {boolean} */
function agreesFrom(value, contents) {
  const expected = contents[at++];
  if (typeof value !== 'object' || value === null) return value === expected;
  if (types.isProxy(value) || value.toJSON !== undefined) return false;
  if (Array.isArray(value)) {
    if (expected !== ARRAY) return false;
    for (let i = 0; i < value.length; i++) if (!agreesFrom(value[i], contents)) return false;
  } else {
    if (expected !== OBJECT) return false;
    for (const key in value) if (contents[at++] !== key || !agreesFrom(value[key], contents)) return false;
  }
  return contents[at++] === END;
}

/** What is held for likeness. */
const holding = () => ({ conversations: alike.size, characters: held });

module.exports = { MAX_ALIKE, MAX_CHARACTERS, holding, lookUp, remember };
