'use strict';

const assert = require('node:assert');
const { describe, it, before, after } = require('node:test');

const { WorkerPool } = require('..');
const { Gate, fault, needsFaults, until } = require('./faults');

const TIMED_OUT = { code: 'ERR_TASK_TIMEOUT', name: 'Error' };

describe('timeouts', needsFaults, () => {
  let pool;
  before(() => {
    pool = new WorkerPool({ size: 1, taskTimeout: 20 });
  });
  after(() => pool.shutdown());

  it('reject and give the thread back', async () => {
    await assert.rejects(fault(pool, 'spin'), TIMED_OUT);
    assert.strictEqual(await fault(pool, 'echo', { tag: 1 }), 1);
  });

  it('reject at once even when the work will not stop, and discard its result', async () => {
    const gate = new Gate();
    await assert.rejects(gate.hold(pool, { tag: 9 }), TIMED_OUT);
    assert.strictEqual(pool.getStats().activeWorkers, 1, 'still at it');
    gate.open();
    assert.strictEqual(await fault(pool, 'echo', { tag: 2 }), 2);
  });

  it('of a call win over those of the pool', async () => {
    const patient = new WorkerPool({ size: 1, taskTimeout: 600_000 });
    await assert.rejects(fault(patient, 'spin', {}, { timeout: 5 }), TIMED_OUT);
    await patient.shutdown();
    assert.strictEqual(await fault(pool, 'ignore', { tag: 3, argument: 60 }, { timeout: 600_000 }), 3);
  });

  it('of 0 are none', async () => {
    assert.strictEqual(await fault(pool, 'ignore', { tag: 4, argument: 60 }, { timeout: 0 }), 4);
    const none = new WorkerPool({ size: 1, taskTimeout: 0 });
    assert.strictEqual(await fault(none, 'ignore', { tag: 5, argument: 60 }), 5);
    await none.shutdown();
  });

  it('count from the start of execution', async () => {
    const gate = new Gate();
    const [held] = await gate.occupy(pool, { timeout: 0 });
    const queued = fault(pool, 'echo', { tag: 6 }, { timeout: 500 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    gate.open();
    assert.strictEqual(await queued, 6);
    await held;
  });

  it('reach a call whose event loop is busy', async () => {
    const { tasksTimedOut } = pool.getStats();
    const call = fault(pool, 'spin');
    call.catch(() => {});
    const busyUntil = Date.now() + 60_000;
    while (pool.getStats().tasksTimedOut === tasksTimedOut && Date.now() < busyUntil);
    assert.strictEqual(pool.getStats().tasksTimedOut, tasksTimedOut + 1);
    await assert.rejects(call, TIMED_OUT);
    await until(() => pool.getStats().activeWorkers === 0);
  });
});
