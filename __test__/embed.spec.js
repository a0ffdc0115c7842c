'use strict';

const assert = require('node:assert');
const test = require('node:test');

const { WorkerPool } = require('..');

const pool = new WorkerPool({ size: 2 });
test.after(() => pool.shutdown());

/** @param {Float32Array} a @param {Float32Array} b */
const product = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);

test('a text becomes a vector of length one, alike for what is alike', async () => {
  const [query, same, near, far, nothing] = await pool.embed(['Cancel my flight', 'cancel MY flight!', 'please cancel this flight for me', 'sunny weather', '']);
  assert.strictEqual(query.length, 384);
  assert.ok(Math.abs(product(query, query) - 1) < 1e-5);
  assert.ok(product(query, same) > 0.9999);
  assert.ok(product(query, near) > product(query, far) + 0.2);
  assert.ok(nothing.every((value) => value === 0));
  assert.strictEqual((await pool.embed('x', { dimensions: 7 }))[0].length, 7);
  assert.deepStrictEqual(await pool.embed([]), []);
  assert.deepStrictEqual(await pool.embed('\ud800 lone'), await pool.embed('\ufffd lone'));
});

test('batches give what single texts give, in their order', async () => {
  const texts = Array.from({ length: 500 }, (_, index) => `Text number ${index}: ${'lorem ipsum '.repeat(index % 60)} ${index % 7 === 0 ? '你好 😀' : ''}`);
  const vectors = await pool.embed(texts);
  assert.ok(pool.getStats().operations.embed.count > 1, 'more than one task');
  for (const index of [0, 7, 123, 499]) assert.deepStrictEqual(vectors[index], (await pool.embed(texts[index]))[0]);
});

test('similar finds the rows of the largest cosine', async () => {
  const rows = 12_000;
  const length = 37;
  let state = 1;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 31 - 1;
  const matrix = Float32Array.from({ length: rows * length }, random);
  const query = Float32Array.from({ length }, random);
  const all = Array.from({ length: rows }, (_, index) => {
    const row = matrix.subarray(index * length, (index + 1) * length);
    return { index, score: product(query, row) / Math.sqrt(product(query, query) * product(row, row)) };
  });
  const scores = all.map(({ score }) => score);
  all.sort((a, b) => b.score - a.score);
  const narrow = new WorkerPool({ size: 1, maxBlockMs: 0.1 });
  for (const own of [pool, narrow]) {
    for (const k of [0, 1, 10, 20_000]) {
      const found = await own.similar(query, matrix, k);
      assert.strictEqual(found.length, Math.min(k, rows));
      assert.strictEqual(new Set(found.map(({ index }) => index)).size, found.length);
      found.forEach(({ index, score }, place) => {
        assert.ok(Math.abs(score - all[place].score) < 1e-5, 'the scores are the best, in order');
        assert.ok(Math.abs(score - scores[index]) < 1e-5, 'and those of their rows');
      });
    }
  }
  await narrow.shutdown();
  assert.deepStrictEqual(await pool.similar(query, new Float32Array(0), 3), []);
});

test('wrong arguments are named', async () => {
  const any = /** @type {any} */ (pool);
  const invalid = (/** @type {RegExp} */ message) => ({ code: 'ERR_INVALID_ARG', message });
  await assert.rejects(any.embed(7), invalid(/^texts must be/));
  await assert.rejects(any.embed(['a', 7]), invalid(/^texts\[1\] must be/));
  await assert.rejects(any.embed('a', { dimensions: 0 }), invalid(/^options.dimensions/));
  await assert.rejects(any.embed('a', { model: 7 }), invalid(/^options.model/));
  await assert.rejects(any.embed('a', { model: '/no/such/folder' }), { code: 'ERR_MODEL_NOT_FOUND', message: /\/no\/such\/folder/ });
  await assert.rejects(any.similar([1], new Float32Array(1), 1), invalid(/^query/));
  await assert.rejects(any.similar(new Float32Array(2), new Float32Array(3), 1), invalid(/^matrix/));
  await assert.rejects(any.similar(new Float32Array(2), new Float32Array(4), -1), invalid(/^k must/));
});
