'use strict';

const assert = require('node:assert');
const { describe, it } = require('node:test');

const { needsFaults, runScript } = require('./faults');

const QUIET_END = { code: 0, signal: null, stdout: '', stderr: '' };

describe('the process', needsFaults, () => {
  it('ends with an idle pool', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 3 });
      offloop.getWorkerPool();
      pool.initialize().then(() => fault(pool, 'echo', { tag: 1 }));
    `);
    assert.deepStrictEqual(result, QUIET_END);
  });

  it('stays for pending work', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 1 });
      for (let tag = 0; tag < 3; tag++) {
        fault(pool, 'ignore', { tag, argument: 100 }).then((tag) => process.stdout.write(String(tag)));
      }
    `);
    assert.deepStrictEqual(result, { ...QUIET_END, stdout: '012' });
  });

  it('stays for a shutdown', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 1 });
      fault(pool, 'ignore', { argument: 100 });
      pool.shutdown().then(() => process.stdout.write('closed'));
    `);
    assert.deepStrictEqual(result, { ...QUIET_END, stdout: 'closed' });
  });

  it('does not wait for work that nobody waits for any more', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 1, taskTimeout: 5 });
      const gate = new Gate();
      gate.hold(pool).catch((error) => process.stdout.write(error.code));
    `);
    assert.deepStrictEqual(result, { ...QUIET_END, stdout: 'ERR_TASK_TIMEOUT' });
  });

  it('can exit with tasks in flight', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 2 });
      for (let tag = 0; tag < 1000; tag++) fault(pool, tag % 2 ? 'echo' : 'spin', { tag });
      until(() => pool.getStats().activeWorkers > 0).then(() => process.exit(3));
    `);
    assert.deepStrictEqual(result, { ...QUIET_END, code: 3 });
  });

  it('is not held up by a forgotten pool, whose tasks go on', async () => {
    const result = await runScript(
      `
      let done = 0;
      for (let i = 0; i < 50; i++) {
        const pool = new offloop.WorkerPool({ size: 1 });
        for (let tag = 0; tag < 20; tag++) fault(pool, 'echo', { tag }).then(() => done++);
      }
      gc();
      setTimeout(gc, 1);
      until(() => done === 1000).then(() => process.stdout.write('all'));
    `,
      { args: ['--expose-gc'] },
    );
    assert.deepStrictEqual(result, { ...QUIET_END, stdout: 'all' });
  });

  it('lets I/O take turns with a flood of completions', async () => {
    const result = await runScript(`
      const pool = new offloop.WorkerPool({ size: 2, maxBlockMs: 1, maxQueue: 1e6 });
      let turns = 0;
      let pending = 200_000;
      const turn = () => { turns++; if (pending > 0) setImmediate(turn); };
      const calls = [];
      for (let i = 0; i < 200_000; i++) calls.push(pool.exec('noop').then(() => pending--));
      turn();
      Promise.all(calls).then(() => process.stdout.write(turns > 10 ? 'turns' : 'only ' + turns));
    `);
    assert.deepStrictEqual(result, { ...QUIET_END, stdout: 'turns' });
  });
});
