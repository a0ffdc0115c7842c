'use strict';

// The boundary between JavaScript and Rust: operations of all kinds and sizes at once, aborted, timed out, refused and panicking, while
// memory is collected, pools and worker threads come and go. What resolves is what the platform gives; what rejects has a
// reason that was given; every promise settles.

const assert = require('node:assert');
const { inspect, isDeepStrictEqual } = require('node:util');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const fc = require('fast-check');

const { WorkerPool } = require('../..');
const { anything: any, plain } = require('../../__test__/values');
const { fault, native, until } = require('../../__test__/faults');
const { Random, drive } = require('./random');

/** What a call may reject with besides the platform's own error. */
const REFUSALS = new Set(['ERR_TASK_TIMEOUT', 'ERR_QUEUE_FULL', 'ERR_POOL_CLOSED']);
const OPERATIONS = 40;
const EVERYTHING = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, showHidden: true };
/** A call that has not settled by then never will. */
const PATIENCE = 60_000;

/** @param {() => unknown} work @returns {{ value?: unknown, error?: any }} */
function attempt(work) {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/** @param {Random} random @param {fc.Arbitrary<unknown>} values */
const value = (random, values) => fc.sample(values, { numRuns: 1, seed: random.below(2 ** 31) })[0];

/** A value in a list, many times: large enough to leave the thread. @param {Random} random @param {unknown} one */
const enlarge = (random, one) => (random.once(3) ? Array.from({ length: 1 + random.below(2000) }, () => one) : one);

/** @param {Random} random @param {string} text */
function damage(random, text) {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(['', '"', '\ud800', '}', ',', '\u0000', '1e999']) + text.slice(at + random.below(3));
}

/**
 * Each: a call, and what it must come to. Results are compared as they come, so that a value that is shared by mistake shows.
 * @type {((random: Random, pool: WorkerPool, options: import('../..').TaskOptions) => [Promise<unknown>, { value?: unknown, error?: any }])[]}
 */
const CALLS = [
  (random, pool, options) => {
    const made = JSON.stringify(enlarge(random, value(random, plain))) ?? 'null';
    const text = random.once(5) ? damage(random, made) : made;
    const isText = random.once(2);
    const bytes = Buffer.from(text);
    const chunks = [bytes.subarray(0, random.below(bytes.length + 1))];
    chunks.push(bytes.subarray(chunks[0].length));
    const input = isText ? text : random.once(2) ? bytes : chunks;
    const expected = attempt(() => JSON.parse(isText ? text : bytes.toString()));
    const promise = pool.parse(input, options);
    // The caller's memory is the caller's again.
    if (!isText) bytes.fill(random.below(256));
    return [promise, expected];
  },
  (random, pool, options) => {
    const { state } = random;
    const make = () => enlarge(Object.assign(random, { state }), value(random, any));
    const input = make();
    const space = random.once(4) ? random.pick([2, '\t']) : undefined;
    return [pool.stringify(input, { ...options, space }), attempt(() => JSON.stringify(make(), null, space))];
  },
  (random, pool, options) => {
    const input = enlarge(random, value(random, plain));
    const expected = attempt(() => JSON.stringify(input));
    const text = expected.value === undefined ? expected : { value: Buffer.from(/** @type {string} */ (expected.value)) };
    return [pool.stringify(input, { ...options, as: 'buffer' }), text];
  },
  (random, pool, options) => {
    // Some accessors change what they are read from: each side gets a value of its own, made alike.
    const { state } = random;
    const make = () => enlarge(Object.assign(random, { state }), value(random, any));
    const input = make();
    return [pool.clone(input, options), attempt(() => structuredClone(make()))];
  },
  (random, pool, options) => {
    const object = { a: value(random, plain) ?? null, list: enlarge(random, value(random, plain)) ?? null };
    const expected = attempt(() => ({ ...JSON.parse(JSON.stringify(object)), added: 'b' }));
    const change = pool.load(JSON.stringify(object), options).then((document) => document.with({ '/added': 'b' }).toBuffer());
    return [change.then((bytes) => JSON.parse(bytes.toString())), expected];
  },
  (random, pool, options) => [fault(pool, 'panic', {}, options), { error: { code: 'ERR_TASK_PANIC' } }],
  (random, pool, options) => [fault(pool, 'die', {}, options), { error: { code: 'ERR_TASK_PANIC' } }],
  (random, pool, options) => [fault(pool, 'echo', { tag: 7, bytes: random.below(1 << 20) }, options), { value: 7 }],
];

/** @param {PromiseSettledResult<unknown>} result @param {{ value?: unknown, error?: any }} expected @param {AbortSignal | undefined} signal */
function compare(result, expected, signal) {
  if (result.status === 'rejected') {
    const { reason } = result;
    if (reason?.name === 'AbortError' && signal?.aborted && reason.cause === signal.reason) return;
    if (REFUSALS.has(reason?.code)) return;
    assert.ok(expected.error !== undefined, `rejected, where the platform does not: ${reason?.stack ?? reason}`);
    if (expected.error.code === 'ERR_TASK_PANIC') assert.strictEqual(reason.code, 'ERR_TASK_PANIC');
    else assert.strictEqual(reason?.name, expected.error?.name, String(reason?.stack));
    return;
  }
  assert.strictEqual(expected.error, undefined, `resolved, where the platform throws ${expected.error}`);
  if (isDeepStrictEqual(result.value, expected.value)) return;
  // Node 20 takes invalid dates for different ones.
  assert.strictEqual(inspect(result.value, EVERYTHING), inspect(expected.value, EVERYTHING));
}

/** @param {Promise<unknown>} promise */
function soon(promise) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('a promise was never settled')), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** @param {Random} random */
async function round(random) {
  const pool = new WorkerPool({
    size: 1 + random.below(3),
    taskTimeout: random.pick([0, 5000, 1]),
    offloadThreshold: random.pick([0, 100, 10_000]),
    maxQueue: random.pick([10_000, 8]),
    maxBlockMs: random.pick([1, 8]),
  });
  pool.on('error', () => {});
  const worker = isMainThread && random.once(4) ? startWorker(random) : undefined;
  const checks = [];
  const calls = native.fault ? CALLS : CALLS.slice(0, 5);
  for (let count = 0; count < OPERATIONS; count++) {
    const controller = random.once(5) ? new AbortController() : undefined;
    const options = { signal: controller?.signal, priority: random.pick([undefined, /** @type {const} */ ('bulk')]) };
    const [promise, expected] = random.pick(calls)(random, pool, options);
    checks.push(soon(Promise.allSettled([promise])).then(([result]) => compare(result, expected, controller?.signal)));
    if (controller) random.pick([setImmediate, queueMicrotask])(() => controller.abort(new Error('enough')));
    if (random.once(8)) globalThis.gc?.();
    if (random.once(6)) await new Promise(setImmediate);
  }
  if (random.once(3)) await pool.shutdown({ drain: random.once(2) });
  await Promise.all(checks);
  // What was given up on may take a moment to notice.
  await until(() => pool.getStats().pendingTasks === 0, 'the tasks to end');
  await pool.shutdown();
  await worker;
}

/** A thread that does the same, and is ended at any moment. @param {Random} random */
async function startWorker(random) {
  const worker = new Worker(__filename, { workerData: { seed: random.below(2 ** 31) } });
  const ended = new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', resolve);
  });
  if (random.once(2)) {
    await new Promise((resolve) => worker.once('online', resolve));
    for (let turns = random.below(200); turns > 0; turns--) await new Promise(setImmediate);
    await worker.terminate();
  }
  await ended;
}

if (isMainThread) drive(round);
else round(new Random(workerData.seed)).then(() => parentPort?.postMessage('done'));
