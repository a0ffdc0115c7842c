'use strict';

// From a tape (src/json/layout.rs) to JavaScript values, on the main thread.
//
// One walk over the ops. What makes it fast is what it does not do: no text is scanned, each distinct short string is
// made once, and an object of a hot layout is made by one object literal, compiled for that layout (lib/compile.js),
// which is the cheapest way V8 has. Layouts that are rare, or odd, or in a process that forbids code generation, are
// built by assignment. Deep values are built with an explicit stack.

const { compile } = require('./compile');
const layout = require('./layout');

const { STRING, INTEGER, OBJECT, ARRAY, NUMBER, LITERAL, NUMBERS } = layout;
const { CURSOR, DEPTH, STRINGS, BLOCKS, BLOCKS_AT, ENTRIES_AT, SHAPES, SHAPES_AT, NUMBERS_AT } = layout;

const NOT_TAG = layout.TAG_BITS;
const TAG = (1 << layout.TAG_BITS) - 1;

/** Nesting that recursion may reach; beyond it the explicit stack takes over. */
const RECURSION = 400;

/** Strings kept from one call to the next without clearing being worth a new array. */
const KEEP_STRINGS = 1 << 16;

const LITERALS = [null, true, false];

/**
 * A decoder over one run of words.
 *
 * The scratch memory's decoder is made once, so that V8 compiles it with the addresses of its words as constants.
 *
 * @param {ArrayBuffer} memory
 */
function createDecoder(memory) {
  const words = new Int32Array(memory);
  const floats = new Float64Array(memory);

  /** Strings of the tape, by number. @type {any[]} */
  let strings = [];
  /** Constructors of the tape's shapes, by number. @type {(() => object)[]} */
  const makers = [];
  /** Constructors compiled so far, by registry slot, and the stamps of the layouts they were compiled for. */
  const compiled = new Array(layout.SHAPE_SLOTS).fill(undefined);
  const stamps = new Int32Array(layout.SHAPE_SLOTS);
  /** Index of the first number. */
  let numbersAt = 0;

  const runtime = { words, strings, value };

  /**
   * The value of op `op`, whose successor is at the cursor.
   *
   * @param {number} op
   * @returns {any}
   */
  function value(op) {
    switch (op & TAG) {
      case STRING: return strings[op >>> NOT_TAG];
      case INTEGER: return op >> NOT_TAG;
      case OBJECT: return makers[op >>> NOT_TAG]();
      case ARRAY: return array(op >>> NOT_TAG);
      case NUMBER: return floats[numbersAt + (op >>> NOT_TAG)];
      case LITERAL: return LITERALS[op >>> NOT_TAG];
      default: return numbers(op >>> NOT_TAG, numbersAt + words[words[CURSOR]++]);
    }
  }

  /** @param {number} length */
  function array(length) {
    if (length === 0) return [];
    // Begun as a literal and grown by push, an array stays packed, as JSON.parse makes it.
    const items = [value(words[words[CURSOR]++])];
    for (let index = 1; index < length; index++) items.push(value(words[words[CURSOR]++]));
    return items;
  }

  /** @param {number} length @param {number} at */
  function numbers(length, at) {
    if (length === 2) return [floats[at], floats[at + 1]];
    if (length === 3) return [floats[at], floats[at + 1], floats[at + 2]];
    const items = [floats[at]];
    for (let index = 1; index < length; index++) items.push(floats[at + index]);
    return items;
  }

  /** @param {readonly string[]} blocks */
  function readStrings(blocks) {
    const count = words[STRINGS];
    if (strings.length < count) runtime.strings = strings = new Array(count).fill(undefined);
    const counts = words[BLOCKS_AT];
    let entry = words[ENTRIES_AT];
    for (let index = 0; index < blocks.length; index++) {
      const block = blocks[index];
      const last = entry + 2 * words[counts + index];
      let start = 0;
      while (entry < last) {
        const end = words[entry + 1];
        strings[words[entry]] = block.substring(start, end);
        start = end;
        entry += 2;
      }
    }
  }

  function readShapes() {
    const count = words[SHAPES];
    let at = words[SHAPES_AT];
    for (let shape = 0; shape < count; shape++) {
      const slot = words[at];
      const keys = words[at + 3];
      if (slot >= 0 && stamps[slot] === words[at + 1] && compiled[slot] !== undefined) {
        makers[shape] = compiled[slot];
      } else {
        makers[shape] = maker(at, keys);
      }
      at += 4 + keys;
    }
  }

  /**
   * The constructor of the shape whose record is at `at`: compiled when it is hot.
   *
   * @param {number} at @param {number} count
   * @returns {() => object}
   */
  function maker(at, count) {
    if (count === 0) return () => ({});
    const slot = words[at];
    if (words[at + 2] === 1) {
      const keys = [];
      for (let key = 0; key < count; key++) keys.push(strings[words[at + 4 + key]]);
      const made = compile(keys, runtime);
      if (made !== undefined) {
        compiled[slot] = made;
        stamps[slot] = words[at + 1];
        return made;
      }
    }
    return () => assigned(at + 4, count);
  }

  /** An object built by assignment. @param {number} key @param {number} count */
  function assigned(key, count) {
    /** @type {Record<string, any>} */
    const object = {};
    for (const last = key + count; key < last; key++) {
      const name = strings[words[key]];
      const item = value(words[words[CURSOR]++]);
      if (name === '__proto__') define(object, item);
      else object[name] = item;
    }
    return object;
  }

  return { words };
}
