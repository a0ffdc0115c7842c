'use strict';

// The Fastify plugin beside Fastify's own parser and serialiser: the same requests, and the same answers.

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { test } = require('node:test');
const zlib = require('node:zlib');
const Fastify = require('fastify');

const { Document, WorkerPool } = require('..');
const plugin = require('../lib/fastify');
const { ask } = require('./http-service');
const { check, fc } = require('./values');

const JSON_TYPE = /** @type {[string, string]} */ (['Content-Type', 'application/json']);
const rows = Array.from({ length: 3000 }, (_, index) => ({ index, text: `some text ${index} é` }));
const large = JSON.stringify({ rows });

/**
 * @param {import('node:test').TestContext} t
 * @param {any} settings Fastify's
 * @param {any} options the plugin's; none: Fastify alone
 * @param {(app: any) => void} [prepare]
 * @returns {Promise<number>} its port
 */
async function start(t, settings, options, prepare) {
  const app = Fastify({ forceCloseConnections: true, ...settings });
  if (options !== undefined) app.register(plugin, options);
  prepare?.(app);
  app.post('/', async (/** @type {any} */ request) => ({ is: request.body ?? null }));
  app.post('/limited', { bodyLimit: 20 }, async (/** @type {any} */ request) => ({ is: request.body ?? null }));
  t.after(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  return /** @type {any} */ (app.server.address()).port;
}

/**
 * @param {import('node:test').TestContext} t
 * @param {any} [settings]
 * @param {any} [options]
 * @param {(app: any) => void} [prepare]
 */
async function pair(t, settings, options = {}, prepare) {
  const ports = [await start(t, settings, undefined, prepare), await start(t, settings, options, prepare)];
  /** @param {any} request */
  return async function same(request, name = JSON.stringify(request).slice(0, 200)) {
    const [theirs, ours] = await Promise.all(ports.map((port) => ask(port, request)));
    theirs?.headers.delete('date');
    ours?.headers.delete('date');
    assert.deepEqual(ours, theirs, name);
    return ours;
  };
}

/** @param {string} text @param {object} [more] */
const post = (text, more) => ({ headers: [JSON_TYPE], pieces: [text], ...more });

const BODIES = [
  '{"a":1}', '[]', 'true', '"x"', 'null', ' 5 ', '', ' ', '{', '{"a":tru}', '[1,]', '{"a":1}x', '\ufeff{}', '\ufeff', large, `${large}x`,
  '{"__proto__":{"x":1}}', '{"a":[{"__proto__":1}]}', '{"\\u005f_proto__":1}', '["__proto__"]', '"__proto__"', '{"a":"\\"__proto__\\": 1"}',
  '{"constructor":{"prototype":{"x":1}}}', '{"constructor":{"a":1}}', '{"constructor":null}', '{"constructor":"prototype"}', '{"c\\u006fnstructor" : {"prototype":1}}',
  `{"rows":${JSON.stringify(rows)},"last":{"__proto__":{}}}`,
  '['.repeat(5000) + ']'.repeat(5000),
];

test('the same bodies are taken and refused', async (t) => {
  const same = await pair(t);
  for (const body of BODIES) {
    await same(post(body));
    await same({ headers: [JSON_TYPE], pieces: body === '' ? [] : [body.slice(0, 9), body.slice(9)].filter((piece) => piece !== ''), isChunked: true });
  }
  for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON', 'text/plain', 'application/vnd.api+json', 'x']) {
    await same({ headers: [['Content-Type', type]], pieces: ['{"a":1}'] });
  }
  await same({ pieces: ['{"a":1}'] });
  await same({ headers: [JSON_TYPE] });
  await same({ headers: [JSON_TYPE, ['Content-Length', '0']] });
  await same({ headers: [JSON_TYPE, ['Content-Encoding', 'gzip']], pieces: [zlib.gzipSync('{}')] });
  await same(post(Buffer.from([0x22, 0xff, 0xc3, 0x22]).toString('latin1')));
});

test('limits are those of the service and of routes', async (t) => {
  const same = await pair(t, { bodyLimit: 100 });
  for (const length of [99, 100, 101, 5000]) {
    for (const isChunked of [false, true]) await same(post(`[${' '.repeat(length - 2)}]`, { isChunked }));
  }
  for (const length of [20, 21]) await same(post(`[${' '.repeat(length - 2)}]`, { path: '/limited' }));
});

test('keys that reach for prototypes are treated as the service says', async (t) => {
  for (const onProtoPoisoning of ['error', 'remove', 'ignore']) {
    for (const onConstructorPoisoning of ['error', 'remove', 'ignore']) {
      const same = await pair(t, { onProtoPoisoning, onConstructorPoisoning });
      for (const body of BODIES) await same(post(body));
    }
  }
});

test('any JSON is taken and answered alike', async (t) => {
  const same = await pair(t);
  const value = fc.jsonValue({ maxDepth: 4 });
  await check(t, fc.asyncProperty(value, fc.nat(60), fc.boolean(), async (json, cut, isCut) => {
    const text = JSON.stringify(json);
    const body = isCut ? text.slice(0, cut) : text;
    if (body !== '') await same(post(body));
  }), 0.05);
});

