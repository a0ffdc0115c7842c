'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { openAsyncTask } = require('./competitors/asynctask');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { testDocuments } = require('./corpus');
const { Unavailable } = require('./harness/script');
const { collectGarbage } = require('./harness/measure');
const { progress } = require('./harness/report');
const { quantile, significant } = require('./harness/statistics');

/**
 * How long fs.readFile takes while threads are busy. libuv reads files on its own four threads, so work that sits on
 * those makes every read wait; work on other threads only shares the processors with them.
 *
 * - `idle`: nothing else.
 * - `spin`: as many threads as the pool has, doing nothing but sums: what sharing the processors costs by itself.
 * - `offloop`: twice as many pool.parse calls in flight as the pool has threads.
 * - `AsyncTask`: the same text parsed with serde_json on libuv's threads, twice as many in flight as there are.
 */
const LOADS = ['idle', 'spin', 'offloop', 'AsyncTask'];

const FILE_BYTES = 16_384;
const LIBUV_THREADS = Number(process.env.UV_THREADPOOL_SIZE) || 4;

/**
 * @typedef {object} Load
 * @property {string} name
 * @property {string} [document]
 * @property {() => { done: () => number, stop: () => Promise<void> }} start
 */

/**
 * @param {readonly string[]} names
 * @param {boolean} quick
 */
async function measureReadFile(names, quick) {
  const skipped = [];
  /** @type {Load[]} */
  const loads = [];
  for (const name of names) {
    try {
      loads.push(...makeLoads(name));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      progress(`${name} is left out: ${error.message}`);
      skipped.push({ candidate: name, reason: error.message });
    }
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-bench-'));
  const file = path.join(folder, 'read');
  fs.writeFileSync(file, Buffer.alloc(FILE_BYTES, 'x'));
  try {
    return { rows: await runRounds(loads, file, quick), skipped };
  } finally {
    fs.rmSync(folder, { recursive: true });
    if (loads.some(({ name }) => name === 'offloop')) await closeOffloop();
  }
}

/**
 * @param {string} name
 * @returns {Load[]}
 */
function makeLoads(name) {
  if (name === 'idle') return [{ name, start: () => ({ done: () => 0, stop: async () => {} }) }];
  if (name === 'spin') return [{ name, start: spin }];
  if (name === 'offloop') openOffloop('parse');
  const { parse } = name === 'offloop' ? offloopPool() : openAsyncTask();
  const inFlight = 2 * (name === 'offloop' ? offloopPool().size : LIBUV_THREADS);
  return loadDocuments().map(({ file, read }) => {
    const body = read();
    const task = name === 'offloop' ? () => offloopPool().parse(body) : () => parse(body);
    return { name, document: file, start: () => keepBusy(task, inFlight) };
  });
}

/** Two kinds: a text that becomes few values in JavaScript, so that the threads are what is busy, and one of many. */
function loadDocuments() {
  const documents = testDocuments();
  const chosen = documents.filter(({ file }) => /(tool-json-2m|chat-1m)$/.test(file));
  return chosen.length > 0 ? chosen : documents.slice(-1);
}

/**
 * @param {() => Promise<unknown>} task
 * @param {number} inFlight
 */
function keepBusy(task, inFlight) {
  let running = true;
  let done = 0;
  const loop = async () => {
    while (running) {
      await task();
      done += 1;
    }
  };
  const loops = Array.from({ length: inFlight }, loop);
  return {
    done: () => done,
    stop: async () => {
      running = false;
      await Promise.all(loops);
    },
  };
}

const SPIN =
  "const stop = new Int32Array(require('node:worker_threads').workerData); let sum = 0; while (Atomics.load(stop, 0) === 0) for (let i = 0; i < 1e6; i += 1) sum += i;";

function spin() {
  const flag = new SharedArrayBuffer(4);
  const threads = Math.max(2, os.availableParallelism() - 1);
  const workers = Array.from({ length: threads }, () => new Worker(SPIN, { eval: true, workerData: flag }));
  return {
    done: () => 0,
    stop: async () => {
      Atomics.store(new Int32Array(flag), 0, 1);
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
    },
  };
}

/**
 * @param {readonly Load[]} loads
 * @param {string} file
 * @param {boolean} quick
 */
async function runRounds(loads, file, quick) {
  const rounds = quick ? 3 : 12;
  const roundMs = quick ? 150 : 1_000;
  /** @type {{ latencies: number[], p99s: number[], done: number, seconds: number }[]} */
  const results = loads.map(() => ({ latencies: [], p99s: [], done: 0, seconds: 0 }));
  for (let round = 0; round < rounds; round += 1) {
    progress(`pool: fs.readFile, round ${round + 1} of ${rounds}`);
    for (let step = 0; step < loads.length; step += 1) {
      const index = (round + step) % loads.length;
      const phase = await runPhase(loads[index], file, roundMs);
      results[index].latencies.push(...phase.latencies);
      results[index].p99s.push(quantile(phase.latencies, 0.99));
      results[index].done += phase.done;
      results[index].seconds += phase.seconds;
    }
  }
  const idle = results[loads.findIndex(({ name }) => name === 'idle')].latencies;
  return loads.map(({ name, document }, index) => {
    const { latencies, p99s, done, seconds } = results[index];
    return {
      test: 'readFile',
      load: name,
      document,
      fileBytes: FILE_BYTES,
      p50Us: significant(quantile(latencies, 0.5)),
      p99Us: significant(quantile(latencies, 0.99)),
      p50Ratio: significant(quantile(latencies, 0.5) / quantile(idle, 0.5)),
      p99Ratio: significant(quantile(latencies, 0.99) / quantile(idle, 0.99)),
      p99UsLowestRound: significant(Math.min(...p99s)),
      p99UsHighestRound: significant(Math.max(...p99s)),
      samples: latencies.length,
      rounds,
      loadPerSecond: done === 0 ? undefined : significant(done / seconds),
    };
  });
}

/**
 * @param {Load} load
 * @param {string} file
 * @param {number} roundMs
 */
async function runPhase(load, file, roundMs) {
  collectGarbage();
  const running = load.start();
  // The load comes to its full height before anything is counted.
  await readFor(file, roundMs / 10);
  const doneBefore = running.done();
  const start = performance.now();
  const latencies = await readFor(file, roundMs);
  const seconds = (performance.now() - start) / 1e3;
  const done = running.done() - doneBefore;
  await running.stop();
  return { latencies, done, seconds };
}

/**
 * Reads the file again and again, one read at a time with a pause of a millisecond, as a server's reads come.
 *
 * @param {string} file
 * @param {number} ms
 * @returns {Promise<number[]>} microseconds from the call to its callback
 */
function readFor(file, ms) {
  return new Promise((resolve, reject) => {
    /** @type {number[]} */
    const latencies = [];
    const end = performance.now() + ms;
    const next = () => {
      const start = performance.now();
      fs.readFile(file, (error) => {
        if (error !== null) return reject(error);
        const now = performance.now();
        latencies.push((now - start) * 1e3);
        if (now < end) setTimeout(next, 1);
        else resolve(latencies);
      });
    };
    next();
  });
}

module.exports = { LOADS, measureReadFile };
