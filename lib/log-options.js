'use strict';

// Options of loggers and destinations: checked, with their defaults.

const path = require('node:path');
const { resolveNumber } = require('./config');
const { invalidArgument, invalidVariable } = require('./errors');
const { LARGEST, SMALLEST } = require('./ring-layout');

/**
 * @typedef {object} Rotate as native code takes it
 * @property {number} [size] bytes
 * @property {number} [interval] ms
 * @property {number} keep
 * @property {boolean} dated
 * @property {boolean} gzip
 * @property {string} [current] name of a link
 *
 * @typedef {object} SinkConfig
 * @property {string | number} target a path, or a descriptor
 * @property {number} bufferSize lines
 * @property {number} flushInterval ms
 * @property {number} ringSize bytes
 * @property {boolean} durable
 * @property {'block' | 'drop'} onOverflow
 * @property {number} blockTimeout ms
 * @property {Rotate | undefined} rotate
 */

const LEVELS = /** @type {const} */ (['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
const MAX_COUNT = 2 ** 31 - 1;

/** @type {Record<'bufferSize' | 'flushInterval' | 'blockTimeout', import('./config').NumberOption>} */
const NUMBERS = {
  bufferSize: { variable: 'WORKER_LOG_BUFFER_SIZE', fallback: 100, min: 1, max: MAX_COUNT, whole: true },
  flushInterval: { variable: 'WORKER_LOG_FLUSH_INTERVAL_MS', fallback: 1000, min: 0, max: MAX_COUNT, whole: false },
  blockTimeout: { variable: 'WORKER_LOG_BLOCK_TIMEOUT_MS', fallback: 1000, min: 0, max: MAX_COUNT, whole: false },
};

const UNITS = /** @type {Record<string, number>} */ ({ b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 });
const TIMES = /** @type {Record<string, number>} */ ({ ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 });
const NAMED_TIMES = /** @type {Record<string, number>} */ ({ minutely: 60e3, hourly: 3600e3, daily: 86400e3 });

/** Files of their own are kept: so many that nobody gets there. */
const KEEP_ALL = 2 ** 32 - 1;

/**
 * @param {any} options
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {SinkConfig}
 * @throws {TypeError} ERR_INVALID_ARG
 */
function resolveSink(options, env = process.env) {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { logFile, durable = false, onOverflow = 'block', ringSize = '8m' } = options;
  if (typeof durable !== 'boolean') throw invalidArgument('options.durable', 'a boolean', durable);
  if (onOverflow !== 'block' && onOverflow !== 'drop') {
    throw invalidArgument('options.onOverflow', "'block' or 'drop'", onOverflow);
  }
  const target = resolveTarget(logFile, env);
  const bytes = parseSize(ringSize);
  if (bytes === undefined || bytes < SMALLEST || bytes > LARGEST) {
    throw invalidArgument('options.ringSize', `bytes from ${SMALLEST} to ${LARGEST}, such as '8m'`, ringSize);
  }
  const rotate = resolveRotate(options.rotate);
  if (typeof target === 'number' && (durable || rotate)) {
    throw invalidArgument('options.logFile', `a path, for a log that is ${durable ? 'durable' : 'rotated'}`, target);
  }
  return {
    target,
    bufferSize: resolveNumber('bufferSize', NUMBERS.bufferSize, options.bufferSize, env),
    flushInterval: resolveNumber('flushInterval', NUMBERS.flushInterval, options.flushInterval, env),
    blockTimeout: resolveNumber('blockTimeout', NUMBERS.blockTimeout, options.blockTimeout, env),
    ringSize: bytes,
    durable,
    onOverflow,
    rotate,
  };
}

/**
 * @param {unknown} logFile
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | number}
 */
function resolveTarget(logFile, env) {
  const given = logFile === undefined ? env.WORKER_LOG_FILE?.trim() || path.join('logs', 'app.log') : logFile;
  if (typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= MAX_COUNT) return given;
  if (given instanceof URL && given.protocol === 'file:') return require('node:url').fileURLToPath(given);
  if (typeof given !== 'string' || given === '' || given.includes('\0')) {
    throw invalidArgument('options.logFile', 'a path or a file descriptor', given);
  }
  // The process may change its folder later.
  return path.resolve(given);
}

/**
 * @param {any} rotate
 * @returns {Rotate | undefined}
 */
function resolveRotate(rotate) {
  if (rotate === undefined) return undefined;
  if (typeof rotate !== 'object' || rotate === null) throw invalidArgument('options.rotate', 'an object', rotate);
  const { size, interval, keep, names = 'number', gzip = false, current } = rotate;
  const bytes = size === undefined ? undefined : parseSize(size);
  if (size !== undefined && (bytes === undefined || bytes < 1)) {
    throw invalidArgument('options.rotate.size', "bytes, such as 1000000 or '10m'", size);
  }
  const ms = interval === undefined ? undefined : parseInterval(interval);
  if (interval !== undefined && ms === undefined) {
    throw invalidArgument('options.rotate.interval', "a time such as '12h', '1d', 'hourly' or 'daily'", interval);
  }
  if (bytes === undefined && ms === undefined) throw invalidArgument('options.rotate', 'an object with a size or an interval', rotate);
  if (keep !== undefined && !(Number.isInteger(keep) && keep >= 0 && keep < KEEP_ALL)) {
    throw invalidArgument('options.rotate.keep', 'a whole number of at least 0', keep);
  }
  if (names !== 'number' && names !== 'date') throw invalidArgument('options.rotate.names', "'number' or 'date'", names);
  if (typeof gzip !== 'boolean') throw invalidArgument('options.rotate.gzip', 'a boolean', gzip);
  if (current !== undefined && (typeof current !== 'string' || current === '' || current !== path.basename(current))) {
    throw invalidArgument('options.rotate.current', 'the name of a file', current);
  }
  return { size: bytes, interval: ms, keep: keep ?? KEEP_ALL, dated: names === 'date', gzip, current };
}

/**
 * @param {unknown} size a number of bytes, or one with a unit: '512k', '10 MB', '1g'
 * @returns {number | undefined}
 */
function parseSize(size) {
  if (typeof size === 'number') return Number.isSafeInteger(size) ? size : undefined;
  const match = typeof size === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([bkmg]?)(?:i?b)?\s*$/i.exec(size) : null;
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * UNITS[match[2].toLowerCase() || 'b']);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * @param {unknown} interval a number of ms, one with a unit, or a word
 * @returns {number | undefined}
 */
function parseInterval(interval) {
  const ms = typeof interval === 'number' ? interval : timeOf(interval);
  return ms !== undefined && Number.isSafeInteger(ms) && ms >= 1 ? ms : undefined;
}

/** @param {unknown} text */
function timeOf(text) {
  if (typeof text !== 'string') return undefined;
  const name = text.trim().toLowerCase();
  if (Object.hasOwn(NAMED_TIMES, name)) return NAMED_TIMES[name];
  const match = /^(\d+)\s*(ms|s|m|h|d)$/.exec(name);
  return match === null ? undefined : Number(match[1]) * TIMES[match[2]];
}

/**
 * @param {unknown} level
 * @param {string} name of the option
 * @returns {number} from 0; 6: silent
 */
function resolveLevel(level, name) {
  const index = level === 'silent' ? LEVELS.length : LEVELS.indexOf(/** @type {any} */ (level));
  if (index < 0) throw invalidArgument(name, `one of ${LEVELS.join(', ')}, silent`, level);
  return index;
}

/** @param {NodeJS.ProcessEnv} [env] */
function defaultLevel(env = process.env) {
  const level = env.WORKER_LOG_LEVEL?.trim().toLowerCase();
  if (!level) return LEVELS.indexOf('info');
  try {
    return resolveLevel(level, '');
  } catch {
    throw invalidVariable('WORKER_LOG_LEVEL', `one of ${LEVELS.join(', ')}, silent`, level);
  }
}

/** @param {NodeJS.ProcessEnv} [env] @returns {'plain' | 'pino'} */
function defaultFormat(env = process.env) {
  const format = env.WORKER_LOG_FORMAT?.trim().toLowerCase() || 'plain';
  if (format === 'plain' || format === 'pino') return format;
  throw invalidVariable('WORKER_LOG_FORMAT', 'plain or pino', format);
}

module.exports = { LEVELS, NUMBERS, defaultFormat, defaultLevel, resolveLevel, resolveSink };
