'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');

const { getWorkerPool } = require('..');
const { Gate, fault, native, needsFaults, runScript, until } = require('./faults');

const PRELUDE = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { WorkerPool, getWorkerPool } = require(${JSON.stringify(path.join(__dirname, '..'))});
  const { Gate, fault, native, until } = require(${JSON.stringify(path.join(__dirname, 'faults.js'))});
`;

function start(script, workerData) {
  return new Worker(PRELUDE + script, { eval: true, workerData });
}

describe('worker_threads', needsFaults, () => {
  it('share the default pool, each settling its own promises', async () => {
    const pool = getWorkerPool({ size: 2 });
    const workers = Array.from({ length: 4 }, (_, number) =>
      start(
        `const pool = getWorkerPool({ size: 7 });
         const tags = Array.from({ length: 500 }, (_, tag) => workerData * 1000 + tag);
         Promise.all(tags.map((tag) => fault(pool, 'echo', { tag })))
           .then((values) => parentPort.postMessage({ size: pool.size, values, offloaded: pool.getStats().offloaded }));`,
        number,
      ),
    );
    const own = Promise.all(Array.from({ length: 500 }, (_, tag) => fault(pool, 'echo', { tag })));
    const answers = await Promise.all(workers.map((worker) => once(worker, 'message')));
    answers.forEach(([{ size, values }], number) => {
      assert.strictEqual(size, 2, 'the first call decides');
      assert.deepStrictEqual(values, Array.from({ length: 500 }, (_, tag) => number * 1000 + tag));
    });
    assert.strictEqual((await own).length, 500);
    assert.strictEqual(pool.getStats().offloaded, 2500, 'one executor has run them all');
    await Promise.all(workers.map((worker) => worker.terminate()));
    await pool.shutdown();
  });

  it('closing one leaves the others their pool', async () => {
    const pool = getWorkerPool({ size: 1 });
    const worker = start(`
      const pool = getWorkerPool();
      fault(pool, 'echo', { tag: 5 }).then((tag) => pool.shutdown().then(() => parentPort.postMessage(tag)));
    `);
    // A worker's last message and its exit can arrive in one go.
    const exited = once(worker, 'exit');
    assert.deepStrictEqual(await once(worker, 'message'), [5]);
    await exited;
    assert.strictEqual(await fault(pool, 'echo', { tag: 6 }), 6);
    await pool.shutdown();
    assert.notStrictEqual(getWorkerPool(), pool, 'a fresh one after a shutdown');
    await getWorkerPool().shutdown();
  });

  it('can be terminated with tasks in flight', async () => {
    const pool = getWorkerPool({ size: 2, taskTimeout: 0 });
    native.faultLog();
    for (let round = 0; round < 10; round++) {
      const worker = start(`
        const own = new WorkerPool({ size: 2, taskTimeout: 0 });
        for (const pool of [own, getWorkerPool()]) {
          for (let tag = 0; tag < 200; tag++) fault(pool, tag % 3 ? 'echo' : 'spin', { tag, bytes: 10 });
        }
        parentPort.postMessage('in flight');
      `);
      await once(worker, 'message');
      await worker.terminate();
    }
    await until(() => pool.getStats().pendingTasks === 0, "the dead workers' tasks to go");
    assert.strictEqual(pool.getStats().queueBytes, 0);
    assert.strictEqual(await fault(pool, 'echo', { tag: 7 }), 7);
    await pool.shutdown();
  });

  it('can be terminated while their work will not stop', async () => {
    const gate = new Gate();
    const worker = start(
      `const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
       const gate = Object.assign(new Gate(), { number: workerData });
       gate.occupy(pool).then(() => parentPort.postMessage('occupied'));`,
      gate.number,
    );
    await once(worker, 'message');
    await worker.terminate();
    const { dropped } = native.faultLog();
    gate.open();
    // The thread comes back to an environment that is gone, and drops the task.
    let total = dropped;
    await until(() => (total += native.faultLog().dropped) > dropped);
  });

  it('can use the addon that the main thread has not loaded', async () => {
    const { code, stderr } = await runScript(
      `
      const { Worker } = require('node:worker_threads');
      const script = ${JSON.stringify(`${PRELUDE}
        const pool = new WorkerPool({ size: 2, taskTimeout: 0 });
        Promise.all(Array.from({ length: 100 }, (_, tag) => fault(pool, 'echo', { tag })))
          .then(() => { fault(pool, 'ignore', { argument: 50 }); parentPort.postMessage('done'); });`)};
      (async () => {
        for (let i = 0; i < 5; i++) {
          const worker = new Worker(script, { eval: true });
          await new Promise((resolve) => worker.once('message', resolve));
          await worker.terminate();
        }
      })();`,
      { bare: true },
    );
    assert.strictEqual(stderr, '');
    assert.strictEqual(code, 0);
  });
});
