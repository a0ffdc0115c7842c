'use strict';

// The load generator, in a process of its own. Forked by measure.js: it runs from the first message on, counts the
// answers between 'reset' and 'report', says how many good ones there were so far when asked for 'count', and ends at 'stop'.
// Without a rate it is autocannon, which keeps all connections busy.

const fs = require('node:fs');
const autocannon = require('autocannon');
const { inTurn, renewing } = require('./bodies');
const { keepPace } = require('./pace');

/**
 * @typedef {object} LoadPlan
 * @property {string} url
 * @property {string[]} bodyFiles sent in turn
 * @property {boolean} [isNew] the texts of messages are new in each request
 * @property {number} connections
 * @property {number} seconds at most
 * @property {number} [requestsPerSecond] a fixed rate, instead of as many as the service takes
 *
 * @typedef {object} LoadReport one measured window
 * @property {number} seconds
 * @property {number[]} latenciesMs of good answers
 * @property {number} refused answers with 503 and 413
 * @property {number} errors failed requests and all other answers but 2xx
 * @property {Record<string, number>} kinds how many of each status or code
 */

/** An answer may come late under load, but it should come. */
const TIMEOUT_SECONDS = 120;

/** What the window has seen so far. */
const seen = { startedAt: performance.now(), errors: 0, refused: 0, latenciesMs: /** @type {number[]} */ ([]), kinds: /** @type {Record<string, number>} */ ({}) };

/**
 * @param {number | string} status or the code of an error
 * @param {number} [milliseconds]
 */
function onAnswer(status, milliseconds = 0) {
  if (Number(status) >= 200 && Number(status) < 300) {
    seen.latenciesMs.push(milliseconds);
    return;
  }
  seen.kinds[status] = (seen.kinds[status] ?? 0) + 1;
  if (status === 503 || status === 413) seen.refused += 1;
  else seen.errors += 1;
}

/** @param {LoadPlan} plan */
function start(plan) {
  const bodies = plan.bodyFiles.map((file) => fs.readFileSync(file));
  const { url, connections, requestsPerSecond } = plan;
  if (requestsPerSecond === undefined) saturate(plan, bodies);
  else keepPace({ url, bodies, connections, requestsPerSecond, timeoutMs: TIMEOUT_SECONDS * 1e3 }, onAnswer);
  process.on('message', (message) => {
    if (message === 'reset') {
      Object.assign(seen, { startedAt: performance.now(), errors: 0, refused: 0, latenciesMs: [], kinds: {} });
      process.send?.({ reset: true });
    } else if (message === 'count') {
      process.send?.({ answers: seen.latenciesMs.length });
    } else if (message === 'report') {
      const { startedAt, ...counts } = seen;
      process.send?.({ seconds: (performance.now() - startedAt) / 1e3, ...counts });
    } else if (message === 'stop') {
      process.exit(0);
    }
  });
}

/**
 * @param {LoadPlan} plan
 * @param {Buffer[]} bodies
 */
function saturate({ url, isNew, connections, seconds }, bodies) {
  // Shared by all clients: a request that each of them had built would be kept once for each.
  const requests = bodies.map((body) => ({ body }));
  let clients = 0;
  const run = autocannon({
    url,
    connections,
    duration: seconds,
    timeout: TIMEOUT_SECONDS,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    setupClient(client) {
      const next = isNew ? renewing(bodies[0]) : undefined;
      // autocannon copies the body as it builds a request.
      const renewed = next && [{ setupRequest: (/** @type {object} */ request) => ({ ...request, body: next() }) }];
      client.setRequests(/** @type {any} */ (renewed ?? inTurn(requests, clients++)));
    },
  });
  run.on('response', (client, status, bytes, milliseconds) => onAnswer(status, milliseconds));
  run.on('reqError', (error) => onAnswer(error.code ?? error.message));
}

process.once('message', (plan) => start(/** @type {LoadPlan} */ (plan)));
process.on('disconnect', () => process.exit(0));
