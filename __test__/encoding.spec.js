'use strict';

// The layout that lib/encoding.js and src/json/encoding.rs share.

const assert = require('node:assert');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const layout = require('../lib/encoding');

test('the encoder and the writer agree on the layout', () => {
  const source = readFileSync(path.join(__dirname, '..', 'src', 'json', 'encoding.rs'), 'utf8');
  /** Names that differ, as the figures share one scope in JavaScript. */
  const renamed = { 'word::WORDS': 'WORDS_AT', 'word::NUMBERS': 'NUMBERS_AT', 'word::LONG': 'LONG_AT', 'word::SHORT': 'SHORT_AT' };
  const found = {};
  let module = '';
  for (const line of source.split('\n')) {
    module = /^pub mod (\w+) \{/.exec(line)?.[1] ?? (line === '}' ? '' : module);
    const constant = /^\s*pub const (\w+): (?:u32|usize) = (\d+);/.exec(line);
    if (constant) found[renamed[`${module}::${constant[1]}`] ?? constant[1]] = Number(constant[2]);
  }
  assert.deepStrictEqual(found, { ...layout });
});
