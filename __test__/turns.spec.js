'use strict';

// Results that arrive together do not hold the event loop up together.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { WorkerPool } = require('..');

const TASKS = 100;
const TEXT = JSON.stringify(Array.from({ length: 400 }, (_, id) => ({ id, text: 'some words of text' })));

/** @param {number} ms of work on the main thread */
function work(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('work that awaits large results gives way to I/O after maxBlockMs', async () => {
  const pool = new WorkerPool({ maxBlockMs: 4, taskTimeout: 0 });
  let sinceTurn = 0;
  let most = 0;
  let done = false;
  const turn = () => {
    most = Math.max(most, sinceTurn);
    sinceTurn = 0;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  const tasks = Array.from({ length: TASKS }, async () => {
    await pool.parse(TEXT);
    sinceTurn += 1;
    work(2);
  });
  await Promise.all(tasks);
  done = true;
  // Two fill a slice, and the one that begins within it goes on to its end.
  assert.ok(most >= 1 && most <= 4, `${most} in one turn of the event loop`);
  await pool.shutdown();
});
