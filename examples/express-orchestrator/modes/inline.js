'use strict';

// Everything on the main thread, as most services do it.

const { pipeline } = require('../pipeline');
const { countTokens } = require('../tokens');
const { truncateMessages } = require('../truncate');

/** @param {any} value */
const roundTrip = (value) => JSON.parse(JSON.stringify(value));

/**
 * @param {import('../pipeline').ModeOptions} [options]
 * @returns {import('../pipeline').Mode}
 */
function create(options) {
  const operations = {
    parse: (/** @type {Buffer[]} */ chunks) => JSON.parse(Buffer.concat(chunks).toString()),
    clone: roundTrip,
    compress: truncateMessages,
    stringify: (/** @type {any} */ value) => JSON.stringify(value),
    count: countTokens,
  };
  return {
    prepare: pipeline(operations, options),
    stats: () => ({ poolSize: 0 }),
    close: async () => {},
  };
}

module.exports = { create };
