'use strict';

// The crossing: texts go into text memory, one behind the other, described by words (src/bindings/compress.rs).

const native = require('../native');
const { submit } = require('../submit');
const { takeTextMemory } = require('../text-memory');

/**
 * Texts to send, and what came before them.
 * @typedef {object} Batch
 * @property {string[]} texts
 * @property {Uint32Array} pieces WORDS numbers each.
 * @property {number[]} earlier Three each: the key of an earlier text, lower half first, and its message.
 * @property {number[]} ids Two each.
 */

/**
 * @param {import('../submit').Pool} pool
 * @param {import('../submit').TaskOptions} options
 * @param {Batch} batch
 * @param {Float64Array} numbers
 * @param {string} query
 * @param {number} begun When the walk over the messages began, see `begin`.
 */
function send(pool, options, { texts, pieces, earlier, ids }, numbers, query, begun) {
  let units = 0;
  for (let i = 0; i < texts.length; i++) units += texts[i].length;
  return submit(pool, options, 'compress', (handle, control) => {
    const memory = takeTextMemory((units + 1) >> 1);
    let at = 0;
    for (let i = 0; i < texts.length; i++) {
      memory.write(texts[i], at);
      at += texts[i].length;
    }
    const before = earlier.length + ids.length > 0 ? Uint32Array.of(earlier.length, ...earlier, ...ids) : NOTHING;
    return native.compress(handle, control, memory.slot, pieces, before, numbers, query);
  }, begun);
}

const NOTHING = Uint32Array.of(0);

module.exports = { send };
