'use strict';

/**
 * `limitInFlight`: how much a service takes on at a time. The pool's bounds begin when a body is complete; until then, and
 * while its request waits for an upstream, the service itself holds it. With thousands of clients that is most of its memory.
 *
 * What would be too much waits first: nobody reads its body, so its client is held up by TCP. Then it is refused. A refused body must
 * still be read to its end, or the client would find its connection reset instead of the answer; so that this does not take the event
 * loop from the bodies that are wanted, few are refused at a time, and the others go on waiting.
 */

const { MAX_TIMEOUT_MS } = require('../config');
const { invalidArgument } = require('../errors');
const { httpError, tooLarge } = require('./errors');
const { parseSize } = require('./size');

/**
 * @typedef {object} InFlightOptions
 * @property {string | number} [maxBytes] of the bodies of all requests that have no answer yet; '512mb'
 * @property {number} [maxRequests] without an answer; any number
 * @property {number} [waitMs] for which a request waits until it is refused; 1000
 * @property {string | number} [chunkedBytes] that a body counts which does not say its length; '1mb'
 *
 * @typedef {object} InFlight what is taken on
 * @property {number} bytes
 * @property {number} requests
 * @property {number} waiting
 * @property {number} refused since the start
 *
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

/** Refused bodies that are read to their ends at a time. */
const MAX_DRAINING = 16;

/** @param {string} name @param {unknown} value @param {string} fallback */
function bytes(name, value, fallback) {
  const size = parseSize(value ?? fallback);
  if (size === undefined || size < 0) throw invalidArgument(`options.${name}`, "bytes, such as 1000000 or '50mb'", value);
  return size;
}

/** @param {InFlightOptions} options */
function checkOptions(options) {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { maxRequests = Infinity, waitMs = 1000 } = options;
  if (typeof maxRequests !== 'number' || !(maxRequests >= 1)) throw invalidArgument('options.maxRequests', 'a number of at least 1', maxRequests);
  if (typeof waitMs !== 'number' || !(waitMs >= 0 && waitMs <= MAX_TIMEOUT_MS)) {
    throw invalidArgument('options.waitMs', `a number of ms from 0 to ${MAX_TIMEOUT_MS}`, waitMs);
  }
  const maxBytes = bytes('maxBytes', options.maxBytes, '512mb');
  return { maxBytes, maxRequests, waitMs, chunkedBytes: bytes('chunkedBytes', options.chunkedBytes, '1mb') };
}

/**
 * @typedef {object} Entry a request
 * @property {Request} req
 * @property {Response} res
 * @property {number} length
 * @property {number} until when it waits
 * @property {(error?: any) => void} next
 */

/** Who is taken on, who waits, who is refused. */
class Admission {
  inFlight = { bytes: 0, requests: 0, waiting: 0, refused: 0 };
  /** In order of their arrival. @type {Set<Entry>} */
  #waiting = new Set();
  #draining = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /** @param {ReturnType<typeof checkOptions>} limits */
  constructor(limits) {
    this.limits = limits;
  }

  /** @param {Entry} entry */
  arrive(entry) {
    if (this.#waiting.size === 0 && this.#fits(entry)) {
      this.#admit(entry);
      return;
    }
    this.#waiting.add(entry);
    entry.res.once('close', () => this.#waiting.delete(entry) && this.#look());
    this.#look();
  }

  /** @param {Entry} entry */
  #fits({ length }) {
    const { maxBytes, maxRequests } = this.limits;
    return this.inFlight.bytes + length <= maxBytes && this.inFlight.requests < maxRequests;
  }

  /** @param {Entry} entry */
  #admit({ res, length, next }) {
    this.inFlight.bytes += length;
    this.inFlight.requests += 1;
    res.once('close', () => {
      this.inFlight.bytes -= length;
      this.inFlight.requests -= 1;
      this.#look();
    });
    next();
  }

  /** @param {Entry} entry */
  #refuse({ req, next }) {
    this.inFlight.refused += 1;
    this.#draining += 1;
    // When its body has been read, or its connection is gone.
    req.once('close', () => {
      this.#draining -= 1;
      this.#look();
    });
    next(busy());
    // Whoever answers has it read on; whoever does not must not hold up the others.
    req.resume();
  }

  #look() {
    const now = performance.now();
    for (const entry of this.#waiting) {
      const fits = this.#fits(entry);
      if (!fits && (entry.until > now || this.#draining >= MAX_DRAINING)) break;
      this.#waiting.delete(entry);
      if (fits) this.#admit(entry);
      else this.#refuse(entry);
    }
    this.inFlight.waiting = this.#waiting.size;
    this.#wakeLater(now);
  }

  /** @param {number} now */
  #wakeLater(now) {
    const [first] = this.#waiting;
    if (this.#timer !== undefined || first === undefined || first.until <= now) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, first.until - now).unref();
  }
}

/**
 * Middleware that lets requests wait, and then refuses them with 503, while there are too many, by the lengths that they
 * announce. A body counts from its headers until its answer is out.
 *
 * @param {InFlightOptions} [options]
 * @returns {((req: any, res: any, next: (error?: any) => void) => void) & { readonly inFlight: InFlight }}
 */
function limitInFlight(options = {}) {
  const limits = checkOptions(options);
  const { maxBytes, waitMs, chunkedBytes } = limits;
  const admission = new Admission(limits);

  function limiter(/** @type {Request} */ req, /** @type {Response} */ res, /** @type {(error?: any) => void} */ next) {
    const { headers } = req;
    const length = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : chunkedBytes;
    if (length > maxBytes) next(tooLarge(maxBytes, { expected: length, length }));
    else admission.arrive({ req, res, length, until: performance.now() + waitMs, next });
  }

  return Object.defineProperty(/** @type {any} */ (limiter), 'inFlight', { get: () => ({ ...admission.inFlight }) });
}

function busy() {
  const properties = { code: 'ERR_QUEUE_FULL', headers: { 'Retry-After': '1' } };
  return httpError(503, 'service.unavailable', 'too many requests in flight', properties);
}

module.exports = { limitInFlight };
