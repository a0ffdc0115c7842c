'use strict';

// Stands in for the model's API: takes a request, answers at once with a short completion. Runs in
// a process of its own: node mock-upstream.js --port 9090, or forked, when it reports its port.

const http = require('node:http');
const { createHash } = require('node:crypto');
const { parseArgs } = require('node:util');

const TEXT = 'Your reservation is confirmed. Is there anything else I can help you with?';

const COMPLETION = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-mock',
    object: 'chat.completion',
    created: 1700000000,
    model: 'mock',
    choices: [
      { index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 0, completion_tokens: 15, total_tokens: 15 },
  }),
);

/** @param {object} choice */
const event = (choice) =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-mock',
    object: 'chat.completion.chunk',
    created: 1700000000,
    model: 'mock',
    choices: [{ index: 0, ...choice }],
  })}\n\n`;

const EVENTS = Buffer.from(
  event({ delta: { role: 'assistant', content: TEXT }, finish_reason: null }) +
    event({ delta: {}, finish_reason: 'stop' }) +
    'data: [DONE]\n\n',
);

/**
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
function answer(req, res) {
  const streams = req.headers.accept === 'text/event-stream';
  const body = streams ? EVENTS : COMPLETION;
  res.writeHead(200, {
    'content-type': streams ? 'text/event-stream' : 'application/json',
    'content-length': body.length,
  });
  res.end(body);
}

/**
 * @param {{ onRequest?: (request: { path: string, headers: object, body: Buffer }) => void }} [options]
 *   onRequest is given every request as it came; without it bodies are read and dropped
 * @returns {import('node:http').Server}
 */
function createMockUpstream({ onRequest } = {}) {
  const server = http.createServer((req, res) => {
    /** @type {Buffer[]} */
    const chunks = [];
    if (onRequest) req.on('data', (chunk) => chunks.push(chunk));
    else req.resume();
    req.on('end', () => {
      onRequest?.({ path: req.url ?? '', headers: req.headers, body: Buffer.concat(chunks) });
      answer(req, res);
    });
  });
  // Under load a connection may wait for its next request for seconds.
  server.keepAliveTimeout = 120_000;
  return server;
}

/** With --verify every body must be JSON, and what came is reported when asked. */
function main() {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '9090' }, verify: { type: 'boolean' } },
  });
  const seen = { requests: 0, invalid: 0, digest: '' };
  const onRequest = (/** @type {{ headers: any, body: Buffer }} */ { headers, body }) => {
    seen.requests += 1;
    const tokens = headers['x-prompt-tokens'] ?? '';
    seen.digest = createHash('sha256').update(seen.digest).update(tokens).update(body).digest('hex');
    try {
      JSON.parse(body.toString());
    } catch {
      seen.invalid += 1;
    }
  };
  const server = createMockUpstream(values.verify ? { onRequest } : {});
  server.listen(Number(values.port), '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    if (process.send) process.send({ port });
    else console.log(`mock upstream on http://127.0.0.1:${port}`);
  });
  if (!process.send) return;
  process.on('message', (message) => {
    if (message === 'report') process.send?.(seen);
  });
  // Ctrl-C reaches the whole group: stay until the service that started this one is done with it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => process.exit(0));
  process.on('disconnect', () => process.exit(0));
}

if (require.main === module) main();

module.exports = { createMockUpstream };
