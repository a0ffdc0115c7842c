'use strict';

/**
 * `formatLog`: one JSON line `{level, time, msg, ...data}`, without the newline.
 *
 * A log call must not fail for what it was given: what has no JSON form leaves a line that says so. Like any value,
 * data is read before the call returns; lines with much text are written off the main thread.
 */

const { isNativeError } = require('node:util').types;
const { encode, walk } = require('./encode');
const { invalidArgument } = require('./errors');
const { define } = require('./graph');
const { offload } = require('./stringify');
const { inline } = require('./submit');

/** Levels of objects and arrays in which errors are looked for; JSON.stringify makes `{}` of those further down. */
const ERROR_DEPTH = 6;

/**
 * @param {import('./submit').Pool} pool
 * @param {string} level
 * @param {string} msg
 * @param {object | null} [data] its keys come after the others and win over them; an Error becomes `err`
 * @returns {Promise<string>}
 */
function formatLog(pool, level, msg, data) {
  if (typeof level !== 'string') return Promise.reject(invalidArgument('level', 'a string', level));
  if (typeof msg !== 'string') return Promise.reject(invalidArgument('msg', 'a string', msg));
  if (data !== undefined && data !== null && typeof data !== 'object') {
    return Promise.reject(invalidArgument('data', 'an object', data));
  }
  const head = { level, time: new Date().toISOString(), msg };
  let record;
  try {
    record = { ...head, ...fieldsOf(data) };
    if (encode(record, pool.offloadThreshold, false)) {
      return /** @type {Promise<string>} */ (offload(pool, undefined, '', false));
    }
  } catch {
    record = undefined; // A getter that throws: the line is put together key by key.
  }
  return inline(pool, undefined, 'log', () => line(head, data, record));
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
  /** @type {Record<string, unknown>} */
  const fields = { ...head };
  try {
    for (const key of Object.keys(data ?? {})) define(fields, key, presentable(data, key));
    return JSON.stringify(fields);
  } catch (error) {
    return JSON.stringify({ ...head, data: complaint(error) });
  }
}

/**
 * A property, or what keeps it from being written.
 * @param {any} data
 * @param {string} key
 */
function presentable(data, key) {
  let value;
  try {
    value = data[key];
    const text = JSON.stringify(withErrors(value, ERROR_DEPTH));
    return text === undefined ? undefined : JSON.parse(text);
  } catch (error) {
    try {
      // Errors of HTTP clients bring half the program along.
      if (isError(value)) return JSON.parse(JSON.stringify(outline(value)));
    } catch {
      // An error that cannot even say what it is.
    }
    return complaint(error);
  }
}

/** @param {any} error */
function complaint(error) {
  let reason = 'unknown reason';
  try {
    reason = String(error?.message ?? error).split('\n', 1)[0];
  } catch {
    // Not even that.
  }
  return `[not serialisable: ${reason}]`;
}

/**
 * What to spread into the line.
 * @param {any} data
 * @returns {object | undefined}
 */
function fieldsOf(data) {
  if (data === undefined || data === null) return undefined;
  if (isError(data)) return { err: describe(data, ERROR_DEPTH) };
  if (typeof data.toJSON === 'function') {
    const value = data.toJSON('');
    return typeof value === 'object' && value !== null ? withErrors(value, ERROR_DEPTH) : { data: value };
  }
  return withErrors(data, ERROR_DEPTH);
}

/** @param {unknown} value @returns {value is Error} */
function isError(value) {
  return isNativeError(value) || value instanceof Error;
}

/**
 * The value with its errors described; the value itself where there are none.
 * @param {any} value
 * @param {number} depth
 * @returns {any}
 */
function withErrors(value, depth) {
  if (typeof value !== 'object' || value === null) return value;
  if (isError(value)) return depth === 0 ? outline(value) : describe(value, depth);
  if (depth === 0) return value;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  let result = value;
  for (const key of Object.keys(value)) {
    const item = value[key];
    const described = withErrors(item, depth - 1);
    if (Object.is(described, item)) continue;
    if (result === value) result = Array.isArray(value) ? value.slice() : { ...value };
    define(result, key, described);
  }
  return result;
}

/** @param {any} error */
function outline(error) {
  return { type: error.constructor?.name ?? error.name, message: error.message, stack: error.stack };
}

/**
 * @param {any} error
 * @param {number} depth
 */
function describe(error, depth) {
  /** @type {Record<string, unknown>} */
  const fields = { ...outline(error), ...error };
  const { cause } = error;
  if (cause !== undefined) fields.cause = withErrors(cause, depth - 1);
  if (Array.isArray(error.errors)) fields.errors = withErrors(error.errors, depth - 1);
  return fields;
}

module.exports = { formatLog };
