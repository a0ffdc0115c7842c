'use strict';

// The 'slow' event: a call of ours had the event loop for too long.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { afterEach, describe, it } = require('node:test');

const { WorkerPool } = require('..');
const { runScript } = require('./faults');

/** @type {WorkerPool[]} */
const made = [];
afterEach(() => Promise.all(made.splice(0).map((pool) => pool.shutdown())));

/** @param {any} options */
function poolOf(options) {
  const pool = new WorkerPool({ size: 1, ...options });
  made.push(pool);
  return pool;
}

/** A value whose reading takes so long. @param {number} ms @param {string} [text] */
function slowValue(ms, text = 'x'.repeat(500)) {
  return {
    get slow() {
      const end = performance.now() + ms;
      while (performance.now() < end);
      return text;
    },
  };
}

/** Until events that are due have been told. */
function turn() {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

describe("'slow'", () => {
  it('names the operation, its size and how long it took', async () => {
    const pool = poolOf({ slowMs: 20 });
    const told = once(pool, 'slow');
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, text: 'x'.repeat(92) }));
    await pool.clone({ rows, ...{ __proto__: null } });
    const value = { rows, get slow() { return slowValue(25).slow; } };
    await pool.stringify(value, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
    const [slow] = await told;
    assert.equal(slow.operation, 'stringify');
    assert.ok(slow.bytes >= 9_200 && slow.bytes < 40_000, String(slow.bytes));
    assert.ok(slow.ms >= 25 && slow.ms < 1000, String(slow.ms));
    assert.ok(slow.phase === 'inline' || slow.phase === 'in');
    assert.equal(slow.limit, 20);
    assert.match(slow.traceparent, /^00-0af7/);
    assert.ok(slow.id > 0);
  });

  it('is told of what runs inline, and of the part of offloaded calls that does not', async () => {
    const pool = poolOf({ slowMs: 5, offloadThreshold: 0 });
    /** @type {any[]} */
    const told = [];
    pool.on('slow', (slow) => void told.push(slow));
    await pool.clone(slowValue(8));
    await pool.stringify(slowValue(8, 'x'.repeat(2_000_000)), { as: 'buffer' });
    await turn();
    assert.deepEqual(told.map(({ operation }) => operation), ['clone', 'stringify']);
    assert.equal(told[0].phase, 'inline');
    for (const { ms } of told) assert.ok(ms >= 8, String(ms));
  });

  it('is not told of what is quick, or runs on a thread', async () => {
    const pool = poolOf({ slowMs: 500 });
    let told = 0;
    pool.on('slow', () => void told++);
    await pool.clone(slowValue(10));
    await pool.embed('word '.repeat(100_000));
    await turn();
    assert.equal(told, 0);
  });

  it('has calls timed only while somebody listens', async () => {
    const pool = poolOf({ slowMs: 0 });
    assert.equal(pool._state.observers, undefined);
    const listeners = [
      (/** @type {() => void} */ listener) => pool.on('slow', listener),
      (/** @type {() => void} */ listener) => pool.addListener('slow', listener),
      (/** @type {() => void} */ listener) => pool.once('slow', listener),
      (/** @type {() => void} */ listener) => pool.prependListener('slow', listener),
      (/** @type {() => void} */ listener) => pool.prependOnceListener('slow', listener),
    ];
    for (const [index, listen] of listeners.entries()) {
      let told = 0;
      const listener = () => void told++;
      listen(listener);
      await pool.clone([1]);
      await turn();
      assert.equal(told, 1, String(index));
      pool.off('slow', listener);
      await pool.clone([1]);
      assert.equal(pool._state.observers, undefined, String(index));
    }
    assert.deepEqual(pool.eventNames(), []);
  });

  it('is told as other events are: what a listener throws is the process’s', async () => {
    const script = `
      const pool = new offloop.WorkerPool({ slowMs: 0 });
      process.on('uncaughtException', ({ message }) => console.log('caught', message));
      pool.on('slow', () => { throw new Error('mine'); });
      pool.clone([1]).then((copy) => console.log(copy));`;
    const { stdout, stderr } = await runScript(script);
    assert.equal(stdout, '[ 1 ]\ncaught mine\n', stderr);
  });

  it('has a limit by default, and one from the environment', async () => {
    assert.equal(poolOf({}).slowMs, 50);
    const { stdout } = await runScript('console.log(new offloop.WorkerPool().slowMs)', { env: { WORKER_SLOW_MS: '7.5' } });
    assert.equal(stdout, '7.5\n');
  });
});
