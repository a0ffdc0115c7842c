'use strict';

// send() beside res.json(), of Express 4 and 5: the same answers.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { test } = require('node:test');

const { WorkerPool, getWorkerPool, send } = require('..');
const { ask, serve } = require('./http-service');
const { until } = require('./faults');

/** @type {[string, any][]} */
const VERSIONS = [['Express 4', require('express4')], ['Express 5', require('express')]];

const rows = Array.from({ length: 3000 }, (_, index) => ({ index, text: `some text ${index} é` }));

/** @type {Record<string, any>} */
const VALUES = {
  object: { a: 1, b: [true, null], 'ключ': '</script>\u2028' },
  list: [1, 2],
  rows,
  text: 'text',
  'long-text': 'x'.repeat(100_000),
  empty: '',
  number: 5,
  boolean: false,
  null: null,
  undefined,
  date: new Date(0),
  function: () => {},
};

/**
 * @param {any} express
 * @param {Record<string, any>} settings
 * @param {(res: any) => void} [first]
 */
function appOf(express, settings, first) {
  const app = express();
  for (const [name, value] of Object.entries(settings)) app.set(name, value);
  app.all('/:way/:name', (/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) => {
    const value = VALUES[req.params.name];
    first?.(res);
    if (req.params.way === 'theirs') res.json(value);
    else send(res, value).catch(next);
  });
  return app;
}

/**
 * @param {number} port
 * @param {string} name
 * @param {any} [request]
 */
async function same(port, name, request = {}) {
  const [theirs, ours] = await Promise.all(['theirs', 'ours'].map((way) => ask(port, { method: 'GET', path: `/${way}/${name}`, ...request })));
  theirs?.headers.delete('date');
  ours?.headers.delete('date');
  assert.deepEqual(ours, theirs, name);
  return ours;
}

for (const [version, express] of VERSIONS) {
  test(`send() on ${version} answers as res.json() does`, async (t) => {
    const { port } = await serve(t, appOf(express, {}));
    for (const name of Object.keys(VALUES)) {
      const answer = await same(port, name);
      await same(port, name, { method: 'HEAD' });
      await same(port, name, { headers: [['If-None-Match', 'W/"other"']] });
      const tag = answer?.headers.get('etag');
      if (tag === undefined) continue;
      const second = await same(port, name, { headers: [['If-None-Match', tag]] });
      assert.equal(second?.status, 304);
      assert.equal(second?.body, '');
      await same(port, name, { method: 'POST', headers: [['If-None-Match', tag], ['Content-Length', '0']] });
    }
  });

  test(`settings of ${version} mean the same for send()`, async (t) => {
    const settings = [
      { etag: false },
      { etag: 'strong' },
      { etag: (/** @type {Buffer} */ body) => `"${body.length}"` },
      { 'json spaces': 2 },
      { 'json spaces': '\t' },
      { 'json escape': true },
      { 'json replacer': (/** @type {string} */ key, /** @type {any} */ value) => (key === 'a' ? 'replaced' : value) },
      { 'json replacer': ['a', 'index'] },
    ];
    for (const setting of settings) {
      const { port } = await serve(t, appOf(express, setting));
      for (const name of ['object', 'rows', 'empty']) await same(port, name);
    }
  });

  test(`what is set before stays, on ${version}`, async (t) => {
    /** @type {((res: any) => void)[]} */
    const firsts = [
      (res) => res.status(201).type('application/vnd.api+json').set('X-Other', '1'),
      (res) => res.set('ETag', '"mine"').set('Content-Type', 'text/plain'),
      (res) => res.status(204),
      (res) => res.status(205),
      (res) => res.set('Last-Modified', new Date(0).toUTCString()),
    ];
    for (const first of firsts) {
      const { port } = await serve(t, appOf(express, {}, first));
      for (const name of ['object', 'rows']) {
        const [theirs, ours] = await Promise.all(['theirs', 'ours'].map((way) => ask(port, { method: 'GET', path: `/${way}/${name}` })));
        assert.equal(ours?.status, theirs?.status);
        assert.equal(ours?.body, theirs?.body);
        for (const header of ['etag', 'content-length', 'content-type', 'x-other', 'last-modified']) {
          assert.equal(ours?.headers.get(header), theirs?.headers.get(header), header);
        }
      }
    }
  });
}

