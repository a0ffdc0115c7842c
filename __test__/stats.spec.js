'use strict';

const assert = require('node:assert');
const { describe, it } = require('node:test');

const { WorkerPool, getPoolStats, getWorkerPool } = require('..');
const { Gate, fault, needsFaults } = require('./faults');

describe('getStats', needsFaults, () => {
  it('counts what happened', async () => {
    const pool = new WorkerPool({ size: 1, maxQueue: 4, taskTimeout: 0 });
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    const controller = new AbortController();
    const queued = ['echo', 'error', 'panic'].map((kind) => fault(pool, kind, { bytes: 10 }));
    queued.push(fault(pool, 'echo', { bytes: 5 }, { signal: controller.signal }));
    const results = Promise.allSettled(queued);
    await assert.rejects(fault(pool, 'echo'));
    let stats = pool.getStats();
    assert.strictEqual(stats.poolSize, 1);
    assert.strictEqual(stats.activeWorkers, 1);
    assert.strictEqual(stats.queueLength, 4);
    assert.strictEqual(stats.pendingTasks, 5);
    assert.strictEqual(stats.queueBytes, 35);
    assert.strictEqual(stats.offloaded, 5);
    assert.strictEqual(stats.tasksRejected, 1);
    controller.abort();
    gate.open();
    await Promise.all([held, results]);
    await assert.rejects(fault(pool, 'spin', {}, { timeout: 1 }));
    await pool.parse('[1]');
    await assert.rejects(pool.parse('[1'));
    stats = pool.getStats();
    assert.strictEqual(stats.tasksProcessed, 3, 'held, echo, and the inline parse');
    assert.strictEqual(stats.tasksFailed, 3, 'error, panic, and the inline parse');
    assert.strictEqual(stats.tasksPanicked, 1);
    assert.strictEqual(stats.tasksAborted, 1);
    assert.strictEqual(stats.tasksTimedOut, 1);
    assert.strictEqual(stats.tasksQueued, 3);
    assert.strictEqual(stats.workersRestarted, 0);
    assert.strictEqual(stats.inlined, 2);
    assert.strictEqual(stats.offloaded, 6);
    await pool.shutdown();
  });

  it('measures how long tasks wait and run', async () => {
    const pool = new WorkerPool({ size: 1 });
    for (let i = 0; i < 10; i++) await fault(pool, 'ignore', { argument: 2 });
    await Promise.all([fault(pool, 'ignore', { argument: 50 }), fault(pool, 'echo')]);
    const { operations, avgProcessingTime } = pool.getStats();
    const { count, waitTime, runTime } = operations.fault;
    assert.strictEqual(count, 12);
    assert.ok(runTime.p50 >= 2 && runTime.p50 < 50, `${runTime.p50} ms`);
    assert.ok(runTime.max >= 50 && runTime.p99 <= runTime.max, `${runTime.max} ms`);
    assert.ok(waitTime.max >= 49, `the last one waited for the one before: ${waitTime.max} ms`);
    assert.ok(waitTime.p50 <= waitTime.p99 && waitTime.p99 <= waitTime.max);
    assert.ok(avgProcessingTime >= 70 / 12, `${avgProcessingTime} ms`);
    await pool.shutdown();
  });

  it('is zero for a fresh pool, and of the default pool through a helper', async () => {
    const pool = new WorkerPool({ size: 3 });
    const { poolSize, operations, documents, memory, unknownModels, ...zeros } = pool.getStats();
    assert.deepStrictEqual([poolSize, operations, documents, unknownModels], [3, {}, { count: 0, bytes: 0 }, {}]);
    for (const [name, value] of Object.entries(zeros)) assert.strictEqual(value, 0, name);
    await pool.shutdown();
    await fault(getWorkerPool(), 'echo');
    assert.strictEqual(getPoolStats().offloaded, 1);
    await getWorkerPool().shutdown();
  });

  it('has the memory that texts are read in and that is kept for reuse', async () => {
    const pool = new WorkerPool();
    const text = Buffer.from(JSON.stringify({ text: 'x'.repeat(3 << 20) }));
    const before = pool.getStats().memory;
    const document = await pool.load(text);
    assert.strictEqual(pool.getStats().memory.inUse - before.inUse, 4 << 20, 'rounded up to a class');
    document.dispose();
    const kept = pool.getStats().memory;
    assert.strictEqual(kept.inUse, before.inUse);
    assert.ok(kept.kept >= 4 << 20 && kept.kept <= kept.limit);
    (await pool.load(text)).dispose();
    const { hits, misses } = pool.getStats().memory;
    assert.ok(hits > kept.hits && misses === kept.misses, 'there was some to reuse');
    // Nobody asks for it again.
    const deadline = performance.now() + 5000;
    while (pool.getStats().memory.kept > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    const { kept: left, trimmed } = pool.getStats().memory;
    assert.strictEqual(left, 0);
    assert.ok(trimmed - before.trimmed >= 4 << 20);
    await pool.shutdown();
  });
});
