'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const test = require('node:test');

const { WorkerPool } = require('../lib/pool');
const { stringify } = require('../lib/stringify');
const corpus = require('./corpus');
const { EXOTIC, anything, check, fc, graphs, plain } = require('./values');

/** Everything that can be offloaded is. */
const eager = new WorkerPool({ size: 2, offloadThreshold: 0 });
const pool = new WorkerPool({ size: 2 });
test.after(() => Promise.all([eager.shutdown(), pool.shutdown()]));

const SPACES = [undefined, 0, 1, 2, 10, 99, -1, 3.9, '', ' ', '\t', '--', 'a long text that is cut', 'ü', '\ud800', '"', new Number(2), new String('x'), null, true, {}];

/** The outcome of a call, so that texts and errors compare alike. @param {() => unknown} call */
async function outcome(call) {
  try {
    return { value: await call() };
  } catch (error) {
    return { error: { name: error.name, message: error.message, constructor: error.constructor } };
  }
}

/**
 * @param {() => unknown} make equal values, one for each call: reading may change them
 * @param {unknown} [space]
 */
async function assertAsPlatform(make, space) {
  const expected = await outcome(() => JSON.stringify(make(), null, space));
  assert.deepStrictEqual(await outcome(() => stringify(eager, make(), { space })), expected);
  const buffer = await outcome(() => stringify(eager, make(), { space, as: 'buffer' }));
  if (expected.error || expected.value === undefined) {
    assert.deepStrictEqual(buffer, expected);
  } else {
    assert.ok(Buffer.isBuffer(buffer.value));
    assert.strictEqual(buffer.value.toString(), Buffer.from(expected.value).toString());
  }
}

/** How many of the calls in `run` were offloaded. @param {WorkerPool} of @param {() => unknown} run */
async function offloaded(of, run) {
  const before = of.getStats().offloaded;
  await run();
  return of.getStats().offloaded - before;
}

test('generated plain data', (t) =>
  check(t, fc.asyncProperty(plain, fc.constantFrom(...SPACES), (value, space) => assertAsPlatform(() => value, space))));

test('generated graphs: shared references are written out, cycles refused', (t) =>
  check(t, fc.asyncProperty(graphs, (value) => assertAsPlatform(() => value))));

test('generated data with exotic values', (t) =>
  check(t, fc.asyncProperty(anything, fc.constantFrom(...SPACES), (value, space) => assertAsPlatform(() => value, space))));

test('exotic values', async (t) => {
  for (const [name, make] of Object.entries(EXOTIC)) {
    await t.test(name, async () => {
      await assertAsPlatform(make);
      await assertAsPlatform(() => ({ before: 'x'.repeat(100), value: make(), after: 1 }));
      await assertAsPlatform(() => [1, make(), 'x'.repeat(100)], 2);
      await assertAsPlatform(() => Array.from({ length: 300 }, (_, i) => ({ id: i, name: 'row', value: i < 299 ? i : make() })));
    });
  }
});

test('the corpus', { skip: corpus.skip }, async () => {
  for (const { name, bytes } of corpus.jsonFiles()) {
    const value = JSON.parse(bytes.toString());
    const expected = JSON.stringify(value);
    for (const of of [eager, pool]) {
      for (let round = 0; round < 3; round++) assert.ok((await stringify(of, value)) === expected, name);
      assert.ok((await stringify(of, value, { as: 'buffer' })).equals(Buffer.from(expected)), name);
      assert.ok((await stringify(of, value, { space: 2 })) === JSON.stringify(value, null, 2), name);
    }
  }
});

test('JSONTestSuite', { skip: corpus.skip }, async () => {
  for (const { bytes } of corpus.conformance('y_')) {
    const text = bytes.toString();
    await assertAsPlatform(() => JSON.parse(text));
    await assertAsPlatform(() => Array.from({ length: 100 }, () => JSON.parse(text)), 1);
  }
});

test('texts', async () => {
  const long = (text) => text.repeat(Math.ceil(100_000 / text.length));
  const texts = ['', 'x', '"', '\\', '\n', '\u0000', '\u001f', '\u007f', '\u0080', 'ÿ', 'Ā', '\u2028', '\ud800', '\udc00', '\udc00\ud800', '😀', 'a"b', 'é😀\n'];
  for (const text of texts) {
    await assertAsPlatform(() => text);
    await assertAsPlatform(() => [text, { [text]: text }]);
    if (text) {
      await assertAsPlatform(() => long(text));
      await assertAsPlatform(() => ({ [long(text)]: [long(text), 'x'] }), '\t');
      // Pairs across the places where a text is cut for the writer.
      for (const shift of [1, 2, 3]) await assertAsPlatform(() => 'x'.repeat(shift) + long(text));
    }
  }
});

test('strings that come again', async () => {
  const names = ['', 'a', 'b', 'ab', 'ba', 'ü', '"', '\ud800', 'x'.repeat(63), 'x'.repeat(64), `${'x'.repeat(62)}y`, 'x'.repeat(256), 'x'.repeat(257), null, 1];
  for (const count of [300, 3000]) {
    const value = Array.from({ length: count }, (_, i) => ({ kind: names[i % 3], name: names[(i * 7) % names.length], id: `id ${i}` }));
    await assertAsPlatform(() => value);
    await assertAsPlatform(() => value, 1);
    await assertAsPlatform(() => value.toReversed());
  }
});

test('numbers', async () => {
  const numbers = [0, -0, 1, -1, 2 ** 28 - 1, 2 ** 28, -(2 ** 28), -(2 ** 28) - 1, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 1e20, 1e21, 1.5, 1e-6, 1e-7, 5e-324, Number.MAX_VALUE, NaN, Infinity, -Infinity];
  await assertAsPlatform(() => numbers);
  await assertAsPlatform(() => [...numbers, 'x', ...numbers]);
  await assertAsPlatform(() => numbers.map((number) => ({ number })), 3);
});

