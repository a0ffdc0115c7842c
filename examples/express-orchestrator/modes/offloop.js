'use strict';

// The four operations on offloop's pool.

const { WorkerPool } = require('../../..');
const { pipeline } = require('../pipeline');

/**
 * @param {{ size?: number }} [options] size 0: as many threads as the machine suggests
 * @returns {import('../pipeline').Mode}
 */
function create({ size = 0 } = {}) {
  const pool = new WorkerPool({ size });
  return {
    prepare: pipeline({
      parse: (chunks, { signal }) => pool.parse(chunks, { signal }),
      clone: (value, { signal }) => pool.clone(value, { signal }),
      compress: (messages, { signal }) => pool.compress(messages, { mode: 'truncate', signal }),
      stringify: (value, { signal }) => pool.stringify(value, { as: 'buffer', signal }),
    }),
    stats: () => pool.getStats(),
    close: () => pool.shutdown(),
  };
}

module.exports = { create };
