'use strict';

const { EventEmitter } = require('node:events');

const native = require('./native');
const { release } = require('./abort');
const { clone } = require('./clone');
const { compress } = require('./compress');
const { openStore, retrieve } = require('./compress/store');
const { MAX_TIMEOUT_MS, resolveConfig } = require('./config');
const { convert } = require('./convert');
const { load } = require('./document');
const { embed, similar, unloadModel } = require('./embed');
const { codeError, invalidArgument, makeError, poolClosed } = require('./errors');
const { exec } = require('./exec');
const { formatLog } = require('./log');
const { formatMetrics } = require('./metrics');
const { observe, openObservers, resolveObservers, slowObserver } = require('./observers');
const { parse } = require('./parse');
const { formatStats } = require('./stats');
const { stringify } = require('./stringify');
const { countTokens, countTokensUpTo, decode, encode } = require('./tokens');
const { transform, truncate } = require('./transform');

/**
 * @typedef {import('./submit').TaskOptions} TaskOptions
 * @typedef {import('./submit').PoolState} PoolState
 * @typedef {{ drain?: boolean, timeoutMs?: number }} ShutdownOptions
 * @typedef {Partial<import('./config').PoolConfig> & import('./observers').ObserverOptions & { store?: import('./compress/store').StoreOptions }} GivenOptions
 */

/** How long a shutdown lets accepted tasks go on, unless it is told otherwise: what Docker waits before it kills. */
const SHUTDOWN_TIMEOUT_MS = 10_000;

/** Marks the pool that shares its threads with the whole process. */
const SHARED = Symbol('offloop.shared');

/**
 * Pools by handle, for their events. Weakly, so that a forgotten pool can go; `closed` holds those that are
 * shutting down.
 * @type {Map<number, { pool: WeakRef<WorkerPool>, closed?: () => void }>}
 */
const pools = new Map();

/** Lets go of the native side of a pool that nobody can reach any more. Tasks accepted go on. */
const forgotten = new FinalizationRegistry((/** @type {number} */ handle) => {
  pools.delete(handle);
  native.releasePool(handle);
});

native.install({ makeError, released: release, atTurnsEnd, event: onEvent });

function atTurnsEnd() {
  setImmediate(native.endTurn);
}

/**
 * @param {number} handle
 * @param {string} event
 * @param {string} text
 */
function onEvent(handle, event, text) {
  const entry = pools.get(handle);
  const pool = entry?.pool.deref();
  if (event === 'close') {
    entry?.closed?.();
  } else if (event === 'error') {
    // Unlike other emitters' errors this one harms nobody who does not listen: the thread has been replaced.
    if (pool?.listenerCount('error')) emit(pool, 'error', codeError('ERR_WORKER_DIED', text));
  } else if (pool) {
    emit(pool, event);
  }
}

/**
 * Emits from the event loop, so that an exception in a listener is the process's, as with any other emitter.
 * @param {WorkerPool} pool
 * @param {string} event
 * @param {...unknown} values
 */
function emit(pool, event, ...values) {
  setImmediate(() => pool.emit(event, ...values));
}

/** A pool of native threads for CPU work. */
class WorkerPool extends EventEmitter {
  /** @param {GivenOptions & { [SHARED]?: boolean }} [options] */
  constructor(options) {
    super();
    const config = resolveConfig(options);
    const watching = resolveObservers(options);
    const store = openStore(options?.store);
    const observers = openObservers(watching);
    const handle = native.createPool({
      shared: options?.[SHARED] === true,
      size: config.size,
      processes: config.processes,
      maxQueue: config.maxQueue,
      maxQueueBytes: config.maxQueueBytes,
      taskTimeout: Math.ceil(config.taskTimeout),
    });
    native.setSlice(config.maxBlockMs);
    this.offloadThreshold = config.offloadThreshold;
    this.maxBlockMs = config.maxBlockMs;
    this.slowMs = config.slowMs;
    this.size = native.poolSize(handle);
    /** @type {PoolState} */
    this._state = { handle, open: true, taskTimeout: config.taskTimeout, store, inlined: 0, inlineFailures: 0, closing: undefined, observers: observers.of(handle) };
    this._closeObservers = observers.close;
    this._tellSlow = slowObserver(this, (slow) => emit(this, 'slow', slow));
    // No business of whoever inspects a pool.
    for (const name of ['_state', '_closeObservers', '_tellSlow']) Object.defineProperty(this, name, { enumerable: false });
    pools.set(handle, { pool: new WeakRef(this) });
    forgotten.register(this, handle);
  }

