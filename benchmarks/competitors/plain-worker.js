'use strict';

const path = require('node:path');
const { Worker } = require('node:worker_threads');

/** @type {Worker | undefined} */
let worker;
let lastId = 0;
/** @type {Map<number, (result: unknown) => void>} */
const waiting = new Map();

/** One worker thread that is asked by postMessage: the least that a pool in JavaScript costs. */
function openPlainWorker() {
  worker = new Worker(path.join(__dirname, 'worker.js'), { workerData: 'plain' });
  worker.on('message', ({ id, result }) => {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve?.(result);
  });
  worker.on('error', (error) => {
    throw error;
  });
}

/**
 * @param {string} operation
 * @param {unknown} [payload]
 * @returns {Promise<unknown>}
 */
function runOnPlainWorker(operation, payload) {
  return new Promise((resolve) => {
    lastId += 1;
    waiting.set(lastId, resolve);
    /** @type {Worker} */ (worker).postMessage({ id: lastId, operation, payload });
  });
}

/** @type {Worker | undefined} */
let echo;
/** @type {(() => void)[]} */
let pings = [];
let answered = 0;

/** One worker thread that sends every message back. Answers come in order, so not even a number has to be looked up. */
function openEchoWorker() {
  echo = new Worker(
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (message) => parentPort.postMessage(message));",
    { eval: true },
  );
  echo.on('message', () => {
    const resolve = pings[answered];
    answered += 1;
    if (answered === pings.length) {
      pings = [];
      answered = 0;
    }
    resolve();
  });
}

/** @returns {Promise<void>} */
function ping() {
  return new Promise((resolve) => {
    pings.push(resolve);
    /** @type {Worker} */ (echo).postMessage(0);
  });
}

async function closeEchoWorker() {
  await echo?.terminate();
  echo = undefined;
}

async function closePlainWorker() {
  await worker?.terminate();
  worker = undefined;
}

module.exports = { openPlainWorker, runOnPlainWorker, closePlainWorker, openEchoWorker, ping, closeEchoWorker };
