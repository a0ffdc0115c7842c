'use strict';

/**
 * Takes the snapshot of a value that is to become JSON text: a walk that writes what `src/json/encoding.rs` describes
 * into reused memory, for a pool thread to write the text from.
 *
 * The walk covers data: plain objects, arrays, primitives, and objects whose own keys are all there is to say. What
 * JSON.stringify treats in another way (toJSON, boxed primitives, proxies, BigInt, raw JSON, cycles, …) ends it at
 * once, and the platform's own function does the whole value. So does a value for which that is the cheaper way:
 * `worth.js` looks at the walk after a few hundred values, and at its end.
 *
 * Objects whose key list is hot are encoded by a function compiled for it, with keys as in `tree.js`. Strings up to
 * SHORT are joined in a rope, which V8 flattens and copies in one go; longer ones are copied one by one. Both are
 * copied as UTF-16, which V8 does at memory speed and which holds lone surrogates; the pool thread narrows it. A short
 * string that was met before under the same key (a role, a type, a name) is not copied but referred to.
 */

const { isBoxedPrimitive, isProxy } = require('node:util').types;
const {
  TAG_BITS, STRING, INTEGER, OBJECT, ARRAY, LONG, LITERAL, NUMBERS, AGAIN, LENGTH_BITS,
  NULL, TRUE, FALSE, UNDEFINED, NUMBER, KEYED, END, SHAPE,
  WORDS_AT, NUMBERS_AT, LONG_AT, SHORT_AT, SHORT_FROM, HEADER,
} = require('./encoding');
const { isDisguised, prototypesAreExtended } = require('./plain');
const { createShapes, MAX_KEYS } = require('./shapes');
const { growTextMemory, takeTextMemory } = require('./text-memory');
const { FIRST_LOOK, SiteCosts, estimate, isWinning } = require('./worth');

/** Room for so many ops and numbers: some 20 MB of JSON text in small values. Larger ones stay inline. */
const MAX_WORDS = 1 << 20;
const MAX_NUMBERS = 1 << 18;
/** Words that one object with a shape can take besides those of the values in it. */
const SHAPE_WORDS = 4 * MAX_KEYS;
/** Longest string that is joined with others rather than copied alone: a call to copy takes 70 ns. */
const SHORT = 256;
/** Longest string that is remembered. */
const REPEATED = 2 ** LENGTH_BITS - 1;
/** Strings that begin behind so much short text are not referred to. */
const MAX_OFFSET = 2 ** (32 - TAG_BITS - LENGTH_BITS);
/** Strings remembered per key, a power of two, and how many misses in a row are put up with. */
const REPEATS = 8;
const CREDIT = 16;
/** Length at which the rope is written out: V8 flattens it in its new space, and in the cache. */
const ROPE = 16384;
/** Deeper values stay inline; so do cycles, which get there at once. */
const MAX_DEPTH = 64;

const OP_NULL = LITERAL | (NULL << TAG_BITS);
const OP_TRUE = LITERAL | (TRUE << TAG_BITS);
const OP_FALSE = LITERAL | (FALSE << TAG_BITS);
const OP_UNDEFINED = LITERAL | (UNDEFINED << TAG_BITS);
const OP_NUMBER = LITERAL | (NUMBER << TAG_BITS);
const OP_KEYED = LITERAL | (KEYED << TAG_BITS);
const OP_END = LITERAL | (END << TAG_BITS);
const OP_SHAPE = LITERAL | (SHAPE << TAG_BITS);

/** Ends a walk. */
const NOT_ENCODED = Symbol('not encoded');

const { getPrototypeOf, prototype: objectPrototype } = Object;
const { isRawJSON } = /** @type {any} */ (JSON);

const words = new Uint32Array(MAX_WORDS);
const numbers = new Float64Array(MAX_NUMBERS);

/** State of the walk going on. */
const walk = {
  busy: false,
  depth: 0,
  /** Numbers in use. */
  numbers: 0,
  /** Where text goes. */
  memory: takeTextMemory(),
  /** Units of long strings in it, and of short strings and keys. */
  long: 0,
  short: 0,
  /** Short strings and keys that are not in it yet. */
  rope: '',
  /** Shapes defined, and which walk this is: a shape is defined once in each. */
  shapes: 0,
  number: 0,
  /** Words after which to look whether it is worth going on. */
  lookAt: 0,
  eager: false,
  /** What is known about values like the one looked at last. */
  site: new SiteCosts(),
};

