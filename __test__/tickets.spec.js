'use strict';

const assert = require('node:assert');
const { describe, it } = require('node:test');

const { WorkerPool } = require('..');
const { fault, needsFaults } = require('./faults');

describe('tickets', needsFaults, () => {
  it('every promise is settled with its own outcome, however often its ticket was used before', async () => {
    const pool = new WorkerPool({ maxQueue: 10_000 });
    for (let round = 0; round < 4; round++) {
      const calls = Array.from({ length: 3000 }, (_, tag) => fault(pool, tag % 5 === 0 ? 'error' : 'echo', { tag: tag + round }));
      const outcomes = await Promise.allSettled(calls);
      outcomes.forEach((outcome, tag) => {
        if (tag % 5 === 0) assert.strictEqual(outcome.status, 'rejected');
        else assert.deepStrictEqual(outcome, { status: 'fulfilled', value: tag + round });
      });
    }
    await pool.shutdown();
  });

  it('a refused task gives its ticket back', async () => {
    const pool = new WorkerPool({ size: 1, maxQueue: 1 });
    const outcomes = await Promise.allSettled(Array.from({ length: 500 }, (_, tag) => fault(pool, 'echo', { tag })));
    for (const [tag, { status, value, reason }] of outcomes.entries()) {
      if (status === 'fulfilled') assert.strictEqual(value, tag);
      else assert.strictEqual(reason.code, 'ERR_QUEUE_FULL');
    }
    assert.ok(outcomes.some(({ status }) => status === 'rejected'));
    assert.strictEqual(await fault(pool, 'echo', { tag: 7 }), 7);
    await pool.shutdown();
  });

  it('a result whose `then` calls the pool, or aborts another call, disturbs no other', async () => {
    const pool = new WorkerPool();
    const controller = new AbortController();
    const aborted = assert.rejects(fault(pool, 'spin', {}, { signal: controller.signal }), { name: 'AbortError' });
    const nested = [];
    Object.defineProperty(Object.prototype, 'then', {
      configurable: true,
      get() {
        if (nested.length === 0 && Object.hasOwn(this, 'text')) {
          nested.push(fault(pool, 'echo', { tag: 3 }));
          controller.abort();
        }
        return undefined;
      },
    });
    const text = JSON.stringify({ text: 'x'.repeat(20_000) });
    const calls = Array.from({ length: 20 }, () => pool.parse(text));
    await calls[19];
    delete Object.prototype.then;
    for (const call of calls) assert.strictEqual((await call).text.length, 20_000);
    assert.strictEqual(await nested[0], 3);
    await aborted;
    await pool.shutdown();
  });
});

it('two copies of the library in one environment settle their own promises', async () => {
  const first = new WorkerPool();
  const early = Promise.all(Array.from({ length: 100 }, (_, tag) => first.parse(`[${tag}${' '.repeat(20_000)}]`)));
  for (const file of Object.keys(require.cache)) if (!file.endsWith('.node') && !file.includes('node_modules')) delete require.cache[file];
  const other = require('..');
  assert.notStrictEqual(other.WorkerPool, WorkerPool);
  const second = new other.WorkerPool();
  const late = Promise.all(Array.from({ length: 100 }, (_, tag) => (tag % 2 ? first : second).parse(`[${tag}${' '.repeat(20_000)}]`)));
  const expected = Array.from({ length: 100 }, (_, tag) => [tag]);
  assert.deepStrictEqual(await early, expected);
  assert.deepStrictEqual(await late, expected);
  await second.shutdown();
});
