'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { describe, it } = require('node:test');

const { WorkerPool } = require('..');
const { Gate, fault, native, needsFaults, until } = require('./faults');

const TASKS = 10_000;

/** Collects how each promise is settled, and how often. */
function watch(promises) {
  return promises.map((promise) => {
    const seen = { settled: 0, value: undefined, error: undefined };
    promise.then(
      (value) => Object.assign(seen, { settled: seen.settled + 1, value }),
      (error) => Object.assign(seen, { settled: seen.settled + 1, error }),
    );
    return seen;
  });
}

function codes(watched) {
  const counts = {};
  for (const { error } of watched) {
    const code = error === undefined ? 'resolved' : error.code;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

async function settled(watched) {
  await until(() => watched.every((seen) => seen.settled > 0), 'every promise to settle');
  // Whatever else is on its way gets its turn.
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  for (const seen of watched) assert.strictEqual(seen.settled, 1);
}

describe('every task settles exactly once', needsFaults, () => {
  it('10,000 aborted, queued and running', async () => {
    const pool = new WorkerPool({ size: 2, taskTimeout: 0 });
    const controller = new AbortController();
    const { signal } = controller;
    native.faultLog();
    const promises = Array.from({ length: TASKS }, (_, tag) => fault(pool, 'spin', { tag, bytes: 10 }, { signal }));
    const watched = watch(promises);
    await until(() => pool.getStats().activeWorkers === 2);
    controller.abort('enough');
    await settled(watched);
    assert.deepStrictEqual(codes(watched), { ABORT_ERR: TASKS });
    await until(() => pool.getStats().pendingTasks === 0);
    assert.strictEqual(pool.getStats().queueBytes, 0);
    assert.strictEqual(await fault(pool, 'echo', { tag: 7 }), 7);
    assert.strictEqual(pool.getStats().tasksAborted, TASKS);
    await pool.shutdown();
    const { finally: finallies, dropped } = native.faultLog();
    assert.deepStrictEqual([finallies, dropped], [TASKS + 1, TASKS + 1]);
  });

  it('10,000 timed out', async () => {
    const pool = new WorkerPool({ size: 16 });
    const promises = Array.from({ length: TASKS }, (_, tag) => fault(pool, 'spin', { tag }, { timeout: 0.1 }));
    const watched = watch(promises);
    await settled(watched);
    assert.deepStrictEqual(codes(watched), { ERR_TASK_TIMEOUT: TASKS });
    assert.strictEqual(pool.getStats().tasksTimedOut, TASKS);
    await pool.shutdown();
  });

  it('10,000 panicking', async () => {
    const pool = new WorkerPool({ size: 2 });
    const promises = Array.from({ length: TASKS }, (_, tag) => fault(pool, 'panic', { tag }));
    const watched = watch(promises);
    await settled(watched);
    assert.deepStrictEqual(codes(watched), { ERR_TASK_PANIC: TASKS });
    assert.strictEqual(pool.getStats().workersRestarted, 0);
    assert.strictEqual(await fault(pool, 'echo', { tag: 7 }), 7);
    await pool.shutdown();
  });

  it('10,000 rejected by a shutdown', async () => {
    const pool = new WorkerPool({ size: 2, taskTimeout: 0 });
    const gate = new Gate();
    const held = await gate.occupy(pool);
    const watched = watch(held.concat(Array.from({ length: TASKS - 2 }, (_, tag) => fault(pool, 'echo', { tag }))));
    const closed = pool.shutdown({ drain: false });
    await closed;
    assert.ok(watched.every((seen) => seen.settled === 1), 'a shutdown resolves after the promises');
    gate.open();
    await settled(watched);
    assert.deepStrictEqual(codes(watched), { ERR_POOL_CLOSED: TASKS });
  });

  it('10,000 of everything at once', async () => {
    const pool = new WorkerPool({ size: 3, taskTimeout: 0 });
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const kinds = ['echo', 'error', 'panic', 'spin', 'echo', 'syntax', 'resolve', 'echo', 'ignore', 'echo'];
    const promises = Array.from({ length: TASKS }, (_, tag) => {
      const kind = tag % 500 === 3 ? 'die' : kinds[tag % kinds.length];
      const options = {
        signal: tag % 3 === 0 ? controllers[tag % 100].signal : undefined,
        timeout: kind === 'spin' ? 0.05 : kind === 'ignore' ? 0.01 : undefined,
        priority: tag % 4 === 0 ? 'bulk' : undefined,
      };
      return fault(pool, kind, { tag, argument: 0, bytes: tag }, options);
    });
    const watched = watch(promises);
    for (const controller of controllers) {
      await new Promise(setImmediate);
      controller.abort();
    }
    await pool.shutdown({ timeoutMs: 100 });
    await settled(watched);
    const { tasksProcessed, tasksFailed, tasksAborted, tasksTimedOut, tasksClosed } = pool.getStats();
    const counted = tasksProcessed + tasksFailed + tasksAborted + tasksTimedOut + tasksClosed;
    assert.strictEqual(counted, TASKS, 'and is counted once');
    await until(() => pool.getStats().threads === 0, 'the threads to end');
  });
});

describe('a refused submission', needsFaults, () => {
  it('settles at once and its task is finished', async () => {
    const pool = new WorkerPool({ size: 1, maxQueue: 1, taskTimeout: 0 });
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    const queued = fault(pool, 'echo', { tag: 1 });
    native.faultLog();
    const { signal } = new AbortController();
    await assert.rejects(fault(pool, 'echo', { tag: 2 }, { signal }), { code: 'ERR_QUEUE_FULL' });
    assert.deepStrictEqual(native.faultLog(), { started: [], dropped: 1, finally: 1 });
    const room = once(pool, 'drain');
    gate.open();
    await Promise.all([held, queued, room]);
    await pool.shutdown();
  });
});
