'use strict';

// Faults that no other spec has: memory that cannot be had, a panic at the very end of a task; and that no published binary has any.
// docs/faults.md lists all of them.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');

const { WorkerPool } = require('..');
const { fault, native, needsFaults, runScript } = require('./faults');

const root = path.join(__dirname, '..');
const LARGE = JSON.stringify({ text: 'x'.repeat(2 << 20) });

describe('memory that cannot be had', needsFaults, () => {
  for (const [name, call] of Object.entries({
    'the copy of a text': (pool) => pool.parse(LARGE),
    'the copy of a buffer': (pool) => pool.parse(Buffer.from(LARGE)),
    'the text of a document': (pool) => pool.load(LARGE),
    'what a pool thread writes': (pool) => pool.stringify({ text: 'é'.repeat(2 << 20) }, { as: 'buffer' }),
  })) {
    it(`rejects the call, and the process goes on: ${name}`, async () => {
      const pool = new WorkerPool({ size: 1 });
      native.faultMemory(1 << 20);
      try {
        await assert.rejects(call(pool), /out of memory/i);
      } finally {
        native.faultMemory();
      }
      assert.deepStrictEqual(await pool.parse(LARGE), JSON.parse(LARGE));
      await pool.shutdown();
    });
  }
});

describe('a panic after the end of a task', needsFaults, () => {
  it('changes nothing, and is not told', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 1 });
      fault(pool, 'finally', { tag: 7 }).then((tag) => fault(pool, 'echo', { tag: tag + 1 })).then((tag) => pool.shutdown().then(() => process.exitCode = tag));
    `);
    assert.deepStrictEqual(result, { code: 8, signal: null, stdout: '', stderr: '' });
    const pool = new WorkerPool({ size: 1 });
    assert.strictEqual(await fault(pool, 'finally', { tag: 3 }), 3);
    await pool.shutdown();
  });
});

describe('what is published', () => {
  it('is built without faults', () => {
    const { scripts } = require('../package.json');
    assert.ok(!scripts.build.includes('--features'), scripts.build);
    const manifest = fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8');
    assert.match(manifest, /^default = \["node"\]$/m);
    const workflows = path.join(root, '.github', 'workflows');
    const release = fs.existsSync(workflows) ? fs.readFileSync(path.join(workflows, 'release.yml'), 'utf8') : '';
    assert.ok(!release.includes('faults'), 'the release has nothing to do with faults');
  });

  it('has no fault in it', (t) => {
    const binaries = fs.readdirSync(root).filter((name) => name.endsWith('.node'));
    if (binaries.length === 0) return t.skip('there is no release build here');
    for (const name of binaries) {
      const bytes = fs.readFileSync(path.join(root, name));
      for (const text of ['faultGate', 'faultMemory', 'a fault, as asked for']) assert.ok(!bytes.includes(text), `${name} has ${text}`);
    }
  });
});
