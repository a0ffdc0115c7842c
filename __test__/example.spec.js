'use strict';

// The example service: the same bytes upstream in every mode, its error answers, its shutdown.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { describe, test } = require('node:test');
const { createService } = require('../examples/express-orchestrator/app');
const { createMockUpstream } = require('../examples/express-orchestrator/mock-upstream');
const { loadRequest, makeConversation } = require('../benchmarks/conversation');

const TRANSFORMING = ['inline', 'js-pool', 'piscina', 'offloop', 'offloop-document'];
const SERVER = path.join(__dirname, '..', 'examples', 'express-orchestrator', 'server.js');
const MARKER = '\n[...truncated...]';

/** @typedef {{ path: string, headers: any, body: Buffer }} Seen */

/**
 * @param {import('node:http').Server} server
 * @returns {Promise<string>} its URL
 */
async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}

/**
 * @param {import('node:test').TestContext} t
 * @param {import('node:http').Server} server
 */
function closeAfter(t, server) {
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
}

/**
 * A service on an upstream that records what it gets, or on the one given.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} mode
 * @param {{ upstream?: http.Server, upstreamUrl?: string } & Partial<import('../examples/express-orchestrator/app').ServiceOptions>} [options]
 */
async function startService(t, mode, { upstream, upstreamUrl, ...options } = {}) {
  /** @type {Seen[]} */
  const seen = [];
  const server = upstream ?? createMockUpstream({ onRequest: (request) => seen.push(request) });
  const target = upstreamUrl ?? (await listen(server));
  const service = createService({ ...options, mode, upstreamUrl: target });
  const front = http.createServer(service.app);
  const url = await listen(front);
  closeAfter(t, server);
  closeAfter(t, front);
  t.after(() => service.close());
  return { url, seen };
}

/**
 * @param {string} url
 * @param {string | Buffer} body
 * @param {RequestInit} [options]
 */
function post(url, body, options) {
  const bytes = new Uint8Array(Buffer.from(body));
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', body: bytes, ...options });
}

const long = (/** @type {string} */ unit, /** @type {number} */ length) => unit.repeat(length).slice(0, length);

/** Anthropic's form: tool results are blocks of user turns. */
const anthropicRequest = {
  model: 'claude-sonnet',
  max_tokens: 1024,
  messages: [
    { role: 'user', content: long('question ', 6000) },
    { role: 'assistant', content: [{ type: 'text', text: long('thought ', 6000) }, { type: 'tool_use', id: 'a', name: 'f', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: long('line\n', 4000) }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: long('x', 3001) }] }] },
  ],
};

/** Texts that end right at the limit, and surrogate pairs that straddle it. */
const edgeRequest = {
  model: 'gpt-4o',
  stream: false,
  messages: [
    { role: 'assistant', content: long('a', 5000) },
    { role: 'assistant', content: long('é', 5001) },
    { role: 'tool', tool_call_id: '1', content: `${long('b', 2999)}😀 and more` },
    { role: 'tool', tool_call_id: '2', content: `${long('c', 2998)}😀 and more` },
    { role: 'tool', tool_call_id: '3', content: `${long('漢', 3000)}\ud800` },
    { role: 'assistant', content: null, tool_calls: [] },
    { role: 'user', content: '\u2028 "quoted" \\ \u0000 \u007f' },
  ],
  logit_bias: { 50256: -100, a: 1e21, b: -0, c: 0.1 },
};

/** @type {[string, string | Buffer][]} */
const BODIES = [
  ['nothing to do', '{"messages":[]}'],
  ['a short conversation', JSON.stringify(makeConversation(4_000))],
  ['a conversation of 20 KB', JSON.stringify(makeConversation(20_000))],
  ['a conversation of 250 KB', JSON.stringify(makeConversation(250_000), null, 2)],
  ['Anthropic messages', JSON.stringify(anthropicRequest)],
  ['texts at the limits', JSON.stringify(edgeRequest)],
];
for (const name of ['chat-250k', 'chat-unicode', 'coding-agent', 'messages-100k']) {
  const request = loadRequest(name);
  if (request?.origin === 'corpus') BODIES.push([name, request.bytes]);
}

