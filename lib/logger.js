'use strict';

/**
 * `AsyncLogger`: JSON lines to a file. A call puts its line together, as far as that has to be done on this thread
 * (`line.js`), and into the log's ring (`sink.js`); a thread brings it to the file.
 */

const { EventEmitter } = require('node:events');
const os = require('node:os');

const { codeError, invalidArgument } = require('./errors');
const { addData, addString, begin, finish, line } = require('./line');
const { LEVELS, defaultFormat, defaultLevel, resolveLevel, resolveSink } = require('./log-options');
const { fieldsOf, safeFields } = require('./record');
const { compileRedact } = require('./redact');
const { Sink } = require('./sink');

/**
 * @typedef {'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'} Level
 *
 * @typedef {object} Shared what a logger and its children have in common
 * @property {import('./sink').Sink} sink
 * @property {((fields: any) => any) | undefined} redact
 * @property {boolean} isPino
 * @property {boolean} isIso
 */

const DONE = Promise.resolve();
const INFO = 2;

/** The time of the last line, and its text. */
let lastTime = -1;
let isoText = '';
let epochText = '';

/** Marks the options of a child. */
const CHILD = Symbol('offloop.child');

class AsyncLogger extends EventEmitter {
  /** @type {Shared} */
  #shared;
  /** The level from which lines are written, from 0. @type {number} */
  #threshold;
  /** What every line has besides: JSON of fields, each behind a comma. */
  #bindings = '';
  /** The same as values. @type {object} */
  #fields = {};
  #isChild = false;

  /** @param {any} [options] */
  constructor(options = {}) {
    super();
    if (typeof options === 'object' && options !== null && options[CHILD] !== undefined) {
      /** @type {AsyncLogger} */
      const parent = options[CHILD];
      this.#isChild = true;
      this.#shared = parent.#shared;
      this.#threshold = parent.#threshold;
      this.#bind(parent, options.bindings);
      return;
    }
    const config = resolveSink(options);
    const { level, format = defaultFormat(), timestamp, base } = options;
    if (format !== 'plain' && format !== 'pino') throw invalidArgument('options.format', "'plain' or 'pino'", format);
    if (timestamp !== undefined && timestamp !== 'iso' && timestamp !== 'epoch') {
      throw invalidArgument('options.timestamp', "'iso' or 'epoch'", timestamp);
    }
    if (base !== undefined && typeof base !== 'object') throw invalidArgument('options.base', 'an object', base);
    const isPino = format === 'pino';
    const redact = compileRedact(options.redact);
    this.#threshold = level === undefined ? defaultLevel() : resolveLevel(level, 'options.level');
    const sink = new Sink(config, {
      // Nobody needs to listen: the lines wait in the ring.
      onError: (error) => void (this.listenerCount('error') > 0 && setImmediate(() => this.emit('error', error))),
      onRecovered: () => void setImmediate(() => this.emit('recovered')),
      onDropping: () => void setImmediate(() => this.emit('drop')),
      dropLine: (count) => `${head(this.#shared, 3)}${isPino ? '' : ',"msg":"log lines were dropped"'},"dropped":${count}${isPino ? ',"msg":"log lines were dropped"' : ''}}\n`,
    });
    this.#shared = { sink, redact, isPino, isIso: (timestamp ?? (isPino ? 'epoch' : 'iso')) === 'iso' };
    this.#bind(undefined, base ?? (isPino && base !== null ? { pid: process.pid, hostname: os.hostname() } : {}));
  }

  /**
   * @param {AsyncLogger | undefined} parent
   * @param {object} bindings
   */
  #bind(parent, bindings) {
    const { redact } = this.#shared;
    const own = safeFields(fieldsOfBindings(bindings));
    this.#fields = { ...(parent === undefined ? {} : parent.#fields), ...(redact === undefined ? own : redact(own)) };
    const text = JSON.stringify(this.#fields);
    this.#bindings = text === '{}' ? '' : `,${text.slice(1, -1)}`;
  }

