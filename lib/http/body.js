'use strict';

// The bytes of a request, as a list of chunks that nobody joins. A body that comes slowly, or never ends, holds its own
// bytes and nothing else: what is compressed is inflated when it is complete.

const zlib = require('node:zlib');
const { aborted, httpError, tooLarge, withStatus } = require('./errors');

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {{ chunks: Buffer[], length: number }} Body
 */

/** Chunks below this are copied together: each by itself would cost more memory than it has bytes. */
const SMALL = 1024;
/** Into runs of so many bytes at most. */
const RUN = 64 * 1024;
/** Bytes that inflating hands over at a time. */
const STEP = 128 * 1024;
/** Bytes that no compressed form of a text has more than the text: a thousandth of it, and these. */
const SLACK = 1024;

/** @type {Record<string, (options: { chunkSize: number }) => import('node:stream').Transform>} */
const INFLATERS = { deflate: zlib.createInflate, gzip: zlib.createGunzip, br: zlib.createBrotliDecompress };
const { createZstdDecompress } = /** @type {any} */ (zlib);
if (createZstdDecompress !== undefined) INFLATERS.zstd = createZstdDecompress;

/** Whether there is a body to read. @param {Request} req */
function hasBody({ headers }) {
  return headers['transfer-encoding'] !== undefined || !Number.isNaN(Number(headers['content-length'] ?? NaN));
}

/** Whether somebody has read it already. @param {Request} req */
function isRead(req) {
  return req.readableEnded || (req.complete && !req.readable);
}

/**
 * @param {Request} req
 * @param {boolean} inflate
 * @returns {string} `identity`, or how to inflate it
 * @throws {import('./errors').HttpError} 415
 */
function encodingOf(req, inflate) {
  const encoding = (req.headers['content-encoding'] || 'identity').toLowerCase();
  if (encoding === 'identity') return encoding;
  if (!inflate) throw httpError(415, 'encoding.unsupported', 'content encoding unsupported', { encoding });
  if (!Object.hasOwn(INFLATERS, encoding)) {
    throw httpError(415, 'encoding.unsupported', `unsupported content encoding "${encoding}"`, { encoding });
  }
  return encoding;
}

/**
 * What keeps a stream from being read.
 * @param {Request} req
 * @returns {Error | undefined}
 */
function whyNot(req) {
  if (req.readableEncoding !== null && req.readableEncoding !== undefined) {
    return httpError(500, 'stream.encoding.set', 'stream encoding should not be set');
  }
  return req.readable ? undefined : httpError(500, 'stream.not.readable', 'stream is not readable');
}

/** Chunks as they come, small ones together. */
class Chunks {
  /** @type {Buffer[]} */
  list = [];
  length = 0;
  /** Where small chunks go, and how much of it is taken. @type {Buffer | undefined} */
  #run;
  #used = 0;

