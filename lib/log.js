'use strict';

/**
 * `formatLog`: one JSON line `{level, time, msg, ...data}`, without the newline.
 *
 * A log call must not fail for what it was given: what has no JSON form leaves a line that says so. Like any value,
 * data is read before the call returns; lines with much text are written off the main thread.
 */

const { encode, walk } = require('./encode');
const { invalidArgument } = require('./errors');
const { fieldsOf, safeLine } = require('./record');
const { offload } = require('./stringify');
const { begin } = require('./spans');
const { inline } = require('./submit');

/**
 * @param {import('./submit').Pool} pool
 * @param {string} level
 * @param {string} msg
 * @param {object | null} [data] its keys come after the others and win over them; an Error becomes `err`
 * @param {import('./submit').TaskOptions} [options]
 * @returns {Promise<string>}
 */
function formatLog(pool, level, msg, data, options) {
  if (typeof level !== 'string') return Promise.reject(invalidArgument('level', 'a string', level));
  if (typeof msg !== 'string') return Promise.reject(invalidArgument('msg', 'a string', msg));
  if (data !== undefined && data !== null && typeof data !== 'object') {
    return Promise.reject(invalidArgument('data', 'an object', data));
  }
  const begun = begin(pool);
  const head = { level, time: new Date().toISOString(), msg };
  let record;
  try {
    record = { ...head, ...fieldsOf(data) };
    if (encode(record, pool.offloadThreshold, false)) {
      return /** @type {Promise<string>} */ (offload(pool, options, 'log', '', false, begun));
    }
  } catch {
    record = undefined; // A getter that throws: the line is put together key by key.
  }
  return inline(pool, options, 'log', () => line(head, data, record), record ?? msg, begun);
}

/**
 * @param {object} head
 * @param {object | null | undefined} data
 * @param {object | undefined} record head and data, if it could be made
 * @returns {string}
 */
function line(head, data, record) {
  try {
    if (record !== undefined) {
      const { site } = walk;
      const text = JSON.stringify(record);
      site.learn(text.length);
      return text;
    }
  } catch {
    // A cycle, a BigInt, …: below.
  }
  return safeLine(head, data);
}

module.exports = { formatLog };
