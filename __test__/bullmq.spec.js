'use strict';

// The BullMQ processor: by itself, and with a real Redis and workers that are killed.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { WorkerPool } = require('..');
const { createProcessor } = require('../lib/bullmq');
const { Gate, needsFaults, until } = require('./faults');

const REDIS = process.env.OFFLOOP_REDIS_SERVER ?? 'redis-server';
const hasRedis = spawnSync(REDIS, ['--version']).status === 0;
const needsRedis = { skip: hasRedis ? false : `no ${REDIS} is installed` };

/** A job as far as the processor sees it. @param {any} data @param {any} [progress] */
function jobOf(data, progress = 0) {
  /** @type {any[]} */
  const reports = [];
  return { data, progress, reports, updateProgress: async (/** @type {any} */ report) => void reports.push(report) };
}

/** @param {import('node:test').TestContext} t @param {any} [options] */
function poolOf(t, options) {
  const pool = new WorkerPool({ size: 2, ...options });
  t.after(() => pool.shutdown());
  return pool;
}

test('one task gives its result', async (t) => {
  const process = createProcessor({ pool: poolOf(t) });
  assert.deepEqual(await process(jobOf({ type: 'parse', payload: '[1,2]' })), [1, 2]);
});

test('a list gives its results in order, and reports progress', async (t) => {
  const process = createProcessor({ pool: poolOf(t, { offloadThreshold: 0 }), concurrency: 5 });
  const items = Array.from({ length: 40 }, (_, index) => JSON.stringify({ index, text: 'x'.repeat(index % 2 === 0 ? 50_000 : 1) }));
  const job = jobOf({ type: 'parse', items });
  assert.deepEqual((await process(job)).map((/** @type {any} */ { index }) => index), items.map((_, index) => index));
  assert.deepEqual(job.reports, [16, 32, 40].map((done) => ({ done, total: 40 })));
  assert.deepEqual(await process(jobOf({ type: 'parse', items: [] })), []);
});

test('results are taken one after the other, and a job goes on where it was', async (t) => {
  /** @type {number[]} */
  const taken = [];
  let busy = 0;
  const process = createProcessor({
    pool: poolOf(t),
    onResult: async (result, index) => {
      assert.equal(++busy, 1);
      await new Promise((resolve) => setImmediate(resolve));
      busy--;
      assert.equal(result, index);
      taken.push(index);
    },
  });
  const items = Array.from({ length: 30 }, (_, index) => String(index));
  assert.equal(await process(jobOf({ type: 'parse', items }, { done: 16, total: 30 })), 30);
  assert.deepEqual(taken, Array.from({ length: 14 }, (_, index) => index + 16));
});

test('what cannot succeed is not tried again', async (t) => {
  const process = createProcessor({ pool: poolOf(t) });
  for (const [data, code] of /** @type {[any, string][]} */ ([[{ type: 'parse', payload: '{' }, 'ERR_JSON_SYNTAX'], [{ type: 'nothing' }, 'ERR_UNKNOWN_TASK'], [undefined, 'ERR_UNKNOWN_TASK'], [{ type: 'parse', items: 'x' }, 'ERR_INVALID_ARG'], [{ type: 'parse', items: ['1', '{'] }, 'ERR_JSON_SYNTAX']])) {
    await assert.rejects(process(jobOf(data)), { name: 'UnrecoverableError', code });
  }
});

test('a full pool is waited for', needsFaults, async (t) => {
  const pool = poolOf(t, { size: 1, maxQueue: 0, offloadThreshold: 0 });
  const gate = new Gate();
  const held = await gate.occupy(pool);
  const numbers = Array.from({ length: 40 }, (_, index) => index);
  const done = createProcessor({ pool, concurrency: 40 })(jobOf({ type: 'parse', items: numbers.map(String) }));
  await until(() => pool.getStats().tasksRejected >= 40);
  assert.equal(pool.listenerCount('drain'), 1);
  gate.open();
  assert.deepEqual(await done, numbers);
  await Promise.all(held);
});

