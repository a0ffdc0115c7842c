'use strict';

const { invalidArgument } = require('./errors');
const { named } = require('./spans');

/**
 * @typedef {object} LogTasksOptions
 * @property {string} [level] `'debug'`
 * @property {number} [minMs] Lines only for calls that took so long, or failed; 0.
 */

/**
 * Writes a line for each call of this thread's pools to a logger: offloop's, pino's, winston's, the console.
 * @param {any} logger
 * @param {LogTasksOptions} [options]
 * @returns {() => void} ends it
 */
function logTasks(logger, { level = 'debug', minMs = 0 } = {}) {
  if (typeof logger?.[level] !== 'function') throw invalidArgument('logger', `a logger with a method called ${level}`, logger);
  if (typeof minMs !== 'number' || !(minMs >= 0)) throw invalidArgument('options.minMs', 'a number of ms from 0', minMs);
  // pino has the fields first.
  const isPino = typeof logger.bindings === 'function';
  const subscribers = {
    asyncEnd(/** @type {any} */ span) {
      if (span.duration < minMs && span.error === undefined) return;
      const fields = span.toJSON();
      if (isPino) logger[level](fields, 'offloop task');
      else logger[level]('offloop task', fields);
    },
  };
  const all = /** @type {any} */ (subscribers);
  named.subscribe(all);
  return () => void named.unsubscribe(all);
}

module.exports = { logTasks };
