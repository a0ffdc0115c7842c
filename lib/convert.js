'use strict';

// `convert`: a request or reply of one provider's format as another's, read and written by native code (src/convert/), whether it is a value
// or a Document. What one format cannot say is named in a list of warnings.

const { Transform } = require('node:stream');

const native = require('./native');
const readers = require('./convert/read-events');
const { EventReader } = require('./convert/sse');
const writers = require('./convert/write-events');
const { convertDocument, isDocument } = require('./document');
const { encode, numbers, walk, words } = require('./encode');
const { invalidArgument } = require('./errors');
const { completeNow, completion } = require('./parse');
const { begin } = require('./spans');
const { inline, submit } = require('./submit');

/**
 * @typedef {'openai' | 'anthropic' | 'responses'} Format
 * @typedef {import('./submit').TaskOptions & { from: Format, to: Format, kind?: 'request' | 'response' }} ConvertOptions
 */

/** In the order that native code knows them by. */
const FORMATS = /** @type {const} */ (['openai', 'anthropic', 'responses']);

/** What tells that a body is what it is said to be. */
const PLACES = /** @type {const} */ ({
  request: { openai: 'messages', anthropic: 'messages', responses: 'input' },
  response: { openai: 'choices', anthropic: 'content', responses: 'output' },
});

/**
 * @param {import('./submit').Pool} pool
 * @param {any} body
 * @param {ConvertOptions} options
 * @returns {Promise<any>} with the list `warnings`, which is not enumerable
 */
function convert(pool, body, options) {
  const wrong = wrongOption(options);
  if (wrong !== undefined) return Promise.reject(wrong);
  try {
    if (isDocument(body)) {
      checkPlace(options, (place) => body.type(`/${place}`), body);
      if (options.from === options.to) return inline(pool, options, 'convert', () => withWarnings(body.clone(), []), body);
      return convertDocument(pool, body, packed(options), options).then(([document, warnings]) => withWarnings(document, warnings));
    }
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalidArgument('body', 'an object or a Document', body);
    checkPlace(options, (place) => (Array.isArray(body[place]) ? 'array' : typeof body[place]), body);
    if (options.from === options.to) return inline(pool, options, 'convert', () => withWarnings({ ...body }, []), body);
    return convertValue(pool, body, options);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** @param {any} options */
function wrongOption(options) {
  if (typeof options !== 'object' || options === null) return invalidArgument('options', 'an object', options);
  const { from, to, kind } = options;
  const names = `'${FORMATS.join("', '")}'`;
  if (!FORMATS.includes(from)) return invalidArgument('options.from', `one of ${names}`, from);
  if (!FORMATS.includes(to)) return invalidArgument('options.to', `one of ${names}`, to);
  if (kind !== undefined && kind !== 'request' && kind !== 'response') return invalidArgument('options.kind', "'request' or 'response'", kind);
  return undefined;
}

/**
 * @param {ConvertOptions} options
 * @param {(place: string) => string | undefined} typeAt
 * @param {any} body
 */
function checkPlace({ from, kind = 'request' }, typeAt, body) {
  const place = PLACES[kind][from];
  const type = typeAt(place);
  if (type === 'array' || (place === 'input' && type === 'string')) return;
  const found = isDocument(body) ? body.get(`/${place}`) : body[place];
  throw invalidArgument(`body.${place}`, `a list, as a ${kind} of the format '${from}' has it`, found);
}

/** What native code unpacks (src/bindings/convert.rs). @param {ConvertOptions} options */
function packed({ from, to, kind }) {
  return (kind === 'response' ? 9 : 0) + 3 * FORMATS.indexOf(from) + FORMATS.indexOf(to);
}

/**
 * @template {object} T
 * @param {T} body
 * @param {string[]} warnings
 */
function withWarnings(body, warnings) {
  return Object.defineProperty(body, 'warnings', { value: warnings, writable: true, configurable: true });
}

/** @param {[object, string[]]} converted */
const unpack = ([body, warnings]) => withWarnings(body, warnings);

/**
 * @param {import('./submit').Pool} pool
 * @param {object} body
 * @param {ConvertOptions} options
 */
function convertValue(pool, body, options) {
  const conversion = packed(options);
  const begun = begin(pool);
  if (encode(body, 0, true)) {
    const { slot } = walk.memory;
    if (walk.long + walk.short < pool.offloadThreshold) {
      return inline(pool, options, 'convert', () => unpack(completeNow(native.convertEncodedNow(slot, words, numbers, conversion))), body, begun);
    }
    return built(pool, options, begun, (handle, control) => native.convertEncoded(handle, control, slot, words, numbers, conversion));
  }
  const text = JSON.stringify(body);
  if (text === undefined) throw invalidArgument('body', 'a value that JSON has a form for', body);
  return built(pool, options, begun, (handle, control) => native.convertJson(handle, control, text, text.length, conversion));
}

/**
 * @param {import('./submit').Pool} pool
 * @param {ConvertOptions} options
 * @param {number} begun
 * @param {(handle: number, control: number) => import('./submit').Ticket} start
 */
async function built(pool, options, begun, start) {
  return unpack(await submit(pool, options, 'convert', start, begun, completion(pool.maxBlockMs, options.signal)));
}

/**
 * A stream that turns one format's server-sent events, cut anywhere, into another's. A reply that breaks off breaks off there, too.
 * @param {{ from: Format, to: Format }} options
 * @returns {Transform}
 */
function convertStream(options) {
  const wrong = wrongOption(options);
  if (wrong !== undefined) throw wrong;
  const reader = new readers[options.from]();
  const writer = new writers[options.to]();
  let out = '';
  const convertEvent = (/** @type {any} */ event) => {
    try {
      for (const step of reader.read(event)) out += writer.write(step);
    } catch (error) {
      // Something is not where the format has it.
      if (error instanceof TypeError) throw Object.assign(invalidArgument('event', `one of the format '${options.from}'`, event), { cause: error });
      throw error;
    }
  };
  const events = new EventReader((data) => {
    if (data.trim() === '[DONE]') out += writer.finish();
    else if (!writer.ended) convertEvent(parseEvent(data));
  });
  /** @param {() => void} read @param {(error?: Error | null, data?: string) => void} done */
  const turn = (read, done) => {
    try {
      read();
    } catch (error) {
      return done(/** @type {Error} */ (error));
    }
    const written = out;
    out = '';
    return written === '' ? done() : done(null, written);
  };
  return new Transform({
    transform(chunk, _encoding, done) {
      turn(() => events.write(chunk), done);
    },
    flush(done) {
      turn(() => {
        events.end();
        // Not every server says that it is done.
        if (writer.stop !== undefined) out += writer.finish();
      }, done);
    },
  });
}

/** @param {string} data */
function parseEvent(data) {
  let event;
  try {
    event = JSON.parse(data);
  } catch (cause) {
    const { message } = /** @type {Error} */ (cause);
    throw Object.assign(new SyntaxError(`an event is not JSON: ${message}`, { cause }), { code: 'ERR_JSON_SYNTAX' });
  }
  return event ?? {};
}

module.exports = { convert, convertStream };