/** The containers around the value being encoded, outermost first. @type {(object | null)[]} */
const open = new Array(MAX_DEPTH).fill(null);

/**
 * @callback Encoder
 * @param {any} source
 * @param {number} at next free word
 * @returns {number} the same, afterwards
 */

/** Strings met under one key in this walk, in places that a hash gives them, and the ops that refer to them. */
class Repeats {
  constructor() {
    this.texts = new Array(REPEATS).fill('');
    this.ops = new Uint32Array(REPEATS);
    /** Grows with what is found and shrinks with what is not: looking for what never comes again has an end. */
    this.credit = CREDIT;
  }

  forget() {
    this.texts.fill('');
    if (this.credit < CREDIT) this.credit = CREDIT;
  }
}

/** The strings remembered in this walk. @type {Repeats[][]} */
const remembered = [];

/** A shape's place in the walk that defined it last. @typedef {{ walk: number, op: number }} Place */

const shapes = createShapes(compileEncoder);

/** Sites of values that are no plain objects, as strings and as buffers. */
const arrays = [new SiteCosts(), new SiteCosts()];
const others = [new SiteCosts(), new SiteCosts()];

/**
 * @param {any} value
 * @param {boolean} asBuffer
 */
function siteOf(value, asBuffer) {
  if (typeof value === 'string') {
    const site = new SiteCosts();
    site.expected = value.length;
    return site;
  }
  return sitesOf(value)[asBuffer ? 1 : 0];
}

/** @param {any} value @returns {import('./worth').Site[]} */
function sitesOf(value) {
  if (typeof value !== 'object' || value === null || isProxy(value)) return others;
  if (Array.isArray(value)) return arrays;
  let node = shapes.root;
  let count = 0;
  for (const key in value) {
    if (++count > MAX_KEYS) return others;
    node = shapes.step(node, key);
  }
  return (node.sites ??= [new SiteCosts(), new SiteCosts()]);
}

/**
 * Encodes a value into `words`, `numbers` and `walk.memory`, which stay valid until the next call.
 *
 * @param {unknown} value
 * @param {number} threshold characters of JSON text from which the pool is to be used; 0: whenever it can be
 * @param {boolean} asBuffer what it is to become
 * @returns {boolean} false when the platform should do it: it has not begun, or it can begin again
 */
function encode(value, threshold, asBuffer) {
  if (walk.busy || prototypesAreExtended()) return false;
  const site = siteOf(value, asBuffer);
  walk.site = site;
  if (!site.isPromising(threshold, asBuffer)) return false;
  const started = performance.now();
  walk.eager = threshold === 0;
  walk.busy = true;
  walk.depth = 0;
  walk.numbers = 0;
  walk.rope = '';
  walk.long = 0;
  walk.short = 0;
  walk.shapes = 0;
  walk.number++;
  walk.lookAt = FIRST_LOOK;
  try {
    walk.memory = takeTextMemory();
    const end = encodeAny(value, HEADER);
    if (words[HEADER] === OP_UNDEFINED) return false;
    const units = textUnits();
    const length = estimate(end, walk.numbers, units);
    flushRope();
    site.walked(length, (performance.now() - started) * 1e6);
    if (!walk.eager && (length < threshold || !site.isWorth(end, walk.numbers, units, asBuffer))) return false;
    words[WORDS_AT] = end;
    words[NUMBERS_AT] = walk.numbers;
    words[LONG_AT] = walk.long;
    words[SHORT_AT] = walk.short;
    words[SHORT_FROM] = walk.memory.units;
    return true;
  } catch (error) {
    if (error === NOT_ENCODED) return false;
    throw error;
  } finally {
    walk.busy = false;
    walk.site = site; // A getter may have had another value encoded.
    walk.rope = '';
    for (const all of remembered) for (const repeats of all) repeats.forget();
    remembered.length = 0;
    for (let i = 0; i < MAX_DEPTH && open[i] !== null; i++) open[i] = null;
  }
}

function textUnits() {
  return walk.long + walk.short + walk.rope.length;
}

/** Whether to go on. @param {number} at */
function isOn(at) {
  return walk.eager || isWinning(at, walk.numbers, textUnits());
}

/** Writes the rope to memory, behind the short strings that are there. */
function flushRope() {
  const end = walk.short + walk.rope.length;
  if (end > walk.memory.units) walk.memory = growTextMemory(walk.memory, walk.long, walk.short, end);
  walk.memory.write(walk.rope, walk.memory.units + walk.short);
  walk.short = end;
  walk.rope = '';
}