describe('what goes upstream', () => {
  test('is the same, byte for byte, in every mode that looks at it', async (t) => {
    const reference = await startService(t, 'inline');
    for (const [, body] of BODIES) assert.equal((await post(reference.url, body)).status, 200);
    for (const mode of TRANSFORMING.filter((name) => name !== 'inline')) {
      await t.test(mode, async (t) => {
        const { url, seen } = await startService(t, mode);
        for (const [index, [name, body]] of BODIES.entries()) {
          assert.equal((await post(url, body)).status, 200, name);
          assert.ok(seen[index].body.equals(reference.seen[index].body), `${name} differs from inline`);
          assert.equal(seen[index].path, reference.seen[index].path, name);
        }
      });
    }
  });

  test('has long texts cut, and nothing else changed', async (t) => {
    const { url, seen } = await startService(t, 'inline');
    await post(url, JSON.stringify(edgeRequest));
    const { messages } = edgeRequest;
    const cut = (/** @type {number} */ index, /** @type {number} */ length) => ({
      ...messages[index],
      content: messages[index].content?.slice(0, length) + MARKER,
    });
    const expected = [messages[0], cut(1, 5000), cut(2, 2999), cut(3, 3000), cut(4, 3000), messages[5], messages[6]];
    assert.equal(seen[0].body.toString(), JSON.stringify({ ...edgeRequest, messages: expected }));
  });

  test('is told the same number of tokens in every mode', async (t) => {
    let expected;
    for (const mode of TRANSFORMING) {
      const { url, seen } = await startService(t, mode, { countsTokens: true });
      for (const bytes of [4_000, 20_000]) assert.equal((await post(url, JSON.stringify(makeConversation(bytes)))).status, 200);
      const counts = seen.map(({ headers }) => headers['x-prompt-tokens']);
      expected ??= counts;
      assert.ok(Number(counts[1]) > Number(counts[0]) && Number(counts[0]) > 0, String(counts));
      assert.deepEqual(counts, expected, mode);
    }
  });

  test('is what came, in pass', async (t) => {
    const { url, seen } = await startService(t, 'pass');
    for (const [, body] of BODIES) await post(url, body);
    assert.ok(seen.every(({ body }, index) => body.equals(Buffer.from(BODIES[index][1]))));
  });

  test('goes where the model and the stream flag say, with the credentials of the client', async (t) => {
    const { url, seen } = await startService(t, 'inline');
    const headers = { authorization: 'Bearer key' };
    const plain = await post(url, '{"model":"claude-x","messages":[]}', { headers });
    const streamed = await post(url, '{"model":"gpt-x","stream":true,"messages":[]}');
    assert.deepEqual(seen.map((request) => request.path), ['/v1/messages', '/v1/chat/completions']);
    assert.equal(seen[0].headers.authorization, 'Bearer key');
    assert.equal((await plain.json()).object, 'chat.completion');
    assert.equal(streamed.headers.get('content-type'), 'text/event-stream');
    assert.match(await streamed.text(), /\[DONE\]\n\n$/);
  });
});

describe('a bad body', () => {
  for (const mode of TRANSFORMING) {
    test(`is answered with 400 in ${mode}`, async (t) => {
      const { url, seen } = await startService(t, mode);
      const large = Buffer.from(JSON.stringify(makeConversation(50_000)));
      const bad = ['', '{"messages":[', '{"messages":[]}x', large.subarray(0, -1), 'null', '[]', '{"messages":{}}'];
      for (const body of bad) {
        const answer = await post(url, body);
        assert.equal(answer.status, 400);
        assert.equal((await answer.json()).error.type, 'invalid_request_error');
      }
      assert.equal(seen.length, 0);
      assert.equal((await post(url, large)).status, 200, 'the service goes on');
    });
  }

  test('over the limit is answered with 413, announced or not', async (t) => {
    const { url, seen } = await startService(t, 'inline', { bodyLimit: 100_000 });
    const body = (/** @type {number} */ bytes) => `{"messages":[]${' '.repeat(bytes - 15)}}`;
    assert.equal((await post(url, body(100_000))).status, 200);
    const announced = await post(url, body(100_001));
    assert.equal(announced.status, 413);
    assert.equal((await announced.json()).error.code, 'ERR_BODY_LIMIT');
    assert.equal(await postChunked(url, body(1_000_000)), 413);
    assert.equal(seen.length, 1);
  });
});

/**
 * @param {string} url
 * @param {string} body sent in pieces, with no length given
 * @returns {Promise<number | undefined>} the answer's status
 */
async function postChunked(url, body) {
  const request = http.request(`${url}/v1/chat/completions`, { method: 'POST', agent: false });
  for (let start = 0; start < body.length; start += 50_000) request.write(body.slice(start, start + 50_000));
  request.end();
  const [answer] = await once(request, 'response');
  answer.resume();
  return answer.statusCode;
}

