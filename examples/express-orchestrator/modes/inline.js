'use strict';

// Everything on the main thread, as most services do it.

const { pipeline } = require('../pipeline');
const { truncateMessages } = require('../truncate');

/** @param {any} value */
const roundTrip = (value) => JSON.parse(JSON.stringify(value));

/** @returns {import('../pipeline').Mode} */
function create() {
  return {
    prepare: pipeline({
      parse: (chunks) => JSON.parse(Buffer.concat(chunks).toString()),
      clone: roundTrip,
      compress: truncateMessages,
      stringify: (value) => JSON.stringify(value),
    }),
    stats: () => ({ poolSize: 0 }),
    close: async () => {},
  };
}

module.exports = { create };
