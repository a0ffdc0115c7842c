'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { constants } = require('node:buffer');
const test = require('node:test');

const { WorkerPool } = require('..');
const corpus = require('./corpus');
const { check, fc, plain } = require('./values');

/** Offloads everything, however small. */
const pool = new WorkerPool({ offloadThreshold: 0, maxQueueBytes: 2 ** 40 });
/** Runs everything inline that these tests have. */
const inlinePool = new WorkerPool({ offloadThreshold: 1e9 });
test.after(() => Promise.all([pool.shutdown(), inlinePool.shutdown()]));

/** Asserts the same value, key order included. */
function assertSame(actual, expected, message) {
  assert.deepStrictEqual(actual, expected, message);
  assert.strictEqual(JSON.stringify(actual), JSON.stringify(expected), message);
}

/** Asserts that every way of parsing `bytes` gives what JSON.parse gives. @param {Uint8Array} bytes */
async function assertAsPlatform(bytes, message) {
  const text = Buffer.from(bytes).toString();
  const third = Math.floor(bytes.length / 3);
  const inputs = [bytes, text, [bytes.subarray(0, third), bytes.subarray(third)]];
  let expected;
  try {
    expected = JSON.parse(text);
  } catch {
    for (const input of inputs) await assert.rejects(pool.parse(input), isSyntaxError, message);
    return;
  }
  for (const input of inputs) assertSame(await pool.parse(input), expected, message);
}

function isSyntaxError(error) {
  assert.ok(error instanceof SyntaxError, String(error));
  assert.strictEqual(error.code, 'ERR_JSON_SYNTAX');
  for (const name of ['position', 'line', 'column']) assert.ok(Number.isInteger(error[name]), name);
  return true;
}

test('JSONTestSuite: y_ parses, n_ does not, i_ as JSON.parse', { skip: corpus.skip }, async () => {
  for (const { name, bytes } of corpus.conformance('y_')) {
    assert.doesNotThrow(() => JSON.parse(bytes.toString()), name);
    await assertAsPlatform(bytes, name);
  }
  for (const { name, bytes } of corpus.conformance('n_')) {
    await assert.rejects(pool.parse(bytes), isSyntaxError, name);
    await assert.rejects(inlinePool.parse(bytes), isSyntaxError, name);
  }
  for (const { name, bytes } of corpus.conformance('i_')) await assertAsPlatform(bytes, name);
});

test('the corpus', { skip: corpus.skip }, async () => {
  for (const { name, bytes } of corpus.jsonFiles()) await assertAsPlatform(bytes, name);
});

test('generated values, as JSON.stringify writes them', async (t) => {
  const space = fc.constantFrom('', ' ', '\t', '\r\n        ');
  const property = fc.asyncProperty(plain, space, async (value, indent) => {
    const text = JSON.stringify(value, null, indent) ?? 'null';
    await assertAsPlatform(Buffer.from(text));
  });
  await check(t, property);
});

test('generated damage', async (t) => {
  const property = fc.asyncProperty(plain, fc.nat(), fc.integer({ min: 0, max: 255 }), async (value, at, byte) => {
    const bytes = Buffer.from(JSON.stringify(value, null, 1) ?? 'null');
    bytes[at % bytes.length] = byte;
    await assertAsPlatform(bytes);
  });
  await check(t, property);
});

test('JS strings keep what UTF-8 cannot hold', async () => {
  for (const text of ['"\ud800"', '"a\udc00b"', '"\ud83d\ude00\ud83d"', '{"\ud800":"\ude00\ud83d"}', '"é\ud800€"']) {
    assertSame(await pool.parse(text), JSON.parse(text));
  }
});

