'use strict';

const { defaultOffloadThreshold } = require('./lib/config');
const { WorkerPool, getWorkerPool, isWorkerPoolReady } = require('./lib/pool');

/** Bytes from which a pool without options offloads. */
const OFFLOAD_THRESHOLD = defaultOffloadThreshold();

module.exports = {
  OFFLOAD_THRESHOLD,
  WorkerPool,
  getPoolStats: () => getWorkerPool().getStats(),
  getWorkerPool,
  isWorkerPoolReady,
};
