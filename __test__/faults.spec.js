'use strict';

// Faults that no other spec has: memory that cannot be had, a panic at the very end of a task; and that no published binary has any.
// docs/faults.md lists all of them.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');

const { AsyncLogger, WorkerPool } = require('..');
const { fault, native, needsFaults, runScript } = require('./faults');

const root = path.join(__dirname, '..');
const LARGE = JSON.stringify({ text: 'x'.repeat(2 << 20) });

/** Runs `call` while no more than a megabyte can be had at once. @template T @param {() => T} call @returns {Promise<Awaited<T>>} */
async function shortOfMemory(call) {
  native.faultMemory(1 << 20);
  try {
    return await call();
  } finally {
    native.faultMemory();
  }
}

describe('memory that cannot be had', needsFaults, () => {
  const text = 'é '.repeat(1 << 20);
  /** What fails at the call, on the main thread. */
  const HANDING_IN = {
    'the copy of a text': (pool) => pool.parse(LARGE),
    'the copy of a buffer': (pool) => pool.parse(Buffer.from(LARGE)),
    'the copy of chunks': (pool) => pool.parse([Buffer.from(LARGE), Buffer.from(' ')]),
    'the text of a document': (pool) => pool.load(LARGE),
    'the bytes of a document': (pool) => pool.load(Buffer.from(LARGE)),
    'the chunks of a document': (pool) => pool.load([Buffer.from(LARGE)]),
    'a change of a document': async (pool) => (await pool.load('{"a":1}')).with({ '/a': text }),
    // Memory for text is kept for the next call, unless it is as large as for these.
    'the text of a value': (pool) => pool.stringify({ text: text.repeat(5) }),
    'a text to be counted': (pool) => pool.countTokens(text),
    'texts to be embedded': (pool) => pool.embed([text]),
  };

  for (const [name, call] of Object.entries(HANDING_IN)) {
    it(`rejects the call, and the process goes on: ${name}`, async () => {
      const pool = new WorkerPool({ size: 1 });
      await assert.rejects(shortOfMemory(() => call(pool)), { code: 'ERR_OUT_OF_MEMORY', message: /^out of memory: \d+ bytes$/ });
      assert.deepStrictEqual(await pool.parse(LARGE), JSON.parse(LARGE));
      await call(pool);
      await pool.shutdown();
    });
  }

  it('leaves messages as they are', async () => {
    const pool = new WorkerPool({ size: 1 });
    const messages = [{ role: 'tool', tool_call_id: 'a', content: text.repeat(9) }];
    const { messages: kept, stats } = await shortOfMemory(() => pool.compress(messages));
    assert.match(String(stats.reason), /^ERR_OUT_OF_MEMORY: out of memory: \d+ bytes$/);
    assert.ok(kept[0] === messages[0]);
    assert.ok((await pool.compress(messages)).messages[0].content.length < messages[0].content.length);
    await pool.shutdown();
  });

  /** What fails on a pool thread. */
  const ON_THE_POOL = {
    'the text of a value': (pool) => pool.stringify({ text }, { as: 'buffer' }),
    'the text of a document': (pool, document) => document.toBuffer(),
    'the value of a document': (pool, document) => document.value(),
  };

  for (const [name, call] of Object.entries(ON_THE_POOL)) {
    it(`rejects what a pool thread writes: ${name}`, async () => {
      const pool = new WorkerPool({ size: 1 });
      const document = (await pool.load(LARGE)).with({ '/n': 1 });
      await call(pool, document); // What is handed in has its memory from here on.
      await assert.rejects(shortOfMemory(() => call(pool, document)), { code: 'ERR_TASK_PANIC', message: /out of memory: \d+ bytes/ });
      await call(pool, document);
      assert.strictEqual(pool.getStats().workersRestarted, 0);
      await pool.shutdown();
    });
  }

  it('does not keep values from the pool afterwards', async () => {
    const pool = new WorkerPool({ size: 1, offloadThreshold: 0 });
    const value = { text: text.repeat(5) };
    await assert.rejects(shortOfMemory(() => pool.stringify(value)), { code: 'ERR_OUT_OF_MEMORY' });
    assert.strictEqual(await pool.stringify(value), JSON.stringify(value));
    assert.strictEqual(pool.getStats().offloaded, 1);
    await pool.shutdown();
  });

  it('fails the opening of a log, which can be tried again', async () => {
    const logFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-faults-')), 'app.log');
    native.faultMemory(1000);
    assert.throws(() => new AsyncLogger({ logFile }), /out of memory/);
    native.faultMemory();
    const logger = new AsyncLogger({ logFile });
    await logger.info('there is room');
    await logger.shutdown();
    assert.match(fs.readFileSync(logFile, 'utf8'), /there is room/);
    fs.rmSync(path.dirname(logFile), { recursive: true });
  });
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
