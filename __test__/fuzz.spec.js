'use strict';

// A short run of the fuzz targets in JavaScript; those in Rust have theirs in fuzz/tests. `npm run fuzz` runs them for long.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const FOLDER = path.join(__dirname, '..', 'fuzz', 'js');
const SECONDS = 3;

for (const name of fs.readdirSync(FOLDER).filter((file) => file.endsWith('.fuzz.js'))) {
  test(`${name} finds nothing in ${SECONDS} seconds`, () => {
    const seed = process.env.OFFLOOP_SEED ?? String(Date.now() % 2 ** 31);
    const { status, stderr } = spawnSync(process.execPath, ['--expose-gc', path.join(FOLDER, name), String(SECONDS), seed], { encoding: 'utf8' });
    assert.strictEqual(status, 0, stderr);
    assert.match(stderr, /\d+ rounds/);
  });
}
