'use strict';

/**
 * An open log: its ring, the policy for a full one, and what is asked of its writer. Loggers and destinations write
 * through it.
 */

const { isMainThread } = require('node:worker_threads');
const os = require('node:os');
const { getSystemErrorName } = require('node:util');

const native = require('./native');
const { codeError } = require('./errors');
const { DONE, FULL, Ring, UNFIT } = require('./ring');

/** How long the end of the process waits for a log, in ms. */
const EXIT_LIMIT = 5000;
/** How long `flushSync` does. */
const SYNC_LIMIT = 30_000;

/** Shares of the ring that levels may fill where lines are dropped: trace to fatal. The lowest go first. */
const SHARES = [0.5, 0.6, 0.75, 0.85, 0.95, 1];

/** Signals that end a process: by request, by a bug. */
const SIGNALS = /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL']);

/**
 * @typedef {object} Listener who owns a sink
 * @property {(error: Error) => void} onError lines cannot be written; once, until they can
 * @property {() => void} onRecovered
 * @property {() => void} onDropping the first line after others that was not accepted
 * @property {(count: number) => string} dropLine a line that says how many were not, with its newline
 */

/** Open sinks by number. @type {Map<number, Sink>} */
const sinks = new Map();
let last = 0;
let isExiting = false;
let isWatching = false;

native.install({ log: onNotice });

/**
 * @param {number} id
 * @param {string} event
 * @param {number} ticket
 * @param {number} errno
 * @param {string} message
 */
function onNotice(id, event, ticket, errno, message) {
  sinks.get(id)?.onNotice(event, ticket, errno, message);
}

/** Has the end of the process wait for logs. Done with the first log. */
function watchExit() {
  if (isWatching) return;
  isWatching = true;
  process.on('exit', () => {
    isExiting = true;
    for (const sink of sinks.values()) sink.atExit();
  });
  if (!isMainThread || process.platform === 'win32') return;
  // Somebody's listener decides what a signal does, and ends in an exit if it is the end.
  const ours = SIGNALS.filter((name) => process.listenerCount(name) === 0);
  native.watchExitSignals(ours.map((name) => os.constants.signals[name]));
}

/**
 * @param {number} errno 0: not the system's
 * @param {string} message
 * @param {string | number} target
 */
function systemError(errno, message, target) {
  if (errno === 0) return codeError('ERR_LOG_WRITE', `${message} (${target})`);
  const code = getSystemErrorName(-errno);
  const text = message.replace(/ \(os error \d+\)$/, '').toLowerCase();
  return Object.assign(codeError(code, `${code}: ${text}, log '${target}'`), { errno: -errno, path: String(target) });
}

class Sink {
  /**
   * @param {import('./log-options').SinkConfig} config
   * @param {Listener} listener
   * @throws {Error} with the system's code, where the log cannot be opened
   */
  constructor(config, listener) {
    const { target } = config;
    this.id = ++last;
    this.target = target;
    this.listener = listener;
    this.isOpen = true;
    this.isDurable = config.durable;
    this.blocks = config.onOverflow === 'block';
    this.blockTimeout = config.blockTimeout;
    const opened = native.openLog({
      id: this.id,
      path: typeof target === 'string' ? target : undefined,
      descriptor: typeof target === 'number' ? target : undefined,
      batch: config.bufferSize,
      interval: config.flushInterval,
      capacity: config.ringSize,
      durable: config.durable,
      rotate: config.rotate,
      link: config.rotate?.current,
    });
    if ('errno' in opened) throw systemError(opened.errno, opened.message, target);
    this.handle = opened.handle;
    this.ring = new Ring(opened.handle, opened.memory, config.durable);
    /** Bytes of the ring that may be in use after a line of each level. */
    this.limits = SHARES.map((share) => (this.blocks ? this.ring.capacity : Math.floor(this.ring.capacity * share)));
    /** Lines accepted, lines not, and those that no line of the log speaks of yet. */
    this.accepted = 0;
    this.dropped = 0;
    this.unreported = 0;
    /** The head when waiting was in vain: it is not waited again until that moves. */
    this.stalledAt = -1;
    /** Calls that wait for the writer. @type {Map<number, { resolve: () => void, reject: (error: Error) => void }>} */
    this.tickets = new Map();
    this.ticket = 0;
    /** Whether the writer was told to end. */
    this.isEnding = false;
    /** @type {Promise<void> | undefined} */
    this.closing = undefined;
    /** @type {() => void} */
    this.closed = () => {};
    /** What the writer counted, once it has ended. @type {Record<string, number> | undefined} */
    this.counts = undefined;
    sinks.set(this.id, this);
    watchExit();
  }

