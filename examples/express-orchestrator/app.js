'use strict';

const express = require('express');
const { limitInFlight } = require('../..');
const { readBody } = require('./body');
const { InvalidRequestError } = require('./pipeline');
const { UpstreamError, createUpstream } = require('./upstream');

const MODES = ['inline', 'js-pool', 'piscina', 'offloop', 'offloop-document', 'pass'];
const BODY_LIMIT = 50 * 1024 * 1024;

/** What of the client's request goes on, and of the upstream's answer goes back. */
const REQUEST_HEADERS = ['authorization', 'openai-organization', 'x-api-key', 'anthropic-version'];
const ANSWER_HEADERS = ['content-type', 'content-length', 'retry-after', 'x-request-id'];

/** The pool has no room, no time left, or is closed: worth another try later. */
const BUSY = new Set(['ERR_QUEUE_FULL', 'ERR_TASK_TIMEOUT', 'ERR_POOL_CLOSED']);

/**
 * @param {any} error
 * @returns {{ status: number, type: string }}
 */
function classify(error) {
  if (error?.code === 'ERR_BODY_LIMIT') return { status: 413, type: 'invalid_request_error' };
  if (error instanceof SyntaxError) return { status: 400, type: 'invalid_request_error' };
  if (error instanceof InvalidRequestError) return { status: 400, type: 'invalid_request_error' };
  if (error instanceof UpstreamError) return { status: 502, type: 'upstream_error' };
  if (BUSY.has(error?.code)) return { status: 503, type: 'overloaded_error' };
  return { status: 500, type: 'server_error' };
}

/**
 * @param {import('express').Response} res
 * @param {any} error
 */
function sendError(res, error) {
  const { status, type } = classify(error);
  if (status === 500) console.error(error);
  if (status === 503) res.set('retry-after', '1');
  const message = status === 500 ? 'Internal error' : error.message;
  res.status(status).json({ error: { message, type, code: error?.code ?? null } });
}

/**
 * An AbortSignal that fires when the client goes away before it has its answer.
 *
 * @param {import('express').Response} res
 * @returns {AbortSignal}
 */
function clientSignal(res) {
  const controller = new AbortController();
  res.on('close', () => {
    if (!res.writableFinished) controller.abort(new Error('The client went away'));
  });
  return controller.signal;
}

/**
 * @template {string} K
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {K[]} names
 * @returns {Record<string, string>}
 */
function pickHeaders(headers, names) {
  /** @type {Record<string, string>} */
  const picked = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') picked[name] = value;
  }
  return picked;
}

/**
 * Gives the upstream's answer to the client as it comes, unread: it may be a stream of events.
 *
 * @param {import('node:http').IncomingMessage} answer
 * @param {import('express').Response} res
 */
function relay(answer, res) {
  if (/** @type {number} */ (answer.statusCode) >= 500) {
    answer.resume();
    throw new UpstreamError(`The upstream answered with status ${answer.statusCode}`);
  }
  res.writeHead(answer.statusCode ?? 200, pickHeaders(answer.headers, ANSWER_HEADERS));
  // Part of the answer is out: all that is left to tell the client is that the rest is missing.
  answer.on('error', () => res.destroy());
  answer.pipe(res);
}

/**
 * @typedef {object} ServiceOptions
 * @property {string} mode one of MODES
 * @property {string} upstreamUrl
 * @property {number} [poolSize] 0: as many threads as the machine suggests
 * @property {number} [bodyLimit] in bytes
 * @property {boolean} [countsTokens] whether the upstream is told in x-prompt-tokens how many there are
 * @property {number} [maxInFlightBytes] of bodies whose requests have no answer yet
 * @property {number} [maxQueueBytes] that offloop's pool takes on
 * @property {number} [processes] that run such a service on this machine
 *
 * @typedef {object} Service
 * @property {import('express').Express} app
 * @property {() => number} poolSize threads
 * @property {() => Promise<void>} close once no request is left: ends the pool's threads
 */

/**
 * @param {ServiceOptions} options
 * @returns {Service}
 */
function createService({ mode, upstreamUrl, poolSize = 0, bodyLimit = BODY_LIMIT, countsTokens, maxInFlightBytes, maxQueueBytes, processes }) {
  if (!MODES.includes(mode)) {
    throw new Error(`Unknown mode '${mode}': it must be one of ${MODES.join(', ')}`);
  }
  /** @type {import('./pipeline').Mode} */
  const { prepare, stats, close } = require(`./modes/${mode}`).create({ size: poolSize, countsTokens, maxQueueBytes, processes });
  const upstream = createUpstream(upstreamUrl);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  const limiter = limitInFlight({ maxBytes: maxInFlightBytes });

  app.post(['/v1/chat/completions', '/v1/messages'], limiter, async (req, res) => {
    const signal = clientSignal(res);
    try {
      // In no variable: what a suspended function holds, the collector cannot take.
      const { route, tokens, body } = await readBody(req, bodyLimit).then((chunks) => prepare(chunks, { signal }));
      /** @type {Record<string, string>} */
      const headers = { ...pickHeaders(req.headers, REQUEST_HEADERS), accept: route.accept };
      if (tokens !== undefined) headers['x-prompt-tokens'] = String(tokens);
      relay(await upstream.post({ path: route.path, headers, body, signal }), res);
    } catch (error) {
      if (!signal.aborted) sendError(res, error);
    }
  });

  app.get('/metrics/worker-pool', (req, res) => {
    res.json({ mode, ...stats(), inFlight: limiter.inFlight });
  });

  app.get('/healthz', (req, res) => {
    res.json({ status: 'ok', mode });
  });

  // Four parameters tell Express that it is for errors: the limiter's.
  app.use((/** @type {any} */ error, /** @type {any} */ _req, /** @type {import('express').Response} */ res, /** @type {any} */ _next) => {
    sendError(res, error);
  });

  return {
    app,
    poolSize: () => stats().poolSize,
    async close() {
      await close();
      upstream.close();
    },
  };
}

module.exports = { MODES, createService };