test('nesting', async () => {
  const nest = (depth, wrap) => {
    let value = wrap('x'.repeat(20_000));
    for (let i = 0; i < depth; i++) value = wrap(value);
    return value;
  };
  for (const depth of [10, 60, 63, 64, 65, 500]) {
    await assertAsPlatform(() => nest(depth, (value) => [value]), 1);
    await assertAsPlatform(() => nest(depth, (value) => ({ a: value, b: 1 })));
  }
  // Where the platform overflows the stack depends on the version; so does what is asserted here.
  for (const depth of [2000, 10_000]) {
    await assertAsPlatform(() => nest(depth, (value) => [value]));
    await assertAsPlatform(() => nest(depth, (value) => ({ a: value })));
  }
  await assert.rejects(stringify(pool, nest(1_000_000, (value) => [value])), RangeError);
});

test('cycles are refused wherever they are', async () => {
  for (const length of [1, 2, 3, 15, 16, 17, 40, 100]) {
    const first = { text: 'x'.repeat(20_000), next: null };
    let last = first;
    for (let i = 1; i < length; i++) last = last.next = { text: 'x', next: null };
    last.next = first;
    await assert.rejects(stringify(pool, first), (error) => error instanceof TypeError && /circular/.test(error.message));
  }
});

test('patched prototypes', async () => {
  const value = () => [{ a: 'x'.repeat(200), b: 1, c: ['y'] }, 1, 'z', true];
  for (const prototype of [Object.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype, BigInt.prototype]) {
    Object.defineProperty(prototype, 'toJSON', { value(key) { return `${key}!`; }, configurable: true });
    try {
      await assertAsPlatform(value);
      await assertAsPlatform(() => [1n, ...value()]);
    } finally {
      delete prototype.toJSON;
    }
  }
  Object.prototype.inherited = 'no';
  try {
    await assertAsPlatform(value);
  } finally {
    delete Object.prototype.inherited;
  }
});

test('raw JSON', { skip: !JSON.rawJSON && 'not on this version of Node' }, async () => {
  await assertAsPlatform(() => ({ a: JSON.rawJSON('1e1000'), b: 'x'.repeat(200) }));
});

test('what changes after the call does not show', async () => {
  for (const of of [eager, pool]) {
    const value = { messages: Array.from({ length: 200 }, (_, i) => ({ id: i, text: `${i}`.repeat(100) })) };
    const expected = JSON.stringify(value);
    const promise = stringify(of, value);
    for (const message of value.messages) message.text = 'changed';
    value.messages.length = 3;
    assert.strictEqual(await promise, expected);
  }
});

test('many at once, of all sizes', async () => {
  const values = Array.from({ length: 200 }, (_, i) => ({ i, text: `${i} ü`.repeat(1 + ((i * 7919) % 30_000)), list: [i, `${i}`] }));
  const texts = await Promise.all(values.map((value) => stringify(pool, value)));
  texts.forEach((text, i) => assert.ok(text === JSON.stringify(values[i])));
});

test('a getter that stringifies', async () => {
  let inner;
  const value = () => ({ get a() { inner = stringify(eager, { x: 'y'.repeat(300) }); return 'a'.repeat(300); }, b: ['c'] });
  await assertAsPlatform(value);
  assert.strictEqual(await inner, JSON.stringify({ x: 'y'.repeat(300) }));
});

test('long texts are offloaded; small values and lists of small things are not', async () => {
  const large = { messages: Array.from({ length: 20 }, () => ({ role: 'user', content: 'x'.repeat(100_000) })) };
  assert.strictEqual(await offloaded(pool, () => stringify(pool, large)), 1);
  assert.strictEqual(await offloaded(pool, () => stringify(pool, { a: 1, text: 'small' })), 0);
  assert.strictEqual(await offloaded(pool, () => stringify(pool, { a: 1n }).catch(() => {})), 0);
});

test('wrong arguments', async () => {
  for (const [options, name] of [[{ as: 'blob' }, 'options.as'], [null, 'options'], [5, 'options'], [{ priority: 'now' }, 'options.priority']]) {
    for (const value of [1, 'x'.repeat(100_000)]) {
      await assert.rejects(stringify(pool, value, options), (error) => error.code === 'ERR_INVALID_ARG' && error.message.includes(name));
    }
  }
});

test('an aborted call leaves the pool as it was', async () => {
  const value = 'x"'.repeat(2_000_000);
  const expected = JSON.stringify(value);
  for (let i = 0; i < 20; i++) {
    const controller = new AbortController();
    const promise = stringify(pool, value, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await assert.rejects(promise, (error) => error.name === 'AbortError' && error.cause.message === 'enough');
  }
  assert.ok((await stringify(pool, value)) === expected);
});

test('text longer than a string can be is refused, also as it was estimated', async () => {
  // 90 million control characters are 540 million characters of JSON.
  const value = '\u0001'.repeat(90_000_000);
  await assert.rejects(stringify(pool, value, { timeout: 0 }), { code: 'ERR_TOO_LARGE' });
  await assert.rejects(stringify(pool, [value, { toJSON: () => 1 }]), { code: 'ERR_TOO_LARGE' });
});

test('without code generation from strings', { skip: process.execArgv.includes('--disallow-code-generation-from-strings') }, () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ['--disallow-code-generation-from-strings', '--test-reporter=spec', __filename], { env, encoding: 'utf8' });
  assert.strictEqual(run.status, 0, run.stdout + run.stderr);
});
