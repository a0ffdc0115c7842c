'use strict';

const { unknownModels } = require('./models');

/**
 * @typedef {{ p50: number, p99: number, max: number }} Times Milliseconds.
 * @typedef {{ count: number, waitTime: Times, runTime: Times }} OperationStats
 */

/**
 * What `getStats()` gives. Counts of offloaded tasks are the executor's, which threads may share; operations that
 * ran inline are counted by the pool object that ran them.
 * @param {import('../native.js').NativePoolStats} native
 * @param {{ inlined: number, inlineFailures: number }} state
 */
function formatStats(native, { inlined, inlineFailures }) {
  const ran = native.succeeded + native.failed + native.panicked;
  /** @type {Record<string, OperationStats>} */
  const operations = {};
  for (const { name, count, waitTime, runTime } of native.operations) {
    operations[name] = { count, waitTime, runTime };
  }
  return {
    tasksProcessed: native.succeeded + inlined - inlineFailures,
    tasksQueued: native.delayed,
    tasksFailed: native.failed + native.panicked + inlineFailures,
    tasksTimedOut: native.timedOut,
    tasksAborted: native.aborted,
    tasksPanicked: native.panicked,
    tasksRejected: native.refused,
    tasksClosed: native.closed,
    workersRestarted: native.restarted,
    avgProcessingTime: ran === 0 ? 0 : native.runTime / ran,
    poolSize: native.size,
    threads: native.threads,
    activeWorkers: native.active,
    queueLength: native.waiting,
    pendingTasks: native.inFlight,
    queueBytes: native.bytes,
    inlined,
    offloaded: native.accepted,
    documents: { count: native.documents, bytes: native.documentBytes },
    memory: native.memory,
    unknownModels: unknownModels(),
    operations,
  };
}

module.exports = { formatStats };
