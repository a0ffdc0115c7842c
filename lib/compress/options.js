'use strict';

// The options of `compress`: checked, and packed into the numbers that src/bindings/compress.rs reads.

const { invalidArgument } = require('../errors');
const { encodingNumber } = require('../models');

/**
 * @typedef {object} OwnOptions
 * @property {'auto' | 'lossless' | 'truncate'} [mode] `auto`.
 * @property {string} [model] Whose tokens are counted.
 * @property {number} [modelLimit] Tokens that the model takes.
 * @property {number} [tokenBudget] Tokens that the messages may have.
 * @property {number} [targetRatio] The part of its tokens that each text is to keep.
 * @property {string} [queryContext] What the reader is after, in place of what the conversation says.
 * @property {number} [preserveRecentTurns] 0.
 * @property {object[]} [tools] Definitions, which count for a budget.
 * @property {number} [minTokens] Below so many a text is left alone.
 * @property {boolean} [reversible] true.
 * @property {number} [deadlineMs]
 * @property {boolean} [exactTokens] false.
 * @property {boolean} [cache] true.
 *
 * @typedef {import('../submit').TaskOptions & OwnOptions} CompressOptions
 */

const MODES = new Set(['auto', 'lossless', 'truncate']);

/** Tokens below which a text is left alone: MIN_TOKENS in src/compress/options.rs. */
const MIN_TOKENS = 40;

/**
 * What each option must be.
 * @type {Record<keyof OwnOptions, [is: (value: any) => boolean, expected: string]>}
 */
const CHECKS = {
  mode: [(value) => MODES.has(value), "'auto', 'lossless' or 'truncate'"],
  model: [isText, 'a string'],
  modelLimit: [isCount, 'a whole number of tokens, at least 1'],
  tokenBudget: [isCount, 'a whole number of tokens, at least 1'],
  targetRatio: [(value) => typeof value === 'number' && value > 0 && value <= 1, 'a number above 0, at most 1'],
  queryContext: [isText, 'a string'],
  preserveRecentTurns: [isWhole, 'a whole number, at least 0'],
  tools: [Array.isArray, 'an array'],
  minTokens: [isWhole, 'a whole number of tokens, at least 0'],
  reversible: [isFlag, 'a boolean'],
  deadlineMs: [(value) => typeof value === 'number' && value >= 0, 'a number of ms, at least 0'],
  exactTokens: [isFlag, 'a boolean'],
  cache: [isFlag, 'a boolean'],
};

const NAMES = /** @type {(keyof OwnOptions)[]} */ (Object.keys(CHECKS));

/** @param {unknown} value */
function isText(value) {
  return typeof value === 'string';
}

/** @param {unknown} value */
function isFlag(value) {
  return typeof value === 'boolean';
}

/** @param {unknown} value */
function isWhole(value) {
  return Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
}

/** @param {unknown} value */
function isCount(value) {
  return isWhole(value) && value !== 0;
}

/**
 * @param {unknown} options
 * @returns {Error | undefined} What is wrong with them.
 */
function wrongOption(options) {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) return invalidArgument('options', 'an object', options);
  const given = /** @type {any} */ (options);
  for (const name of NAMES) {
    const value = given[name];
    if (value !== undefined && !CHECKS[name][0](value)) return invalidArgument(`options.${name}`, CHECKS[name][1], value);
  }
  return undefined;
}

/** The part of its time that work takes before it gives the result so far. */
const WORKED = 0.8;

/**
 * The encoding to count by, from 1.
 * @param {string | undefined} model
 */
function encodingOf(model) {
  return model === undefined ? 1 : encodingNumber(model) + 1;
}

/** Rewritten by each call; native code has read them when the call returns. */
const numbers = new Float64Array(10);

/**
 * Tokens that the messages may have; -1: no matter.
 * @param {CompressOptions} options
 */
function budgetOf({ tokenBudget, modelLimit }) {
  return tokenBudget === undefined && modelLimit === undefined ? -1 : Math.min(tokenBudget ?? Infinity, modelLimit ?? Infinity);
}

/**
 * The numbers of checked options.
 * @param {CompressOptions} options
 * @param {import('../submit').Pool} pool
 */
function packOptions(options, pool) {
  const { taskTimeout, store } = pool._state;
  const timeout = options.timeout ?? taskTimeout;
  numbers[0] = options.mode === 'lossless' ? 1 : 0;
  numbers[1] = options.targetRatio ?? -1;
  numbers[2] = budgetOf(options);
  numbers[3] = Math.min(options.minTokens ?? MIN_TOKENS, 2 ** 32 - 1);
  numbers[4] = options.reversible === false ? 0 : 1;
  numbers[5] = options.exactTokens === true ? encodingOf(options.model) : 0;
  numbers[6] = options.cache === false ? 0 : 1;
  numbers[7] = Math.min(options.deadlineMs ?? -1, 2 ** 31);
  numbers[8] = timeout > 0 ? timeout * WORKED : -1;
  numbers[9] = store;
  return numbers;
}

module.exports = { budgetOf, packOptions, wrongOption };
