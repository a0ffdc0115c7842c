'use strict';

const assert = require('node:assert');
const { describe, it, before, after } = require('node:test');

const { WorkerPool, getWorkerPool, isWorkerPoolReady } = require('..');

describe('exec', () => {
  let pool;
  before(() => {
    pool = new WorkerPool({ size: 1 });
  });
  after(() => pool.shutdown());

  it('runs operations by name', async () => {
    assert.strictEqual(await pool.exec('noop'), undefined);
    assert.deepStrictEqual(await pool.exec('parse', '{"a":[1]}'), { a: [1] });
    assert.deepStrictEqual(await pool.exec('clone', { a: [1] }), { a: [1] });
    assert.strictEqual(await pool.exec('stringify', { a: [1] }), '{"a":[1]}');
    const { messages } = await pool.exec('compress', { messages: [{ role: 'tool', content: 'x'.repeat(4000) }], options: { mode: 'truncate' } });
    assert.strictEqual(messages[0].content, `${'x'.repeat(3000)}\n[...truncated...]`);
    assert.match(await pool.exec('log', { level: 'info', msg: 'hello', data: { a: 1 } }), /^\{"level":"info","time":"[^"]+","msg":"hello","a":1\}$/);
  });

  it('rejects names that are none', async () => {
    for (const type of ['nope', '', undefined, 5, '__proto__', 'constructor', 'toString', Symbol('parse')]) {
      await assert.rejects(pool.exec(type, {}), { code: 'ERR_UNKNOWN_TASK' });
    }
  });
});

describe('getWorkerPool', () => {
  it('gives one pool until that is shut down', async () => {
    assert.strictEqual(isWorkerPoolReady(), false);
    const pool = getWorkerPool({ size: 3 });
    assert.ok(pool instanceof WorkerPool);
    assert.strictEqual(getWorkerPool({ size: 2 }), pool);
    assert.strictEqual(pool.size, 3);
    assert.strictEqual(isWorkerPoolReady(), false, 'its threads start when they are needed');
    await Promise.all([pool.initialize(), pool.initialize()]);
    assert.strictEqual(isWorkerPoolReady(), true);
    assert.strictEqual(pool.getStats().threads, 3);
    const closed = pool.shutdown();
    assert.strictEqual(isWorkerPoolReady(), false);
    const fresh = getWorkerPool({ size: 2 });
    assert.notStrictEqual(fresh, pool);
    assert.strictEqual(await fresh.exec('noop'), undefined);
    assert.strictEqual(isWorkerPoolReady(), true);
    await Promise.all([closed, fresh.shutdown()]);
  });

  it('is the same from CommonJS and ESM', async () => {
    const esm = await import('../index.mjs');
    const cjs = require('..');
    assert.deepStrictEqual(Object.keys(esm).filter((name) => name !== 'default').sort(), Object.keys(cjs).sort());
    for (const name of Object.keys(cjs)) assert.strictEqual(esm[name], cjs[name]);
  });
});
