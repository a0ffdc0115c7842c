'use strict';

// The four operations on offloop's pool.

const { WorkerPool } = require('../../..');
const { pipeline } = require('../pipeline');

/**
 * @param {import('../pipeline').ModeOptions} [options]
 * @returns {import('../pipeline').Mode}
 */
function create({ size = 0, maxQueueBytes, processes, countsTokens } = {}) {
  const pool = new WorkerPool({ size, maxQueueBytes, processes });
  return {
    prepare: pipeline({
      parse: (chunks, { signal }) => pool.parse(chunks, { signal, transfer: true }),
      clone: (value, { signal }) => pool.clone(value, { signal }),
      compress: (messages, { signal }) => pool.compress(messages, { mode: 'truncate', signal }),
      stringify: (value, { signal }) => pool.stringify(value, { as: 'buffer', signal }),
      count: (body, { signal }) => pool.countTokens(body, { encoding: 'o200k_base', signal }),
    }, { countsTokens }),
    stats: () => pool.getStats(),
    close: () => pool.shutdown(),
  };
}

module.exports = { create };