/**
 * Comparisons rather than a switch: V8 compiles each to a look at the hidden class, but makes a switch's operand a
 * string first.
 * @type {Encoder}
 */
function encodeAny(value, at) {
  if (typeof value === 'string') return encodeString(value, at);
  if (typeof value === 'number') return encodeNumber(value, at);
  if (value === null) words[at] = OP_NULL;
  else if (typeof value === 'object') return encodeContainer(value, at);
  else if (value === true) words[at] = OP_TRUE;
  else if (value === false) words[at] = OP_FALSE;
  else if (typeof value === 'bigint') throw NOT_ENCODED;
  else if (typeof value === 'function' && value.toJSON !== undefined) throw NOT_ENCODED;
  else words[at] = OP_UNDEFINED;
  return at + 1;
}

/** @param {string} text @param {number} at */
function encodeString(text, at) {
  const { length } = text;
  if (length <= SHORT) {
    walk.rope += text;
    if (walk.rope.length > ROPE) flushRope();
    words[at] = STRING | (length << TAG_BITS);
    return at + 1;
  }
  const end = walk.long + length;
  if (end > walk.memory.units) walk.memory = growTextMemory(walk.memory, walk.long, walk.short, end);
  walk.memory.write(text, walk.long);
  walk.long = end;
  words[at] = LONG | (length << TAG_BITS);
  return at + 1;
}

/**
 * A string under a key under which strings may come again.
 * @param {string} text
 * @param {number} at
 * @param {Repeats} repeats
 */
function encodeRepeating(text, at, repeats) {
  const { length } = text;
  if (length > REPEATED || length === 0 || repeats.credit === 0) return encodeString(text, at);
  const place = (length + text.charCodeAt(length >> 1)) & (REPEATS - 1);
  if (repeats.texts[place] === text) {
    if (repeats.credit < 4 * CREDIT) repeats.credit++;
    words[at] = repeats.ops[place];
    return at + 1;
  }
  repeats.credit--;
  const offset = walk.short + walk.rope.length;
  if (offset < MAX_OFFSET) {
    repeats.texts[place] = text;
    repeats.ops[place] = AGAIN | (((offset << LENGTH_BITS) | length) << TAG_BITS);
  }
  return encodeString(text, at);
}

/** @param {number} value @param {number} at */
function encodeNumber(value, at) {
  if ((value << TAG_BITS) >> TAG_BITS === value) {
    words[at] = INTEGER | (value << TAG_BITS);
    return at + 1;
  }
  if (walk.numbers === MAX_NUMBERS) throw NOT_ENCODED;
  numbers[walk.numbers++] = value;
  words[at] = OP_NUMBER;
  return at + 1;
}

/** @type {Encoder} */
function encodeContainer(source, at) {
  if (at > walk.lookAt) {
    if (at > MAX_WORDS - SHAPE_WORDS || !isOn(at)) throw NOT_ENCODED;
    walk.lookAt = at * 8;
    if (walk.lookAt > MAX_WORDS - SHAPE_WORDS) walk.lookAt = MAX_WORDS - SHAPE_WORDS;
  }
  if (walk.depth === MAX_DEPTH || isProxy(source)) throw NOT_ENCODED;
  open[walk.depth++] = source;
  if ((walk.depth & 15) === 0 && open.indexOf(source) < walk.depth - 1) throw NOT_ENCODED;
  at = Array.isArray(source) ? encodeArray(source, at) : encodeObject(source, at);
  walk.depth--;
  return at;
}

/** @param {unknown[]} source @param {number} at */
function encodeArray(source, at) {
  const { length } = source;
  if (/** @type {any} */ (source).toJSON !== undefined || at + length > MAX_WORDS - SHAPE_WORDS) throw NOT_ENCODED;
  const head = at++;
  const first = walk.numbers;
  const room = Math.min(length, MAX_NUMBERS - first);
  let i = 0;
  let value;
  for (; i < room; i++) {
    value = source[i];
    if (typeof value !== 'number') break;
    numbers[first + i] = value;
  }
  walk.numbers = first + i;
  if (i === length) {
    words[head] = NUMBERS | (length << TAG_BITS);
    return at;
  }
  if (i === MAX_NUMBERS - first) throw NOT_ENCODED;
  words[head] = ARRAY | (length << TAG_BITS);
  for (let j = 0; j < i; j++) words[at++] = OP_NUMBER;
  at = encodeItem(value, at);
  for (i++; i < length; i++) at = encodeItem(source[i], at);
  return at;
}

