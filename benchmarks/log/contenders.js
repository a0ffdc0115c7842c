'use strict';

// Loggers by name, each writing to a file of its own.

const { Console } = require('node:console');
const fs = require('node:fs');

const pino = require('pino');
const winston = require('winston');

const { AsyncLogger, destination } = require('../..');

/**
 * @typedef {object} Logger
 * @property {(msg: string, data: object) => void} info
 * @property {() => Promise<void>} flush all lines so far are in the file
 * @property {() => Promise<void>} close
 */

/** @param {any} logger of pino @param {any} stream @returns {Logger} */
function ofPino(logger, stream) {
  const flush = () => new Promise((resolve) => void logger.flush(() => resolve(undefined)));
  return {
    info: (msg, data) => logger.info(data, msg),
    flush: () => /** @type {Promise<void>} */ (flush()),
    close: async () => {
      await flush();
      // A transport's thread does not keep the process alive.
      const alive = setInterval(() => {}, 1000);
      await new Promise((resolve) => {
        stream.once('close', resolve);
        stream.end();
      });
      clearInterval(alive);
    },
  };
}

/**
 * pino as its documentation has it for asynchronous logging. Its own flush also syncs the disk, which nobody else is asked
 * to do, so it is waited until nothing is on its way, and the rest is written.
 * @param {string} file
 * @param {boolean} isMany
 * @returns {Logger}
 */
function ofSonicBoom(file, isMany) {
  const stream = /** @type {any} */ (pino.destination({ dest: file, minLength: 4096, sync: false }));
  const logger = ofPino(pino({}, isMany ? pino.multistream([{ stream }]) : stream), stream);
  const flush = async () => {
    while (stream._writing) await new Promise(setImmediate);
    stream.flushSync();
  };
  const close = async () => {
    await flush();
    await new Promise((resolve) => {
      stream.once('close', resolve);
      stream.end();
    });
  };
  return { ...logger, flush, close };
}

/** @param {import('../..').LoggerOptions} options @returns {Logger} */
function ofOffloop(options) {
  const logger = new AsyncLogger(options);
  return { info: (msg, data) => void logger.info(msg, data), flush: () => logger.flush(), close: () => logger.shutdown() };
}

/** @param {import('node:stream').Writable} stream */
const written = (stream) => new Promise((resolve) => stream.write('', () => resolve(undefined)));

/** @type {Record<string, (file: string) => Logger>} */
const CONTENDERS = {
  'pino-async': (file) => ofSonicBoom(file, false),
  'pino-sync': (file) => {
    const stream = pino.destination({ dest: file, sync: true });
    return ofPino(pino({}, stream), stream);
  },
  'pino-multistream': (file) => ofSonicBoom(file, true),
  'pino-transport': (file) => {
    const stream = pino.transport({ target: 'pino/file', options: { destination: file } });
    return ofPino(pino({}, stream), stream);
  },
  winston: (file) => {
    const stream = fs.createWriteStream(file, { flags: 'a' });
    const logger = winston.createLogger({
      format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
      transports: [new winston.transports.Stream({ stream })],
    });
    return {
      info: (msg, data) => void logger.info(msg, data),
      flush: () => /** @type {Promise<void>} */ (written(stream)),
      close: () => new Promise((resolve) => void stream.end(() => resolve())),
    };
  },
  console: (file) => {
    const stream = fs.createWriteStream(file, { flags: 'a' });
    const logger = new Console(stream);
    return {
      info: (msg, data) => logger.info(JSON.stringify({ level: 'info', time: Date.now(), msg, ...data })),
      flush: () => /** @type {Promise<void>} */ (written(stream)),
      close: () => new Promise((resolve) => void stream.end(() => resolve())),
    };
  },
  offloop: (file) => ofOffloop({ logFile: file }),
  'offloop-durable': (file) => ofOffloop({ logFile: file, durable: true }),
  'pino-on-offloop': (file) => {
    const stream = destination({ logFile: file });
    return ofPino(pino({}, stream), stream);
  },
  'pino-on-offloop-durable': (file) => {
    const stream = destination({ logFile: file, durable: true });
    return ofPino(pino({}, stream), stream);
  },
};

const SENTENCE = 'The quick brown fox jumps over the lazy dog, and says "hello".\n';

/** @param {number} length about so many bytes of messages */
function conversation(length) {
  const count = Math.max(2, Math.round(length / 2000));
  const content = SENTENCE.repeat(Math.round(length / count / SENTENCE.length));
  const messages = Array.from({ length: count }, (_, index) => ({ role: index % 2 ? 'assistant' : 'user', content }));
  return (/** @type {number} */ n) => ({ id: `req-${n}`, model: 'gpt-4o', messages, usage: { prompt_tokens: n, completion_tokens: 2 } });
}

/** What is logged with a message, by name. @type {Record<string, (n: number) => object>} */
const DATA = {
  small: (n) => ({ requestId: `req-${n & 63}`, ms: n & 1023, ok: true, path: '/v1/chat/completions' }),
  '2 KB': conversation(2000),
  '20 KB': conversation(20_000),
};

module.exports = { CONTENDERS, DATA };
