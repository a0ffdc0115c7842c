'use strict';

const { invalidArgument, invalidVariable } = require('./errors');

/**
 * @typedef {object} PoolConfig
 * @property {number} size Threads; 0: as many as suit the machine.
 * @property {number} processes That share the machine, where `size` is 0.
 * @property {number} taskTimeout Milliseconds from the start of execution; 0: none.
 * @property {number} offloadThreshold Bytes from which an operation is offloaded.
 * @property {number} maxQueue Tasks that may wait while every thread is busy.
 * @property {number} maxQueueBytes Bytes that waiting and running tasks may hold.
 * @property {number} maxBlockMs Longest slice of the event loop that settling and building results may take.
 * @property {number} slowMs From how many ms of the event loop at a stretch on a call is slow.
 */

/**
 * An option that is a number: its environment variable, its default, its range, and whether it must be whole.
 * @typedef {{ variable: string, fallback: number, min: number, max: number, whole: boolean }} NumberOption
 */

/** The longest timeout, as for Node's timers: 2^31 - 1 ms, 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** @type {Record<keyof PoolConfig, NumberOption>} */
const OPTIONS = {
  size: { variable: 'WORKER_POOL_SIZE', fallback: 0, min: 0, max: 1024, whole: true },
  processes: { variable: 'WORKER_PROCESSES', fallback: 1, min: 1, max: 100_000, whole: true },
  taskTimeout: { variable: 'WORKER_TASK_TIMEOUT_MS', fallback: 5000, min: 0, max: MAX_TIMEOUT_MS, whole: false },
  offloadThreshold: {
    variable: 'WORKER_OFFLOAD_THRESHOLD_BYTES',
    fallback: 10_000,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    whole: true,
  },
  maxQueue: { variable: 'WORKER_MAX_QUEUE', fallback: 100_000, min: 0, max: 2 ** 31 - 1, whole: true },
  maxQueueBytes: {
    variable: 'WORKER_MAX_QUEUE_BYTES',
    fallback: 512 * 1024 * 1024,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    whole: true,
  },
  maxBlockMs: { variable: 'WORKER_MAX_BLOCK_MS', fallback: 4, min: 0.1, max: 10_000, whole: false },
  slowMs: { variable: 'WORKER_SLOW_MS', fallback: 50, min: 0, max: MAX_TIMEOUT_MS, whole: false },
};

/**
 * @param {{ min: number, max: number, whole: boolean }} range
 * @returns {string}
 */
function describe({ min, max, whole }) {
  const kind = whole ? 'a whole number' : 'a number';
  return max === Number.MAX_SAFE_INTEGER ? `${kind} of at least ${min}` : `${kind} from ${min} to ${max}`;
}

/**
 * @param {number} value
 * @param {{ min: number, max: number, whole: boolean }} range
 * @returns {boolean}
 */
function fits(value, { min, max, whole }) {
  return value >= min && value <= max && (!whole || Number.isInteger(value));
}

/**
 * @param {string} variable
 * @param {{ min: number, max: number, whole: boolean }} range
 * @param {NodeJS.ProcessEnv} env
 * @returns {number | undefined} Undefined where the variable is unset or empty.
 */
function fromEnvironment(variable, range, env) {
  const text = env[variable]?.trim();
  if (!text) return undefined;
  // Number() alone would take '0x10' and '1e3'.
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!fits(value, range)) throw invalidVariable(variable, describe(range), text);
  return value;
}

/**
 * An option wins over its environment variable, that over the default.
 * @param {string} name
 * @param {NumberOption} option
 * @param {unknown} value what was given
 * @param {NodeJS.ProcessEnv} env
 * @returns {number}
 * @throws {TypeError} ERR_INVALID_ARG naming the option or variable.
 */
function resolveNumber(name, { variable, fallback, ...range }, value, env) {
  if (value === undefined) return fromEnvironment(variable, range, env) ?? fallback;
  if (typeof value === 'number' && fits(value, range)) return value;
  throw invalidArgument(`options.${name}`, describe(range), value);
}

/**
 * @param {Partial<PoolConfig>} [options]
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {PoolConfig}
 * @throws {TypeError} ERR_INVALID_ARG naming the option or variable.
 */
function resolveConfig(options = {}, env = process.env) {
  if (options === null || typeof options !== 'object') {
    throw invalidArgument('options', 'an object', options);
  }
  /** @type {PoolConfig} */
  const config = Object.create(null);
  for (const name of /** @type {(keyof PoolConfig)[]} */ (Object.keys(OPTIONS))) {
    config[name] = resolveNumber(name, OPTIONS[name], options[name], env);
  }
  return config;
}

/**
 * @returns {number} The threshold that a pool without options has, or its default where the variable is bad (the
 * pool's construction says so).
 */
function defaultOffloadThreshold() {
  const { variable, fallback, ...range } = OPTIONS.offloadThreshold;
  try {
    return fromEnvironment(variable, range, process.env) ?? fallback;
  } catch {
    return fallback;
  }
}

module.exports = { MAX_TIMEOUT_MS, OPTIONS, defaultOffloadThreshold, describe, resolveConfig, resolveNumber };
