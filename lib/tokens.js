'use strict';

/**
 * `countTokens`, `encode` and `decode`: the models' own tokenizers, off-thread (src/tokens/).
 *
 * A count is remembered twice. Here (lib/known.js): messages with the same contents as at an earlier call are not handed
 * over again, so a conversation that grew costs its new messages. In native code, by content: messages and texts that
 * come again elsewhere cost their fingerprint.
 *
 * What counts and what does not is written down once, in src/tokens/chat.rs; a value gets there as JSON text.
 */

const path = require('node:path');
const { types } = require('node:util');

const native = require('./native');
const { isDocument, nativeOf } = require('./document');
const { encode: encodeValue, numbers, walk, words } = require('./encode');
const { codeError, invalidArgument } = require('./errors');
const { lookUp, remember } = require('./known');
const { ENCODINGS, encodingNumber } = require('./models');
const { MAX_LENGTH } = require('./parse');
const { begin } = require('./spans');
const { inline, submit } = require('./submit');

/**
 * @typedef {import('./submit').Pool} Pool
 * @typedef {import('./submit').TaskOptions & { model?: string, encoding?: import('./models').EncodingName }} TokenOptions
 */

/** Characters up to which counting here takes the event loop less than handing over. */
const INLINE = 1500;
/** What a list of messages has besides them: the beginning of the reply. */
const REPLY = 3;

native.setVocabularies(path.join(__dirname, '..', 'vocabularies'));

/**
 * The number of tokens.
 * @param {Pool} pool
 * @param {unknown} input A text, a list of messages, a request body or a Document of one of these.
 * @param {TokenOptions} [options]
 * @returns {Promise<number>}
 */
function countTokens(pool, input, options) {
  return /** @type {Promise<number>} */ (count(pool, input, Infinity, options));
}

/**
 * The number of tokens if it is at most `limit`, or false; counting stops there.
 * @param {Pool} pool
 * @param {unknown} input
 * @param {number} limit
 * @param {TokenOptions} [options]
 * @returns {Promise<number | false>}
 */
function countTokensUpTo(pool, input, limit, options) {
  if (typeof limit !== 'number' || !(limit >= 0)) {
    return Promise.reject(invalidArgument('limit', 'a number from 0', limit));
  }
  return count(pool, input, limit, options);
}

/**
 * @param {Pool} pool
 * @param {any} input
 * @param {number} limit
 * @param {TokenOptions | undefined} options
 * @returns {Promise<number | false>}
 */
function count(pool, input, limit, options) {
  try {
    if (typeof input === 'string') return countText(pool, input, limit, encodingFor(options, undefined), options);
    if (typeof input === 'object' && input !== null) {
      if (isDocument(input)) return countDocument(pool, input, limit, options);
      const isList = Array.isArray(input);
      const encoding = encodingFor(options, isList ? undefined : input.model);
      return countValue(pool, isList ? { messages: input } : input, limit, encoding, options);
    }
  } catch (error) {
    return Promise.reject(error);
  }
  return Promise.reject(invalidArgument('input', 'a string, a list of messages, a request body or a Document', input));
}

/**
 * @param {TokenOptions | undefined} options
 * @param {unknown} model The body's own.
 * @returns {number}
 */
function encodingFor(options, model) {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw invalidArgument('options', 'an object', options);
  }
  const encoding = options?.encoding;
  if (encoding !== undefined) {
    const number = ENCODINGS.indexOf(encoding);
    if (number < 0) throw invalidArgument('options.encoding', `'${ENCODINGS.join("' or '")}'`, encoding);
    return number;
  }
  if (options?.model !== undefined) {
    if (typeof options.model !== 'string') throw invalidArgument('options.model', 'a string', options.model);
    return encodingNumber(options.model);
  }
  return typeof model === 'string' ? encodingNumber(model) : 0;
}

/** @param {Uint32Array | null} counts */
function total(counts) {
  if (counts === null) return false;
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i];
  return sum;
}

/**
 * @param {Pool} pool
 * @param {string} text
 * @param {number} limit
 * @param {number} encoding
 * @param {TokenOptions | undefined} options
 */
function countText(pool, text, limit, encoding, options) {
  const { length } = text;
  if (isCheap(pool, length, encoding)) {
    return inline(pool, options, 'countTokens', () => total(native.countStringNow(text, length, false, encoding, limit)), text);
  }
  return submit(pool, options, 'countTokens', (handle, control) =>
    native.countString(handle, control, text, length, false, encoding, limit),
  ).then(total);
}

/** @param {Pool} pool @param {number} length @param {number} encoding */
function isCheap(pool, length, encoding) {
  return length < INLINE && length < pool.offloadThreshold && native.isVocabularyLoaded(encoding);
}

/**
 * @param {Pool} pool
 * @param {import('./document').Document} document
 * @param {number} limit
 * @param {TokenOptions | undefined} options
 */
function countDocument(pool, document, limit, options) {
  const { byteLength } = document;
  const encoding = encodingFor(options, document.type('') === 'object' ? document.get('/model') : undefined);
  const handle = nativeOf(document);
  if (isCheap(pool, byteLength, encoding) || native.isDocumentKnown(handle, encoding, Math.min(INLINE, pool.offloadThreshold))) {
    return inline(pool, options, 'countTokens', () => total(native.countDocumentNow(handle, encoding, limit)), document);
  }
  return submit(pool, options, 'countTokens', (own, control) =>
    native.countDocument(own, control, handle, encoding, limit),
  ).then(total);
}

