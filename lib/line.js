'use strict';

/**
 * The text of a log line, with its strings left as they are: the writer thread quotes and escapes them. What V8 does for
 * a line is to join strings and numbers, and to copy them into the ring: long strings one by one, the rest in one go.
 *
 * The walk covers plain objects and arrays of strings, numbers and the like. Everything else in them is JSON.stringify's,
 * but for errors, which are described. So are values of many small parts, which JSON.stringify reads faster. What throws
 * ends the walk, and the caller has another way.
 */

const { ERROR_DEPTH, fieldsOf, isError, withErrors } = require('./record');
const { DONE, FULL, UNFIT } = require('./ring');
const { HEADER, LENGTH_BITS, PIECES, RECORD_HEADER } = require('./ring-layout');

/** Strings that a line may have apart, and the bytes of its table then. */
const MAX_STRINGS = 1000;
const MAX_TABLE = 8 * MAX_STRINGS;
/** Strings from this length on are copied into the ring alone: joining them to others would copy them once more. */
const LONG_STRING = 400;
/** Deeper values are JSON.stringify's; so are cycles. Errors are not looked for there. */
const MAX_DEPTH = ERROR_DEPTH - 1;
/** Keys whose text is kept. */
const MAX_KEYS = 2000;
/** Values in one field after which to look whether they have much text: so many units each. */
const FIRST_LOOK = 60;
const RICH = 40;
/** A field with many small values is left to JSON.stringify so many times before it is looked at again. */
const REST = 100;

/** Ends a walk: what follows is to be made in another way. */
const STOP = Symbol('stop');
/** Ends the walk of one field. */
const DENSE = Symbol('dense');

const PIECES_BITS = PIECES << LENGTH_BITS;

const { getPrototypeOf, keys: keysOf, prototype: objectPrototype } = Object;

/** @typedef {import('./ring').Ring} Ring */

/** The line that is being made. */
const line = {
  /** @type {Ring} */
  ring: /** @type {any} */ (undefined),
  limit: 0,
  /** What is not in the ring yet. */
  text: '',
  /** Units that are. */
  units: 0,
  /** Where the last string ends, in units. */
  mark: 0,
  /** Strings so far, and for each the units of text before it and its own. */
  count: 0,
  table: new Uint32Array(2 * MAX_STRINGS),
  /** Where the record begins in the ring's bytes, -1 before that is known; where text goes on; where room ends. */
  at: -1,
  cursor: 0,
  end: 0,
  /** The ring's tail since then: another line may have been written, by a getter. */
  tail: 0,
  /** Values in the field at hand. */
  values: 0,
  lookAt: 0,
  fieldStart: 0,
  busy: false,
};

/**
 * A key as it follows another field, and how often its values are left to JSON.stringify.
 * @typedef {{ text: string, first: string, rest: number }} Key
 */

/** @type {Map<string, Key>} */
const known = new Map();

/** @param {string} name @returns {Key} */
function newKey(name) {
  const first = `${JSON.stringify(name)}:`;
  const key = { text: `,${first}`, first: `{${first}`, rest: 0 };
  if (known.size < MAX_KEYS) known.set(name, key);
  return key;
}

/**
 * Begins a line. `line.busy` must not be set.
 * @param {Ring} ring
 * @param {number} limit bytes of the ring that may be in use for it
 * @param {string} start
 */
function begin(ring, limit, start) {
  line.ring = ring;
  line.limit = limit;
  line.text = start;
  line.units = 0;
  line.mark = 0;
  line.count = 0;
  line.at = -1;
}

/**
 * Adds a string that is to be quoted.
 * @param {string} text
 */
function addString(text) {
  const at = line.count * 2;
  if (at === 2 * MAX_STRINGS) throw STOP;
  const before = line.units + line.text.length;
  line.table[at] = before - line.mark;
  line.table[at + 1] = text.length;
  line.count++;
  line.mark = before + text.length;
  if (text.length < LONG_STRING) {
    line.text += text;
  } else {
    copy(line.text);
    line.text = '';
    copy(text);
  }
}

/**
 * Copies text into the ring, behind what is there of the line.
 * @param {string} text
 */
function copy(text) {
  const size = 3 * text.length;
  if (line.at < 0) open(size);
  else if (line.cursor + size > line.end || line.ring.tail !== line.tail) throw STOP;
  const written = line.ring.bytes.utf8Write(text, line.cursor, size);
  // UTF-8 has no halves of surrogate pairs; JSON escapes them.
  if (written !== text.length && !(/** @type {any} */ (text).isWellFormed())) throw STOP;
  line.cursor += written;
  line.units += text.length;
}

/**
 * Begins a record.
 * @param {number} size most bytes of text known so far
 */
function open(size) {
  const { ring, limit } = line;
  const least = size + MAX_TABLE + 16;
  if (least > ring.longest) throw STOP;
  const at = ring.reserve(least, limit);
  if (at < 0) throw STOP;
  line.at = at;
  line.tail = ring.tail;
  line.cursor = at + RECORD_HEADER + 8;
  // As far as the ring goes, or is free; `ring.head` may be old, which is safe.
  const free = limit - ((ring.tail - ring.head) >>> 0) * 8;
  line.end = at + Math.min(ring.capacity - at, free, ring.longest) - MAX_TABLE - 16;
}

/**
 * Ends the line and publishes it.
 * @param {string} rest
 * @returns {number} DONE, FULL, or UNFIT
 */
