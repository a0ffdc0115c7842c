'use strict';

// From tapes (src/json/layout.rs) to JavaScript values, on the main thread.
//
// One walk over the ops. What makes it fast is what it does not do: no text is scanned, each distinct short string is
// made once, and an object of a hot layout is made by one object literal, compiled for that layout (lib/compile.js),
// which is the cheapest way V8 has. Layouts that are rare, or odd, or in a process that forbids code generation, are
// built by assignment. Deep values are built with an explicit stack.
//
// A tape is read in the scratch memory, where native code puts it just before it calls `decode`. There is one such
// memory per environment and it never moves, so V8 compiles the walk with its address as a constant.

const { compile } = require('./compile');
const layout = require('./layout');

const { TAG_BITS, STRING, INTEGER, OBJECT, ARRAY, NUMBER, LITERAL, NUMBERS } = layout;
const { CURSOR, DEPTH, STRINGS, BLOCKS_AT, ENTRIES_AT, SHAPES, SHAPES_AT, NUMBERS_AT } = layout;

const TAG = (1 << TAG_BITS) - 1;

/** Nesting that recursion may reach; beyond it the explicit stack takes over. */
const RECURSION = 400;

/** Room for strings that is kept from tape to tape. */
const KEEP_STRINGS = 1 << 14;

const LITERALS = [null, true, false];

/**
 * Arrays are begun as copies of these, which makes them packed and of the right size at once, as JSON.parse makes
 * them; `new Array(length)` would leave them holey, which JSON.stringify and others treat as slow.
 */
const PACKED = 4096;
/** @type {any[]} */
const packed = [];
/** @type {number[]} */
const packedDoubles = [];
for (let index = 0; index < PACKED; index++) {
  packed.push(null);
  packedDoubles.push(0.5);
}

/** Where native code puts a tape. */
const scratch = new ArrayBuffer(layout.MAX_SLICE_WORDS * 4);
const words = new Int32Array(scratch);
const floats = new Float64Array(scratch);

/** Strings of the tape, by number. @type {any[]} */
const strings = [];
/** Constructors of the tape's shapes, by number. @type {(() => object)[]} */
const makers = [];
/** Where the records of the tape's shapes are. @type {number[]} */
const records = [];
/** Constructors compiled so far, by registry slot, and the stamps of the layouts they were compiled for. */
const compiled = new Array(layout.SHAPE_SLOTS).fill(undefined);
const stamps = new Int32Array(layout.SHAPE_SLOTS);

/** Containers left open by the slices so far, the innermost last. @type {any[]} */
let open = [];

/**
 * The value on the tape in the scratch memory.
 *
 * @param {readonly string[]} blocks the tape's string blocks
 */
function decode(blocks) {
  const count = prepare(blocks);
  const root = words[DEPTH] > RECURSION ? deepValue() : next();
  if (count > 0) forget(count);
  return root;
}

/**
 * Adds what a later slice has to the containers that the earlier ones left open.
 *
 * @param {readonly string[]} blocks
 * @param {any[]} containers innermost last; updated
 */
function decodeParts(blocks, containers) {
  open = containers;
  const count = prepare(blocks);
  const read = words[DEPTH] > RECURSION ? deepValue : next;
  const end = words[BLOCKS_AT];
  while (words[CURSOR] < end) {
    const payload = words[words[CURSOR]++] >>> TAG_BITS;
    const container = open[open.length - 1];
    if (payload & layout.OPEN_LAST) open.pop();
    fill(container, payload, read);
  }
  forget(count);
}

/**
 * The containers that the slices so far left open; the caller's from here on.
 */
function takeOpen() {
  const taken = open;
  open = [];
  return taken;
}

/** @param {readonly string[]} blocks */
function prepare(blocks) {
  const count = words[STRINGS];
  while (strings.length < count) strings.push('');
  readStrings(blocks);
  readShapes();
  return count;
}

/** Lets go of the tape's strings. @param {number} count */
function forget(count) {
  if (strings.length > KEEP_STRINGS) strings.length = KEEP_STRINGS;
  strings.fill('', 0, Math.min(count, KEEP_STRINGS));
}

/** @param {readonly string[]} blocks */
function readStrings(blocks) {
  const counts = words[BLOCKS_AT];
  let entry = words[ENTRIES_AT];
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index];
    const last = entry + 2 * words[counts + index];
    let start = 0;
    for (; entry < last; entry += 2) {
      const end = words[entry + 1];
      strings[words[entry]] = block.substring(start, end);
      start = end;
    }
  }
}

function readShapes() {
  const count = words[SHAPES];
  let at = words[SHAPES_AT];
  for (let shape = 0; shape < count; shape++) {
    const slot = words[at];
    const known = slot >= 0 && stamps[slot] === words[at + 1] ? compiled[slot] : undefined;
    makers[shape] = known === undefined ? makeMaker(at) : known;
    records[shape] = at;
    at += 4 + words[at + 3];
  }
}

/**
 * The constructor of the shape whose record is at `at`, compiled when the shape is hot.
 *
 * @param {number} at
 * @returns {() => object}
 */
