'use strict';

// Operations by name: what `exec` makes of a payload. Each checks its own arguments.

const { inspect } = require('node:util');

const native = require('./native');
const { clone } = require('./clone');
const { compress } = require('./compress');
const { retrieve } = require('./compress/store');
const { convert } = require('./convert');
const { load } = require('./document');
const { embed, similar } = require('./embed');
const { codeError } = require('./errors');
const { formatLog } = require('./log');
const { parse } = require('./parse');
const { stringify } = require('./stringify');
const { submit } = require('./submit');
const { countTokens, decode, encode } = require('./tokens');
const { transform, truncate } = require('./transform');

/**
 * @typedef {import('./submit').TaskOptions} TaskOptions
 *
 * @callback Operation
 * @param {import('./submit').Pool} pool
 * @param {any} payload
 * @param {TaskOptions} [options]
 * @returns {Promise<unknown>}
 */

/** Options of the payload and of the call, which win. @param {any} payload @param {TaskOptions} [options] */
function both(payload, options) {
  return { ...payload?.options, ...options };
}

/** @type {Map<string, Operation>} */
const OPERATIONS = new Map(
  /** @type {[string, Operation][]} */ ([
    ['parse', parse],
    ['load', load],
    ['stringify', stringify],
    ['clone', clone],
    ['compress', (pool, payload, options) => compress(pool, payload?.messages, both(payload, options))],
    ['retrieve', (pool, payload, options) => retrieve(pool, payload?.hash, both(payload, options))],
    ['transform', (pool, payload, options) => transform(pool, payload?.messages, both(payload, options))],
    ['truncate', (pool, payload, options) => truncate(pool, payload?.content, payload?.maxLength, both(payload, options))],
    ['embed', (pool, payload, options) => embed(pool, payload?.texts, both(payload, options))],
    ['similar', (pool, payload, options) => similar(pool, payload?.query, payload?.matrix, payload?.k, options)],
    ['convert', (pool, payload, options) => convert(pool, payload?.body, both(payload, options))],
    ['countTokens', (pool, payload, options) => countTokens(pool, payload?.input, both(payload, options))],
    ['encode', (pool, payload, options) => encode(pool, payload?.text, both(payload, options))],
    ['decode', (pool, payload, options) => decode(pool, payload?.tokens, both(payload, options))],
    ['log', (pool, payload, options) => formatLog(pool, payload?.level, payload?.msg, payload?.data, options)],
    ['noop', (pool, _payload, options) => submit(pool, options, 'noop', native.noop)],
  ]),
);

/**
 * Runs an operation by its name.
 * @param {import('./submit').Pool} pool
 * @param {string} type
 * @param {unknown} payload
 * @param {TaskOptions} [options]
 * @returns {Promise<unknown>}
 */
function exec(pool, type, payload, options) {
  const operation = OPERATIONS.get(type);
  if (operation !== undefined) return operation(pool, payload, options);
  const names = [...OPERATIONS.keys()].join(', ');
  return Promise.reject(codeError('ERR_UNKNOWN_TASK', `no task type is called ${inspect(type, { depth: 0 })}; there are ${names}`));
}

module.exports = { exec };
