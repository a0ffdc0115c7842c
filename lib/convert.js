'use strict';

/**
 * `convert`: a request or response of one provider's format as another's.
 *
 * It runs where it is called: texts are shared, so that what a conversion costs is the objects around them. What one format cannot say
 * is named in a list of warnings.
 */

const { Transform } = require('node:stream');

const { isDocument } = require('./document');
const { invalidArgument } = require('./errors');
const { inline } = require('./submit');
const anthropic = require('./convert/anthropic');
const openai = require('./convert/openai');
const responses = require('./convert/responses');
const readers = require('./convert/read-events');
const { EventReader } = require('./convert/sse');
const writers = require('./convert/write-events');

/**
 * @typedef {'openai' | 'anthropic' | 'responses'} Format
 * @typedef {import('./submit').TaskOptions & { from: Format, to: Format, kind?: 'request' | 'response' }} ConvertOptions
 */

const FORMATS = { openai, anthropic, responses };

/**
 * @param {import('./submit').Pool} pool
 * @param {any} body
 * @param {ConvertOptions} options
 * @returns {Promise<any>} with the list `warnings`, which is not enumerable
 */
function convert(pool, body, options) {
  const wrong = wrongOption(options);
  if (wrong !== undefined) return Promise.reject(wrong);
  if (isDocument(body)) return convertDocument(body, options);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return Promise.reject(invalidArgument('body', 'an object or a Document', body));
  return inline(pool, options, 'convert', () => convertValue(body, options));
}

/** @param {any} options */
function wrongOption(options) {
  if (typeof options !== 'object' || options === null) return invalidArgument('options', 'an object', options);
  const { from, to, kind } = options;
  const names = `'${Object.keys(FORMATS).join("', '")}'`;
  if (!Object.hasOwn(FORMATS, from)) return invalidArgument('options.from', `one of ${names}`, from);
  if (!Object.hasOwn(FORMATS, to)) return invalidArgument('options.to', `one of ${names}`, to);
  if (kind !== undefined && kind !== 'request' && kind !== 'response') return invalidArgument('options.kind', "'request' or 'response'", kind);
  return undefined;
}

/** What tells that a body is not what it is said to be. */
const PLACES = {
  request: { openai: 'messages', anthropic: 'messages', responses: 'input' },
  response: { openai: 'choices', anthropic: 'content', responses: 'output' },
};

/**
 * @param {any} body
 * @param {ConvertOptions} options
 */
function convertValue(body, { from, to, kind = 'request' }) {
  /** @type {string[]} */
  const warnings = [];
  const warn = (/** @type {string} */ message) => void warnings.push(message);
  const place = PLACES[kind][from];
  const isText = place === 'input' && typeof body.input === 'string';
  if (!isText && !Array.isArray(body[place])) throw invalidArgument(`body.${place}`, `a list, as a ${kind} of the format '${from}' has it`, body[place]);
  const result = from === to ? { ...body } : convertBetween(body, from, to, kind, warn);
  return Object.defineProperty(result, 'warnings', { value: warnings, writable: true, configurable: true });
}

/**
 * @param {any} body
 * @param {Format} from
 * @param {Format} to
 * @param {'request' | 'response'} kind
 * @param {import('./convert/hub').Warn} warn
 * @returns {any}
 */
function convertBetween(body, from, to, kind, warn) {
  try {
    if (kind === 'request') return FORMATS[to].writeRequest(FORMATS[from].readRequest(body, warn), warn);
    return FORMATS[to].writeResponse(FORMATS[from].readResponse(body, warn), warn);
  } catch (error) {
    // A body that mixes formats, or is none: something is not where the format has it.
    if (error instanceof TypeError) throw Object.assign(invalidArgument('body', `a ${kind} of the format '${from}'`, body), { cause: error });
    throw error;
  }
}

/**
 * @param {import('./document').Document} document
 * @param {ConvertOptions} options
 */
async function convertDocument(document, options) {
  const result = convertValue(await document.value(options), options);
  const converted = document.with({ '': result });
  return Object.defineProperty(converted, 'warnings', { value: result.warnings, writable: true, configurable: true });
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
  const events = new EventReader((data) => {
    if (data.trim() === '[DONE]') out += writer.finish();
    else if (!writer.ended) for (const step of reader.read(parseEvent(data))) out += writer.write(step);
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
