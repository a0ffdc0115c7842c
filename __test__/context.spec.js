'use strict';

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const { describe, it } = require('node:test');

const { WorkerPool } = require('..');
const { Gate, fault, needsFaults } = require('./faults');

describe('AsyncLocalStorage', needsFaults, () => {
  const storage = new AsyncLocalStorage();

  /** Runs the calls interleaved, each in a context of its own, and asserts that each finds its own afterwards. */
  async function interleave(count, call) {
    const contexts = Array.from({ length: count }, (_, number) => ({ number }));
    await Promise.all(
      contexts.map((context) =>
        storage.run(context, async () => {
          await call(context.number);
          assert.strictEqual(storage.getStore(), context);
        }),
      ),
    );
  }

  it('is kept across tasks that succeed and fail', async () => {
    const pool = new WorkerPool({ size: 2 });
    await interleave(100, (tag) => fault(pool, 'echo', { tag }));
    await interleave(100, () => pool.exec('noop'));
    await interleave(20, () => assert.rejects(fault(pool, 'panic')));
    await interleave(20, () => assert.rejects(fault(pool, 'spin', {}, { timeout: 1 })));
    await pool.shutdown();
  });

  it('is kept across operations, inline and offloaded', async () => {
    const pool = new WorkerPool({ size: 2 });
    const large = JSON.stringify({ text: 'x'.repeat(20_000), list: Array.from({ length: 20_000 }, (_, i) => ({ i })) });
    await interleave(10, () => pool.parse('{}'));
    await interleave(10, () => pool.parse(large));
    await interleave(10, () => pool.exec('parse', large));
    await interleave(10, () => pool.clone({ a: [1] }));
    await pool.shutdown();
  });

  it('is kept across an abort from another context', async () => {
    const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
    const controller = new AbortController();
    const calls = interleave(10, () => assert.rejects(fault(pool, 'spin', {}, { signal: controller.signal })));
    storage.run({ other: true }, () => controller.abort());
    await calls;
    await pool.shutdown();
  });

  it('is kept across a drain event, initialize and shutdown', async () => {
    const pool = new WorkerPool({ size: 1, maxQueue: 1, taskTimeout: 0 });
    await interleave(3, () => pool.initialize());
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    const waiting = fault(pool, 'echo');
    await storage.run({ filler: true }, () => assert.rejects(fault(pool, 'echo')));
    const drained = interleave(3, () => once(pool, 'drain'));
    gate.open();
    await Promise.all([drained, waiting, held]);
    await interleave(3, () => pool.shutdown());
  });
});
