'use strict';

// Bytes through untouched: what HTTP alone costs, the limit for every other mode.

const { DEFAULT_ROUTE } = require('../route');

/** @returns {import('../pipeline').Mode} */
function create() {
  return {
    prepare: async (chunks) => ({ route: DEFAULT_ROUTE, body: chunks }),
    stats: () => ({ poolSize: 0 }),
    close: async () => {},
  };
}

module.exports = { create };
