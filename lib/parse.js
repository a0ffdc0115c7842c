'use strict';

// parse: JSON.parse's answer, with the text read off-thread and only the value built here (lib/decode.js).

const { constants } = require('node:buffer');
const { types } = require('node:util');

const native = require('./native');
const { scratch, decode, decodeParts, takeOpen } = require('./decode');
const { abortError, codeError, invalidArgument } = require('./errors');
const { inline, submit } = require('./submit');

/** Bytes below which a value always fits one slice, and so is complete when the promise resolves. */
const ONE_SLICE = 48 * 1024;

/** Most characters of a JS string, and so of a text that JSON.parse could read. */
const MAX_LENGTH = constants.MAX_STRING_LENGTH;

/**
 * @typedef {import('./submit').TaskOptions & { transfer?: boolean }} ReadOptions transfer: bytes are given up, and their
 * memory is freed at once where they have been handed over.
 */

native.setScratch(scratch);
native.install({ decode });

/**
 * @param {import('./submit').Pool} pool
 * @param {string | Uint8Array | readonly Uint8Array[]} json
 * @param {ReadOptions} [options]
 * @returns {Promise<any>}
 */
function parse(pool, json, options) {
  if (typeof json === 'string') return parseText(pool, json, options);
  if (types.isUint8Array(json)) return parseBytes(pool, json, options);
  if (Array.isArray(json)) return parseChunks(pool, json, options);
  return Promise.reject(invalidArgument('json', 'a string, a Uint8Array or a list of them', json));
}

/** @type {(pool: import('./submit').Pool, json: string, options: any) => Promise<any>} */
function parseText(pool, json, options) {
  const { length } = json;
  if (length < pool.offloadThreshold) return inline(pool, options, 'parse', () => parseHere(json), json);
  return offload(pool, options, length, (handle, control) => native.parseString(handle, control, json, length));
}

/** @type {(pool: import('./submit').Pool, json: Uint8Array, options: any) => Promise<any>} */
function parseBytes(pool, json, options) {
  const { length } = json;
  if (length === 0 && isGone(json)) return Promise.reject(invalidArgument('json', 'attached memory', json));
  if (length < pool.offloadThreshold) {
    return inline(pool, options, 'parse', () => parseHere(textOf(json)), json);
  }
  const bytes = own(json);
  const value = offload(pool, options, length, (handle, control) => native.parseBytes(handle, control, bytes));
  if (options?.transfer) native.detach([bytes]);
  return value;
}

/** @type {(pool: import('./submit').Pool, chunks: readonly unknown[], options: any) => Promise<any>} */
function parseChunks(pool, chunks, options) {
  let total = 0;
  /** @type {Uint8Array[]} */
  const owned = [];
  for (let index = 0; index < chunks.length; index++) {
    const chunk = chunks[index];
    if (!types.isUint8Array(chunk) || (chunk.length === 0 && isGone(chunk))) {
      return Promise.reject(invalidArgument(`json[${index}]`, 'a Uint8Array with attached memory', chunk));
    }
    total += chunk.length;
    owned.push(own(chunk));
  }
  if (total < pool.offloadThreshold) {
    return inline(pool, options, 'parse', () => parseHere(textOf(Buffer.concat(owned, total))), owned);
  }
  const value = offload(pool, options, total, (handle, control) => native.parseChunks(handle, control, owned, total));
  if (options?.transfer) native.detach(owned);
  return value;
}

/** @type {(pool: any, options: any, length: number, start: (handle: number, control: number) => import('./submit').Ticket) => Promise<any>} */
function offload(pool, options, length, start) {
  if (length > MAX_LENGTH) {
    return Promise.reject(codeError('ERR_TOO_LARGE', `json is ${length} bytes long, the limit is ${MAX_LENGTH}`));
  }
  if (length < ONE_SLICE) return submit(pool, options, 'parse', start);
  return submit(pool, options, 'parse', start, 0, completion(pool.maxBlockMs, options?.signal));
}

/**
 * What is to be done with a value that may have come in slices.
 *
 * @param {number} maxBlockMs
 * @param {AbortSignal | undefined} signal
 * @returns {(value: unknown, span?: import('./spans').Span) => any} gives the value, or a promise of it
 */
function completion(maxBlockMs, signal) {
  return (value, span) => (value instanceof native.Slices ? build(value, maxBlockMs, signal, span) : value);
}

/**
 * A value that may have come in slices, at a stretch.
 *
 * @param {unknown} value
 * @returns {any}
 */
function completeNow(value) {
  if (!(value instanceof native.Slices)) return value;
  const root = decode(/** @type {string[]} */ (value.next()));
  const open = takeOpen();
  for (let blocks = value.next(); blocks !== null; blocks = value.next()) decodeParts(blocks, open);
  return root;
}

/**
 * Builds a value that came in slices, with a turn of the event loop in between whenever half of `maxBlockMs` would be
 * over: V8 takes the other half, as it collects garbage while a large value grows.
 *
 * @param {import('../native').Slices} slices
 * @param {number} maxBlockMs
 * @param {AbortSignal | undefined} signal
 * @param {import('./spans').Span} [span]
 */
async function build(slices, maxBlockMs, signal, span) {
  let started = performance.now();
  let last = started;
  const root = decode(/** @type {string[]} */ (slices.next()));
  const open = takeOpen();
  for (;;) {
    const now = performance.now();
    // The next slice takes about as long as the last one.
    if (now - started + (now - last) >= maxBlockMs / 2) {
      span?.held('out', started, now);
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) throw abortError(signal.reason);
      started = performance.now();
      last = started;
    } else {
      last = now;
    }
    const blocks = slices.next();
    if (blocks === null) {
      span?.held('out', started, performance.now());
      return root;
    }
    decodeParts(blocks, open);
  }
}

/** @param {string} text */
function parseHere(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Read once more for the place: V8's own messages do not always have it.
    throw native.findSyntaxError(text) ?? error;
  }
}

/** @param {Uint8Array} bytes */
function textOf(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** Memory that another thread may change under our eyes is copied first. @param {Uint8Array} bytes */
function own(bytes) {
  return types.isSharedArrayBuffer(bytes.buffer) ? Buffer.from(bytes) : bytes;
}

/** Whether the memory is detached, or has shrunk away from under the view. @param {Uint8Array} bytes */
function isGone(bytes) {
  try {
    bytes.keys();
    return false;
  } catch {
    return true;
  }
}

module.exports = { MAX_LENGTH, completeNow, completion, isGone, own, parse };
