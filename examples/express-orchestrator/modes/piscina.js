'use strict';

// The four operations on a piscina pool.

const os = require('node:os');
const path = require('node:path');
const { Piscina } = require('piscina');
const { pipeline } = require('../pipeline');
const { OFFLOAD_THRESHOLD } = require('./threads');

/**
 * @param {import('../pipeline').ModeOptions} [options]
 * @returns {import('../pipeline').Mode}
 */
function create({ size = 0, countsTokens } = {}) {
  const threads = size || Math.max(2, os.availableParallelism() - 1);
  const pool = new Piscina({
    filename: path.join(__dirname, 'piscina-worker.js'),
    minThreads: threads,
    maxThreads: threads,
  });
  return {
    prepare: pipeline({
      parse: (chunks, { signal }) => {
        const json = Buffer.concat(chunks).toString();
        if (json.length < OFFLOAD_THRESHOLD) return JSON.parse(json);
        return pool.run(json, { name: 'parse', signal });
      },
      clone: (value, { signal }) => pool.run(value, { name: 'clone', signal }),
      compress: (messages, { signal }) => pool.run(messages, { name: 'compress', signal }),
      stringify: (value, { signal }) => pool.run(value, { name: 'stringify', signal }),
      count: (body, { signal }) => pool.run(body, { name: 'count', signal }),
    }, { countsTokens }),
    stats: () => ({
      poolSize: pool.threads.length,
      queueLength: pool.queueSize,
      tasksProcessed: pool.completed,
      utilization: pool.utilization,
    }),
    close: () => pool.close(),
  };
}

module.exports = { create };
