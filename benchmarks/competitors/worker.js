'use strict';

const { parentPort, isMainThread, workerData } = require('node:worker_threads');

/** The work of the worker_threads and piscina candidates, as anyone would write it first. */
const operations = {
  noop: () => undefined,
  /** @param {Uint8Array} bytes */
  parse: (bytes) => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()),
  /** @param {unknown} value */
  stringify: (value) => JSON.stringify(value),
  /** @param {unknown} value */
  clone: (value) => value,
};

// Piscina calls the exports; for the plain worker this file answers messages.
if (!isMainThread && parentPort !== null && workerData === 'plain') {
  const port = parentPort;
  port.on('message', ({ id, operation, payload }) => {
    port.postMessage({ id, result: operations[/** @type {keyof typeof operations} */ (operation)](payload) });
  });
}

module.exports = operations;
