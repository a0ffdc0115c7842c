'use strict';

// Every environment variable, for those who look at all of them. README's table has the same (doctor.spec.js
// compares them); the checks are those of whoever reads a variable.

const { OPTIONS, describe, resolveConfig, resolveNumber } = require('./config');
const { LEVELS, NUMBERS, defaultFormat, defaultLevel } = require('./log-options');

/**
 * @typedef {object} Variable
 * @property {string} name
 * @property {string} fallback
 * @property {string} range
 * @property {(env: NodeJS.ProcessEnv) => void} check throws ERR_INVALID_ARG
 */

/** @param {string} name @returns {Variable} */
function storeBound(name) {
  return { name, fallback: 'none', range: 'a whole number of at least 1', check: storeCheck };
}

/** @param {NodeJS.ProcessEnv} env */
function storeCheck(env) {
  // Needs the addon, which config.js does not.
  require('./compress/store').checkStore({}, env);
}

/** @param {NodeJS.ProcessEnv} env */
function observersCheck(env) {
  // Needs the addon, too.
  require('./observers').resolveObservers({}, env);
}

/** @type {Variable[]} */
const VARIABLES = [
  ...Object.values(OPTIONS).map(({ variable, fallback, ...range }) => ({
    name: variable,
    fallback: String(fallback),
    range: describe(range),
    check: (/** @type {NodeJS.ProcessEnv} */ env) => void resolveConfig({}, env),
  })),
  storeBound('WORKER_STORE_MAX_BYTES'),
  storeBound('WORKER_STORE_TTL_MS'),
  { name: 'WORKER_STORE_PATH', fallback: 'memory', range: 'a path', check: () => {} },
  { name: 'WORKER_TRACE_FILE', fallback: 'none', range: 'a path', check: () => {} },
  { name: 'WORKER_PERFORMANCE_ENTRIES', fallback: 'false', range: 'true, false', check: observersCheck },
  { name: 'WORKER_LOG_FILE', fallback: 'logs/app.log', range: 'a path', check: () => {} },
  { name: 'WORKER_LOG_LEVEL', fallback: 'info', range: [...LEVELS, 'silent'].join(', '), check: (env) => void defaultLevel(env) },
  { name: 'WORKER_LOG_FORMAT', fallback: 'plain', range: 'plain, pino', check: (env) => void defaultFormat(env) },
  ...Object.entries(NUMBERS).map(([name, option]) => ({
    name: option.variable,
    fallback: String(option.fallback),
    range: describe(option),
    check: (/** @type {NodeJS.ProcessEnv} */ env) => void resolveNumber(name, option, undefined, env),
  })),
  { name: 'OFFLOOP_NATIVE_PATH', fallback: 'the package of this platform', range: 'a path', check: () => {} },
];

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ name: string, value: string | undefined, fallback: string, problem: string | undefined }[]}
 */
function checkEnvironment(env = process.env) {
  return VARIABLES.map(({ name, fallback, check }) => {
    const value = env[name]?.trim() || undefined;
    let problem;
    try {
      if (value !== undefined) check({ [name]: value });
    } catch (error) {
      problem = /** @type {Error} */ (error).message;
    }
    return { name, value, fallback, problem };
  });
}

module.exports = { VARIABLES, checkEnvironment };
