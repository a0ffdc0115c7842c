'use strict';

/**
 * `stringify`: JSON.stringify's answer. Values rich in text are encoded here (`encode.js`) and written off the main
 * thread; for the others, and for whatever the encoder does not cover exactly, JSON.stringify itself is the cheaper
 * way. Either way the value is read before the call returns.
 */

const native = require('./native');
const { encode, numbers, walk, words } = require('./encode');
const { codeError, invalidArgument } = require('./errors');
const { begin } = require('./spans');
const { inline, submit } = require('./submit');

/**
 * @typedef {import('./submit').TaskOptions & { as?: 'string' | 'buffer', space?: number | string }} StringifyOptions
 */

/**
 * @param {import('./submit').Pool} pool
 * @param {unknown} value
 * @param {StringifyOptions} [options]
 * @returns {Promise<string | Buffer | undefined>}
 */
function stringify(pool, value, options) {
  let asBuffer = false;
  let gap = '';
  if (options !== undefined) {
    if (typeof options !== 'object' || options === null) return Promise.reject(invalidArgument('options', 'an object', options));
    const { as, space } = options;
    if (as !== undefined && as !== 'string' && as !== 'buffer') {
      return Promise.reject(invalidArgument('options.as', "'string' or 'buffer'", as));
    }
    asBuffer = as === 'buffer';
    if (space !== undefined) gap = gapOf(space);
  }
  const begun = begin(pool);
  try {
    if (!isAscii(gap) || !encode(value, pool.offloadThreshold, asBuffer)) {
      const { site } = walk;
      return inline(pool, options, 'stringify', () => stringifyHere(value, gap, asBuffer, site), value, begun);
    }
  } catch (error) {
    return Promise.reject(error);
  }
  return offload(pool, options, 'stringify', gap, asBuffer, begun);
}

/**
 * Has what `encode` made written to text.
 * @param {import('./submit').Pool} pool
 * @param {StringifyOptions | undefined} options
 * @param {string} operation
 * @param {string} gap
 * @param {boolean} asBuffer
 * @param {number} begun When the walk began, see `begin`.
 */
function offload(pool, options, operation, gap, asBuffer, begun) {
  return submit(pool, options, operation, (handle, control) =>
    native.stringify(handle, control, walk.memory.slot, words, numbers, gap, asBuffer),
    begun,
  );
}

/** What JSON.stringify indents by. @param {unknown} space */
function gapOf(space) {
  const text = JSON.stringify([0], null, /** @type {any} */ (space));
  return text.length > 3 ? text.slice(2, -3) : '';
}

/** @param {string} text */
function isAscii(text) {
  return /^[\0-\x7f]*$/.test(text); // eslint-disable-line no-control-regex
}

/**
 * @param {unknown} value
 * @param {string} gap
 * @param {boolean} asBuffer
 * @param {import('./worth').Site} site
 */
function stringifyHere(value, gap, asBuffer, site) {
  const started = performance.now();
  const text = platform(value, gap);
  if (text === undefined) return text;
  const result = asBuffer ? Buffer.from(text) : text;
  site.wroteHere(text.length, (performance.now() - started) * 1e6);
  return result;
}

/**
 * @param {unknown} value
 * @param {string} gap
 * @returns {string | undefined}
 */
function platform(value, gap) {
  try {
    // V8's fast way is only for calls with one argument.
    return gap === '' ? JSON.stringify(value) : JSON.stringify(value, null, gap);
  } catch (error) {
    if (error instanceof RangeError && error.message === 'Invalid string length') {
      throw codeError('ERR_TOO_LARGE', 'the JSON text is longer than a string can be');
    }
    throw error;
  }
}

module.exports = { offload, stringify };
