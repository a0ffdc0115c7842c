'use strict';

// autocannon in a process of its own. Forked by measure.js: it runs from the first message on,
// counts the answers between 'reset' and 'report', and ends at 'stop', at the latest after
// `seconds`.

const fs = require('node:fs');
const autocannon = require('autocannon');

/**
 * @typedef {object} LoadPlan
 * @property {string} url
 * @property {string} bodyFile
 * @property {number} connections
 * @property {number} seconds at most
 *
 * @typedef {object} LoadReport one measured window
 * @property {number} seconds
 * @property {number[]} latenciesMs of good answers
 * @property {number} errors failed requests and answers other than 2xx
 */

/** An answer may come late under load, but it should come. */
const TIMEOUT_SECONDS = 120;

/** @param {LoadPlan} plan */
function start({ url, bodyFile, connections, seconds }) {
  let startedAt = performance.now();
  let errors = 0;
  /** @type {number[]} */
  let latenciesMs = [];

  const run = autocannon({
    url,
    connections,
    duration: seconds,
    timeout: TIMEOUT_SECONDS,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: fs.readFileSync(bodyFile),
  });
  run.on('response', (client, status, bytes, milliseconds) => {
    if (status >= 200 && status < 300) latenciesMs.push(milliseconds);
    else errors += 1;
  });
  run.on('reqError', () => {
    errors += 1;
  });

  process.on('message', (message) => {
    if (message === 'reset') {
      errors = 0;
      latenciesMs = [];
      startedAt = performance.now();
      process.send?.({ reset: true });
    } else if (message === 'report') {
      process.send?.({ seconds: (performance.now() - startedAt) / 1e3, latenciesMs, errors });
    } else if (message === 'stop') {
      process.exit(0);
    }
  });
}

process.once('message', (plan) => start(/** @type {LoadPlan} */ (plan)));
process.on('disconnect', () => process.exit(0));
