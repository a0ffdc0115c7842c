'use strict';

/**
 * What a log record is made of: the fields of its data, errors described, and what has no JSON form replaced by words
 * that say so. A log call must not fail for what it was given.
 */

const { isNativeError } = require('node:util').types;
const { define } = require('./graph');

/** Levels of objects and arrays in which errors are looked for; JSON.stringify makes `{}` of those further down. */
const ERROR_DEPTH = 6;

/**
 * JSON of a record whose data may be anything, put together key by key.
 * @param {object} head
 * @param {object | null | undefined} data
 * @returns {string}
 */
function safeLine(head, data) {
  return JSON.stringify({ ...head, ...safeFields(data) });
}

/**
 * The fields of data that may be anything; what they have is plain.
 * @param {any} data
 * @returns {object}
 */
function safeFields(data) {
  /** @type {Record<string, unknown>} */
  const fields = {};
  try {
    if (isError(data)) fields.err = presentable({ err: data }, 'err');
    else for (const key of Object.keys(data ?? {})) define(fields, key, presentable(data, key));
    return fields;
  } catch (error) {
    return { data: complaint(error) };
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
    const text = JSON.stringify(withErrors(value, ERROR_DEPTH - 1));
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
    return typeof value === 'object' && value !== null ? withErrors(value) : { data: value };
  }
  // Of an object of a class, too, the fields are what counts.
  return withErrors(Array.isArray(data) ? data : { ...data });
}

/** @param {unknown} value @returns {value is Error} */
function isError(value) {
  return isNativeError(value) || value instanceof Error;
}

/**
 * The value with its errors described; the value itself where there are none.
 * @param {any} value
 * @param {number} [depth]
 * @returns {any}
 */
function withErrors(value, depth = ERROR_DEPTH) {
  return typeof value === 'object' && value !== null && mayHaveErrors(value, depth) ? described(value, depth) : value;
}

/**
 * Whether to look for errors more closely. Constructors are asked, as V8 knows them from the hidden class; those of
 * errors are others than these.
 * @param {any} value
 * @param {number} depth
 * @returns {boolean}
 */
function mayHaveErrors(value, depth) {
  if (Array.isArray(value)) {
    if (depth === 0) return false;
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      if (typeof item === 'object' && item !== null && mayHaveErrors(item, depth - 1)) return true;
    }
    return false;
  }
  if (value.constructor !== Object) return true;
  if (depth === 0) return false;
  for (const key in value) {
    const item = value[key];
    if (typeof item === 'object' && item !== null && mayHaveErrors(item, depth - 1)) return true;
  }
  return false;
}

/**
 * @param {any} value
 * @param {number} depth
 * @returns {any}
 */
function described(value, depth) {
  if (typeof value !== 'object' || value === null) return value;
  const isArray = Array.isArray(value);
  // Asked first, as it is the cheaper question.
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) {
    if (!isError(value)) return value;
    return depth === 0 ? outline(value) : describe(value, depth);
  }
  if (depth === 0) return value;
  let result = value;
  for (const key of Object.keys(value)) {
    const item = value[key];
    const other = described(item, depth - 1);
    if (Object.is(other, item)) continue;
    if (result === value) result = isArray ? value.slice() : { ...value };
    define(result, key, other);
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

module.exports = { ERROR_DEPTH, fieldsOf, isError, safeFields, safeLine, withErrors };