function makeMaker(at) {
  const slot = words[at];
  if (words[at + 2] === 1) {
    const made = compile(keysOf(at), { words, strings, value });
    if (made !== undefined) {
      compiled[slot] = made;
      stamps[slot] = words[at + 1];
      return made;
    }
  }
  return () => {
    const object = {};
    assign(object, at, next);
    return object;
  };
}

/** @param {number} at a shape's record @returns {string[]} */
function keysOf(at) {
  const keys = [];
  for (let key = at + 4; key < at + 4 + words[at + 3]; key++) keys.push(strings[words[key]]);
  return keys;
}

/**
 * The value of `op`, whose successor is at the cursor.
 *
 * @param {number} op
 * @returns {any}
 */
function value(op) {
  switch (op & TAG) {
    case STRING: return strings[op >>> TAG_BITS];
    case INTEGER: return op >> TAG_BITS;
    case OBJECT: return makers[op >>> TAG_BITS]();
    case ARRAY: return array(op >>> TAG_BITS);
    case NUMBER: return floats[NUMBERS_AT + (op >>> TAG_BITS)];
    case LITERAL: return LITERALS[op >>> TAG_BITS];
    case NUMBERS: return numbers(op >>> TAG_BITS);
    default: return part(op >>> TAG_BITS);
  }
}

/** The value at the cursor. @returns {any} */
function next() {
  return value(words[words[CURSOR]++]);
}

/** @param {number} length @returns {any[]} */
function array(length) {
  if (length === 0) return [];
  if (length > PACKED) return longArray(length);
  const items = packed.slice(0, length);
  for (let index = 0; index < length; index++) items[index] = next();
  return items;
}

/** @param {number} length */
function longArray(length) {
  const items = packed.slice();
  for (let index = 0; index < PACKED; index++) items[index] = next();
  for (let index = PACKED; index < length; index++) items.push(next());
  return items;
}

/** @param {number} length @returns {number[]} */
function numbers(length) {
  const at = NUMBERS_AT + words[words[CURSOR]++];
  const items = packedDoubles.slice(0, length);
  const known = items.length;
  for (let index = 0; index < known; index++) items[index] = floats[at + index];
  for (let index = known; index < length; index++) items.push(floats[at + index]);
  return items;
}

/** The beginning of a container that spans slices. @param {number} payload @returns {any} */
function part(payload) {
  const container = payload & layout.OPEN_OBJECT ? {} : [];
  open.push(container);
  fill(container, payload, next);
  return container;
}

/**
 * Adds the items of a part to its container.
 *
 * @param {any} container
 * @param {number} payload
 * @param {() => any} read
 */
function fill(container, payload, read) {
  const items = payload >>> layout.OPEN_FLAG_BITS;
  if (payload & layout.OPEN_OBJECT) assign(container, records[items], read);
  else for (let index = 0; index < items; index++) container.push(read());
}

/**
 * Adds the keys of the shape whose record is at `at`.
 *
 * @param {any} object
 * @param {number} at
 * @param {() => any} read
 */
function assign(object, at, read) {
  const last = at + 4 + words[at + 3];
  for (let key = at + 4; key < last; key++) put(object, strings[words[key]], read());
}

/** Sets a property of its own, whatever Object.prototype has. @param {any} object @param {string} key @param {any} item */
function put(object, key, item) {
  if (key in Object.prototype) {
    Object.defineProperty(object, key, { value: item, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = item;
  }
}

/**
 * The value at the cursor, without recursion.
 *
 * @returns {any}
 */
function deepValue() {
  /** Containers being filled, each with what is left of it. @type {{ into: any, key: number, left: number }[]} */
  const stack = [];
  for (;;) {
    const op = words[words[CURSOR]++];
    const opened = openContainer(op);
    if (opened !== undefined && opened.left > 0) {
      stack.push(opened);
      continue;
    }
    let item = opened === undefined ? value(op) : opened.into;
    for (;;) {
      const around = stack[stack.length - 1];
      if (around === undefined) return item;
      if (around.key === 0) around.into.push(item);
      else put(around.into, strings[words[around.key++]], item);
      if (--around.left > 0) break;
      item = around.into;
      stack.pop();
    }
  }
}

/**
 * The container that `op` begins, if it begins one: the word of its next key (0 for arrays), and its items to come.
 *
 * @param {number} op
 */
function openContainer(op) {
  const payload = op >>> TAG_BITS;
  switch (op & TAG) {
    case OBJECT: return { into: {}, key: records[payload] + 4, left: words[records[payload] + 3] };
    case ARRAY: return { into: [], key: 0, left: payload };
    case layout.OPEN: {
      const items = payload >>> layout.OPEN_FLAG_BITS;
      const into = payload & layout.OPEN_OBJECT ? {} : [];
      open.push(into);
      if (payload & layout.OPEN_OBJECT) return { into, key: records[items] + 4, left: words[records[items] + 3] };
      return { into, key: 0, left: items };
    }
    default: return undefined;
  }
}

module.exports = { scratch, decode, decodeParts, takeOpen };
