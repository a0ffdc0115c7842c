'use strict';

const path = require('node:path');

/**
 * The native addon. `OFFLOOP_NATIVE_PATH` names another build of it: the tests load one with fault injection.
 * (`noop` is registered by hand, so the generated types lack it.)
 * @type {typeof import('../native.js') & { noop(pool: number, control: number): Promise<void> }}
 */
module.exports = process.env.OFFLOOP_NATIVE_PATH
  ? require(path.resolve(process.env.OFFLOOP_NATIVE_PATH))
  : require('../native.js');
