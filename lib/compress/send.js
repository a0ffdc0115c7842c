'use strict';

// The crossing: texts go into text memory, one behind the other, described by words (src/bindings/compress.rs).

const native = require('../native');
const { submit } = require('../submit');
const { takeTextMemory } = require('../text-memory');

/** Characters up to which texts are joined before they are written: writing has its price, whatever the length. */
const JOINED = 2048;
/** Characters joined at most. */
const ROPE = 32768;

const HEADER = 3;
const PIECE = 5;
const EARLIER = 3;
const ID = 2;

/** Rewritten by each call; native code has read them when the call returns. */
let words = new Uint32Array(1 << 12);

/**
 * Texts to send, and what came before them.
 * @typedef {object} Batch
 * @property {string[]} texts
 * @property {number[]} pieces Five numbers each: purpose, length, message, the pieces that led to it.
 * @property {number[]} earlier Three each: key, lower half first, and message.
 * @property {number[]} ids Two each.
 */

/**
 * @param {import('../submit').Pool} pool
 * @param {import('../submit').TaskOptions | undefined} options
 * @param {Batch} batch
 * @param {Float64Array} numbers
 * @param {string} query
 */
function send(pool, options, batch, numbers, query) {
  const { texts, pieces, earlier, ids } = batch;
  let units = 0;
  for (let i = 0; i < texts.length; i++) units += texts[i].length;
  return submit(pool, options, (handle, control) => {
    const memory = takeTextMemory((units + 1) >> 1);
    write(texts, memory);
    const count = fill(texts.length, pieces, earlier, ids);
    return native.compress(handle, control, memory.slot, words.subarray(0, count), numbers, query);
  });
}

/**
 * @param {string[]} texts
 * @param {{ write(text: string, at: number): void }} memory
 */
function write(texts, memory) {
  let at = 0;
  let rope = '';
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    if (text.length <= JOINED) {
      rope += text;
      if (rope.length <= ROPE) continue;
    }
    if (rope !== '') {
      memory.write(rope, at);
      at += rope.length;
      rope = '';
    }
    if (text.length > JOINED) {
      memory.write(text, at);
      at += text.length;
    }
  }
  if (rope !== '') memory.write(rope, at);
}

/**
 * @param {number} count of the pieces
 * @param {number[]} pieces
 * @param {number[]} earlier
 * @param {number[]} ids
 */
function fill(count, pieces, earlier, ids) {
  const length = HEADER + pieces.length + earlier.length + ids.length;
  if (words.length < length) words = new Uint32Array(2 * length);
  words[0] = count;
  words[1] = earlier.length / EARLIER;
  words[2] = ids.length / ID;
  let at = HEADER;
  for (let i = 0; i < pieces.length; i++) words[at++] = pieces[i];
  for (let i = 0; i < earlier.length; i++) words[at++] = earlier[i];
  for (let i = 0; i < ids.length; i++) words[at++] = ids[i];
  return length;
}

module.exports = { PIECE, send };
