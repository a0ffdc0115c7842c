'use strict';

/**
 * `installSignalHandlers`: a service's end. On the first SIGTERM or SIGINT it accepts nothing new, answers what it has
 * accepted, drains the pools, and exits with 0, upon which logs are written out. A second signal exits at once.
 *
 * A kept-alive connection may have a request under way when the signal comes. So connections are not closed: for a while they
 * are still listened to, and the answer to what comes says that it is the last. Only those that stay silent are closed.
 */

/** @type {import('node:cluster').Cluster} */
const cluster = /** @type {any} */ (require('node:cluster'));
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');

const { MAX_TIMEOUT_MS } = require('./config');
const { invalidArgument } = require('./errors');
const { openPools } = require('./pool');

/**
 * @typedef {import('node:http').Server} Server
 * @typedef {import('node:http').ServerResponse} Response
 *
 * @typedef {object} SignalOptions
 * @property {number} [timeoutMs] for everything; then requests that are left are cut off
 * @property {number} [delayMs] goes on as ever for so long, until load balancers have noticed
 * @property {number} [idleMs] for which a silent connection is kept
 * @property {NodeJS.Signals[]} [signals]
 * @property {() => unknown} [onShutdown] runs when the last request is answered, before the pools are drained
 */

/** Bun's HTTP servers are none of net's. */
const SERVERS = [net.Server, http.Server];

/** A second less than Docker waits before it kills. */
const TIMEOUT_MS = 9_000;
/** How long a request may have been under way, with the client's own time between two. */
const IDLE_MS = 1_000;

/** What a primary sends its workers: not a signal, as a terminal has sent them one already. */
const MESSAGE = 'offloop:shutdown';
/** PM2's, where it is told to send messages. */
const PM2_MESSAGE = 'shutdown';

/** @param {string} name @param {unknown} value @param {number} fallback */
function milliseconds(name, value, fallback) {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= 0 && value <= MAX_TIMEOUT_MS) return value;
  throw invalidArgument(`options.${name}`, `a number of ms from 0 to ${MAX_TIMEOUT_MS}`, value);
}

/** @param {SignalOptions} options */
function checkOptions(options) {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { signals = ['SIGTERM', 'SIGINT'], onShutdown } = options;
  if (!Array.isArray(signals) || signals.some((name) => !Object.hasOwn(os.constants.signals, name))) {
    throw invalidArgument('options.signals', 'a list of names of signals', signals);
  }
  if (onShutdown !== undefined && typeof onShutdown !== 'function') {
    throw invalidArgument('options.onShutdown', 'a function', onShutdown);
  }
  const timeoutMs = milliseconds('timeoutMs', options.timeoutMs, TIMEOUT_MS);
  const delayMs = milliseconds('delayMs', options.delayMs, 0);
  return { timeoutMs, delayMs, idleMs: milliseconds('idleMs', options.idleMs, IDLE_MS), signals, onShutdown };
}

/** @param {number} ms @returns {Promise<void>} that keeps no process alive */
function sleep(ms) {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}

/** The connections of a server, and what it is answering. */
class Watch {
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();
  /** @type {Set<Response>} */
  #running = new Set();
  #isClosing = false;
  /**
   * Bytes that had come on a connection when it was last looked at, and until when it may be silent.
   * @type {WeakMap<import('node:net').Socket, { bytes: number, until: number }>}
   */
  #silent = new WeakMap();

