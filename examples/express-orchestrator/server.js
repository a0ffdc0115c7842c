'use strict';

// node examples/express-orchestrator/server.js --mode offloop --port 8081 --upstream http://…

const http = require('node:http');
const { fork } = require('node:child_process');
const path = require('node:path');
const { once } = require('node:events');
const { parseArgs } = require('node:util');
const { installSignalHandlers } = require('../..');
const { createService } = require('./app');

/** Requests that are still not answered by then, after a signal to end, are cut off. */
const GRACE_MS = 30_000;

/**
 * @param {string | undefined} text
 * @param {number} fallback
 * @param {string} name
 */
function toNumber(text, fallback, name) {
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} must be a whole number`);
  return value;
}

/** Options of the command line win over the environment. */
function readConfig() {
  const { values } = parseArgs({
    options: {
      mode: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      upstream: { type: 'string' },
      tokens: { type: 'boolean' },
    },
  });
  const { env } = process;
  return {
    mode: values.mode ?? env.MODE ?? 'offloop',
    port: toNumber(values.port ?? env.PORT, 8081, 'port'),
    host: values.host ?? env.HOST ?? '127.0.0.1',
    upstreamUrl: values.upstream ?? env.UPSTREAM_URL ?? '',
    poolSize: toNumber(env.WORKER_POOL_SIZE, 0, 'WORKER_POOL_SIZE'),
    countsTokens: values.tokens ?? false,
    maxInFlightBytes: toNumber(env.MAX_IN_FLIGHT_BYTES, 512 * 2 ** 20, 'MAX_IN_FLIGHT_BYTES'),
  };
}

/**
 * Starts the mock upstream in a process of its own.
 *
 * @returns {Promise<string>} its URL
 */
async function startMockUpstream() {
  const child = fork(path.join(__dirname, 'mock-upstream.js'), ['--port', '0']);
  const [{ port }] = await once(child, 'message');
  // It ends by itself when this process does, and holds nothing up before.
  child.unref();
  child.channel?.unref();
  return `http://127.0.0.1:${port}`;
}

async function main() {
  const { port, host, upstreamUrl, ...options } = readConfig();
  const target = upstreamUrl || (await startMockUpstream());
  const service = createService({ ...options, upstreamUrl: target });
  const server = http.createServer(service.app);
  installSignalHandlers(server, { timeoutMs: GRACE_MS, onShutdown: () => service.close() });
  server.listen(port, host);
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`listening on http://${host}:${address.port}, mode ${options.mode}, upstream ${target}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
