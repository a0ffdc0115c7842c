'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { describe, it } = require('node:test');

const { WorkerPool } = require('..');
const { Gate, fault, native, needsFaults } = require('./faults');

describe('the queue', needsFaults, () => {
  it('is bounded in tasks and tells when there is room', async () => {
    const pool = new WorkerPool({ size: 2, maxQueue: 4, taskTimeout: 0 });
    const gate = new Gate();
    let drains = 0;
    pool.on('drain', () => drains++);
    const held = await gate.occupy(pool);
    const waiting = Array.from({ length: 4 }, (_, tag) => fault(pool, 'echo', { tag }));
    for (let i = 0; i < 3; i++) {
      await assert.rejects(fault(pool, 'echo'), { code: 'ERR_QUEUE_FULL', message: /maxQueue/ });
    }
    assert.strictEqual(pool.getStats().queueLength, 4);
    assert.strictEqual(drains, 0);
    const drained = once(pool, 'drain');
    gate.open();
    await drained;
    assert.deepStrictEqual(await Promise.all(waiting), [0, 1, 2, 3]);
    await Promise.all(held);
    await fault(pool, 'echo');
    assert.strictEqual(drains, 1);
    await pool.shutdown();
  });

  it('takes as many tasks as it has threads and places, however slow the threads start', async () => {
    const pool = new WorkerPool({ size: 2, maxQueue: 3, taskTimeout: 0 });
    const gate = new Gate();
    const calls = Array.from({ length: 6 }, () => gate.hold(pool));
    await assert.rejects(calls[5], { code: 'ERR_QUEUE_FULL' });
    gate.open();
    await Promise.all(calls.slice(0, 5));
    await pool.shutdown();
  });

  it('is bounded in bytes, of waiting and of running tasks', async () => {
    const pool = new WorkerPool({ size: 1, maxQueueBytes: 1000, taskTimeout: 0 });
    const gate = new Gate();
    const running = gate.hold(pool, { bytes: 600 });
    const waiting = fault(pool, 'echo', { tag: 1, bytes: 400 });
    assert.strictEqual(pool.getStats().queueBytes, 1000);
    await assert.rejects(fault(pool, 'echo', { bytes: 1 }), { code: 'ERR_QUEUE_FULL', message: /maxQueueBytes/ });
    const drained = once(pool, 'drain');
    gate.open();
    await Promise.all([running, waiting, drained]);
    assert.strictEqual(pool.getStats().queueBytes, 0);
    assert.strictEqual(await fault(pool, 'echo', { tag: 2, bytes: 1000 }), 2);
    await pool.shutdown();
  });

  it('lets interactive tasks go ahead of bulk ones without starving them', async () => {
    const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
    const gate = new Gate();
    await gate.occupy(pool);
    native.faultLog();
    const bulk = Array.from({ length: 5 }, (_, tag) => fault(pool, 'echo', { tag }, { priority: 'bulk' }));
    const interactive = Array.from({ length: 100 }, (_, index) => fault(pool, 'echo', { tag: 100 + index }));
    gate.open();
    await Promise.all([...bulk, ...interactive]);
    const { started } = native.faultLog();
    const isBulk = (tag) => tag < 100;
    assert.ok(started.slice(0, 6).filter(isBulk).length <= 1, 'interactive first');
    assert.strictEqual(started.slice(0, 48).filter(isBulk).length, 5, 'bulk meanwhile');
    assert.deepStrictEqual(started.filter(isBulk), [0, 1, 2, 3, 4]);
    await pool.shutdown();
  });
});