test('numbers, to the last bit', async () => {
  const literals = ['-0', '0', '-0.0', '0e5', '1e400', '-1e400', '5e-324', '2e-324', '1.7976931348623157e308', '9007199254740993',
    '123456789012345680000', '0.1', '4.35', '1e23', '268435455', '268435456', '-268435456', '-268435457', '2147483648',
    '6929495644600919.5', '-65.613616999999977', '1E+2', '1e-7', '12345678901234567890123456789'];
  for (const literal of literals) {
    const [first, second] = await pool.parse(`[${literal},${literal}]`);
    assert.ok(Object.is(first, JSON.parse(literal)) && Object.is(second, first), literal);
    assert.ok(Object.is(await pool.parse(literal), JSON.parse(literal)), literal);
  }
});

test('odd keys, also in layouts that are hot', async () => {
  const objects = [
    '{"__proto__":{"polluted":true},"a":1}',
    '{"__proto__":null}',
    '{"constructor":1,"toString":2,"hasOwnProperty":3}',
    '{"b":1,"1":2,"a":3,"0":4,"-1":5,"01":6,"4294967295":7}',
    '{"a":1,"b":2,"a":3}',
    '{"a":1,"\\u0061":2}',
    '{"":0," ":1,"\\u2028":2,"\\"":3,"\\\\":4,"\\n":5,"${process.exit()}":6,"`":7}',
    '{"x\\u0022]:0};process.exit(1);({[\\u0022y":1}',
    '{"ключ":"значение","é":"ü","😀":"\\ud83d"}',
    '{"get a":1,"async":2,"...a":3,"[a]":4}',
    `{${Array.from({ length: 200 }, (_, i) => `"key ${i}":${i}`).join()}}`,
    '{}',
  ];
  for (const object of objects) {
    for (const text of [object, `[${Array(100).fill(object).join()}]`]) {
      for (let round = 0; round < 3; round++) {
        const value = await pool.parse(text);
        assertSame(value, JSON.parse(text));
        assert.strictEqual({}.polluted, undefined);
      }
    }
  }
});

test('more layouts than there are slots', async () => {
  for (let round = 0; round < 3; round++) {
    for (let first = 0; first < 4000; first += 200) {
      const rows = Array.from({ length: 4000 }, (_, i) => ({ [`k${first + (i % 200)}`]: i, same: [round] }));
      assertSame(await pool.parse(JSON.stringify(rows)), rows);
    }
  }
});

test('properties are defined, not set: Object.prototype does not interfere', async () => {
  let called = 0;
  Object.defineProperty(Object.prototype, 'trap', { set() { called++; }, get() { called++; }, configurable: true });
  try {
    for (const text of ['{"trap":1}', `[${Array(100).fill('{"trap":1}').join()}]`]) {
      for (let round = 0; round < 3; round++) {
        const value = [await pool.parse(text)].flat()[0];
        assert.deepStrictEqual(Object.getOwnPropertyDescriptor(value, 'trap').value, 1);
      }
    }
    assert.strictEqual(called, 0);
  } finally {
    delete Object.prototype.trap;
  }
});

test('nesting of any depth', async () => {
  for (const depth of [399, 400, 401, 10_000, 100_000, 1_000_000]) {
    let value = await pool.parse('['.repeat(depth) + ']'.repeat(depth));
    for (let level = 1; level < depth; level++) {
      if (value.length !== 1) assert.fail(`level ${level}`);
      [value] = value;
    }
    assert.deepStrictEqual(value, []);
  }
  let object = await pool.parse('{"a":[0,'.repeat(50_000) + '{"z":1.5}' + '],"b":true}'.repeat(50_000));
  for (let level = 0; level < 50_000; level++) {
    assert.strictEqual(object.b, true);
    assert.strictEqual(object.a[0], 0);
    [, object] = object.a;
  }
  assert.deepStrictEqual(object, { z: 1.5 });
});

