'use strict';

// A pool on worker_threads as one writes it first: a queue, postMessage, timeouts, dead workers
// replaced.

const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { pipeline } = require('../pipeline');
const { OFFLOAD_THRESHOLD } = require('./threads');

const SCRIPT = path.join(__dirname, 'js-pool-worker.js');

/**
 * @typedef {object} Task
 * @property {number} id
 * @property {string} type
 * @property {any} payload
 * @property {(result: any) => void} resolve
 * @property {(error: any) => void} reject
 * @property {() => void} forget removes the abort listener
 *
 * @typedef {object} Slot a place for one worker
 * @property {Worker} worker
 * @property {Task | null} task
 * @property {NodeJS.Timeout | undefined} timer
 * @property {boolean} retired its worker is about to exit
 */

class JsPool {
  /** @param {{ size: number, taskTimeout: number }} options */
  constructor({ size, taskTimeout }) {
    this.taskTimeout = taskTimeout;
    this.closed = false;
    this.lastId = 0;
    this.counts = { tasksProcessed: 0, tasksFailed: 0, tasksTimedOut: 0, workersRestarted: 0 };
    /** @type {Task[]} */
    this.queue = [];
    /** @type {Slot[]} */
    this.slots = Array.from({ length: size }, () => this.spawn());
    /** @type {() => void} */
    this.whenIdle = () => {};
  }

  /** @returns {Slot} */
  spawn() {
    /** @type {Slot} */
    const slot = { worker: new Worker(SCRIPT), task: null, timer: undefined, retired: false };
    let failure = new Error('The worker exited');
    slot.worker.on('message', (message) => this.onMessage(slot, message));
    slot.worker.on('error', (error) => {
      failure = error;
    });
    slot.worker.on('exit', () => this.onExit(slot, failure));
    return slot;
  }

  /**
   * @param {string} type
   * @param {any} payload
   * @param {{ signal: AbortSignal }} options
   * @returns {Promise<any>}
   */
  exec(type, payload, { signal }) {
    return new Promise((resolve, reject) => {
      if (this.closed) throw new Error('The pool is closed');
      signal.throwIfAborted();
      const onAbort = () => {
        const index = this.queue.indexOf(task);
        if (index !== -1) this.queue.splice(index, 1);
        // A running task cannot be stopped; its result is dropped.
        reject(signal.reason);
      };
      const forget = () => signal.removeEventListener('abort', onAbort);
      const task = { id: ++this.lastId, type, payload, resolve, reject, forget };
      signal.addEventListener('abort', onAbort, { once: true });
      this.queue.push(task);
      this.dispatch();
    });
  }

  dispatch() {
    for (const slot of this.slots) {
      if (this.queue.length === 0) return;
      if (slot.task === null && !slot.retired) this.run(slot, /** @type {Task} */ (this.queue.shift()));
    }
  }

  /**
   * @param {Slot} slot
   * @param {Task} task
   */
  run(slot, task) {
    slot.task = task;
    slot.timer = setTimeout(() => {
      this.counts.tasksTimedOut += 1;
      this.settle(slot, new Error(`Task ${task.type} timed out after ${this.taskTimeout} ms`));
      // The worker is still at the old task: only a new one takes the next.
      slot.retired = true;
      slot.worker.terminate();
    }, this.taskTimeout);
    try {
      slot.worker.postMessage({ id: task.id, type: task.type, payload: task.payload });
    } catch (error) {
      this.settle(slot, error);
    }
  }

  /**
   * @param {Slot} slot
   * @param {{ id: number, result?: any, error?: any }} message
   */
  onMessage(slot, { id, result, error }) {
    if (slot.task?.id !== id) return;
    this.settle(slot, error, result);
    this.dispatch();
  }

  /**
   * @param {Slot} slot
   * @param {any} error
   * @param {any} [result]
   */
  settle(slot, error, result) {
    const { task } = slot;
    if (task === null) return;
    slot.task = null;
    clearTimeout(slot.timer);
    task.forget();
    if (error) {
      this.counts.tasksFailed += 1;
      task.reject(error);
    } else {
      this.counts.tasksProcessed += 1;
      task.resolve(result);
    }
    if (this.idle()) this.whenIdle();
  }

  /**
   * @param {Slot} slot
   * @param {Error} failure
   */
  onExit(slot, failure) {
    this.settle(slot, failure);
    if (this.closed) return;
    this.counts.workersRestarted += 1;
    this.slots[this.slots.indexOf(slot)] = this.spawn();
    this.dispatch();
  }

  idle() {
    return this.queue.length === 0 && this.slots.every(({ task }) => task === null);
  }

  stats() {
    const activeWorkers = this.slots.filter(({ task }) => task !== null).length;
    const queueLength = this.queue.length;
    return { ...this.counts, poolSize: this.slots.length, activeWorkers, queueLength };
  }

  async close() {
    if (!this.idle()) {
      await new Promise((resolve) => {
        this.whenIdle = () => resolve(undefined);
      });
    }
    this.closed = true;
    await Promise.all(this.slots.map(({ worker }) => worker.terminate()));
  }
}

/**
 * @param {import('../pipeline').ModeOptions} [options]
 * @returns {import('../pipeline').Mode}
 */
function create({ size = 0, countsTokens } = {}) {
  const threads = size || Math.max(2, os.availableParallelism() - 1);
  const pool = new JsPool({ size: threads, taskTimeout: 5000 });
  return {
    prepare: pipeline({
      parse: (chunks, options) => {
        const json = Buffer.concat(chunks).toString();
        if (json.length < OFFLOAD_THRESHOLD) return JSON.parse(json);
        return pool.exec('parse', json, options);
      },
      clone: (value, options) => pool.exec('clone', value, options),
      compress: (messages, options) => pool.exec('compress', messages, options),
      stringify: (value, options) => pool.exec('stringify', value, options),
      count: (body, options) => pool.exec('count', body, options),
    }, { countsTokens }),
    stats: () => pool.stats(),
    close: () => pool.close(),
  };
}

module.exports = { create };