  /**
   * Writes a line.
   * @param {string} line with its newline
   * @param {number} level 0 to 5
   * @returns {boolean} whether it is accepted
   */
  write(line, level) {
    if (this.unreported !== 0) this.report();
    const result = this.ring.write(line, this.limits[level]);
    if (result === DONE) return this.done();
    return result === UNFIT ? this.writeBytes(Buffer.from(line), level) : this.retry(() => this.ring.write(line, this.limits[level]), line.length * 3);
  }

  /**
   * @param {Uint8Array} line with its newline
   * @param {number} level
   * @returns {boolean}
   */
  writeBytes(line, level) {
    if (line.length > this.ring.longest) return this.writeLong(line, level);
    const write = () => this.ring.writeBytes(line, this.limits[level]);
    return write() === DONE ? this.done() : this.retry(write, line.length);
  }

  /**
   * A line was put into the ring by `line.js`, or not.
   * @param {number} result
   * @returns {boolean | undefined} undefined: it has to be written in another way, which may include waiting
   */
  finish(result) {
    return result === DONE ? this.done() : undefined;
  }

  /**
   * @param {Uint8Array} line
   * @param {number} level
   */
  writeLong(line, level) {
    const { ring } = this;
    const limit = this.limits[level];
    const size = ring.need(line.length);
    if (size > limit) return this.writeLarge(line, limit);
    if (ring.used() + size > limit && !this.waitFor(size)) return this.refuse();
    ring.writeParts(line);
    return this.done();
  }

  /**
   * @param {Uint8Array} line longer than the ring, or than the share of it that its level may fill
   * @param {number} limit
   */
  writeLarge(line, limit) {
    if (!this.ring.writeLarge(line, limit, (bytes) => this.waitFor(bytes))) return this.refuse();
    // Its parts have made room for each other: only the file has all of it.
    if (this.isDurable) native.flushLogSync(this.handle, SYNC_LIMIT);
    return this.done();
  }

  done() {
    this.accepted++;
    if (isExiting) native.flushLogSync(this.handle, EXIT_LIMIT);
    return true;
  }

  /**
   * The ring was full.
   * @param {() => number} write
   * @param {number} size most bytes
   */
  retry(write, size) {
    if (!this.waitFor(2 * size + 64)) return this.refuse();
    return write() === FULL ? this.refuse() : this.done();
  }

  /**
   * Waits for room, where that is the policy.
   * @param {number} bytes
   */
  waitFor(bytes) {
    if (!this.blocks || this.blockTimeout === 0) return false;
    this.ring.used();
    const head = this.ring.head >>> 0;
    if (head === this.stalledAt) return false;
    const came = native.waitForLog(this.handle, Math.min(bytes, this.ring.capacity), this.blockTimeout);
    this.stalledAt = came ? -1 : head;
    return came;
  }

  refuse() {
    this.dropped++;
    if (this.unreported++ === 0) this.listener.onDropping();
    return false;
  }