test('large values are built in slices between turns of the event loop', async () => {
  const hurried = new WorkerPool({ maxBlockMs: 0.1 });
  const rows = Array.from({ length: 60_000 }, (_, i) => ({ id: i, name: `row ${i}`, at: [i, i / 7], tags: ['a', null] }));
  const text = JSON.stringify({ rows, last: true });
  let turns = 0;
  let done = false;
  (function turn() {
    turns++;
    if (!done) setImmediate(turn);
  })();
  const before = turns;
  const value = await hurried.parse(text);
  done = true;
  assert.ok(turns > before + 3, `${turns - before} turns`);
  assertSame(value, { rows, last: true });

  const controller = new AbortController();
  const parsed = hurried.parse(text, { signal: controller.signal });
  setImmediate(() => controller.abort(new Error('enough')));
  await assert.rejects(parsed, { name: 'AbortError', cause: new Error('enough') });
  await hurried.shutdown();
});

test('several large values at once', async () => {
  const texts = Array.from({ length: 8 }, (_, n) => JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ n, i, s: `${n} ${i}` }))));
  const values = await Promise.all(texts.map((text) => pool.parse(text)));
  values.forEach((value, n) => assert.strictEqual(JSON.stringify(value), texts[n]));
});

test('chunks may be cut anywhere, also within a character', async () => {
  const bytes = Buffer.from('{"text":"é€😀 and more","list":[1,2,3]}');
  for (let cut = 0; cut <= bytes.length; cut++) {
    for (const way of [pool, inlinePool]) {
      const value = await way.parse([bytes.subarray(0, cut), new Uint8Array(0), bytes.subarray(cut)]);
      assertSame(value, JSON.parse(bytes.toString()));
    }
  }
});

test('malformed JSON says where', async () => {
  const table = [
    ['{"a": 1,\n  "b" 2}', 15, 2, 7],
    ['[1, 2', 5, 1, 6],
    ['', 0, 1, 1],
    ['"é€😀\u0001"', 5, 1, 6],
    ['\n\n  nul', 7, 3, 6],
    ['[1,]', 3, 1, 4],
    ['"\\x"', 2, 1, 3],
    ['"\\u12g4"', 5, 1, 6],
    ['01', 1, 1, 2],
    ['{} {}', 3, 1, 4],
    ['\ufeff{}', 0, 1, 1],
  ];
  for (const [text, position, line, column] of table) {
    for (const way of [pool, inlinePool]) {
      await assert.rejects(way.parse(text), (error) => {
        isSyntaxError(error);
        assert.deepStrictEqual({ ...error }, { code: 'ERR_JSON_SYNTAX', position, line, column }, text);
        return true;
      });
      await assert.rejects(way.parse(Buffer.from(text)), { position, line, column });
    }
  }
  await assert.rejects(pool.parse([Buffer.from('{"a":'), Buffer.from('[1,2')]), { position: 9 });
});

test('the text is read as it was at the call', async () => {
  const bytes = Buffer.from(`["${'x'.repeat(50_000)}"]`);
  const parsed = pool.parse(bytes);
  bytes.fill('y');
  assert.strictEqual((await parsed)[0], 'x'.repeat(50_000));
});

test('strings outlive the text they came from', { timeout: 60_000 }, async () => {
  const strings = [];
  for (let round = 0; round < 50; round++) {
    const text = JSON.stringify(Array.from({ length: 50 }, (_, i) => `${round}:${i} `.repeat(i * i) + (i % 2 ? 'é' : 'ж')));
    strings.push({ value: await pool.parse(text), text });
  }
  for (const { value, text } of strings) assert.strictEqual(JSON.stringify(value), text);
});

test('memory that cannot be read is refused', async () => {
  const detached = new Uint8Array(20_000);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  for (const way of [pool, inlinePool]) {
    await assert.rejects(way.parse(detached), { code: 'ERR_INVALID_ARG', message: /^json must be/ });
    await assert.rejects(way.parse([Buffer.from('1'), detached]), { code: 'ERR_INVALID_ARG', message: /^json\[1\]/ });
  }
  const shared = new Uint8Array(new SharedArrayBuffer(16));
  shared.set(Buffer.from('[1,2,3]         '));
  assert.deepStrictEqual(await pool.parse(shared), [1, 2, 3]);
  assert.deepStrictEqual(await pool.parse([shared]), [1, 2, 3]);
});

