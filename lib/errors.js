'use strict';

const { inspect } = require('node:util');

/**
 * @typedef {Error & { code: string }} CodeError
 * @typedef {{ position: number, line: number, column: number }} Place
 */

/**
 * @template {Error} E
 * @param {E} error
 * @param {string} code
 * @returns {E & { code: string }}
 */
function withCode(error, code) {
  return Object.assign(error, { code });
}

/**
 * @param {string} code
 * @param {string} message
 * @returns {CodeError}
 */
function codeError(code, message) {
  return withCode(new Error(message), code);
}

/**
 * @param {string} name What was wrong: an argument's or option's name.
 * @param {string} expected What it must be, after "must be".
 * @param {unknown} actual What it was.
 * @returns {TypeError & { code: string }}
 */
function invalidArgument(name, expected, actual) {
  const shown = inspect(actual, { depth: 0, maxStringLength: 64 });
  return withCode(new TypeError(`${name} must be ${expected}, not ${shown}`), 'ERR_INVALID_ARG');
}

/**
 * @param {string} variable Of the environment.
 * @param {string} expected What it must be, after "must be".
 * @param {string} text What it was.
 * @returns {TypeError & { code: string }}
 */
function invalidVariable(variable, expected, text) {
  return withCode(new TypeError(`the environment variable ${variable} must be ${expected}, not '${text}'`), 'ERR_INVALID_ARG');
}

/**
 * @param {unknown} [reason] The signal's.
 * @returns {CodeError}
 */
function abortError(reason) {
  const error = codeError('ABORT_ERR', 'The operation was aborted');
  error.name = 'AbortError';
  if (reason !== undefined) {
    Object.defineProperty(error, 'cause', { value: reason, writable: true, configurable: true });
  }
  return error;
}

/**
 * @param {string} message
 * @param {Place} place UTF-16 units from 0; line and column from 1.
 * @returns {SyntaxError & Place & { code: string }}
 */
function syntaxError(message, { position, line, column }) {
  const error = withCode(new SyntaxError(message), 'ERR_JSON_SYNTAX');
  // Defined, as errors of Bun's have a line and a column already, of their own source, which do not show.
  for (const [name, value] of Object.entries({ position, line, column })) {
    Object.defineProperty(error, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return /** @type {any} */ (error);
}

/** @returns {CodeError} */
function poolClosed() {
  return codeError('ERR_POOL_CLOSED', 'the pool has been shut down');
}

/**
 * The error for one that native code reports.
 * @param {string} code
 * @param {string} message
 * @param {number} [position]
 * @param {number} [line]
 * @param {number} [column]
 * @returns {Error & { code: string }}
 */
function makeError(code, message, position, line, column) {
  switch (code) {
    case 'ERR_JSON_SYNTAX':
      return syntaxError(message, { position: position ?? 0, line: line ?? 1, column: column ?? 1 });
    case 'ERR_INVALID_ARG':
      return withCode(new TypeError(message), code);
    case 'ABORT_ERR':
      return abortError();
    default:
      return codeError(code, message);
  }
}

module.exports = { abortError, codeError, invalidArgument, invalidVariable, makeError, poolClosed, syntaxError };