  /** @param {Buffer} chunk */
  add(chunk) {
    const { length } = chunk;
    this.length += length;
    if (length >= SMALL) {
      this.#close();
      this.list.push(chunk);
      return;
    }
    if (this.#run === undefined || this.#used + length > this.#run.length) {
      this.#close();
      // As much again as there is, so that it is never more than twice the bytes.
      this.#run = Buffer.allocUnsafeSlow(Math.min(RUN, Math.max(SMALL, this.length)));
    }
    chunk.copy(this.#run, this.#used);
    this.#used += length;
  }

  #close() {
    if (this.#run === undefined) return;
    this.list.push(this.#run.subarray(0, this.#used));
    this.#run = undefined;
    this.#used = 0;
  }

  /** @returns {Body} */
  take() {
    this.#close();
    const { list: chunks, length } = this;
    this.list = [];
    return { chunks, length };
  }
}

/**
 * Reads the body to its end. On an error the rest of it is read and dropped, so that the client can read the answer; the
 * promise is rejected then, or at once.
 *
 * @param {Request} req a stream that is like one
 * @param {number} limit bytes, as errors say it
 * @param {number | undefined} expected bytes
 * @param {{ most?: number, isEarly?: boolean }} [how] most bytes, if that is not the limit; whether errors are told at once
 * @returns {Promise<Body>}
 */
function collect(req, limit, expected, { most = limit, isEarly = false } = {}) {
  return new Promise((resolve, reject) => {
    const why = whyNot(req);
    if (why !== undefined) {
      reject(why);
      return;
    }
    const chunks = new Chunks();
    /** @type {Error | undefined} */
    let failure = expected !== undefined && expected > limit ? tooLarge(limit, { expected, length: expected }) : undefined;
    let received = 0;
    if (isEarly && failure !== undefined) {
      reject(failure);
      return;
    }

    /** @param {Buffer | string} data strings come from streams that other middleware makes */
    function onData(data) {
      if (failure !== undefined) return;
      const chunk = typeof data === 'string' ? Buffer.from(data) : data;
      received += chunk.length;
      if (received <= most) {
        chunks.add(chunk);
      } else {
        failure = tooLarge(limit, { received });
        chunks.take();
        if (isEarly) finish();
      }
    }
    function onEnd() {
      if (failure === undefined && expected !== undefined && received !== expected) {
        const sizes = { expected, length: expected, received };
        failure = httpError(400, 'request.size.invalid', 'request size did not match content length', sizes);
      }
      finish();
    }
    /** @param {any} error */
    function onError(error) {
      failure ??= error?.code === 'ECONNRESET' ? aborted(expected, received) : withStatus(error, 400);
      finish();
    }
    function onClose() {
      failure ??= aborted(expected, received);
      finish();
    }
    function finish() {
      req.off('data', onData).off('end', onEnd).off('close', onClose);
      // 'error' stays: an error that nobody listens to would end the process.
      if (failure === undefined) {
        resolve(chunks.take());
      } else {
        chunks.take();
        reject(failure);
      }
    }

    req.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    // Somebody may have paused it.
    req.resume();
  });
}

/**
 * @param {Body} body
 * @param {string} encoding
 * @param {number} limit bytes, inflated
 * @returns {Promise<Body>}
 */
function inflate(body, encoding, limit) {
  return new Promise((resolve, reject) => {
    const chunks = new Chunks();
    const inflater = INFLATERS[encoding]({ chunkSize: Math.min(STEP, Math.max(SMALL, body.length * 4)) });
    inflater.on('data', (/** @type {Buffer} */ chunk) => {
      if (chunks.length + chunk.length <= limit) {
        chunks.add(chunk);
      } else {
        inflater.destroy();
        reject(tooLarge(limit, { received: chunks.length + chunk.length }));
      }
    });
    inflater.on('end', () => resolve(chunks.take()));
    inflater.on('error', (error) => reject(withStatus(error, 400)));
    for (const chunk of body.chunks) inflater.write(chunk);
    inflater.end();
  });
}

/**
 * @param {Request} req
 * @param {string} encoding
 * @param {number} limit bytes, inflated
 * @param {boolean} [isEarly] whether errors are told at once, while the client may still be sending
 * @returns {Promise<Body>}
 */
function readBody(req, encoding, limit, isEarly = false) {
  if (encoding !== 'identity') {
    const most = limit + limit / 1000 + SLACK;
    return collect(req, limit, undefined, { most, isEarly }).then((body) => inflate(body, encoding, limit));
  }
  return collect(req, limit, lengthOf(req), { isEarly });
}

/** @param {Request} req */
function lengthOf({ headers }) {
  const length = Number.parseInt(headers['content-length'] ?? '', 10);
  return Number.isNaN(length) ? undefined : length;
}

/**
 * Reads a stream that has been put in the place of a request. It may say in `receivedEncodedLength` how many bytes of the
 * request it has taken.
 *
 * @param {any} stream
 * @param {Request} req
 * @param {number} limit bytes
 * @returns {Promise<Body>}
 */
async function readStream(stream, req, limit) {
  const expected = lengthOf(req);
  if (expected !== undefined && expected > limit) throw tooLarge(limit, { expected, length: expected });
  const body = await collect(stream, limit, undefined, { isEarly: true });
  const received = stream.receivedEncodedLength || body.length;
  if (expected === undefined || expected === received) return body;
  throw httpError(400, 'request.size.invalid', 'request size did not match content length', { expected, length: expected, received });
}

module.exports = { encodingOf, hasBody, isRead, readBody, readStream };
