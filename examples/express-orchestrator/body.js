'use strict';

/** The request body is larger than the service takes. */
class BodyTooLargeError extends Error {
  /** @param {number} limit in bytes */
  constructor(limit) {
    super(`The request body is larger than ${limit} bytes`);
    this.name = 'BodyTooLargeError';
    this.code = 'ERR_BODY_LIMIT';
  }
}

/**
 * Collects the raw body. The chunks stay apart: who needs them in one piece can join them, and
 * offloop takes the list as it is.
 *
 * Over the limit the promise rejects at once and the rest of the body is read and dropped, so that
 * the client can still read the answer.
 *
 * @param {import('node:http').IncomingMessage} req
 * @param {number} limit in bytes
 * @returns {Promise<Buffer[]>}
 */
function readBody(req, limit) {
  return new Promise((resolve, reject) => {
    if (Number(req.headers['content-length']) > limit) {
      req.resume();
      reject(new BodyTooLargeError(limit));
      return;
    }
    /** @type {Buffer[]} */
    let chunks = [];
    let size = 0;
    req.on('data', (chunk) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
      } else {
        chunks = [];
        reject(new BodyTooLargeError(limit));
      }
    });
    req.on('end', () => {
      resolve(chunks);
      // The listeners live as long as the request does; the chunks must not.
      chunks = [];
    });
    req.on('error', reject);
    req.on('close', () => {
      if (!req.complete) reject(new Error('The client went away while it sent the body'));
    });
  });
}

module.exports = { readBody };
