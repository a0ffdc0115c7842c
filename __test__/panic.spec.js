'use strict';

const assert = require('node:assert');
const { describe, it } = require('node:test');

const { WorkerPool } = require('..');
const { fault, needsFaults, runScript, until } = require('./faults');

describe('a panic', needsFaults, () => {
  it('rejects its own task, with its text, and the pool goes on', async () => {
    const pool = new WorkerPool({ size: 1 });
    const panicked = { code: 'ERR_TASK_PANIC', message: /^the fault task panicked: a fault, as asked for \(.*:\d+:\d+\)$/ };
    await assert.rejects(fault(pool, 'panic'), panicked);
    assert.strictEqual(await fault(pool, 'echo', { tag: 1 }), 1);
    const { tasksFailed, workersRestarted } = pool.getStats();
    assert.deepStrictEqual([tasksFailed, workersRestarted], [1, 0]);
    await pool.shutdown();
  });

  it('on the JS thread rejects as well', async () => {
    const pool = new WorkerPool({ size: 1 });
    await assert.rejects(fault(pool, 'resolve'), { code: 'ERR_TASK_PANIC', message: /a fault on the JS thread/ });
    assert.strictEqual(await fault(pool, 'echo', { tag: 1 }), 1);
    await pool.shutdown();
  });

  it('that kills the thread has it replaced, counted and told', async () => {
    const pool = new WorkerPool({ size: 2 });
    const errors = [];
    pool.on('error', (error) => errors.push(error));
    await assert.rejects(fault(pool, 'die'), { code: 'ERR_TASK_PANIC' });
    // The event alone does not keep the process up.
    await until(() => errors.length === 1);
    assert.strictEqual(errors[0].code, 'ERR_WORKER_DIED');
    assert.strictEqual(pool.getStats().workersRestarted, 1);
    const calls = Array.from({ length: 100 }, (_, tag) => fault(pool, 'echo', { tag }));
    assert.strictEqual((await Promise.all(calls)).length, 100);
    await until(() => pool.getStats().threads <= 2);
    await pool.shutdown();
  });

  it('writes nothing and, with nobody listening, harms nobody', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 2 });
      const calls = ['panic', 'die', 'resolve', 'die'].map((kind) => fault(pool, kind));
      Promise.allSettled(calls)
        .then((results) => until(() => pool.getStats().workersRestarted === 2).then(() => results))
        .then((results) => fault(pool, 'echo', { tag: results.length }))
        .then((tag) => pool.shutdown().then(() => process.exitCode = tag));
    `);
    assert.deepStrictEqual(result, { code: 4, signal: null, stdout: '', stderr: '' });
  });
});

describe('an error', needsFaults, () => {
  it('of the work is what the promise is rejected with', async () => {
    const pool = new WorkerPool({ size: 1 });
    await assert.rejects(fault(pool, 'error'), { message: 'a fault' });
    await assert.rejects(fault(pool, 'syntax'), (error) => {
      assert.ok(error instanceof SyntaxError);
      const { message, code, position, line, column } = error;
      assert.deepStrictEqual(
        { message, code, position, line, column },
        { message: 'unexpected fault', code: 'ERR_JSON_SYNTAX', position: 17, line: 2, column: 5 },
      );
      return true;
    });
    await pool.shutdown();
  });
});