  /**
   * Calls are timed from the first listener of 'slow' on.
   * @param {any} event
   * @param {(...values: any[]) => void} listener
   * @override
   */
  on(event, listener) {
    if (event === 'slow') observe(this._state, this._tellSlow);
    return super.on(event, listener);
  }

  /**
   * @param {any} event
   * @param {(...values: any[]) => void} listener
   * @override
   */
  addListener(event, listener) {
    return this.on(event, listener);
  }

  /**
   * @param {any} event
   * @param {(...values: any[]) => void} listener
   * @override
   */
  prependListener(event, listener) {
    if (event === 'slow') observe(this._state, this._tellSlow);
    return super.prependListener(event, listener);
  }

  /**
   * Starts all threads now; otherwise they start as tasks need them.
   * @returns {Promise<void>}
   */
  async initialize() {
    const { open, handle } = this._state;
    if (!open) throw poolClosed();
    native.startPool(handle);
  }

  /**
   * JSON.parse, off the event loop.
   * @param {string | Uint8Array | readonly Uint8Array[]} json Chunks are one text.
   * @param {import('./parse').ReadOptions} [options]
   * @returns {Promise<any>}
   */
  parse(json, options) {
    return parse(this, json, options);
  }

  /**
   * JSON that is read off the event loop, and stays there.
   * @param {string | Uint8Array | readonly Uint8Array[]} json Chunks are one text.
   * @param {import('./parse').ReadOptions} [options]
   * @returns {Promise<import('./document').Document>}
   */
  load(json, options) {
    return load(this, json, options);
  }

  /**
   * JSON.stringify, off the event loop where that is cheaper for it.
   * @param {unknown} value
   * @param {import('./stringify').StringifyOptions} [options]
   * @returns {Promise<any>}
   */
  stringify(value, options) {
    return stringify(this, value, options);
  }

  /**
   * structuredClone's answer, for a fraction of its time.
   * @template T
   * @param {T} value
   * @param {TaskOptions} [options]
   * @returns {Promise<T>}
   */
  clone(value, options) {
    return clone(this, value, options);
  }

  /**
   * Shortens the messages of a conversation.
   * @param {any[] | import('./document').Document} messages
   * @param {import('./compress').CompressOptions} [options]
   * @returns {Promise<import('./compress').CompressResult>}
   */
  compress(messages, options) {
    return compress(this, messages, options);
  }

  /**
   * Texts as vectors.
   * @param {string | readonly string[]} texts
   * @param {import('./embed').EmbedOptions} [options]
   * @returns {Promise<Float32Array[]>}
   */
  embed(texts, options) {
    return embed(this, texts, options);
  }

  /**
   * Lets go of the model in a folder, for all pools of the process.
   * @param {string} model
   * @returns {Promise<boolean>} whether it was loaded
   */
  unloadModel(model) {
    return unloadModel(this, model);
  }

  /**
   * The rows of a matrix with the largest cosine to a vector, best first.
   * @param {Float32Array} query
   * @param {Float32Array} matrix
   * @param {number} k
   * @param {TaskOptions} [options]
   * @returns {Promise<import('./embed').Match[]>}
   */
  similar(query, matrix, k, options) {
    return similar(this, query, matrix, k, options);
  }

  /**
   * Shortens a conversation by fixed rules.
   * @param {any[]} messages
   * @param {import('./transform').TransformOptions} [options]
   * @returns {Promise<import('./transform').TransformResult>}
   */
  transform(messages, options) {
    return transform(this, messages, options);
  }

  /**
   * Cuts a text that is too long.
   * @param {string} content
   * @param {number} maxLength
   * @param {import('./transform').TruncateOptions} [options]
   * @returns {Promise<string>}
   */
  truncate(content, maxLength, options) {
    return truncate(this, content, maxLength, options);
  }

  /**
   * A body of one provider's format as another's.
   * @param {any} body
   * @param {import('./convert').ConvertOptions} options
   * @returns {Promise<any>}
   */
  convert(body, options) {
    return convert(this, body, options);
  }

  /**
   * The number of tokens of a text, a list of messages, a request body or a Document.
   * @param {unknown} input
   * @param {import('./tokens').TokenOptions} [options]
   * @returns {Promise<number>}
   */
  countTokens(input, options) {
    return countTokens(this, input, options);
  }

  /**
   * The number of tokens if it is at most `limit`, else false: counting stops there.
   * @param {unknown} input
   * @param {number} limit
   * @param {import('./tokens').TokenOptions} [options]
   * @returns {Promise<number | false>}
   */
  countTokensUpTo(input, limit, options) {
    return countTokensUpTo(this, input, limit, options);
  }

