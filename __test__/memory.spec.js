'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');

const corpus = require('./corpus');

/** Megabytes that the process may grow by. */
const MARGIN = 50;
/** Megabytes that are kept for reuse for a while (`getStats().memory.limit`). */
const KEPT = 67;

/**
 * Runs `operation` many times in a process of its own; how many megabytes its resident memory grew by after the first
 * half, in which the memory that is kept for reuse finds its size.
 * @param {string} operation an async function of (pool, bytes, value)
 * @param {number} times
 */
function growth(operation, times) {
  const script = `
    const { WorkerPool } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const { loadRequest } = require(${JSON.stringify(path.join(__dirname, '..', 'benchmarks', 'conversation.js'))});
    const bytes = loadRequest('chat-100k').bytes;
    const value = JSON.parse(bytes.toString());
    const pool = new WorkerPool();
    const operation = ${operation};
    // A collection's finalisers run in turns of the event loop that follow it.
    const rss = async () => {
      for (let i = 0; i < 3; i++) { gc(); await new Promise(setImmediate); }
      return process.memoryUsage.rss() / 1e6;
    };
    (async () => {
      for (let i = 0; i < ${times / 2}; i++) await operation(pool, bytes, value);
      const before = await rss();
      for (let i = 0; i < ${times}; i++) await operation(pool, bytes, value);
      await pool.shutdown();
      console.log(await rss() - before);
    })();
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', script], { encoding: 'utf8' });
  assert.strictEqual(status, 0, stderr);
  return Number(stdout);
}

/**
 * A burst of 100 calls at once, in a process of its own, whose results are dropped; how many megabytes more than before
 * are resident when it is over, and how many were while it lasted.
 * @param {string} operation an async function of (pool, bytes, value)
 * @returns {{ left: number, peak: number, seconds: number, memory: import('..').MemoryStats }}
 */
function burst(operation) {
  const script = `
    const { readFileSync } = require('node:fs');
    const { WorkerPool } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const { loadRequest } = require(${JSON.stringify(path.join(__dirname, '..', 'benchmarks', 'conversation.js'))});
    const bytes = loadRequest('chat-4m').bytes;
    const value = JSON.parse(bytes.toString());
    const pool = new WorkerPool({ taskTimeout: 0 });
    const operation = ${operation};
    const rss = () => process.memoryUsage.rss() / 1e6;
    const collect = async () => {
      for (let i = 0; i < 4; i++) { gc(); await new Promise(setImmediate); }
    };
    const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const all = async () => {
      const results = await Promise.all(Array.from({ length: 100 }, () => operation(pool, bytes, value)));
      return results.length > 0 ? rss() : 0;
    };
    (async () => {
      await operation(pool, bytes, value);
      await rest(3000);
      await collect();
      const before = rss();
      const peak = await all() - before;
      const started = performance.now();
      const seconds = () => (performance.now() - started) / 1e3;
      do {
        await collect();
        await rest(100);
      } while (rss() - before > ${MARGIN} && seconds() < 5);
      const left = rss() - before;
      console.log(JSON.stringify({ left, peak, seconds: seconds(), memory: pool.getStats().memory }));
      await pool.shutdown();
    })();
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', script], { encoding: 'utf8' });
  assert.strictEqual(status, 0, stderr);
  return JSON.parse(stdout);
}

/**
 * How many megabytes are left of the same burst of JSON.parse: V8 keeps pages of its heap, from Node 22 on for longer than 5 seconds.
 */
function leftInline() {
  const { left } = burst('async (pool, bytes) => JSON.parse(bytes.toString())');
  return left;
}

/** Each with how often it runs, and what it may leave. @type {Record<string, [string, number, number?]>} */
const OPERATIONS = {
  'parse of bytes': ['(pool, bytes) => pool.parse(bytes)', 20_000],
  'parse of chunks': ['(pool, bytes) => pool.parse([bytes.subarray(0, 50000), bytes.subarray(50000)])', 20_000],
  'parse of what is not JSON': ['(pool, bytes) => pool.parse([bytes, bytes]).catch(() => {})', 20_000],
  'parse of strings that are handed over': ['(pool, bytes) => pool.parse(`["${"x".repeat(300_000)}","${"é".repeat(200_000)}"]`)', 4000, MARGIN + KEPT],
  'a Document that is loaded, changed, written and dropped': [
    "async (pool, bytes) => (await pool.load(bytes)).with({ '/n': 1 }).toBuffer()", 50_000],
  'stringify to a string': ['(pool, bytes, value) => pool.stringify(value)', 20_000],
  'stringify to a buffer': ["(pool, bytes, value) => pool.stringify(value, { as: 'buffer' })", 20_000],
};

for (const [name, [operation, times, margin = MARGIN]] of Object.entries(OPERATIONS)) {
  test(`${name}, ${times} times, leaves no memory behind`, (t) => {
    const grown = growth(operation, times);
    t.diagnostic(`${grown.toFixed(1)} MB${corpus.skip ? ', on generated data' : ''}`);
    assert.ok(grown < margin, `${grown.toFixed(1)} MB`);
  });
}

/** @type {Record<string, string>} */
const BURSTS = {
  parse: '(pool, bytes) => pool.parse(bytes)',
  load: '(pool, bytes) => pool.load(bytes)',
  'load and toBuffer': 'async (pool, bytes) => (await pool.load(bytes)).toBuffer()',
  'stringify to a string': '(pool, bytes, value) => pool.stringify(value)',
  'stringify to a buffer': "(pool, bytes, value) => pool.stringify(value, { as: 'buffer' })",
};

for (const [name, operation] of Object.entries(BURSTS)) {
  test(`${name}, 100 bodies of 4 MB at once: the memory is back within 5 seconds`, (t) => {
    const { left, peak, seconds, memory } = burst(operation);
    t.diagnostic(`${left.toFixed(1)} MB left of ${peak.toFixed(0)} after ${seconds.toFixed(1)} s; ${JSON.stringify(memory)}`);
    assert.ok(peak > 4 * MARGIN, `a peak of ${peak.toFixed(1)} MB shows nothing`);
    if (left > MARGIN) {
      const inline = leftInline();
      assert.ok(left <= inline + MARGIN, `${left.toFixed(1)} MB, ${inline.toFixed(1)} after JSON.parse`);
    }
    assert.ok(memory.kept <= memory.limit);
  });
}
