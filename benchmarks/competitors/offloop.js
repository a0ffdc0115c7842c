'use strict';

const { Unavailable } = require('../harness/script');
const { root } = require('../harness/machine');

/** @type {any} */
let pool;
let users = 0;

/**
 * The pool that every offloop candidate of a script shares, with its default options unless the first one has others.
 *
 * @param {string} [method]   what the candidate calls
 * @param {object} [options]  of the pool
 */
function openOffloop(method, options) {
  if (pool === undefined) {
    let offloop;
    try {
      offloop = require(root);
    } catch (error) {
      // The code alone: the message of a missing module names folders of this machine.
      throw new Unavailable(`offloop does not load: ${/** @type {any} */ (error).code ?? error}; try npm run build`);
    }
    pool = new offloop.WorkerPool(options);
  }
  if (method !== undefined && typeof pool[method] !== 'function') throw new Unavailable(`pool.${method} is not there`);
  users += 1;
}

function offloopPool() {
  return pool;
}

async function closeOffloop() {
  users -= 1;
  if (users > 0 || pool === undefined) return;
  await pool.shutdown();
  pool = undefined;
}

module.exports = { openOffloop, offloopPool, closeOffloop };
