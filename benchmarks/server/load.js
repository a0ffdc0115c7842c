'use strict';

// The load generator, in a process of its own. Forked by measure.js: it runs from the first message on, counts the
// answers between 'reset' and 'report', says how many there were so far when asked for 'count', and ends at 'stop'.
// Without a rate it is autocannon, which keeps all connections busy.

const fs = require('node:fs');
const autocannon = require('autocannon');
const { keepPace } = require('./pace');

/**
 * @typedef {object} LoadPlan
 * @property {string} url
 * @property {string} bodyFile
 * @property {number} connections
 * @property {number} seconds at most
 * @property {number} [requestsPerSecond] a fixed rate, instead of as many as the service takes
 *
 * @typedef {object} LoadReport one measured window
 * @property {number} seconds
 * @property {number[]} latenciesMs of good answers
 * @property {number} errors failed requests and answers other than 2xx
 */

/** An answer may come late under load, but it should come. */
const TIMEOUT_SECONDS = 120;

/** What the window has seen so far. */
const seen = { startedAt: performance.now(), errors: 0, latenciesMs: /** @type {number[]} */ ([]) };

const onGood = (/** @type {number} */ milliseconds) => void seen.latenciesMs.push(milliseconds);
const onError = () => {
  seen.errors += 1;
};

/** @param {LoadPlan} plan */
function start({ url, bodyFile, connections, seconds, requestsPerSecond }) {
  const body = fs.readFileSync(bodyFile);
  if (requestsPerSecond === undefined) saturate(url, body, connections, seconds);
  else keepPace({ url, body, connections, requestsPerSecond, timeoutMs: TIMEOUT_SECONDS * 1e3 }, onGood, onError);
  process.on('message', (message) => {
    if (message === 'reset') {
      Object.assign(seen, { startedAt: performance.now(), errors: 0, latenciesMs: [] });
      process.send?.({ reset: true });
    } else if (message === 'count') {
      process.send?.({ answers: seen.latenciesMs.length + seen.errors });
    } else if (message === 'report') {
      const { startedAt, latenciesMs, errors } = seen;
      process.send?.({ seconds: (performance.now() - startedAt) / 1e3, latenciesMs, errors });
    } else if (message === 'stop') {
      process.exit(0);
    }
  });
}

/**
 * @param {string} url
 * @param {Buffer} body
 * @param {number} connections
 * @param {number} seconds
 */
function saturate(url, body, connections, seconds) {
  const run = autocannon({
    url,
    connections,
    duration: seconds,
    timeout: TIMEOUT_SECONDS,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  run.on('response', (client, status, bytes, milliseconds) => {
    if (status >= 200 && status < 300) onGood(milliseconds);
    else onError();
  });
  run.on('reqError', onError);
}

process.once('message', (plan) => start(/** @type {LoadPlan} */ (plan)));
process.on('disconnect', () => process.exit(0));
