'use strict';

/**
 * `limitInFlight`: how much a service takes on at a time. The pool's bounds begin when a body is complete; until then, and
 * while its request waits for an upstream, the service itself holds it. With thousands of clients that is most of its memory.
 */

const { invalidArgument } = require('../errors');
const { httpError, tooLarge } = require('./errors');
const { parseSize } = require('./size');

/**
 * @typedef {object} InFlightOptions
 * @property {string | number} [maxBytes] of the bodies of all requests that have no answer yet; '512mb'
 * @property {number} [maxRequests] without an answer; any number
 * @property {string | number} [chunkedBytes] that a body counts which does not say its length; '1mb'
 *
 * @typedef {object} InFlight what is taken on
 * @property {number} bytes
 * @property {number} requests
 * @property {number} refused since the start
 *
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

/** @param {string} name @param {unknown} value @param {string} fallback */
function bytes(name, value, fallback) {
  const size = parseSize(value ?? fallback);
  if (size === undefined || size < 0) throw invalidArgument(`options.${name}`, "bytes, such as 1000000 or '50mb'", value);
  return size;
}

/** @param {InFlightOptions} options */
function checkOptions(options) {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { maxRequests = Infinity } = options;
  if (typeof maxRequests !== 'number' || !(maxRequests >= 1)) throw invalidArgument('options.maxRequests', 'a number of at least 1', maxRequests);
  return { maxBytes: bytes('maxBytes', options.maxBytes, '512mb'), maxRequests, chunkedBytes: bytes('chunkedBytes', options.chunkedBytes, '1mb') };
}

/**
 * Middleware that refuses requests with 503 while there are too many, by the lengths that they announce. A body counts from
 * its headers until its answer is out.
 *
 * @param {InFlightOptions} [options]
 * @returns {((req: any, res: any, next: (error?: any) => void) => void) & { readonly inFlight: InFlight }}
 */
function limitInFlight(options = {}) {
  const { maxBytes, maxRequests, chunkedBytes } = checkOptions(options);
  const inFlight = { bytes: 0, requests: 0, refused: 0 };

  function limiter(/** @type {Request} */ { headers }, /** @type {Response} */ res, /** @type {(error?: any) => void} */ next) {
    const length = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : chunkedBytes;
    if (length > maxBytes) return void next(tooLarge(maxBytes, { expected: length, length }));
    if (inFlight.bytes + length > maxBytes || inFlight.requests >= maxRequests) {
      inFlight.refused += 1;
      return void next(busy());
    }
    inFlight.bytes += length;
    inFlight.requests += 1;
    res.once('close', () => {
      inFlight.bytes -= length;
      inFlight.requests -= 1;
    });
    next();
  }

  return Object.defineProperty(/** @type {any} */ (limiter), 'inFlight', { get: () => ({ ...inFlight }) });
}

function busy() {
  const properties = { code: 'ERR_QUEUE_FULL', headers: { 'Retry-After': '1' } };
  return httpError(503, 'service.unavailable', 'too many requests in flight', properties);
}

module.exports = { limitInFlight };