/** An item of an array, of which there may be any number. @type {Encoder} */
function encodeItem(value, at) {
  if (at > MAX_WORDS - SHAPE_WORDS) throw NOT_ENCODED;
  return encodeAny(value, at);
}

/**
 * The prototype is looked at behind the shape: a compiled encoder knows the hidden class by then, and with it the
 * prototype, where the question would take 30 ns here.
 * @param {any} source
 * @param {number} at
 */
function encodeObject(source, at) {
  let node = shapes.root;
  let count = 0;
  for (const key in source) {
    if (++count > MAX_KEYS) break;
    node = node.last !== null && node.lastKey === key ? node.last : shapes.step(node, key);
  }
  if ((count === 0 || node.indexed) && isDisguised(source)) throw NOT_ENCODED;
  if (count <= MAX_KEYS && count > 0) {
    const encoder = node.compiled ?? shapes.sight(node, source);
    if (encoder !== null) return encoder(source, at);
  }
  return getPrototypeOf(source) === objectPrototype
    ? encodeKeys(source, Object.keys(source), at)
    : encodeInstance(source, at);
}

/**
 * An object of a class or without a prototype: JSON.stringify looks at its own keys as at any other's, unless it is
 * one of those with a meaning of its own.
 * @param {any} source
 * @param {number} at
 */
function encodeInstance(source, at) {
  if (isBoxedPrimitive(source) || (isRawJSON !== undefined && isRawJSON(source))) throw NOT_ENCODED;
  return encodeKeys(source, Object.keys(source), at);
}

/** @param {any} source @param {string[]} keys @param {number} at */
function encodeKeys(source, keys, at) {
  if (source.toJSON !== undefined) throw NOT_ENCODED;
  words[at++] = OP_KEYED;
  for (let i = 0; i < keys.length; i++) {
    if (at > MAX_WORDS - SHAPE_WORDS) throw NOT_ENCODED;
    at = encodeString(keys[i], at);
    at = encodeAny(source[keys[i]], at);
  }
  words[at] = OP_END;
  return at + 1;
}

/**
 * An encoder for objects with exactly these own enumerable keys in this order. It expects the types of the sample.
 * @param {string[]} keys
 * @param {object} sample
 * @returns {Encoder}
 */
function compileEncoder(keys, sample) {
  const texts = keys.map((key) => JSON.stringify(key));
  const text = texts.join('');
  /** @type {Place} */
  const place = { walk: 0, op: 0 };
  /** @type {Repeats[]} */
  const repeats = [];
  let state = '';
  let body = '';
  for (let i = 0; i < keys.length; i++) {
    const type = typeof Object.getOwnPropertyDescriptor(sample, keys[i])?.value;
    body += `value = source[${texts[i]}];\n`;
    if (type === 'number') body += `if (typeof value === 'number') at = encodeNumber(value, at); else `;
    if (type === 'string') {
      state += `const repeats${i} = repeats[${repeats.length}];\n`;
      repeats.push(new Repeats());
      body += `if (typeof value === 'string') at = encodeRepeating(value, at, repeats${i}); else `;
    }
    body += 'at = encodeAny(value, at);\n';
  }
  /** Defines the shape at its first use in a walk. @param {number} at */
  const define = (at) => {
    remembered.push(repeats);
    place.walk = walk.number;
    place.op = OBJECT | (walk.shapes++ << TAG_BITS);
    words[at++] = OP_SHAPE;
    words[at++] = keys.length;
    for (const { length } of texts) words[at++] = length;
    walk.rope += text;
    return at;
  };
  const source = `'use strict';
${state}return function encode(source, at) {
if (source.toJSON !== undefined || at > ${MAX_WORDS - SHAPE_WORDS}) throw NOT_ENCODED;
if (getPrototypeOf(source) !== objectPrototype) return encodeInstance(source, at);
if (place.walk !== walk.number) at = define(at);
words[at++] = place.op;
let value;
${body}return at;
};`;
  const scope = {
    NOT_ENCODED, place, walk, define, words, getPrototypeOf, objectPrototype, repeats,
    encodeInstance, encodeRepeating, encodeNumber, encodeAny,
  };
  return new Function(...Object.keys(scope), source)(...Object.values(scope));
}

module.exports = { encode, numbers, walk, words };
