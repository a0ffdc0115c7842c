'use strict';

// npm run settle -- [--tasks N]: mixed tasks, a million by default, of which some are aborted, time out, panic, kill their thread or
// lose their worker thread: each must settle exactly once.

const assert = require('node:assert');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const { SetupError, setUp } = require('./setup');
const { FAULTS_ADDON } = require('./toolchain');

const BATCH = 2000;
const TEXT = JSON.stringify({ list: Array.from({ length: 40 }, (_, id) => ({ id, name: `name ${id}` })) });
const EXPECTED = { resolved: 0, AbortError: 0, ERR_TASK_TIMEOUT: 0, ERR_TASK_PANIC: 0 };

/** Starts a task; which kind depends on its number alone. @param {any} pool @param {any} fault @param {number} number @param {AbortSignal} signal */
function start(pool, fault, number, signal) {
  if (number % 5000 === 0) return fault(pool, 'die');
  if (number % 1000 === 1) return fault(pool, 'spin', {}, { timeout: 1 });
  if (number % 100 === 2) return fault(pool, 'panic');
  if (number % 50 === 3) return fault(pool, 'echo', { tag: number }, { signal });
  if (number % 20 === 4) return pool.parse(TEXT);
  if (number % 20 === 5) return pool.stringify({ number, TEXT });
  if (number % 20 === 6) return fault(pool, 'echo', { tag: number }, { priority: 'bulk' });
  return fault(pool, 'echo', { tag: number });
}

/** @param {number} tasks @param {(settled: number) => void} [told] */
async function run(tasks, told) {
  const { WorkerPool } = require('..');
  const { fault } = require('../__test__/faults');
  const pool = new WorkerPool({ size: 2, maxQueue: 2 * BATCH, offloadThreshold: 100 });
  pool.on('error', () => {});
  const seen = new Uint8Array(tasks);
  const outcomes = { ...EXPECTED };
  for (let first = 0; first < tasks; first += BATCH) {
    const controller = new AbortController();
    const calls = [];
    for (let number = first; number < Math.min(first + BATCH, tasks); number++) {
      const settle = (/** @type {keyof typeof EXPECTED} */ outcome) => {
        seen[number] += 1;
        outcomes[outcome] += 1;
      };
      calls.push(start(pool, fault, number, controller.signal).then(
        () => settle('resolved'),
        (/** @type {any} */ error) => settle(error.name === 'AbortError' ? 'AbortError' : error.code),
      ));
    }
    setImmediate(() => controller.abort());
    await Promise.all(calls);
    told?.(first);
  }
  assert.ok(seen.every((count) => count === 1), 'each once');
  assert.deepStrictEqual(Object.keys(outcomes), Object.keys(EXPECTED), 'nothing else happens');
  assert.ok(Object.values(outcomes).every((count) => count > 0), 'all of it happens');
  await pool.shutdown();
  return outcomes;
}

async function main() {
  const { values } = parseArgs({ options: { tasks: { type: 'string', default: '1000000' } } });
  const tasks = Number(values.tasks);
  if (!(tasks >= 10_000)) throw new SetupError('--tasks must be at least 10000');
  setUp(FAULTS_ADDON);
  process.env.OFFLOOP_NATIVE_PATH ??= FAULTS_ADDON.loader;
  let exits = 0;
  let isOver = false;
  // Threads that run the same tasks and are ended amid them, one after the other.
  const others = (async () => {
    while (!isOver) {
      const worker = new Worker(path.resolve(__filename), { workerData: { tasks: 100_000 } });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
      exits += 1;
    }
  })();
  const started = performance.now();
  const outcomes = await run(tasks);
  isOver = true;
  await others;
  console.log(JSON.stringify({ tasks, seconds: Math.round((performance.now() - started) / 1000), settledOnce: tasks, ...outcomes, workerExits: exits }));
}

if (isMainThread) {
  main().catch((error) => {
    console.error(`settle: ${error instanceof SetupError ? error.message : error.stack}`);
    process.exitCode = 1;
  });
} else run(workerData.tasks, () => parentPort?.postMessage('going'));
