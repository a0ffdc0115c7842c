'use strict';

const path = require('node:path');

/**
 * The native addon. `OFFLOOP_NATIVE_PATH` names another build of it: the tests load one with fault injection.
 * (`noop` is registered by hand, so the generated types lack it.)
 * @returns {typeof import('../native.js') & { noop(pool: number, control: number): import('../native.js').Ticket<void> }}
 */
function load() {
  if (process.env.OFFLOOP_NATIVE_PATH) return require(path.resolve(process.env.OFFLOOP_NATIVE_PATH));
  try {
    return /** @type {any} */ (require('../native.js'));
  } catch (error) {
    throw require('./platform').missingBinary(error);
  }
}

module.exports = load();