  get level() {
    return LEVELS[this.#threshold] ?? 'silent';
  }

  set level(level) {
    this.#threshold = resolveLevel(level, 'level');
  }

  /** @param {string} level */
  isLevelEnabled(level) {
    return resolveLevel(level, 'level') >= this.#threshold;
  }

  /** @param {string} msg @param {object} [data] */
  trace(msg, data) {
    return this.#threshold <= 0 ? this.#log(0, msg, data) : DONE;
  }

  /** @param {string} msg @param {object} [data] */
  debug(msg, data) {
    return this.#threshold <= 1 ? this.#log(1, msg, data) : DONE;
  }

  /** @param {string} msg @param {object} [data] */
  info(msg, data) {
    return this.#threshold <= INFO ? this.#log(INFO, msg, data) : DONE;
  }

  /** @param {string} msg @param {object} [data] */
  warn(msg, data) {
    return this.#threshold <= 3 ? this.#log(3, msg, data) : DONE;
  }

  /** @param {string} msg @param {object} [data] */
  error(msg, data) {
    return this.#threshold <= 4 ? this.#log(4, msg, data) : DONE;
  }

  /** @param {string} msg @param {object} [data] */
  fatal(msg, data) {
    return this.#threshold <= 5 ? this.#log(5, msg, data) : DONE;
  }

  /**
   * @param {string} level
   * @param {string} msg
   * @param {object} [data]
   */
  log(level, msg, data) {
    const index = LEVELS.indexOf(/** @type {Level} */ (level));
    if (index < 0) return refused(invalidArgument('level', `one of ${LEVELS.join(', ')}`, level));
    return this.#threshold <= index ? this.#log(index, msg, data) : DONE;
  }

  /**
   * @param {number} level
   * @param {any} msg
   * @param {any} data
   * @returns {Promise<void>} fulfilled when the line is accepted, which it is at once or never
   */
  #log(level, msg, data) {
    const shared = this.#shared;
    const { sink } = shared;
    if (!sink.isOpen) return refused(codeError('ERR_LOG_CLOSED', 'the logger has been shut down'));
    if (sink.unreported !== 0) sink.report();
    if (typeof msg !== 'string') {
      if (data === undefined && typeof msg === 'object' && msg !== null) {
        data = msg;
        msg = msg instanceof Error ? msg.message : '';
      } else msg = textOf(msg);
    }
    let isAccepted;
    if (!line.busy) {
      line.busy = true;
      try {
        begin(sink.ring, sink.limits[level], head(shared, level));
        if (!shared.isPino) {
          line.text += ',"msg":';
          addString(msg);
        }
        line.text += this.#bindings;
        if (data !== undefined && data !== null) {
          if (typeof data !== 'object') data = { data };
          addData(shared.redact === undefined ? data : shared.redact(fieldsOf(data)));
        }
        if (shared.isPino) {
          line.text += ',"msg":';
          addString(msg);
        }
        isAccepted = sink.finish(finish('}\n'));
      } catch {
        // A getter that throws, a cycle, thousands of strings: below.
      } finally {
        line.busy = false;
      }
    }
    isAccepted ??= sink.write(this.#safeLine(level, msg, data), level);
    return isAccepted ? DONE : refused(codeError('ERR_QUEUE_FULL', "the log's ring is full: the line was dropped"));
  }

  /**
   * The line of data that may be anything, made here in full.
   * @param {number} level
   * @param {string} msg
   * @param {any} data
   */
  #safeLine(level, msg, data) {
    const shared = this.#shared;
    const own = safeFields(data === null || typeof data === 'object' || data === undefined ? data : { data: textOf(data) });
    const text = JSON.stringify({ ...this.#fields, ...(shared.redact === undefined ? own : shared.redact(own)) });
    const fields = text === '{}' ? '' : `,${text.slice(1, -1)}`;
    const message = `,"msg":${JSON.stringify(msg)}`;
    return `${head(shared, level)}${shared.isPino ? fields + message : message + fields}}\n`;
  }

  /**
   * A logger for the same file whose lines have these fields, too.
   * @param {object} bindings
   * @returns {AsyncLogger}
   */
  child(bindings) {
    if (typeof bindings !== 'object' || bindings === null) throw invalidArgument('bindings', 'an object', bindings);
    return new AsyncLogger({ [CHILD]: this, bindings });
  }

  /** Writes out all lines so far. @returns {Promise<void>} */
  flush() {
    return this.#shared.sink.flush();
  }

  flushSync() {
    this.#shared.sink.flushSync();
  }

  reopen() {
    this.#shared.sink.reopen();
  }

  /** Writes out all lines so far and, unless this is a child, closes the file. @returns {Promise<void>} */
  shutdown() {
    return this.#isChild ? this.flush() : this.#shared.sink.close();
  }

  getStats() {
    return this.#shared.sink.stats();
  }
}

if (Symbol.asyncDispose) {
  Object.defineProperty(AsyncLogger.prototype, Symbol.asyncDispose, {
    /** @this {AsyncLogger} */
    value() {
      return this.shutdown();
    },
    writable: true,
    configurable: true,
  });
}

/**
 * The start of a line: level and time.
 * @param {Shared} shared
 * @param {number} level
 */
function head({ isPino, isIso }, level) {
  const now = Date.now();
  if (now !== lastTime) {
    lastTime = now;
    epochText = String(now);
    isoText = '';
  }
  const time = isIso ? isoText || (isoText = `"${new Date(now).toISOString()}"`) : epochText;
  return (isPino ? PINO_HEADS : PLAIN_HEADS)[level] + time;
}

const PLAIN_HEADS = LEVELS.map((level) => `{"level":"${level}","time":`);
const PINO_HEADS = LEVELS.map((_, index) => `{"level":${index * 10 + 10},"time":`);

/** @param {object} bindings */
function fieldsOfBindings(bindings) {
  try {
    return fieldsOf(bindings);
  } catch {
    return bindings; // Key by key.
  }
}

/** @param {unknown} value */
function textOf(value) {
  try {
    return String(value);
  } catch {
    return '[not printable]';
  }
}

/**
 * A rejected promise that ends no process where nobody looks at it.
 * @param {Error} error
 * @returns {Promise<void>}
 */
function refused(error) {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}

module.exports = { AsyncLogger };
