'use strict';

// What the threads of the two JavaScript pools run.

const { countTokens } = require('../tokens');
const { truncateMessages } = require('../truncate');

/** Below this many bytes a hand-over costs more than the work. */
const OFFLOAD_THRESHOLD = 10_000;

const handlers = {
  /** @param {string} json */
  parse: (json) => JSON.parse(json),
  /** @param {any} value */
  clone: (value) => structuredClone(value),
  /** @param {any[]} messages */
  compress: (messages) => truncateMessages(messages),
  /** @param {any} value */
  stringify: (value) => JSON.stringify(value),
  /** @param {any} body */
  count: (body) => countTokens(body),
};

module.exports = { OFFLOAD_THRESHOLD, handlers };
