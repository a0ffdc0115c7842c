'use strict';

const { syncClone } = require('./lib/clone');
const { defaultOffloadThreshold } = require('./lib/config');
const { convertStream } = require('./lib/convert');
const { destination } = require('./lib/destination');
const { Document } = require('./lib/document');
const { json, send } = require('./lib/express');
const { logTasks } = require('./lib/log-tasks');
const { AsyncLogger } = require('./lib/logger');
const { WorkerPool, getWorkerPool, isWorkerPoolReady } = require('./lib/pool');
const { limitInFlight } = require('./lib/http/in-flight');
const { installSignalHandlers } = require('./lib/signals');
const { syncTransform } = require('./lib/transform');

/** Bytes from which a pool without options offloads. */
const OFFLOAD_THRESHOLD = defaultOffloadThreshold();

// The default pool's operations as plain functions.

/**
 * A call of the pool that everybody shares. Where the environment allows of none, the promise says so: callers have one `catch`.
 * @template T
 * @param {(pool: WorkerPool) => Promise<T>} call
 * @returns {Promise<T>}
 */
function onPool(call) {
  let pool;
  try {
    pool = getWorkerPool();
  } catch (error) {
    return Promise.reject(error);
  }
  return call(pool);
}

/** @type {typeof WorkerPool.prototype.clone} */
function asyncClone(value, options) {
  return onPool((pool) => pool.clone(value, options));
}

/** @type {typeof WorkerPool.prototype.parse} */
function asyncParse(json, options) {
  return onPool((pool) => pool.parse(json, options));
}

/** @type {typeof WorkerPool.prototype.stringify} */
function asyncStringify(value, options) {
  return onPool((pool) => pool.stringify(value, options));
}

/** @type {typeof WorkerPool.prototype.transform} */
function asyncTransform(messages, options) {
  return onPool((pool) => pool.transform(messages, options));
}

/** @type {typeof WorkerPool.prototype.getStats} */
function getPoolStats() {
  return getWorkerPool().getStats();
}

/**
 * @param {any} messages
 * @param {object[] | null} [tools]
 * @param {import('./lib/compress').CompressOptions} [options]
 * @returns {Promise<any>}
 */
async function compressMessages(messages, tools, options) {
  const given = tools ?? undefined;
  try {
    return await getWorkerPool().compress(messages, { ...options, tools: given });
  } catch (error) {
    const reason = `${/** @type {any} */ (error)?.code ?? 'failed'}: ${/** @type {any} */ (error)?.message ?? error}`;
    return { messages, ...(given && { tools: given }), compressed: false, stats: { skipped: true, reason } };
  }
}

/**
 * @param {string} hash
 * @param {string | null} [query]
 * @param {number} [maxResults]
 * @returns {Promise<import('./lib/compress/store').RetrieveResult>}
 */
async function ccrRetrieve(hash, query, maxResults) {
  try {
    return await getWorkerPool().retrieve(hash, { query: query ?? undefined, maxResults });
  } catch (error) {
    return { success: false, itemsRetrieved: 0, wasSearch: Boolean(query), error: String(/** @type {any} */ (error)?.message ?? error) };
  }
}

module.exports = {
  AsyncLogger,
  Document,
  OFFLOAD_THRESHOLD,
  WorkerPool,
  asyncClone,
  asyncParse,
  asyncStringify,
  asyncTransform,
  ccrRetrieve,
  compressMessages,
  convertStream,
  destination,
  getPoolStats,
  getWorkerPool,
  installSignalHandlers,
  isWorkerPoolReady,
  json,
  limitInFlight,
  logTasks,
  send,
  syncClone,
  syncTransform,
};