test('replies are serialised alike', async (t) => {
  const same = await pair(t, undefined, undefined, (app) => {
    /** @type {Record<string, (reply: any) => any>} */
    const handlers = {
      rows: () => rows,
      object: () => ({ a: undefined, b: new Date(0), 'é': ['\u2028'] }),
      null: () => null,
      undefined: (reply) => void reply.send(undefined),
      number: (reply) => void reply.send(5),
      string: () => 'text',
      buffer: () => Buffer.from('bytes'),
      stream: () => Readable.from([Buffer.from('part')]),
      status: (reply) => reply.code(201).header('x-other', '1').send({ a: 1 }),
      typed: (reply) => reply.type('application/vnd.api+json').send({ a: 1 }),
      serializer: (reply) => reply.serializer((/** @type {any} */ value) => `<${value.a}>`).send({ a: 1 }),
      error: () => { throw Object.assign(new Error('no'), { statusCode: 418 }); },
      toJSON: () => ({ toJSON: () => ({ b: 1 }) }),
    };
    for (const [name, handler] of Object.entries(handlers)) {
      app.get(`/${name}`, (/** @type {any} */ _request, /** @type {any} */ reply) => {
        const value = handler(reply);
        if (value !== undefined && value !== reply) reply.send(value);
        return reply;
      });
    }
    app.get('/schema', { schema: { response: { 200: { type: 'object', properties: { a: { type: 'string' } } } } } }, async () => ({ a: 1, b: 2 }));
    app.get('/cycle', async () => { const cycle = /** @type {any} */ ({}); cycle.cycle = cycle; return cycle; });
  });
  for (const name of ['rows', 'object', 'null', 'undefined', 'number', 'string', 'buffer', 'stream', 'status', 'typed', 'serializer', 'error', 'schema', 'toJSON', 'none']) {
    await same({ method: 'GET', path: `/${name}` }, name);
  }
  assert.equal((await same({ method: 'GET', path: '/cycle' }))?.status, 500);
});

test('a stream that a hook puts in the place of the request is read', async (t) => {
  const same = await pair(t, { bodyLimit: 200_000 }, {}, (app) => {
    app.addHook('preParsing', async (/** @type {any} */ request, /** @type {any} */ _reply, /** @type {any} */ payload) => {
      if (request.headers['x-kind'] === 'strings') return Readable.from(['{"a":', '1}']);
      if (request.headers['x-kind'] !== 'gzip') return payload;
      const inflated = /** @type {any} */ (zlib.createGunzip());
      inflated.receivedEncodedLength = 0;
      payload.on('data', (/** @type {Buffer} */ chunk) => (inflated.receivedEncodedLength += chunk.length));
      return payload.pipe(inflated);
    });
  });
  await same({ headers: [JSON_TYPE, ['X-Kind', 'gzip']], pieces: [zlib.gzipSync(large)] });
  await same({ headers: [JSON_TYPE, ['X-Kind', 'gzip']], pieces: [zlib.gzipSync(' '.repeat(300_000))] });
  await same({ headers: [JSON_TYPE, ['X-Kind', 'strings']], pieces: ['[1,2,34]'] });
  await same({ headers: [JSON_TYPE, ['X-Kind', 'strings']], pieces: ['[1]'] });
});

test('it inflates where it is told to', async (t) => {
  const port = await start(t, { bodyLimit: 200_000 }, { inflate: true });
  const encoded = (/** @type {string} */ encoding, /** @type {Buffer} */ body) => ask(port, { headers: [JSON_TYPE, ['Content-Encoding', encoding]], pieces: [body] });
  assert.equal((await encoded('gzip', zlib.gzipSync('{"a":1}')))?.body, '{"is":{"a":1}}');
  assert.equal((await encoded('br', zlib.brotliCompressSync('[1]')))?.body, '{"is":[1]}');
  assert.equal((await encoded('gzip', zlib.gzipSync(Buffer.alloc(10_000_000, ' '))))?.status, 413);
  assert.equal((await encoded('gzip', Buffer.from('{}')))?.status, 400);
  assert.equal((await encoded('lzw', Buffer.from('{}')))?.status, 415);
});

test('a body can be a Document, and so can a reply', async (t) => {
  const pool = new WorkerPool({ size: 1 });
  t.after(() => pool.shutdown());
  const port = await start(t, {}, { as: 'document', pool }, (app) => {
    app.post('/document', async (/** @type {any} */ request) => {
      assert.ok(request.body instanceof Document);
      return request.body.with({ '/rows/0': null });
    });
  });
  const answer = await ask(port, post(large, { path: '/document' }));
  assert.equal(answer?.body, large.replace(JSON.stringify(rows[0]), 'null'));
  assert.equal(answer?.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.ok(pool.getStats().offloaded >= 2);
});

test('a pool that is closed is 503, and its serialiser can be left out', async (t) => {
  const pool = new WorkerPool({ size: 1 });
  const port = await start(t, {}, { pool, serialize: false });
  assert.equal((await ask(port, post(large)))?.body, `{"is":${large}}`);
  await pool.shutdown();
  const closed = await ask(port, post(large));
  assert.equal(closed?.status, 503);
  assert.equal(JSON.parse(closed?.body ?? '').code, 'ERR_POOL_CLOSED');
});

test('wrong options are errors that name them', async () => {
  const bad = { as: 'text', inflate: 1, serialize: 'yes', bodyLimit: -1, onProtoPoisoning: 'maybe', onConstructorPoisoning: 1, pool: {} };
  for (const [name, value] of Object.entries(bad)) {
    await assert.rejects(async () => Fastify().register(plugin, /** @type {any} */ ({ [name]: value })).ready(), { code: 'ERR_INVALID_ARG', message: new RegExp(`^options\\.${name} must be`) });
  }
});
