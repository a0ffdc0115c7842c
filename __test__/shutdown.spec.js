'use strict';

const assert = require('node:assert');
const { describe, it } = require('node:test');

const { WorkerPool } = require('..');
const { Gate, fault, native, needsFaults, until } = require('./faults');

const CLOSED = { code: 'ERR_POOL_CLOSED' };

describe('shutdown', needsFaults, () => {
  it('lets accepted tasks go on and refuses new ones', async () => {
    const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    const queued = Array.from({ length: 100 }, (_, tag) => fault(pool, 'echo', { tag }));
    const closed = pool.shutdown();
    await assert.rejects(fault(pool, 'echo'), CLOSED);
    await assert.rejects(pool.parse('{}'), CLOSED);
    await assert.rejects(pool.exec('noop'), CLOSED);
    await assert.rejects(pool.initialize(), CLOSED);
    let settled = 0;
    for (const promise of [held, ...queued]) promise.then(() => settled++);
    gate.open();
    await closed;
    assert.strictEqual(settled, 101, 'it resolves last');
    await until(() => pool.getStats().threads === 0, 'the threads to end');
  });

  it('rejects what is left at its limit and interrupts what runs', async () => {
    const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
    const calls = Array.from({ length: 10 }, (_, tag) => fault(pool, 'spin', { tag }));
    const results = Promise.allSettled(calls);
    await pool.shutdown({ timeoutMs: 20 });
    for (const { reason } of await results) assert.strictEqual(reason.code, 'ERR_POOL_CLOSED');
    await until(() => pool.getStats().threads === 0, 'the threads to end');
  });

  it('does not wait for work that will not stop', async () => {
    const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    await Promise.all([pool.shutdown({ timeoutMs: 5 }), assert.rejects(held, CLOSED)]);
    assert.strictEqual(pool.getStats().activeWorkers, 1);
    gate.open();
    await until(() => pool.getStats().threads === 0, 'the threads to end');
  });

  it('rejects everything at once without drain', async () => {
    const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    const results = Promise.allSettled([held, ...Array.from({ length: 10 }, (_, tag) => fault(pool, 'echo', { tag }))]);
    native.faultLog();
    await pool.shutdown({ drain: false });
    for (const { reason } of await results) assert.strictEqual(reason.code, 'ERR_POOL_CLOSED');
    gate.open();
    await until(() => pool.getStats().threads === 0, 'the threads to end');
    assert.deepStrictEqual(native.faultLog().started, []);
  });

  it('is idempotent, and can be hurried', async () => {
    const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    const first = pool.shutdown({ timeoutMs: 600_000 });
    assert.strictEqual(pool.shutdown(), first);
    assert.strictEqual(pool.shutdown({ drain: false }), first);
    await assert.rejects(held, CLOSED);
    await first;
    assert.strictEqual(pool.shutdown(), first);
    gate.open();
  });

  it('of an unused pool is quick', async () => {
    const pool = new WorkerPool({ size: 1 });
    await pool.shutdown();
    assert.strictEqual(pool.getStats().threads, 0);
    await assert.rejects(fault(pool, 'echo'), CLOSED);
  });

  it('is what disposing does', { skip: !Symbol.asyncDispose }, async () => {
    const pool = new WorkerPool({ size: 1 });
    const call = fault(pool, 'echo', { tag: 1 });
    await pool[Symbol.asyncDispose]();
    assert.strictEqual(await call, 1);
    await assert.rejects(fault(pool, 'echo'), CLOSED);
  });

  it('rejects bad options', async () => {
    const pool = new WorkerPool({ size: 1 });
    const bad = [
      [null, /^options must be an object/],
      [{ drain: 'yes' }, /^options\.drain must be a boolean, not 'yes'/],
      [{ timeoutMs: -1 }, /^options\.timeoutMs must be a number of ms from 0/],
      [{ timeoutMs: '5' }, /^options\.timeoutMs/],
    ];
    for (const [options, message] of bad) {
      await assert.rejects(pool.shutdown(options), { name: 'TypeError', code: 'ERR_INVALID_ARG', message });
    }
    assert.strictEqual(await fault(pool, 'echo', { tag: 1 }), 1, 'still open');
    await pool.shutdown();
  });
});