  /**
   * The tokens of a text.
   * @param {string} text
   * @param {import('./tokens').TokenOptions} [options]
   * @returns {Promise<Uint32Array>}
   */
  encode(text, options) {
    return encode(this, text, options);
  }

  /**
   * The text of tokens.
   * @param {Uint32Array | readonly number[]} tokens
   * @param {import('./tokens').TokenOptions} [options]
   * @returns {Promise<string>}
   */
  decode(tokens, options) {
    return decode(this, tokens, options);
  }

  /**
   * What a marker in a compressed text stands for.
   * @param {string} hash
   * @param {import('./compress/store').RetrieveOptions} [options]
   * @returns {Promise<import('./compress/store').RetrieveResult>}
   */
  retrieve(hash, options) {
    return retrieve(this, hash, options);
  }

  /**
   * A JSON line, without a newline.
   * @param {string} level
   * @param {string} msg
   * @param {object | null} [data]
   * @param {TaskOptions} [options]
   * @returns {Promise<string>}
   */
  formatLog(level, msg, data, options) {
    return formatLog(this, level, msg, data, options);
  }

  /**
   * Runs an operation by its name.
   * @param {string} type
   * @param {unknown} payload
   * @param {TaskOptions} [options]
   * @returns {Promise<unknown>}
   */
  exec(type, payload, options) {
    return exec(this, type, payload, options);
  }

  getStats() {
    const state = this._state;
    return formatStats(native.poolStats(state.handle), state);
  }

  /** @returns {string} What getStats() has, and more, in Prometheus's text format. */
  metrics() {
    return formatMetrics(this._state);
  }

  /**
   * Stops accepting tasks, lets those accepted go on for `timeoutMs`, rejects the rest with ERR_POOL_CLOSED, and
   * resolves when every promise is settled. Called again, it gives the same promise; `drain: false` then still
   * puts an end to the waiting.
   * @param {ShutdownOptions} [options]
   * @returns {Promise<void>}
   */
  shutdown(options = {}) {
    const state = this._state;
    /** @type {number} */
    let limit;
    try {
      limit = shutdownLimit(options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (state.closing === undefined) {
      state.open = false;
      state.closing = new Promise((resolve) => {
        // Held by the closure until it is closed.
        pools.set(state.handle, { pool: new WeakRef(this), closed: () => resolve(void this) });
      }).then(this._closeObservers);
      native.closePool(state.handle, limit);
    } else if (limit === 0) {
      native.closePool(state.handle, 0);
    }
    return state.closing;
  }
}

if (Symbol.asyncDispose) {
  Object.defineProperty(WorkerPool.prototype, Symbol.asyncDispose, {
    /** @this {WorkerPool} */
    value() {
      return this.shutdown();
    },
    writable: true,
    configurable: true,
  });
}

/**
 * @param {ShutdownOptions} options
 * @returns {number} Milliseconds; 0: not at all.
 */
function shutdownLimit(options) {
  if (options === null || typeof options !== 'object') throw invalidArgument('options', 'an object', options);
  const { drain = true, timeoutMs = SHUTDOWN_TIMEOUT_MS } = options;
  if (typeof drain !== 'boolean') throw invalidArgument('options.drain', 'a boolean', drain);
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
    throw invalidArgument('options.timeoutMs', `a number of ms from 0 to ${MAX_TIMEOUT_MS}`, timeoutMs);
  }
  return drain ? timeoutMs : 0;
}

/** @type {WorkerPool | undefined} This thread's door to the process-wide pool. */
let shared;

/**
 * The process-wide pool. Its threads are shared by all `worker_threads`, each of which has its own WorkerPool
 * object and settles its own promises. Options count on the first call; after a shutdown the next call makes a
 * fresh pool.
 * @param {GivenOptions} [options]
 * @returns {WorkerPool}
 */
function getWorkerPool(options) {
  if (shared === undefined || !shared._state.open) {
    shared = new WorkerPool({ ...options, [SHARED]: true });
  }
  return shared;
}

/** @returns {WorkerPool[]} This thread's pools that have not been shut down. */
function openPools() {
  const all = Array.from(pools.values(), ({ pool }) => pool.deref());
  return all.flatMap((pool) => (pool?._state.open ? [pool] : []));
}

/** @returns {boolean} Whether the process-wide pool is up: its threads have started and it has not been shut down. */
function isWorkerPoolReady() {
  return shared !== undefined && shared._state.open && native.isPoolStarted(shared._state.handle);
}

exports.WorkerPool = WorkerPool;
exports.getWorkerPool = getWorkerPool;
exports.isWorkerPoolReady = isWorkerPoolReady;
exports.openPools = openPools;
