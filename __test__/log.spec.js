'use strict';

const assert = require('node:assert');
const test = require('node:test');

const { formatLog } = require('../lib/log');
const { WorkerPool } = require('../lib/pool');
const { anything, check, fc } = require('./values');

const pool = new WorkerPool({ size: 1 });
test.after(() => pool.shutdown());

/** The line as an object, its time checked and taken out. */
async function format(...args) {
  const text = await formatLog(pool, ...args);
  assert.strictEqual(typeof text, 'string');
  assert.ok(!text.includes('\n'));
  const { time, ...fields } = JSON.parse(text);
  if (typeof time === 'string' && !args[2]?.time) assert.strictEqual(new Date(time).toISOString(), time);
  return fields;
}

test('a line', async () => {
  assert.match(await formatLog(pool, 'info', 'hello', { a: 1 }), /^\{"level":"info","time":"[^"]+Z","msg":"hello","a":1\}$/);
  assert.deepStrictEqual(await format('warn', 'two\nlines', { nested: { b: [1, null] } }), { level: 'warn', msg: 'two\nlines', nested: { b: [1, null] } });
  for (const data of [undefined, null, {}]) assert.deepStrictEqual(await format('info', 'm', data), { level: 'info', msg: 'm' });
  assert.deepStrictEqual(await format('info', 'm', { msg: 'other', level: 9 }), { level: 9, msg: 'other' });
});

test('errors', async () => {
  const cause = new RangeError('inner');
  const error = Object.assign(new TypeError('outer', { cause }), { code: 'E_CODE' });
  const described = { type: 'TypeError', message: 'outer', stack: error.stack, code: 'E_CODE', cause: { type: 'RangeError', message: 'inner', stack: cause.stack } };
  assert.deepStrictEqual((await format('error', 'm', { err: error, list: [{ error }] })).err, described);
  assert.deepStrictEqual((await format('error', 'm', { list: [{ error }] })).list[0].error, described);
  assert.deepStrictEqual((await format('error', 'm', error)).err, described);
  class HttpError extends Error {}
  assert.strictEqual((await format('error', 'm', { err: new HttpError('x') })).err.type, 'HttpError');
  assert.strictEqual((await format('error', 'm', { err: new AggregateError([cause], 'all') })).err.errors[0].message, 'inner');
  const client = new Error('404');
  client.request = { client };
  assert.deepStrictEqual((await format('error', 'm', { err: client })).err, { type: 'Error', message: '404', stack: client.stack });
  const data = { err: error };
  await format('error', 'm', data);
  assert.strictEqual(data.err, error);
});

test('what has no JSON form leaves a line that says so, and the rest of the data', async () => {
  const cycle = { name: 'cycle' };
  cycle.self = cycle;
  const circularError = new Error('circular');
  circularError.cause = circularError;
  const bad = {
    cycle: () => cycle,
    bigint: () => 1n,
    getter: () => ({ get broken() { throw new Error('from the getter'); } }),
    toJSON: () => ({ toJSON() { throw new Error('from toJSON'); } }),
    proxy: () => new Proxy({}, { ownKeys() { throw new Error('from the trap'); } }),
    thrown: () => ({ get broken() { throw null; } }), // eslint-disable-line no-throw-literal
  };
  for (const [name, make] of Object.entries(bad)) {
    const line = await format('info', 'm', { before: 1, bad: make(), after: [2] });
    assert.match(line.bad, /^\[not serialisable: /, name);
    assert.deepStrictEqual([line.level, line.msg, line.before, line.after], ['info', 'm', 1, [2]], name);
    const large = await format('info', 'm', { text: 'x'.repeat(50_000), bad: make() });
    assert.match(large.bad, /^\[not serialisable: /, name);
    assert.strictEqual(large.text.length, 50_000);
    assert.strictEqual((await format('info', 'm', make() === 1n ? {} : make())).msg, 'm', name);
  }
  assert.strictEqual((await format('info', 'm', { err: circularError })).err.message, 'circular');
  assert.match((await format('info', 'm', { get broken() { throw new Error('here'); }, a: 1 })).broken, /here/);
});

test('any data gives a line', (t) =>
  check(t, fc.asyncProperty(anything, async (value) => {
    const line = await format('info', 'm', { value });
    assert.strictEqual(line.msg, 'm');
    if (typeof value === 'object' || value === undefined) assert.strictEqual((await format('info', 'm', { key: 1, ...{ value } })).key, 1);
  })));

test('keys that are not like others', async () => {
  const data = JSON.parse('{"__proto__": {"a": 1}, "toJSON": "text"}');
  assert.deepStrictEqual(Object.keys(await format('info', 'm', data)), ['level', 'msg', '__proto__', 'toJSON']);
  const error = new Error('x');
  const own = JSON.parse('{"__proto__": 1}');
  Object.defineProperty(own, '__proto__', { value: { error }, enumerable: true });
  assert.strictEqual(Object.getOwnPropertyDescriptor(await format('info', 'm', own), '__proto__').value.error.message, 'x');
  assert.deepStrictEqual(await format('info', 'm', { toJSON: () => ({ replaced: 1 }) }), { level: 'info', msg: 'm', replaced: 1 });
  assert.deepStrictEqual(await format('info', 'm', new Date(0)), { level: 'info', msg: 'm', data: '1970-01-01T00:00:00.000Z' });
});

test('large data is offloaded, and is what it was at the call', async () => {
  const before = pool.getStats().offloaded;
  const data = { text: 'x'.repeat(1_000_000) };
  const promise = formatLog(pool, 'info', 'm', data);
  data.text = 'changed';
  assert.strictEqual(JSON.parse(await promise).text.length, 1_000_000);
  assert.strictEqual(pool.getStats().offloaded, before + 1);
});

test('wrong arguments', async () => {
  for (const [args, name] of [[[1, 'm'], 'level'], [['info', {}], 'msg'], [['info', 'm', 'text'], 'data'], [['info', 'm', 5], 'data']]) {
    await assert.rejects(formatLog(pool, ...args), (error) => error.code === 'ERR_INVALID_ARG' && error.message.includes(name));
  }
});
