'use strict';

// The example service in a process of its own, with what a bench wants to know about it. Forked by
// stage.js or cluster.js: 'reset' starts a measured window, 'report' ends it, 'stop' ends the process.

const http = require('node:http');
const { monitorEventLoopDelay, performance } = require('node:perf_hooks');
const { installSignalHandlers } = require('../..');
const { createService } = require('../../examples/express-orchestrator/app');
const { openClock, totalCpuUs } = require('../harness/clock');

const RSS_INTERVAL_MS = 200;

/** How often the event loop is asked, which the histogram counts as part of the delay. */
const RESOLUTION_MS = 1;

/** Connections that may wait to be accepted: with Node's 511, clients that all come at once are reset. */
const BACKLOG = 4096;

/** Requests that are not answered so long after SIGTERM are cut off. */
const GRACE_MS = 20_000;

/**
 * @typedef {import('../../examples/express-orchestrator/app').ServiceOptions & { port?: number, endsBySignal?: boolean }} ServiceOptions
 *   endsBySignal: says on SIGTERM what it has accepted and answered
 *
 * @typedef {object} LastReport
 * @property {number[]} accepted ports of all clients that were connected
 * @property {number} requests
 * @property {number} answered
 *
 * @typedef {object} ServiceReport one measured window
 * @property {number} requests answered
 * @property {number} mainCpuMs
 * @property {string} mainCpuSource
 * @property {number} totalCpuMs
 * @property {{ p99: number, max: number }} eventLoopDelayMs by which a timer came late
 * @property {number} rssMb the highest of samples taken during the window
 * @property {number} peakRssMb the highest since the start
 * @property {number} poolSize threads
 */

/**
 * CPU of the main thread. Where the platform has no figure for one thread, the time that its event
 * loop was busy stands in, which counts waiting for a processor as well.
 */
function openMainClock() {
  const clock = openClock();
  if (clock.source !== 'cpuUsage') return clock;
  const mainCpuUs = () => performance.eventLoopUtilization().active * 1e3;
  return { source: 'eventLoopUtilization', mainCpuUs };
}

function createMeter() {
  const clock = openMainClock();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const window = { requests: 0, mainUs: 0, totalUs: 0, rss: 0 };
  const delayMs = (/** @type {number} */ nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const sampleRss = () => {
    window.rss = Math.max(window.rss, process.memoryUsage.rss());
  };
  setInterval(sampleRss, RSS_INTERVAL_MS).unref();
  return {
    countRequest() {
      window.requests += 1;
    },
    reset() {
      delay.reset();
      Object.assign(window, { requests: 0, rss: 0, mainUs: clock.mainCpuUs(), totalUs: totalCpuUs() });
    },
    /** @returns {Omit<ServiceReport, 'poolSize'>} */
    report() {
      const mainCpuMs = (clock.mainCpuUs() - window.mainUs) / 1e3;
      const totalCpuMs = (totalCpuUs() - window.totalUs) / 1e3;
      sampleRss();
      return {
        requests: window.requests,
        mainCpuMs,
        mainCpuSource: clock.source,
        totalCpuMs,
        eventLoopDelayMs: { p99: delayMs(delay.percentile(99)), max: delayMs(delay.max) },
        rssMb: window.rss / 2 ** 20,
        peakRssMb: process.resourceUsage().maxRSS / 2 ** 10,
      };
    },
  };
}

/**
 * Has the process end by signals, and say at its end what became of what it was sent.
 *
 * @param {http.Server} server
 * @param {() => Promise<void>} close
 */
function endBySignal(server, close) {
  /** @type {LastReport} */
  const last = { accepted: [], requests: 0, answered: 0 };
  server.on('connection', (socket) => last.accepted.push(socket.remotePort));
  server.on('request', (req, res) => {
    last.requests += 1;
    res.on('finish', () => (last.answered += 1));
  });
  installSignalHandlers(server, {
    timeoutMs: GRACE_MS,
    async onShutdown() {
      await close();
      await new Promise((resolve) => process.send?.(last, resolve));
    },
  });
}

/** @param {ServiceOptions} options */
function main({ port = 0, endsBySignal = false, ...options }) {
  const service = createService(options);
  const server = http.createServer(service.app);
  server.keepAliveTimeout = 120_000;
  const meter = createMeter();
  server.on('request', (req, res) => res.on('finish', meter.countRequest));
  if (endsBySignal) endBySignal(server, service.close);

  process.on('message', async (message) => {
    if (message === 'reset') {
      meter.reset();
      process.send?.({ reset: true });
    } else if (message === 'report') {
      process.send?.({ ...meter.report(), poolSize: service.poolSize() });
    } else if (message === 'stop') {
      server.closeAllConnections();
      server.close();
      await service.close();
      process.exit(0);
    }
  });
  process.on('disconnect', () => process.exit(0));
  server.listen({ port, host: '127.0.0.1', backlog: BACKLOG }, () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    process.send?.({ port: address.port });
  });
}

main(JSON.parse(process.argv[2]));
