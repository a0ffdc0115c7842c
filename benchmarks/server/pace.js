'use strict';

// Requests at a given rate, whatever becomes of the ones before: an open loop, as clients who know nothing of each
// other make it. autocannon's rates come in bursts, one a second.

const http = require('node:http');

/**
 * @typedef {object} Pace
 * @property {string} url
 * @property {Buffer[]} bodies sent in turn
 * @property {number} connections at most; what finds none free waits, and the wait counts
 * @property {number} requestsPerSecond
 * @property {number} timeoutMs
 */

/**
 * Times between arrivals of a Poisson process, the same in every run.
 *
 * @param {number} meanMs
 */
function intervals(meanMs) {
  let state = 0x9e3779b9;
  return () => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return -Math.log(((state >>> 0) + 1) / 2 ** 32) * meanMs;
  };
}

/**
 * Sends requests until the process ends.
 *
 * @param {Pace} pace
 * @param {(status: number | string, milliseconds?: number) => void} onAnswer its status and the time since the request was due,
 *   or the code of an error
 */
function keepPace({ url, bodies, connections, requestsPerSecond, timeoutMs }, onAnswer) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  let sent = 0;
  const next = intervals(1e3 / requestsPerSecond);

  /** @param {number} due */
  const send = (due) => {
    const body = bodies[sent++ % bodies.length];
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const onError = (/** @type {any} */ error) => onAnswer(error.code ?? error.message);
    const request = http.request(url, { agent, method: 'POST', headers, timeout: timeoutMs }, (answer) => {
      answer.resume();
      answer.on('end', () => onAnswer(answer.statusCode ?? 0, performance.now() - due));
      answer.on('error', onError);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', onError);
    request.end(body);
  };

  let due = performance.now();
  const tick = () => {
    const now = performance.now();
    while (due <= now) {
      send(due);
      due += next();
    }
    setTimeout(tick, Math.max(1, due - performance.now()));
  };
  tick();
}

module.exports = { intervals, keepPace };
