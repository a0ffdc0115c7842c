'use strict';

const assert = require('node:assert');
const test = require('node:test');

const layout = require('../lib/layout');
const native = require('../lib/native');

test('the tape has one layout in Rust and JavaScript', () => {
  assert.deepStrictEqual({ ...layout }, { ...native.tapeLayout() });
});
