'use strict';

const assert = require('node:assert');
const { getEventListeners } = require('node:events');
const { describe, it, before, after } = require('node:test');

const { WorkerPool } = require('..');
const { Gate, fault, native, needsFaults, runScript, until } = require('./faults');

function isAbort(reason) {
  return (error) => {
    assert.ok(error instanceof Error);
    assert.strictEqual(error.name, 'AbortError');
    assert.strictEqual(error.code, 'ABORT_ERR');
    assert.strictEqual(error.cause, reason);
    return true;
  };
}

describe('AbortSignal', needsFaults, () => {
  let pool;
  before(() => {
    pool = new WorkerPool({ size: 1, taskTimeout: 0 });
  });
  after(() => pool.shutdown());

  it('rejects at once when aborted already, without submitting', async () => {
    const reason = new Error('why');
    const { offloaded } = pool.getStats();
    await assert.rejects(fault(pool, 'echo', {}, { signal: AbortSignal.abort(reason) }), isAbort(reason));
    assert.strictEqual(pool.getStats().offloaded, offloaded);
  });

  it('drops a queued task at once', async () => {
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    native.faultLog();
    const controller = new AbortController();
    const queued = fault(pool, 'echo', { tag: 1, bytes: 1000 }, { signal: controller.signal });
    assert.strictEqual(pool.getStats().queueBytes, 1000);
    const reason = { any: 'thing' };
    controller.abort(reason);
    assert.deepStrictEqual(native.faultLog(), { started: [], dropped: 1, finally: 1 });
    assert.strictEqual(pool.getStats().queueBytes, 0);
    assert.strictEqual(pool.getStats().queueLength, 0);
    await assert.rejects(queued, isAbort(reason));
    gate.open();
    await held;
    await fault(pool, 'echo', { tag: 2 });
    assert.deepStrictEqual(native.faultLog().started, [2], 'it never ran');
  });

  it('rejects what has run, as long as its promise is pending', async () => {
    const controller = new AbortController();
    native.faultLog();
    const done = fault(pool, 'echo', { tag: 4 }, { signal: controller.signal });
    // Without a turn of the event loop the result cannot be settled.
    while (pool.getStats().pendingTasks > 0);
    controller.abort();
    await assert.rejects(done, isAbort(controller.signal.reason));
    assert.strictEqual(await fault(pool, 'echo', { tag: 5 }), 5);
    assert.deepStrictEqual(native.faultLog(), { started: [4, 5], dropped: 2, finally: 2 });
  });

  it('interrupts a running task and gets the thread back', async () => {
    const controller = new AbortController();
    const running = fault(pool, 'spin', {}, { signal: controller.signal });
    await until(() => pool.getStats().activeWorkers === 1);
    controller.abort();
    await assert.rejects(running, isAbort(controller.signal.reason));
    assert.strictEqual(await fault(pool, 'echo', { tag: 3 }), 3);
  });

  it('rejects at once even when the work will not stop', async () => {
    const gate = new Gate();
    const controller = new AbortController();
    const running = gate.hold(pool, {}, { signal: controller.signal });
    await until(() => pool.getStats().activeWorkers === 1);
    controller.abort('now');
    await assert.rejects(running, isAbort('now'));
    assert.strictEqual(pool.getStats().activeWorkers, 1, 'still at it');
    gate.open();
    assert.strictEqual(await fault(pool, 'echo', { tag: 4 }), 4);
  });

  it('comes too late for a task that is done', async () => {
    const controller = new AbortController();
    assert.strictEqual(await fault(pool, 'echo', { tag: 5 }, { signal: controller.signal }), 5);
    controller.abort();
  });

  it('keeps one listener for any number of calls and removes it with the last', async () => {
    const { signal } = new AbortController();
    const listeners = () => getEventListeners(signal, 'abort').length;
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    const calls = Array.from({ length: 5000 }, (_, tag) => fault(pool, 'echo', { tag }, { signal }));
    assert.strictEqual(listeners(), 1);
    gate.open();
    await held;
    assert.deepStrictEqual(await Promise.all(calls), Array.from({ length: 5000 }, (_, tag) => tag));
    assert.strictEqual(listeners(), 0);
    const more = fault(pool, 'echo', { tag: 1 }, { signal });
    assert.strictEqual(listeners(), 1);
    await more;
    assert.strictEqual(listeners(), 0);
  });

  it('removes the listener of a call that failed or was refused', async () => {
    const small = new WorkerPool({ size: 1, maxQueueBytes: 10 });
    const { signal } = new AbortController();
    await assert.rejects(fault(small, 'error', {}, { signal }));
    await assert.rejects(fault(small, 'echo', { bytes: 11 }, { signal }), { code: 'ERR_QUEUE_FULL' });
    await assert.rejects(fault(small, 'no such fault', {}, { signal }));
    assert.strictEqual(getEventListeners(signal, 'abort').length, 0);
    await small.shutdown();
  });

  it('aborts only the calls of its own signal', async () => {
    const gate = new Gate();
    const [held] = await gate.occupy(pool);
    const [one, other] = [new AbortController(), new AbortController()];
    const aborted = fault(pool, 'echo', { tag: 1 }, { signal: one.signal });
    const kept = fault(pool, 'echo', { tag: 2 }, { signal: other.signal });
    one.abort();
    await assert.rejects(aborted, { name: 'AbortError' });
    gate.open();
    assert.strictEqual(await kept, 2);
    await held;
  });

  it('uses its slots again', async () => {
    for (let round = 0; round < 100; round++) {
      const controllers = Array.from({ length: 20 }, () => new AbortController());
      const calls = controllers.map(({ signal }, tag) => fault(pool, 'echo', { tag }, { signal }));
      controllers[round % 20].abort(round);
      const results = await Promise.allSettled(calls);
      results.forEach(({ status, value, reason }, tag) => {
        if (status === 'fulfilled') assert.strictEqual(value, tag);
        else assert.strictEqual(reason.cause, tag === round % 20 ? round : 'nothing else');
      });
    }
  });

  it('works with AbortSignal.timeout and AbortSignal.any', async () => {
    const timed = AbortSignal.timeout(5);
    await assert.rejects(fault(pool, 'spin', {}, { signal: timed }), (error) => error.cause.name === 'TimeoutError');
    const controller = new AbortController();
    const either = fault(pool, 'spin', {}, { signal: AbortSignal.any([controller.signal]) });
    controller.abort('any');
    await assert.rejects(either, isAbort('any'));
  });

  it('leaves unhandled rejections unhandled', async () => {
    const { code, stderr } = await runScript(`
      const pool = new offloop.WorkerPool({ size: 1 });
      fault(pool, 'panic', {}, { signal: new AbortController().signal });
    `);
    assert.strictEqual(code, 1);
    assert.match(stderr, /ERR_TASK_PANIC/);
  });

  it('warns of no listeners', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 1 });
      const { signal } = new AbortController();
      Promise.all(Array.from({ length: 3000 }, () => fault(pool, 'echo', {}, { signal })));
    `);
    assert.deepStrictEqual(result, { code: 0, signal: null, stdout: '', stderr: '' });
  });
});
