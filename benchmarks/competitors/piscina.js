'use strict';

const path = require('node:path');
const os = require('node:os');
const { Unavailable } = require('../harness/script');

/** @type {any} */
let piscina;
let users = 0;

/** A piscina pool with as many threads as offloop's default, all started, shared by the candidates of a script. */
async function openPiscina() {
  if (piscina === undefined) {
    let Piscina;
    try {
      ({ Piscina } = require('piscina'));
    } catch {
      throw new Unavailable('piscina is not installed (npm ci)');
    }
    const threads = Math.max(2, os.availableParallelism() - 1);
    piscina = new Piscina({ filename: path.join(__dirname, 'worker.js'), minThreads: threads, maxThreads: threads });
    await Promise.all(Array.from({ length: threads }, () => piscina.run(undefined, { name: 'noop' })));
  }
  users += 1;
}

/**
 * @param {string} operation
 * @param {unknown} payload
 * @returns {Promise<unknown>}
 */
function runOnPiscina(operation, payload) {
  return piscina.run(payload, { name: operation });
}

async function closePiscina() {
  users -= 1;
  if (users > 0 || piscina === undefined) return;
  await piscina.destroy();
  piscina = undefined;
}

module.exports = { openPiscina, runOnPiscina, closePiscina };