  /**
   * Says how many lines were not accepted, when there is room again.
   * @param {boolean} [atOnce]
   */
  report(atOnce = false) {
    const { unreported, ring } = this;
    if (unreported === 0 || (!atOnce && ring.used() > ring.capacity / 4)) return;
    if (ring.write(this.listener.dropLine(unreported), ring.capacity) === DONE) this.unreported = 0;
  }

  /** Writes out all that was accepted. @returns {Promise<void>} */
  flush() {
    if (!this.isOpen) return Promise.resolve();
    this.report(true);
    return this.written();
  }

  /** @returns {Promise<void>} when the ring has been written out */
  written() {
    return new Promise((resolve, reject) => {
      this.ticket = (this.ticket % 0xffff_ffff) + 1;
      this.tickets.set(this.ticket, { resolve, reject });
      native.flushLog(this.handle, this.ticket);
    });
  }

  /**
   * Writes out the ring, and then how many lines were dropped, if there was no room to say so.
   * @param {number} limit ms
   */
  writeOut(limit) {
    this.report(true);
    const failure = native.flushLogSync(this.handle, limit);
    if (failure || this.unreported === 0) return failure;
    this.report(true);
    return native.flushLogSync(this.handle, limit);
  }

  /** @throws {Error} with the system's code */
  flushSync() {
    if (!this.isOpen) return;
    const failure = this.writeOut(SYNC_LIMIT);
    if (failure) throw systemError(failure.errno, failure.message, this.target);
  }

  reopen() {
    if (this.isOpen) native.reopenLog(this.handle);
  }

  /** Writes out what was accepted and closes the file. @returns {Promise<void>} */
  close() {
    if (this.closing === undefined) {
      this.report(true);
      this.isOpen = false;
      // A ring that is full has no room for the line that says how many were dropped.
      this.closing = this.unreported === 0 ? this.end() : this.written().then(() => this.report(true), () => {}).then(() => this.end());
    }
    return this.closing;
  }

  /** @returns {Promise<void>} */
  end() {
    this.isEnding = true;
    return new Promise((resolve, reject) => {
      this.closed = () => {
        const left = this.ring.used();
        if (left === 0) resolve();
        else reject(codeError('ERR_LOG_WRITE', this.leftBehind(left)));
      };
      native.closeLog(this.handle);
    });
  }

  /** @param {number} bytes */
  leftBehind(bytes) {
    const where = this.isDurable ? 'wait in its ring file for the next start' : 'are lost';
    return `${bytes} bytes of log lines could not be written to ${this.target} and ${where}`;
  }

  atExit() {
    if (this.isEnding) return;
    const failure = this.writeOut(EXIT_LIMIT);
    if (!failure) native.forgetLogRing(this.handle);
    else if (!this.isDurable) {
      const { message } = systemError(failure.errno, failure.message, this.target);
      process.stderr.write(`offloop: log lines could not be written: ${message}\n`);
    }
  }

  stats() {
    const { accepted, dropped } = this;
    return { accepted, dropped, ...(this.counts ?? native.logCounts(this.handle)) };
  }

  /**
   * @param {string} event
   * @param {number} ticket
   * @param {number} errno
   * @param {string} message
   */
  onNotice(event, ticket, errno, message) {
    const waiting = this.tickets.get(ticket);
    this.tickets.delete(ticket);
    switch (event) {
      case 'flushed':
        waiting?.resolve();
        break;
      case 'unflushed':
        waiting?.reject(systemError(errno, message, this.target));
        break;
      case 'error':
        this.listener.onError(systemError(errno, message, this.target));
        break;
      case 'recovered':
        this.listener.onRecovered();
        break;
      case 'closed':
        sinks.delete(this.id);
        this.counts = native.logCounts(this.handle);
        native.releaseLog(this.handle);
        this.closed();
        break;
    }
  }
}

/** @returns {Sink[]} This thread's. */
function openSinks() {
  return [...sinks.values()];
}

exports.Sink = Sink;
exports.openSinks = openSinks;
