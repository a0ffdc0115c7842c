'use strict';

// Constructors for hot layouts: one object literal each, compiled at run time.
//
// Keys come from outside. They enter the code as literals escaped by JSON.stringify (whose output is a subset of
// JavaScript since ES2019) and nowhere else; `__proto__` is a computed key, so that it is a key like any other.

const { TAG_BITS, STRING, INTEGER, CURSOR } = require('./layout');

const TAG = (1 << TAG_BITS) - 1;

/** Whether code may be generated from strings here: `--disallow-code-generation-from-strings` forbids it. */
const mayCompile = (() => {
  try {
    return new Function('return true')();
  } catch {
    return false;
  }
})();

/**
 * What compiled constructors read from: the tape's words and strings, and the decoder of all other values.
 *
 * @typedef {object} Runtime
 * @property {Int32Array} words
 * @property {any[]} strings
 * @property {(op: number) => any} value
 */

/**
 * A function that reads the values of `keys` at the cursor and makes the object; undefined where code generation is off.
 *
 * Strings and small integers, most values of most records, are read on the spot. For the others the cursor, which
 * is a local variable meanwhile, goes back to its word.
 *
 * @param {readonly string[]} keys
 * @param {Runtime} runtime
 * @returns {(() => object) | undefined}
 */
function compile(keys, runtime) {
  if (!mayCompile) return undefined;
  const item =
    `((op = words[at++]) & ${TAG}) === ${STRING} ? strings[op >>> ${TAG_BITS}]` +
    ` : (op & ${TAG}) === ${INTEGER} ? op >> ${TAG_BITS}` +
    ` : (words[${CURSOR}] = at, other = value(op), at = words[${CURSOR}], other)`;
  const literal = (/** @type {string} */ key) => {
    const name = JSON.stringify(key);
    return `${key === '__proto__' ? `[${name}]` : name}: ${item}`;
  };
  const code = `'use strict';
return function () {
  let at = words[${CURSOR}], op, other;
  const object = {
    ${keys.map(literal).join(',\n    ')}
  };
  words[${CURSOR}] = at;
  return object;
};`;
  return new Function('words', 'strings', 'value', code)(runtime.words, runtime.strings, runtime.value);
}

module.exports = { compile, mayCompile };
