'use strict';

// What there is to do with a body of JSON once its bytes are there: the same for Express and Fastify.

const { syntaxError } = require('../errors');
const { decodeText, isUtf8 } = require('./charset');
const { ofPool, withStatus } = require('./errors');

/**
 * @typedef {import('./body').Body} Body
 * @typedef {import('../pool').WorkerPool} Pool
 */

const MARK = Buffer.from('\ufeff');

/**
 * A body in UTF-8 without a byte order mark.
 * @param {Body} body
 * @returns {Body}
 */
function withoutMark(body) {
  const { chunks, length } = body;
  if (length < MARK.length || chunks[0][0] !== MARK[0]) return body;
  // The mark may lie across chunks.
  const first = chunks[0].length >= MARK.length ? chunks[0] : Buffer.concat(chunks, length);
  if (!first.subarray(0, MARK.length).equals(MARK)) return body;
  const rest = first.subarray(MARK.length);
  return { chunks: first === chunks[0] ? [rest, ...chunks.slice(1)] : [rest], length: length - MARK.length };
}

/** @param {number} code */
function isSpace(code) {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

/**
 * The character of a body's first byte that is no white space.
 * @param {readonly Buffer[]} chunks
 */
function firstByte(chunks) {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at++) if (!isSpace(chunk[at])) return chunk[at];
  }
  return -1;
}

/** @param {string} text */
function firstUnit(text) {
  let at = 0;
  while (isSpace(text.charCodeAt(at))) at++;
  return at < text.length ? text.charCodeAt(at) : -1;
}

/** Whether JSON that starts so is an object or a list. @param {number} code */
function isContainer(code) {
  return code === 0x7b || code === 0x5b;
}

/**
 * @param {string} text
 * @returns {SyntaxError} V8's about a text whose first character is not to be there
 */
function strictError(text) {
  const start = text.search(/[^\x20\t\n\r]/);
  const unread = start < 0 ? '' : text.slice(start);
  try {
    // '#' is no token anywhere: V8 says of it what it would say of the real one.
    JSON.parse(text.slice(0, text.length - unread.length) + '#'.repeat(unread.length));
  } catch (error) {
    const { message } = /** @type {SyntaxError} */ (error);
    // Up to three runs: the character itself, and what is around it.
    const told = message.replace(/#+/g, (run) => unread.slice(0, run.length));
    return Object.assign(new SyntaxError(told), { code: 'ERR_JSON_SYNTAX' });
  }
  return new SyntaxError('Unexpected token');
}

/**
 * V8's own words about a text, as body-parser gives them.
 * @param {any} error ours
 * @param {string} text
 */
function inOwnWords(error, text) {
  try {
    JSON.parse(text);
  } catch (own) {
    const { message } = /** @type {SyntaxError} */ (own);
    error.stack = error.stack?.replace(error.message, message);
    error.message = message;
  }
  return error;
}

/**
 * Parses a body.
 *
 * @param {Body} given
 * @param {object} how
 * @param {Pool} how.pool
 * @param {string} how.charset
 * @param {boolean} how.strict objects and lists only
 * @param {boolean} how.asDocument
 * @param {((key: string, value: any) => any) | undefined} [how.reviver]
 * @returns {Promise<any>} rejected with an HTTP error
 */
async function parseBody(given, { pool, charset, strict, asDocument, reviver }) {
  const body = isUtf8(charset) ? withoutMark(given) : given;
  const { chunks, length } = body;
  // Only what is small enough for V8 is looked at again for its words.
  const isSmall = length < pool.offloadThreshold;
  /** Chunks, or the text of another charset. */
  const json = isUtf8(charset) ? chunks : decodeText(join(body), charset);
  const textOf = () => (typeof json === 'string' ? json : join(body).toString());
  // A mistake of many clients, which body-parser forgives.
  if (json.length === 0 || length === 0) return asDocument ? pool.load('{}') : {};
  try {
    if (strict && !isContainer(typeof json === 'string' ? firstUnit(json) : firstByte(json))) {
      throw isSmall ? strictError(textOf()) : syntaxError('JSON that is neither an object nor an array', { position: 0, line: 1, column: 1 });
    }
    if (reviver !== undefined) return JSON.parse(textOf(), reviver);
    return await (asDocument ? pool.load(json) : pool.parse(json));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw ofPool(error, length);
    if (isSmall && /** @type {any} */ (error).position !== undefined) inOwnWords(error, textOf());
    const failure = withStatus(error, 400, { type: /** @type {any} */ (error).type ?? 'entity.parse.failed' });
    // A string of the whole body, made for whoever asks.
    Object.defineProperty(failure, 'body', { get: textOf, enumerable: true, configurable: true });
    throw failure;
  }
}

/** @param {Body} body */
function join({ chunks, length }) {
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
}

module.exports = { join, parseBody, withoutMark };
