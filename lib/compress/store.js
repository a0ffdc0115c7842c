'use strict';

// Originals of texts that lost something: where they are kept, and `retrieve`.

const native = require('../native');
const { invalidArgument, invalidVariable } = require('../errors');
const { submit } = require('../submit');

/**
 * Where originals are kept: in memory that the process shares, or in a file.
 * @typedef {{ path?: string, maxBytes?: number, ttlMs?: number }} StoreOptions
 *
 * @typedef {import('../submit').TaskOptions & { query?: string, maxResults?: number }} RetrieveOptions
 *
 * @typedef {object} RetrieveResult
 * @property {boolean} success
 * @property {string} [content]
 * @property {number} itemsRetrieved
 * @property {boolean} wasSearch
 * @property {string} [error]
 */

/** Matches of a search, unless it is told otherwise. */
const MAX_RESULTS = 20;

const HASH = /^[0-9a-f]{16}$/;

/** What a bound must be. */
const BOUND = 'a whole number of at least 1';

/**
 * The bounds and the environment variables that are their defaults.
 * @type {Record<'maxBytes' | 'ttlMs', string>}
 */
const BOUNDS = { maxBytes: 'WORKER_STORE_MAX_BYTES', ttlMs: 'WORKER_STORE_TTL_MS' };

/**
 * @param {StoreOptions} [options]
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {number} The native store.
 * @throws ERR_STORE where the file is no store, damaged, or in use by another process.
 */
function openStore(options = {}, env = process.env) {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options.store', 'an object', options);
  const { path = env.WORKER_STORE_PATH ?? '' } = options;
  if (typeof path !== 'string' || path.includes('\0')) throw invalidArgument('options.store.path', 'a path', path);
  const { maxBytes, ttlMs } = checkStore(options, env);
  return native.openStore(path, maxBytes, ttlMs);
}

/**
 * @param {StoreOptions} options
 * @param {NodeJS.ProcessEnv} env
 * @throws ERR_INVALID_ARG naming the option or variable
 */
function checkStore(options, env) {
  return { maxBytes: bound('maxBytes', options, env), ttlMs: bound('ttlMs', options, env) };
}

/**
 * @param {keyof typeof BOUNDS} name
 * @param {StoreOptions} options
 * @param {NodeJS.ProcessEnv} env
 * @returns {number} -1 where it is not given
 */
function bound(name, options, env) {
  const value = options[name];
  if (value !== undefined) {
    if (isBound(value)) return value;
    throw invalidArgument(`options.store.${name}`, BOUND, value);
  }
  const text = env[BOUNDS[name]]?.trim();
  if (!text) return -1;
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (isBound(number)) return number;
  throw invalidVariable(BOUNDS[name], BOUND, text);
}

/** @param {unknown} value */
function isBound(value) {
  return Number.isSafeInteger(value) && /** @type {number} */ (value) > 0;
}

/**
 * @param {import('../submit').Pool} pool
 * @param {string} hash
 * @param {RetrieveOptions} [options]
 * @returns {Promise<RetrieveResult>}
 */
function retrieve(pool, hash, options) {
  if (typeof hash !== 'string') return Promise.reject(invalidArgument('hash', "a marker's hash", hash));
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    return Promise.reject(invalidArgument('options', 'an object', options));
  }
  const { query = '', maxResults = MAX_RESULTS } = options ?? {};
  if (query !== null && typeof query !== 'string') return Promise.reject(invalidArgument('options.query', 'a string', query));
  if (!isBound(maxResults)) return Promise.reject(invalidArgument('options.maxResults', BOUND, maxResults));
  const wasSearch = query !== null && query.trim() !== '';
  if (!HASH.test(hash)) return Promise.resolve(failure(wasSearch, 'a hash has 16 hexadecimal digits'));
  const { store } = pool._state;
  const found = submit(pool, options, 'retrieve', (handle, control) =>
    native.retrieve(handle, control, store, hash, wasSearch ? query : '', maxResults),
  );
  return found.then(
    ([content, items]) =>
      content === undefined || items === undefined
        ? failure(wasSearch, `nothing is kept for ${hash}: it was never compressed here, or has expired`)
        : { success: true, content, itemsRetrieved: items, wasSearch },
    (error) => {
      if (error?.code === 'ERR_STORE') return failure(wasSearch, error.message);
      throw error;
    },
  );
}

/**
 * @param {boolean} wasSearch
 * @param {string} error
 * @returns {RetrieveResult}
 */
function failure(wasSearch, error) {
  return { success: false, itemsRetrieved: 0, wasSearch, error };
}

module.exports = { checkStore, openStore, retrieve };