test('bytes that are given up are freed at once, as far as they have their memory to themselves', async () => {
  const memory = new ArrayBuffer(64);
  const part = new Uint8Array(memory, 8, 2);
  part.set(Buffer.from('1,'));
  const shared = new Uint8Array(new SharedArrayBuffer(2));
  shared.set(Buffer.from('2]'));
  const read = { parse: (/** @type {any} */ bytes) => pool.parse(bytes, { transfer: true }), load: async (/** @type {any} */ bytes) => (await pool.load(bytes, { transfer: true })).value() };
  for (const [name, run] of Object.entries(read)) {
    const own = new Uint8Array([0x5b]);
    assert.deepStrictEqual(await run([own, part, shared]), [1, 2], name);
    assert.deepStrictEqual([own.buffer.byteLength, memory.byteLength, shared.length], [0, 64, 2], name);
    const whole = new Uint8Array(Buffer.from('[1,2]'));
    const value = run(whole);
    assert.strictEqual(whole.buffer.byteLength, 0, name);
    assert.deepStrictEqual(await value, [1, 2], name);
    const wrong = new Uint8Array(Buffer.from('[1,'));
    await assert.rejects(run([wrong, wrong]), isSyntaxError);
    assert.strictEqual(wrong.buffer.byteLength, 0, name);
  }
  const small = new Uint8Array([0x31]);
  assert.strictEqual(await inlinePool.parse(small, { transfer: true }), 1);
  assert.strictEqual(small.length, 1);
});

test('a resized buffer is read at its present size', { skip: !('resizable' in ArrayBuffer.prototype) }, async () => {
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
  const bytes = new Uint8Array(buffer);
  bytes.fill(0x20).set(Buffer.from('[1,2,3]'));
  buffer.resize(16);
  assert.deepStrictEqual(await pool.parse(bytes), [1, 2, 3]);
  const fixed = new Uint8Array(buffer, 8, 8);
  buffer.resize(4);
  await assert.rejects(pool.parse(fixed), { code: 'ERR_INVALID_ARG' });
});

test('wrong arguments are named', async () => {
  for (const json of [undefined, null, 1, {}, Symbol('s'), new ArrayBuffer(8), new Uint16Array(4), new DataView(new ArrayBuffer(2))]) {
    await assert.rejects(pool.parse(json), { name: 'TypeError', code: 'ERR_INVALID_ARG', message: /^json must be/ });
  }
  await assert.rejects(pool.parse(['[]']), { code: 'ERR_INVALID_ARG', message: /^json\[0\] must be/ });
  await assert.rejects(pool.parse('[]', { timeout: -1 }), { code: 'ERR_INVALID_ARG', message: /timeout/ });
});

test('a text that no JS string could hold is too large', async () => {
  const large = Buffer.allocUnsafeSlow(600 * 1024 * 1024);
  await assert.rejects(pool.parse(large), { code: 'ERR_TOO_LARGE' });
  const half = large.subarray(0, constants.MAX_STRING_LENGTH / 2 + 1);
  await assert.rejects(pool.parse([half, half]), { code: 'ERR_TOO_LARGE' });
  assert.deepStrictEqual(await pool.parse('[1]'), [1]);
  const { pendingTasks, queueBytes } = pool.getStats();
  assert.deepStrictEqual({ pendingTasks, queueBytes }, { pendingTasks: 0, queueBytes: 0 });
});

test('without code generation the answers are the same', () => {
  const names = ['odd keys', 'JSONTestSuite', 'Object.prototype', 'large values'];
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--test-reporter=tap', '--test-name-pattern', names.join('|'), __filename],
    { encoding: 'utf8', env: { ...process.env, NODE_TEST_CONTEXT: '' } },
  );
  assert.strictEqual(status, 0, stdout);
  assert.match(stdout, /# pass [3-9]/);
});
