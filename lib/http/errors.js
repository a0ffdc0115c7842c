'use strict';

// Errors as body-parser makes them, which is what error handlers of Express services look at: `status`, `type`,
// `expose`, and what else there is to know.

const { constants } = require('node:buffer');

/**
 * @typedef {Error & { status: number, statusCode: number, expose: boolean, type?: string, [key: string]: any }} HttpError
 */

/** What http-errors calls them. @type {Record<number, string>} */
const NAMES = {
  400: 'BadRequestError',
  403: 'ForbiddenError',
  413: 'PayloadTooLargeError',
  415: 'UnsupportedMediaTypeError',
  500: 'InternalServerError',
  503: 'ServiceUnavailableError',
};

/** The pool has no room, no time left, or is closed: worth another try later. */
const BUSY = new Set(['ERR_QUEUE_FULL', 'ERR_TASK_TIMEOUT', 'ERR_POOL_CLOSED']);

/**
 * @param {number} status
 * @param {string} type
 * @param {string} message
 * @param {object} [properties]
 * @returns {HttpError}
 */
function httpError(status, type, message, properties) {
  const error = new Error(message);
  error.name = NAMES[status] ?? 'Error';
  return Object.assign(error, { expose: status < 500, status, statusCode: status, type }, properties);
}

/**
 * Makes an HTTP error of any other. A status that it has already stays.
 * @param {unknown} cause
 * @param {number} status
 * @param {object} [properties]
 * @returns {HttpError}
 */
function withStatus(cause, status, properties) {
  const error = /** @type {any} */ (cause instanceof Error ? cause : new Error(String(cause)));
  const given = error.status ?? error.statusCode;
  const final = typeof given === 'number' && given >= 400 && given < 600 ? given : status;
  return Object.assign(error, { expose: final < 500, status: final, statusCode: final }, properties);
}

/** @param {number} limit @param {object} sizes */
function tooLarge(limit, sizes) {
  return httpError(413, 'entity.too.large', 'request entity too large', { code: 'ERR_BODY_LIMIT', limit, ...sizes });
}

/**
 * @param {number | undefined} expected
 * @param {number} received
 */
function aborted(expected, received) {
  const sizes = { expected, length: expected, received };
  return httpError(400, 'request.aborted', 'request aborted', { code: 'ECONNABORTED', ...sizes });
}

/** @param {string} charset */
function unsupportedCharset(charset) {
  return httpError(415, 'charset.unsupported', `unsupported charset "${charset.toUpperCase()}"`, { charset });
}

/**
 * What a pool's rejection is over HTTP.
 * @param {any} error
 * @param {number} length of the body
 * @returns {HttpError}
 */
function ofPool(error, length) {
  if (BUSY.has(error?.code)) {
    return withStatus(error, 503, { type: 'service.unavailable', headers: { 'Retry-After': '1' } });
  }
  if (error?.code === 'ERR_TOO_LARGE') {
    const limit = constants.MAX_STRING_LENGTH;
    return withStatus(error, 413, { type: 'entity.too.large', limit, length });
  }
  return withStatus(error, error instanceof SyntaxError ? 400 : 500);
}

module.exports = { aborted, httpError, ofPool, tooLarge, unsupportedCharset, withStatus };
