'use strict';

const { parentPort } = require('node:worker_threads');
const { handlers } = require('./threads');

if (!parentPort) throw new Error('This file runs on a worker thread');
const port = parentPort;

port.on('message', ({ id, type, payload }) => {
  try {
    // @ts-ignore the pool sends known types only
    port.postMessage({ id, result: handlers[type](payload) });
  } catch (error) {
    port.postMessage({ id, error });
  }
});
