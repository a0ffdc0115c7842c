'use strict';

/**
 * `destination`: where other loggers' lines go. A lean object for those that only call `write` (pino, pino.multistream,
 * pino-http, morgan), or a real Writable for those that look for one (winston).
 */

const { EventEmitter } = require('node:events');
const { Writable } = require('node:stream');

const { codeError, invalidArgument } = require('./errors');
const { resolveSink } = require('./log-options');
const { Sink } = require('./sink');

/** Has pino say the level of each line in `lastLevel`. */
const METADATA = Symbol.for('pino.metadata');
const INFO = 2;

/**
 * @param {number} count
 * @returns {string}
 */
function dropLine(count) {
  return `{"level":40,"time":${Date.now()},"dropped":${count},"msg":"log lines were dropped"}\n`;
}

/**
 * @param {EventEmitter} emitter
 * @returns {import('./sink').Listener}
 */
function listenerFor(emitter) {
  return {
    // Nobody needs to listen: the lines wait in the ring.
    onError: (error) => void (emitter.listenerCount('error') > 0 && setImmediate(() => emitter.emit('error', error))),
    onRecovered: () => void setImmediate(() => emitter.emit('recovered')),
    onDropping: () => void setImmediate(() => emitter.emit('drop')),
    dropLine,
  };
}

/** Calls back when a promise is settled, or gives the promise. */
function callBack(/** @type {Promise<void>} */ promise, /** @type {((error?: Error) => void) | undefined} */ callback) {
  if (typeof callback !== 'function') return promise;
  promise.then(() => callback(), callback);
  return undefined;
}

class Destination extends EventEmitter {
  /** @param {any} options */
  constructor(options) {
    super();
    this._sink = new Sink(resolveSink(options), listenerFor(this));
    Object.defineProperty(this, '_sink', { enumerable: false });
    /** pino's number for the level of the line that comes next. @type {number} */
    this.lastLevel = 30;
    this.writable = true;
  }

  get [METADATA]() {
    return true;
  }

  /**
   * Takes a line, with its newline.
   * @param {string | Uint8Array} line
   * @returns {boolean} whether it was accepted; there is nothing to wait for
   */
  write(line) {
    const sink = this._sink;
    if (!sink.isOpen) throw codeError('ERR_LOG_CLOSED', 'the destination has been closed');
    const { lastLevel } = this;
    const level = lastLevel === 30 ? INFO : lastLevel >= 60 ? 5 : lastLevel >= 10 ? Math.floor(lastLevel / 10) - 1 : 0;
    return typeof line === 'string' ? sink.write(line, level) : sink.writeBytes(bytesOf(line), level);
  }

  /**
   * Writes out all lines so far.
   * @param {(error?: Error) => void} [callback]
   */
  flush(callback) {
    return callBack(this._sink.flush(), callback);
  }

  flushSync() {
    this._sink.flushSync();
  }

  /** Has the file opened anew: it has been moved away. */
  reopen() {
    this._sink.reopen();
  }

  /**
   * Writes out all lines so far and closes the file.
   * @param {string | Uint8Array | ((error?: Error) => void)} [line] the last one
   * @param {(error?: Error) => void} [callback]
   */
  end(line, callback) {
    if (typeof line === 'function') callback = line;
    else if (line !== undefined && line !== null) this.write(line);
    const isFirst = this.writable;
    this.writable = false;
    const closed = this._sink.close();
    if (isFirst) {
      const emit = () => void (this.emit('finish'), this.emit('close'));
      closed.then(emit, (error) => {
        if (this.listenerCount('error') > 0) this.emit('error', error);
        this.emit('close');
      });
    }
    return callBack(closed, callback);
  }

  destroy() {
    this.end(() => {});
  }

  getStats() {
    return this._sink.stats();
  }
}

/** @param {unknown} line */
function bytesOf(line) {
  if (line instanceof Uint8Array) return line;
  throw invalidArgument('line', 'a string or bytes', line);
}

class WritableDestination extends Writable {
  /** @param {any} options */
  constructor(options) {
    super({ decodeStrings: false, emitClose: true });
    this._sink = new Sink(resolveSink(options), listenerFor(this));
    Object.defineProperty(this, '_sink', { enumerable: false });
  }

  /**
   * @override
   * @param {string | Uint8Array} line
   * @param {BufferEncoding} encoding
   * @param {(error?: Error | null) => void} callback
   */
  _write(line, encoding, callback) {
    const isUtf8 = typeof line === 'string' && (encoding === 'utf8' || encoding === 'utf-8');
    if (isUtf8) this._sink.write(/** @type {string} */ (line), INFO);
    else this._sink.writeBytes(typeof line === 'string' ? Buffer.from(line, encoding) : line, INFO);
    callback();
  }

  /** @override @param {(error?: Error | null) => void} callback */
  _final(callback) {
    this._sink.close().then(() => callback(), callback);
  }

  /** @override @param {Error | null} error @param {(error?: Error | null) => void} callback */
  _destroy(error, callback) {
    this._sink.close().then(
      () => callback(error),
      (failure) => callback(error ?? failure),
    );
  }

  /** @param {(error?: Error) => void} [callback] */
  flush(callback) {
    return callBack(this._sink.flush(), callback);
  }

  flushSync() {
    this._sink.flushSync();
  }

  reopen() {
    this._sink.reopen();
  }

  getStats() {
    return this._sink.stats();
  }
}

/**
 * @param {any} options
 * @returns {Destination | WritableDestination}
 */
function destination(options = {}) {
  const { writable = false } = options ?? {};
  if (typeof writable !== 'boolean') throw invalidArgument('options.writable', 'a boolean', writable);
  return writable ? new WritableDestination(options) : new Destination(options);
}

module.exports = { destination };