  /** @param {Server} server */
  constructor(server) {
    this.server = server;
    const watch = this;
    // Shared by all requests: this is the response.
    /** @this {Response} */
    const onClose = function onClose() {
      watch.#running.delete(this);
    };
    this.onConnection = (/** @type {import('node:net').Socket} */ socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    };
    this.onRequest = (/** @type {unknown} */ _req, /** @type {Response} */ res) => {
      this.#running.add(res);
      res.on('close', onClose);
      if (this.#isClosing) sayLast(res);
    };
    server.on('connection', this.onConnection);
    // Ahead of the handler, which may send the headers at once.
    server.prependListener('request', this.onRequest);
  }

  stop() {
    this.server.off('connection', this.onConnection);
    this.server.off('request', this.onRequest);
  }

  /** Requests that have no answer yet. */
  get running() {
    return this.#running.size;
  }

  /**
   * Accepts nothing new; resolves when every connection is closed.
   * @param {number} idleMs
   */
  async close(idleMs) {
    this.#isClosing = true;
    // One turn, in which connections are accepted that have been waiting for it.
    await new Promise((resolve) => setImmediate(resolve));
    // http's own close() would cut off connections that seem idle, though a request may be under way on them. Bun's servers
    // for http are none of net, and have no other.
    const { close } = this.server instanceof net.Server ? net.Server.prototype : this.server;
    const closed = new Promise((resolve) => close.call(this.server, resolve));
    for (const res of this.#running) sayLast(res);
    this.#closeSilent(idleMs);
    const timer = setInterval(() => this.#closeSilent(idleMs), Math.max(10, idleMs / 4));
    await closed;
    clearInterval(timer);
  }

  /**
   * Closes the connections on which nothing came for a while.
   * @param {number} idleMs
   */
  #closeSilent(idleMs) {
    const now = performance.now();
    const busy = new Set([...this.#running].map(({ req }) => req.socket));
    for (const socket of this.#sockets) {
      const bytes = socket.bytesRead;
      const known = this.#silent.get(socket);
      if (busy.has(socket) || known === undefined || known.bytes !== bytes) {
        this.#silent.set(socket, { bytes, until: now + idleMs });
      } else if (now >= known.until) {
        socket.destroySoon();
      }
    }
  }

  /** Cuts off what is left. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** @param {Response} res */
function sayLast(res) {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}

/**
 * Ends the workers of a cluster.
 * @param {number} timeoutMs
 */
async function endWorkers(timeoutMs) {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  const ends = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
  for (const worker of workers) if (worker.isConnected()) worker.send(MESSAGE);
  await Promise.race([Promise.all(ends), sleep(timeoutMs)]);
  // Those that have not installed handlers, or hang.
  for (const worker of workers) if (!worker.isDead()) worker.process.kill('SIGKILL');
}

/**
 * @param {Server | null | undefined} server undefined for a process that only has workers, or none
 * @param {SignalOptions} [options]
 * @returns {() => void} takes the handlers away again
 */
function installSignalHandlers(server, options = {}) {
  if (server !== undefined && server !== null && !SERVERS.some((known) => server instanceof known)) {
    throw invalidArgument('server', "a server of node's", server);
  }
  const { timeoutMs, delayMs, idleMs, signals, onShutdown } = checkOptions(options);
  const watch = server ? new Watch(server) : undefined;
  let isClosing = false;
  let wasAsked = false;

  async function shutDown() {
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const end = performance.now() + timeoutMs;
    const left = () => Math.max(0, end - performance.now());
    const workers = cluster.isPrimary ? endWorkers(timeoutMs) : undefined;
    if (watch !== undefined && watch.server.listening) {
      await Promise.race([watch.close(Math.min(idleMs, timeoutMs / 2)), sleep(timeoutMs)]);
      if (watch.running > 0) process.stderr.write(`offloop: ${watch.running} requests were not answered within ${timeoutMs} ms\n`);
      watch.cut();
    }
    await workers;
    await onShutdown?.();
    await Promise.all(openPools().map((pool) => pool.shutdown({ timeoutMs: left() })));
  }

  /** @param {unknown} message */
  function onMessage(message) {
    if (message === MESSAGE || message === PM2_MESSAGE) start();
  }

  function start() {
    if (isClosing) return;
    isClosing = true;
    // Sockets that are all unreferenced must not end the process before it is done.
    const alive = setInterval(() => {}, MAX_TIMEOUT_MS);
    shutDown()
      .then(
        () => process.exit(0),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      )
      .finally(() => clearInterval(alive));
  }

  /** @param {NodeJS.Signals} signal */
  function onSignal(signal) {
    // Whoever asks again will not wait. A message before it does not count: a terminal's signal reaches a primary and its
    // workers at once, and the primary's message may be faster.
    if (wasAsked) process.exit(128 + os.constants.signals[signal]);
    wasAsked = true;
    start();
  }

  for (const signal of signals) process.on(signal, onSignal);
  if (process.connected) process.on('message', onMessage);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
    process.off('message', onMessage);
    watch?.stop();
  };
}

module.exports = { installSignalHandlers };