function finish(rest) {
  line.text += rest;
  const { ring, count, table } = line;
  if (line.at >= 0) {
    copy(line.text);
  } else {
    // The usual line: nothing is in the ring yet, and all sizes are known.
    const { text } = line;
    const size = 3 * text.length;
    if (size + MAX_TABLE > ring.longest) return UNFIT;
    const at = ring.reserve(size + 8 * count + 16, line.limit);
    if (at < 0) return FULL;
    line.at = at;
    const start = at + RECORD_HEADER + 8;
    const written = ring.bytes.utf8Write(text, start, size);
    if (written !== text.length && !(/** @type {any} */ (text).isWellFormed())) return UNFIT;
    line.cursor = start + written;
  }
  const { words } = ring;
  const word = (HEADER + line.at + RECORD_HEADER) >> 2;
  words[word] = count;
  words[word + 1] = line.cursor - line.at - RECORD_HEADER - 8;
  let end = (HEADER + line.cursor + 3) >> 2;
  for (let i = 0; i < 2 * count; i++) words[end++] = table[i];
  ring.publish(line.at, (end - word) * 4, PIECES_BITS);
  return DONE;
}

/**
 * Adds the fields of an object, each behind a comma.
 * @param {any} data
 */
function addData(data) {
  const fields = getPrototypeOf(data) === objectPrototype && data.toJSON === undefined ? data : fieldsOf(data);
  const names = keysOf(fields);
  for (let i = 0; i < names.length; i++) {
    const value = fields[names[i]];
    const key = known.get(names[i]) ?? newKey(names[i]);
    if (typeof value === 'object' && value !== null) addField(key, value);
    else addValue(key.text, value, 0);
  }
}

/**
 * Adds an object or array that belongs to the line itself.
 * @param {Key} key
 * @param {object} value
 */
function addField(key, value) {
  if (key.rest > 0) {
    key.rest--;
    addText(key.text, JSON.stringify(withErrors(value, MAX_DEPTH)));
    return;
  }
  const { text, units, mark, count } = line;
  line.values = 0;
  line.lookAt = FIRST_LOOK;
  line.fieldStart = units + text.length;
  try {
    addValue(key.text, value, 0);
  } catch (error) {
    // What has been copied already stays, and cannot be taken back.
    if (error !== DENSE || line.units !== units) throw error;
    key.rest = REST;
    line.text = text;
    line.mark = mark;
    line.count = count;
    addText(key.text, JSON.stringify(withErrors(value, MAX_DEPTH)));
  }
}

/**
 * @param {string} key
 * @param {string | undefined} json
 */
function addText(key, json) {
  if (json === undefined) return;
  line.text += key;
  if (json.length < LONG_STRING) {
    line.text += json;
  } else {
    copy(line.text);
    line.text = '';
    copy(json);
  }
}

/**
 * @param {string} key with a comma before and a colon behind
 * @param {any} value
 * @param {number} depth
 */
function addValue(key, value, depth) {
  if (typeof value === 'string') {
    line.text += key;
    addString(value);
  } else if (typeof value === 'number') {
    line.text += key;
    line.text += value - value === 0 ? value : 'null';
  } else if (value === true) line.text += `${key}true`;
  else if (value === false) line.text += `${key}false`;
  else if (value === null) line.text += `${key}null`;
  else if (value !== undefined) addOther(key, value, depth);
}

/**
 * @param {string} key
 * @param {any} value neither undefined nor a primitive with an easy text
 * @param {number} depth
 */
function addOther(key, value, depth) {
  const isOpen = typeof value === 'object' && depth < MAX_DEPTH && value.toJSON === undefined;
  if (isOpen && Array.isArray(value)) {
    addArray(key, value, depth);
  } else if (isOpen && getPrototypeOf(value) === objectPrototype) {
    addObject(key, value, depth);
  } else {
    // Asked last, as it is the dearest question.
    addText(key, JSON.stringify(isError(value) ? withErrors(value, MAX_DEPTH - depth) : value));
  }
}

/** Counts values of a field, and looks now and then whether walking it is worth while. @param {number} count */
function look(count) {
  line.values += count;
  if (line.values < line.lookAt) return;
  line.lookAt *= 4;
  if (line.units + line.text.length - line.fieldStart < line.values * RICH) throw DENSE;
}

/**
 * @param {string} key
 * @param {any} value
 * @param {number} depth
 */
function addObject(key, value, depth) {
  const names = keysOf(value);
  look(names.length);
  line.text += key;
  let isEmpty = true;
  for (let i = 0; i < names.length; i++) {
    const name = known.get(names[i]) ?? newKey(names[i]);
    const before = line.units + line.text.length;
    addValue(isEmpty ? name.first : name.text, value[names[i]], depth + 1);
    // A field without a JSON form leaves nothing.
    if (isEmpty) isEmpty = line.units + line.text.length === before;
  }
  line.text += isEmpty ? '{}' : '}';
}

/**
 * @param {string} key
 * @param {any[]} value
 * @param {number} depth
 */
function addArray(key, value, depth) {
  look(value.length);
  line.text += key;
  line.text += '[';
  for (let i = 0; i < value.length; i++) {
    const before = line.units + line.text.length;
    const comma = i === 0 ? '' : ',';
    addValue(comma, value[i], depth + 1);
    if (line.units + line.text.length === before && typeof value[i] !== 'string') line.text += `${comma}null`;
  }
  line.text += ']';
}

module.exports = { addData, addString, begin, finish, line };