describe('a failing upstream', () => {
  /** @type {[string, http.RequestListener][]} */
  const failures = [
    ['that ends the connection', (req) => req.socket.destroy()],
    ['that answers with 500', (req, res) => res.writeHead(500).end('oops')],
  ];
  for (const [name, listener] of failures) {
    test(`${name} is reported with 502`, async (t) => {
      const { url } = await startService(t, 'inline', { upstream: http.createServer(listener) });
      const answer = await post(url, '{"messages":[]}');
      assert.equal(answer.status, 502);
      assert.equal((await answer.json()).error.type, 'upstream_error');
    });
  }

  test('that is not there is reported with 502', async (t) => {
    const gone = http.createServer();
    const upstreamUrl = await listen(gone);
    gone.close();
    await once(gone, 'close');
    const { url } = await startService(t, 'inline', { upstreamUrl });
    assert.equal((await post(url, '{"messages":[]}')).status, 502);
  });

  test('that refuses the request is passed on as it is', async (t) => {
    const upstream = http.createServer((req, res) => res.writeHead(429, { 'retry-after': '7' }).end('slow down'));
    const { url } = await startService(t, 'inline', { upstream });
    const answer = await post(url, '{"messages":[]}');
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get('retry-after'), '7');
    assert.equal(await answer.text(), 'slow down');
  });

  test('that breaks off its answer breaks off ours', async (t) => {
    const upstream = http.createServer((req, res) => {
      res.writeHead(200, { 'content-length': 100 });
      res.write('part', () => res.destroy());
    });
    const { url } = await startService(t, 'inline', { upstream });
    await assert.rejects(post(url, '{"messages":[]}').then((answer) => answer.text()));
  });
});

for (const mode of TRANSFORMING) {
  test(`a client that goes away takes its upstream request with it, in ${mode}`, async (t) => {
    const upstream = http.createServer();
    const { url } = await startService(t, mode, { upstream });
    const client = new AbortController();
    const failed = assert.rejects(post(url, JSON.stringify(makeConversation(20_000)), { signal: client.signal }));
    const [request] = await once(upstream, 'request');
    const gone = new Promise((resolve) => request.on('error', () => {}).on('close', resolve));
    client.abort();
    await Promise.all([failed, gone]);
    upstream.on('request', (req, res) => res.end('{}'));
    assert.equal((await post(url, '{"messages":[]}')).status, 200, 'the service goes on');
  });
}

for (const mode of [...TRANSFORMING, 'pass']) {
  test(`GET /metrics/worker-pool and /healthz answer in ${mode}`, async (t) => {
    const { url } = await startService(t, mode);
    const stats = await (await fetch(`${url}/metrics/worker-pool`)).json();
    assert.equal(stats.mode, mode);
    assert.equal(typeof stats.poolSize, 'number');
    assert.deepEqual(await (await fetch(`${url}/healthz`)).json(), { status: 'ok', mode });
  });
}

test('an unknown mode is a clear error', () => {
  assert.throws(() => createService({ mode: 'fast', upstreamUrl: 'http://127.0.0.1' }), /Unknown mode 'fast'.*inline/);
});

/**
 * The service in its own process, with one request held by the upstream.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} mode
 */
async function startWithRequestInFlight(t, mode) {
  const upstream = http.createServer();
  const upstreamUrl = await listen(upstream);
  closeAfter(t, upstream);
  const child = spawn(process.execPath, [SERVER, '--mode', mode, '--port', '0', '--upstream', upstreamUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8');
  const [line] = await once(child.stdout, 'data');
  const url = line.match(/http:\/\/127\.0\.0\.1:\d+/)[0];
  const reply = post(url, JSON.stringify(makeConversation(20_000)));
  const [, answer] = await once(upstream, 'request');
  return { child, url, reply, answer };
}

for (const mode of [...TRANSFORMING, 'pass']) {
  test(`SIGTERM lets the requests in flight finish, then exits with 0, in ${mode}`, async (t) => {
    const { child, url, reply, answer } = await startWithRequestInFlight(t, mode);
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    // Refused, or reset in the instant in which it closes.
    await assert.rejects(async () => {
      for (;;) {
        const late = net.connect(Number(new URL(url).port), '127.0.0.1');
        await once(late, 'connect');
        late.destroy();
      }
    });
    answer.end('{"done":true}');
    assert.deepEqual(await (await reply).json(), { done: true });
    assert.deepEqual(await exit, [0, null]);
  });
}

test('a second signal exits at once', async (t) => {
  const { child, url, reply } = await startWithRequestInFlight(t, 'inline');
  const failed = assert.rejects(reply);
  const exit = once(child, 'exit');
  child.kill('SIGINT');
  await assert.rejects(async () => {
    for (;;) await fetch(`${url}/healthz`);
  });
  child.kill('SIGINT');
  assert.deepEqual(await exit, [130, null]);
  await failed;
});