test('a full pool that is closed is waited for no longer', needsFaults, async (t) => {
  const pool = poolOf(t, { size: 1, maxQueue: 0, offloadThreshold: 0 });
  const gate = new Gate();
  const held = await gate.occupy(pool);
  const done = createProcessor({ pool })(jobOf({ type: 'parse', items: ['1', '2', '3'] }));
  await until(() => pool.getStats().tasksRejected > 0);
  const closed = assert.rejects(done, { code: 'ERR_POOL_CLOSED' });
  const shut = pool.shutdown();
  gate.open();
  await Promise.all([closed, shut, ...held]);
});

test('wrong options are errors that name them', () => {
  const bad = { pool: {}, concurrency: 0, onResult: 1 };
  for (const [name, value] of Object.entries(bad)) {
    assert.throws(() => createProcessor(/** @type {any} */ ({ [name]: value })), { code: 'ERR_INVALID_ARG', message: new RegExp(`^options\\.${name} must be`) });
  }
  assert.throws(() => createProcessor(/** @type {any} */ (null)), { code: 'ERR_INVALID_ARG' });
});

/**
 * A Redis of our own, which keeps nothing.
 * @param {import('node:test').TestContext} t
 * @param {string} folder
 */
async function startRedis(t, folder) {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  const redis = spawn(REDIS, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction', '--dir', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => redis.kill('SIGKILL'));
  let log = '';
  redis.stdout.on('data', (text) => (log += text));
  await until(() => log.includes('Ready to accept connections') || redis.exitCode !== null, 'redis');
  assert.equal(redis.exitCode, null, log);
  return port;
}

test('a worker that is killed loses nothing', needsRedis, async (t) => {
  const { Queue, QueueEvents } = require('bullmq');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-bullmq-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const port = await startRedis(t, folder);
  const connection = { host: '127.0.0.1', port };
  const queue = new Queue('archive', { connection });
  const events = new QueueEvents('archive', { connection });
  t.after(() => Promise.all([queue.close(), events.close()]));
  await events.waitUntilReady();
  const out = path.join(folder, 'results.ndjson');
  const lines = () => (fs.existsSync(out) ? fs.readFileSync(out, 'utf8').split('\n').slice(0, -1) : []);
  const start = () => {
    const child = spawn(process.execPath, [path.join(__dirname, '..', 'examples', 'bullmq', 'worker.js'), '--port', String(port), '--out', out], { stdio: ['ignore', 'ignore', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    return child;
  };

  const count = 3000;
  const items = Array.from({ length: count }, (_, index) => JSON.stringify([index, 'some text '.repeat(100)]));
  const job = await queue.add('parse', { type: 'parse', items }, { attempts: 3 });
  const first = start();
  await until(() => lines().length > 100, 'the first results');
  const end = once(first, 'exit');
  first.kill('SIGKILL');
  await end;
  const atKill = lines().length;
  assert.ok(atKill < count, 'killed in the midst of it');

  const second = start();
  assert.equal(await job.waitUntilFinished(events, 60_000), count);
  const seen = lines().map((line) => JSON.parse(line));
  assert.deepEqual([...new Set(seen.map(({ index }) => index))].sort((a, b) => a - b), items.map((_, index) => index), 'every result is there');
  for (const { index, result } of seen) assert.equal(result[0], index);
  // It went on, rather than to begin again.
  assert.ok(seen.length - count <= 32, `${seen.length - count} came twice, of ${atKill}`);

  const bad = await queue.add('parse', { type: 'parse', payload: '{' }, { attempts: 5 });
  await assert.rejects(bad.waitUntilFinished(events, 30_000), /ERR_JSON_SYNTAX/);
  assert.equal(await (await queue.getJob(/** @type {string} */ (bad.id)))?.getState(), 'failed');

  const ended = once(second, 'exit');
  second.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
