'use strict';

// limitInFlight: what is taken on is counted until it is answered, and no more is taken on.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { test } = require('node:test');

const express = require('express');
const express4 = require('express4');
const { json, limitInFlight } = require('..');
const { until } = require('./faults');
const { ask, serve } = require('./http-service');

/**
 * A service that answers when it is told to, and a client.
 * @param {import('node:test').TestContext} t
 * @param {any} options
 * @param {any} [framework]
 */
async function start(t, options, framework = express) {
  const limiter = limitInFlight(options);
  /** @type {any[]} */
  const held = [];
  const app = framework();
  app.use(limiter);
  app.post('/', json({ limit: '1mb' }), (/** @type {any} */ _req, /** @type {any} */ res) => void held.push(res));
  app.use((/** @type {any} */ error, /** @type {any} */ _req, /** @type {any} */ res, /** @type {any} */ _next) => {
    res.status(error.status).set(error.headers ?? {}).json({ code: error.code, type: error.type });
  });
  const { port } = await serve(t, app);
  return { limiter, held, port };
}

/** @param {number} port @param {number} length */
function post(port, length) {
  const headers = /** @type {[string, string][]} */ ([['Content-Type', 'application/json']]);
  return ask(port, { headers, pieces: [JSON.stringify({ text: 'x'.repeat(length - 11) })] });
}

for (const [name, framework] of /** @type {[string, any][]} */ ([['Express 4', express4], ['Express 5', express]])) {
  test(`bytes are bounded from the headers to the answer, on ${name}`, async (t) => {
    const { limiter, held, port } = await start(t, { maxBytes: '50kb', waitMs: 0 }, framework);
    const first = post(port, 30 * 1024);
    await until(() => held.length === 1);
    assert.deepEqual(limiter.inFlight, { bytes: 30 * 1024, requests: 1, waiting: 0, refused: 0 });

    const refused = await post(port, 30 * 1024);
    assert.equal(refused?.status, 503);
    assert.equal(refused?.headers.get('retry-after'), '1');
    assert.deepEqual(JSON.parse(refused?.body ?? ''), { code: 'ERR_QUEUE_FULL', type: 'service.unavailable' });

    const small = post(port, 20 * 1024);
    await until(() => held.length === 2);
    for (const res of held) res.json('answer');
    assert.deepEqual([(await first)?.status, (await small)?.status], [200, 200]);
    await until(() => limiter.inFlight.requests === 0);
    assert.deepEqual(limiter.inFlight, { bytes: 0, requests: 0, waiting: 0, refused: 1 });
  });
}

test('a body that can never be taken is too large', async (t) => {
  const { limiter, port } = await start(t, { maxBytes: 1000 });
  const answer = await post(port, 1001);
  assert.equal(answer?.status, 413);
  assert.deepEqual(JSON.parse(answer?.body ?? ''), { code: 'ERR_BODY_LIMIT', type: 'entity.too.large' });
  assert.equal(limiter.inFlight.requests, 0);
});

test('requests are bounded, and those without a length count what they are given', async (t) => {
  const { limiter, held, port } = await start(t, { maxRequests: 2, chunkedBytes: 700, waitMs: 0 });
  const headers = /** @type {[string, string][]} */ ([['Content-Type', 'application/json']]);
  const pending = [ask(port, { headers, isChunked: true, pieces: ['{"a":', '1}'] }), post(port, 100)];
  await until(() => held.length === 2);
  assert.deepEqual(limiter.inFlight, { bytes: 800, requests: 2, waiting: 0, refused: 0 });
  assert.equal((await post(port, 100))?.status, 503);
  for (const res of held) res.end();
  await Promise.all(pending);
  await until(() => limiter.inFlight.bytes === 0);
});

test('what is too much waits, in order, and is taken when there is room', async (t) => {
  const { limiter, held, port } = await start(t, { maxRequests: 1, waitMs: 60_000 });
  const first = post(port, 100);
  await until(() => held.length === 1);
  // The one that waits first goes away.
  const gone = net.connect(port, '127.0.0.1');
  gone.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n{');
  await until(() => limiter.inFlight.waiting === 1);
  const second = post(port, 200);
  await until(() => limiter.inFlight.waiting === 2);
  const third = post(port, 300);
  await until(() => limiter.inFlight.waiting === 3);
  gone.destroy();
  await until(() => limiter.inFlight.waiting === 2);
  for (const [index, pending] of [first, second, third].entries()) {
    await until(() => held.length === index + 1);
    assert.equal(held[index].req.headers['content-length'], String((index + 1) * 100));
    held[index].end(String(index));
    assert.equal((await pending)?.body, String(index));
  }
  await until(() => limiter.inFlight.requests === 0);
  assert.deepEqual(limiter.inFlight, { bytes: 0, requests: 0, waiting: 0, refused: 0 });
});

test('few are refused at a time, as their bodies must be read', async (t) => {
  const { limiter, held, port } = await start(t, { maxRequests: 1, waitMs: 0 });
  const first = post(port, 100);
  await until(() => held.length === 1);
  const sockets = Array.from({ length: 40 }, () => {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n{');
    return socket;
  });
  const answers = sockets.map((socket) => once(socket, 'data'));
  await until(() => limiter.inFlight.refused === 16 && limiter.inFlight.waiting === 24);
  for (const socket of sockets) socket.write(' '.repeat(4999));
  for (const answer of answers) assert.match(String(await answer), /^HTTP\/1\.1 503 /);
  assert.deepEqual(limiter.inFlight, { bytes: 100, requests: 1, waiting: 0, refused: 40 });
  held[0].end();
  await first;
});

test('a client that goes away is counted no longer', async (t) => {
  const { limiter, port } = await start(t, {});
  const socket = net.connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{');
  await until(() => limiter.inFlight.bytes === 5000);
  socket.destroy();
  await until(() => limiter.inFlight.bytes === 0 && limiter.inFlight.requests === 0);
});

test('a connection goes on after a refusal in the middle of its body', async (t) => {
  const { held, port } = await start(t, { maxBytes: 300_000, waitMs: 0 });
  const first = post(port, 200_000);
  await until(() => held.length === 1);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const send = async (/** @type {number} */ length) => {
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': length } });
    request.end(JSON.stringify({ text: 'x'.repeat(length - 11) }));
    const [answer] = await once(request, 'response');
    answer.resume();
    await once(answer, 'end');
    return { status: answer.statusCode, isReused: request.reusedSocket };
  };
  assert.deepEqual(await send(250_000), { status: 503, isReused: false });
  held[0].end();
  await first;
  const second = send(250_000);
  await until(() => held.length === 2);
  held[1].end();
  assert.deepEqual(await second, { status: 200, isReused: true });
});

test('wrong options are errors that name them', () => {
  const bad = { waitMs: [-1, NaN, '5'], maxBytes: [-1, 'much'], maxRequests: [0, NaN, '5'], chunkedBytes: [{}] };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      assert.throws(() => limitInFlight(/** @type {any} */ ({ [name]: value })), { code: 'ERR_INVALID_ARG', message: new RegExp(`^options\\.${name} must be`) });
    }
  }
  assert.throws(() => limitInFlight(/** @type {any} */ (null)), { code: 'ERR_INVALID_ARG' });
});