test('a Document is sent as its bytes', async (t) => {
  const text = `{ "a" : ${JSON.stringify('y'.repeat(50_000))} }`;
  const app = require('express')();
  app.get('/', async (/** @type {any} */ _req, /** @type {any} */ res) => {
    const document = await getWorkerPool().load(text);
    await send(res, document);
    document.dispose();
  });
  app.get('/theirs', (/** @type {any} */ _req, /** @type {any} */ res) => res.json(JSON.parse(text)));
  const { port } = await serve(t, app);
  const [ours, theirs] = await Promise.all(['/', '/theirs'].map((path) => ask(port, { method: 'GET', path })));
  assert.equal(ours?.body, theirs?.body);
  assert.equal(ours?.headers.get('etag'), theirs?.headers.get('etag'));
  assert.equal(ours?.headers.get('content-type'), 'application/json; charset=utf-8');
});

test('what has no JSON rejects, and nothing is sent', async (t) => {
  const app = require('express')();
  const cycle = /** @type {any} */ ({});
  cycle.cycle = cycle;
  app.get('/', async (/** @type {any} */ _req, /** @type {any} */ res) => send(res, cycle));
  app.use((/** @type {any} */ error, /** @type {any} */ _req, /** @type {any} */ res, /** @type {any} */ _next) => res.status(500).end(error.name));
  const { port } = await serve(t, app);
  const answer = await ask(port, { method: 'GET' });
  assert.deepEqual([answer?.status, answer?.body], [500, 'TypeError']);
  await assert.rejects(send(/** @type {any} */ ({}), 1), { code: 'ERR_INVALID_ARG', message: /^res must be/ });
  await assert.rejects(send(/** @type {any} */ (undefined), 1), { code: 'ERR_INVALID_ARG' });
});

test('a pool and an abort can be given', async (t) => {
  const pool = new WorkerPool({ size: 1 });
  t.after(() => pool.shutdown());
  /** @type {any[]} */
  const errors = [];
  const app = require('express')();
  app.get('/', (/** @type {any} */ _req, /** @type {any} */ res) => send(res, rows, { pool }));
  app.get('/aborted', (/** @type {any} */ _req, /** @type {any} */ res) => send(res, rows, { pool, signal: AbortSignal.abort() }).catch((error) => {
    errors.push(error.code);
    res.end();
  }));
  const { port } = await serve(t, app);
  assert.equal((await ask(port, { method: 'GET' }))?.body, JSON.stringify(rows));
  await ask(port, { method: 'GET', path: '/aborted' });
  assert.deepEqual(errors, ['ABORT_ERR']);
  const { offloaded, inlined } = pool.getStats();
  assert.equal(offloaded + inlined, 1);
});

test('a client that is gone is no error', async (t) => {
  let isSent = false;
  const app = require('express')();
  app.get('/', async (/** @type {any} */ req, /** @type {any} */ res) => {
    const gone = once(res, 'close');
    req.socket.destroy();
    await gone;
    await send(res, rows);
    isSent = true;
  });
  const { port } = await serve(t, app);
  net.connect(port, '127.0.0.1').on('error', () => {}).end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => isSent);
});

test('without Express it answers all the same', async (t) => {
  const { port } = await serve(t, (_req, res) => void send(res, rows));
  const answer = await ask(port, { method: 'GET' });
  assert.equal(answer?.body, JSON.stringify(rows));
  assert.equal(answer?.headers.get('content-length'), String(Buffer.byteLength(JSON.stringify(rows))));
  assert.equal((await ask(port, { method: 'HEAD' }))?.body, '');
});
