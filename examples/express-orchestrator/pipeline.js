'use strict';

const { selectRoute } = require('./route');

/**
 * The operations that a mode brings. Each gives a value or a promise of one.
 *
 * @typedef {object} Operations
 * @property {(chunks: Buffer[], options: Options) => any} parse
 * @property {(value: any, options: Options) => any} clone
 * @property {(messages: any[], options: Options) => any} compress gives `{ messages }`
 * @property {(value: any, options: Options) => string | Buffer | Promise<string | Buffer>} stringify
 * @property {(body: any, options: Options) => number | Promise<number>} count the tokens of a body
 *
 * @typedef {{ signal: AbortSignal }} Options aborted when the client goes away
 *
 * @typedef {object} Prepared what goes upstream
 * @property {import('./route').Route} route
 * @property {string | Buffer | Buffer[]} body
 * @property {number} [tokens] of the body as it came, where they are counted
 *
 * @typedef {object} ModeOptions
 * @property {number} [size] threads; 0: as many as the machine suggests
 * @property {boolean} [countsTokens]
 * @property {number} [maxQueueBytes] that offloop's pool takes on
 * @property {number} [processes] that share the machine with offloop's pool
 *
 * @typedef {(chunks: Buffer[], options: Options) => Promise<Prepared>} Prepare
 *
 * @typedef {object} Mode what each file in modes/ creates
 * @property {Prepare} prepare from the body as received to the body to send
 * @property {() => { poolSize: number }} stats for GET /metrics/worker-pool
 * @property {() => Promise<void>} close lets running work finish and ends the threads
 */

/** JSON, but not a chat request. */
class InvalidRequestError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'InvalidRequestError';
    this.code = 'ERR_INVALID_REQUEST';
  }
}

/**
 * What the service does to every request, the same in each mode that looks at bodies: the payload
 * is cloned since the original is kept for the log and for retries, and its messages once more
 * since compression may rewrite them.
 *
 * @param {Operations} operations
 * @param {ModeOptions} [options]
 * @returns {Prepare}
 */
function pipeline({ parse, clone, compress, stringify, count }, { countsTokens = false } = {}) {
  return async function prepare(chunks, options) {
    const payload = await parse(chunks, options);
    if (!Array.isArray(payload?.messages)) {
      throw new InvalidRequestError('The body must be an object with a list of messages');
    }
    const route = selectRoute(payload);
    const tokens = countsTokens ? await count(payload, options) : undefined;
    const clean = await clone(payload, options);
    const messages = await clone(clean.messages, options);
    const compressed = await compress(messages, options);
    clean.messages = compressed.messages;
    return { route, tokens, body: await stringify(clean, options) };
  };
}

module.exports = { InvalidRequestError, pipeline };
