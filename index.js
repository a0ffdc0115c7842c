'use strict';

const { syncClone } = require('./lib/clone');
const { defaultOffloadThreshold } = require('./lib/config');
const { Document } = require('./lib/document');
const { WorkerPool, getWorkerPool, isWorkerPoolReady } = require('./lib/pool');

/** Bytes from which a pool without options offloads. */
const OFFLOAD_THRESHOLD = defaultOffloadThreshold();

// The default pool's operations as plain functions.

/** @type {typeof WorkerPool.prototype.clone} */
function asyncClone(value, options) {
  return getWorkerPool().clone(value, options);
}

/** @type {typeof WorkerPool.prototype.parse} */
function asyncParse(json, options) {
  return getWorkerPool().parse(json, options);
}

/** @type {typeof WorkerPool.prototype.stringify} */
function asyncStringify(value, options) {
  return getWorkerPool().stringify(value, options);
}

/** @type {typeof WorkerPool.prototype.getStats} */
function getPoolStats() {
  return getWorkerPool().getStats();
}

module.exports = {
  Document,
  OFFLOAD_THRESHOLD,
  WorkerPool,
  asyncClone,
  asyncParse,
  asyncStringify,
  getPoolStats,
  getWorkerPool,
  isWorkerPoolReady,
  syncClone,
};
