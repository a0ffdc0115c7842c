'use strict';

// The example service with a durable log, and with orders from the soak: node service.js UPSTREAM LOG

const http = require('node:http');

const { AsyncLogger, installSignalHandlers } = require('../..');
const { fault } = require('../../__test__/faults');
const { createService } = require('../../examples/express-orchestrator/app');
const { WorkerPool } = require('../..');

const [upstreamUrl, logFile] = process.argv.slice(2);
/** How long a slow task keeps a thread, ms. */
const SLOW_MS = 2000;

const service = createService({ mode: 'offloop', upstreamUrl, poolSize: 2 });
const logger = new AsyncLogger({ logFile, durable: true });
// Threads are shared by all pools of a process, so faults of this one befall those of the service.
const pool = new WorkerPool({ size: 2 });
pool.on('error', () => {});
let pending = 0;

const server = http.createServer((req, res) => {
  pending += 1;
  res.on('close', () => (pending -= 1));
  // Accepted before the answer says so: a line that was promised is a line written.
  logger.info('request', { id: req.headers['x-api-key'] });
  res.setHeader('x-logged', 'yes');
  service.app(req, res);
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.send?.({ port });
});
installSignalHandlers(server, {
  onShutdown: async () => {
    await service.close();
    await pool.shutdown();
    await logger.shutdown();
    process.disconnect();
  },
});

/** @param {string} kind @returns {Promise<unknown>} */
const misbehave = (kind) => (kind === 'slow' ? fault(pool, 'ignore', { argument: SLOW_MS }) : fault(pool, kind));

process.on('message', (/** @type {any} */ order) => {
  if (order.sample) process.send?.({ rss: process.memoryUsage.rss(), handles: process.getActiveResourcesInfo().length });
  if (order.pending) setTimeout(() => process.send?.({ pending: pending + pool.getStats().pendingTasks }), 1000);
  if (order.fault) {
    misbehave(order.fault).catch((error) => {
      if (error.code !== 'ERR_TASK_PANIC') process.send?.({ failure: `a fault rejected with ${error.code}: ${error.message}` });
    });
  }
});
