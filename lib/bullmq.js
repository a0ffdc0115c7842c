'use strict';

/**
 * `offloop/bullmq`: a processor for workers of BullMQ, for bulk work that outlives a process. BullMQ keeps the jobs, hands those
 * of a worker that died to another, and retries; the pool does the work, behind what is interactive.
 */

const { invalidArgument } = require('./errors');
const { getWorkerPool } = require('./pool');

/**
 * @typedef {object} Task one, or a list of the same type
 * @property {string} type as of pool.exec
 * @property {unknown} [payload]
 * @property {unknown[]} [items] payloads
 *
 * @typedef {object} ProcessorOptions
 * @property {import('./pool').WorkerPool} [pool]
 * @property {number} [concurrency] items of a job that are worked on at once; twice the pool's threads
 * @property {(result: any, index: number, job: any) => unknown} [onResult] takes the results of a list, in order, one after the other
 */

/** Errors that another try would only repeat. */
const FINAL = new Set(['ERR_INVALID_ARG', 'ERR_JSON_SYNTAX', 'ERR_UNKNOWN_TASK', 'ERR_TOO_LARGE', 'ERR_INVALID_STATE']);

/** Results between two reports of progress. */
const REPORT_EVERY = 16;

/** What BullMQ gives up on at once, known by its name. @param {any} error */
function final(error) {
  if (!FINAL.has(error?.code)) return error;
  return Object.assign(new Error(`${error.code}: ${error.message}`, { cause: error }), { name: 'UnrecoverableError', code: error.code });
}

/** What those who were refused wait for, together: a listener of each would be a great many. @type {WeakMap<object, Promise<void>>} */
const rooms = new WeakMap();

/** @param {import('./pool').WorkerPool} pool @returns {Promise<void>} until it says that there is room again */
function roomIn(pool) {
  let room = rooms.get(pool);
  if (room === undefined) {
    room = new Promise((resolve) => pool.once('drain', resolve)).then(() => void rooms.delete(pool));
    rooms.set(pool, room);
  }
  return room;
}

/**
 * Runs a task when there is room for it.
 * @param {import('./pool').WorkerPool} pool
 * @param {string} type
 * @param {unknown} payload
 */
async function run(pool, type, payload) {
  for (;;) {
    try {
      return await pool.exec(type, payload, { priority: 'bulk' });
    } catch (error) {
      if (/** @type {any} */ (error)?.code !== 'ERR_QUEUE_FULL') throw final(error);
      await roomIn(pool);
    }
  }
}

/**
 * Where a job that was begun by another worker goes on: behind the results that were taken.
 * @param {any} job
 * @param {boolean} isTaken whether somebody takes the results as they come
 */
function startOf({ progress }, isTaken) {
  const done = isTaken && typeof progress === 'object' && progress !== null ? progress.done : 0;
  return Number.isSafeInteger(done) && done > 0 ? done : 0;
}

/**
 * @param {ProcessorOptions} [options]
 * @returns {(job: any) => Promise<any>} gives the task's result, or a list of them; with `onResult` how many there were
 */
function createProcessor(options = {}) {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { pool: given, concurrency, onResult } = options;
  if (given !== undefined && typeof given?.exec !== 'function') throw invalidArgument('options.pool', 'a WorkerPool', given);
  if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency > 0)) {
    throw invalidArgument('options.concurrency', 'a whole number of at least 1', concurrency);
  }
  if (onResult !== undefined && typeof onResult !== 'function') throw invalidArgument('options.onResult', 'a function', onResult);

  /** @param {any} job */
  return async function process(job) {
    const { type, payload, items } = /** @type {Task} */ (job.data ?? {});
    const pool = given ?? getWorkerPool();
    if (items === undefined) return run(pool, type, payload);
    if (!Array.isArray(items)) throw final(invalidArgument('job.data.items', 'a list of payloads', items));

    const width = concurrency ?? 2 * pool.size;
    /** @type {any[]} */
    const results = [];
    /** Items under way, in order. @type {Promise<any>[]} */
    const running = [];
    let next = startOf(job, onResult !== undefined);
    for (let done = next; done < items.length; ) {
      while (next < items.length && running.length < width) {
        const result = run(pool, type, items[next++]);
        // Looked at in its turn; a failure of it is none of the process's.
        result.catch(() => {});
        running.push(result);
      }
      const result = await running.shift();
      if (onResult === undefined) results.push(result);
      else await onResult(result, done, job);
      done++;
      if (done % REPORT_EVERY === 0 || done === items.length) await job.updateProgress({ done, total: items.length });
    }
    return onResult === undefined ? results : items.length;
  };
}

module.exports = { createProcessor };