/**
 * @param {Pool} pool
 * @param {any} body
 * @param {number} limit
 * @param {number} encoding
 * @param {TokenOptions | undefined} options
 * @returns {Promise<number | false>}
 */
function countValue(pool, body, limit, encoding, options) {
  const list = body.messages ?? body.input;
  if (!Array.isArray(list)) return countHanded(pool, body, Infinity, limit, encoding, options, total);
  const { system, instructions, tools, functions } = body;
  const key = tools ?? functions ?? system ?? instructions ?? undefined;
  const rest = key === undefined ? undefined : lookUp(key, [[system, instructions, tools, functions]], encoding);
  const messages = lookUp(list[0], list, encoding);
  const known = messages.sum + (rest === undefined ? REPLY : rest.sum);
  const isRestKnown = rest === undefined || rest.from === 1;
  if (known > limit) return inline(pool, options, 'countTokens', () => false, body);
  if (isRestKnown && messages.from === list.length) return inline(pool, options, 'countTokens', () => known, body);
  const missing = messages.from === 0 ? list : list.slice(messages.from);
  /** @param {Uint32Array | null} counts */
  const take = (counts) => {
    if (counts === null) return false;
    // A list by itself has the beginning of a reply, too, which is known already.
    let sum = known + (isRestKnown ? 0 : counts[0]);
    if (rest !== undefined && !isRestKnown) remember(rest, counts, 0);
    remember(messages, counts, 1);
    for (let i = 1; i < counts.length; i++) sum += counts[i];
    return sum;
  };
  const value = isRestKnown ? missing : { system, instructions, tools, functions, messages: missing };
  const left = limit - known + (isRestKnown ? REPLY : 0);
  const characters = messages.characters + (rest === undefined || isRestKnown ? 0 : rest.characters);
  return countHanded(pool, value, characters, left, encoding, options, take);
}

/**
 * @param {Pool} pool
 * @param {any} value
 * @param {number} characters
 * @param {number} limit
 * @param {number} encoding
 * @param {TokenOptions | undefined} options
 * @param {(counts: Uint32Array | null) => number | false} take
 * @returns {Promise<number | false>}
 */
function countHanded(pool, value, characters, limit, encoding, options, take) {
  if (isCheap(pool, characters, encoding)) {
    return inline(pool, options, 'countTokens', () => {
      const text = textOf(value);
      return take(native.countStringNow(text, text.length, true, encoding, limit));
    }, value);
  }
  const begun = begin(pool);
  if (encodeValue(value, 0, true)) {
    return submit(pool, options, 'countTokens', (handle, control) =>
      native.countEncoded(handle, control, walk.memory.slot, words, numbers, encoding, limit),
      begun,
    ).then(take);
  }
  const text = textOf(value);
  return submit(pool, options, 'countTokens', (handle, control) =>
    native.countString(handle, control, text, text.length, true, encoding, limit),
    begun,
  ).then(take);
}

/** @param {unknown} value */
function textOf(value) {
  const text = JSON.stringify(value);
  if (text === undefined) throw invalidArgument('input', 'a value that JSON has a form for', value);
  return text;
}

/**
 * The tokens of a text. What looks like a special token is text.
 * @param {Pool} pool
 * @param {string} text
 * @param {TokenOptions} [options]
 * @returns {Promise<Uint32Array>}
 */
function encode(pool, text, options) {
  if (typeof text !== 'string') return Promise.reject(invalidArgument('text', 'a string', text));
  return withEncoding(options, (encoding) =>
    submit(pool, options, 'encode', (handle, control) => native.encodeTokens(handle, control, text, text.length, encoding)),
  );
}

/**
 * The text of tokens, U+FFFD where their bytes are no UTF-8.
 * @param {Pool} pool
 * @param {Uint32Array | readonly number[]} tokens
 * @param {TokenOptions} [options]
 * @returns {Promise<string>}
 */
function decode(pool, tokens, options) {
  const isArray = Array.isArray(tokens) && tokens.every((token) => token >>> 0 === token);
  if (!types.isUint32Array(tokens) && !isArray) {
    return Promise.reject(invalidArgument('tokens', 'a Uint32Array or a list of tokens', tokens));
  }
  if (tokens.length > MAX_LENGTH) return Promise.reject(codeError('ERR_TOO_LARGE', 'the text is longer than a string can be'));
  const own = types.isUint32Array(tokens) ? tokens : Uint32Array.from(tokens);
  return withEncoding(options, (encoding) =>
    submit(pool, options, 'decode', (handle, control) => native.decodeTokens(handle, control, own, encoding)),
  );
}

/**
 * @template T
 * @param {TokenOptions | undefined} options
 * @param {(encoding: number) => Promise<T>} use
 * @returns {Promise<T>}
 */
function withEncoding(options, use) {
  let encoding;
  try {
    encoding = encodingFor(options, undefined);
  } catch (error) {
    return Promise.reject(error);
  }
  return use(encoding);
}

module.exports = { countTokens, countTokensUpTo, decode, encode };
