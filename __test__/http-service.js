'use strict';

// Services for the tests of what speaks HTTP, and requests that a decent client would not send.

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');

/**
 * @param {import('node:test').TestContext | { after(end: () => void): void }} t
 * @param {http.RequestListener} listener
 */
async function serve(t, listener) {
  const server = http.createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return { server, port, url: `http://127.0.0.1:${port}` };
}

/**
 * Any request: bodies that do not fit their headers, headers twice, pieces.
 *
 * @param {number} port
 * @param {object} request
 * @param {string} [request.method]
 * @param {string} [request.path]
 * @param {[string, string][]} [request.headers]
 * @param {(string | Uint8Array)[]} [request.pieces] sent one after the other
 * @param {boolean} [request.isChunked] sent as chunks
 * @param {boolean} [request.isCut] the connection ends before the body does
 * @returns {Promise<{ status: number, headers: Map<string, string>, body: string } | undefined>} undefined: no answer
 */
async function ask(port, { method = 'POST', path = '/', headers = [], pieces = [], isChunked = false, isCut = false }) {
  const socket = net.connect(port, '127.0.0.1');
  /** @type {Buffer[]} */
  const received = [];
  socket.on('data', (chunk) => received.push(chunk));
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  const buffers = pieces.map((piece) => Buffer.from(piece));
  const length = buffers.reduce((sum, { length }) => sum + length, 0);
  const all = [['Host', 'localhost'], ['Connection', 'close'], ...headers];
  const hasLength = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  if (isChunked) all.push(['Transfer-Encoding', 'chunked']);
  else if (!hasLength && pieces.length > 0) all.push(['Content-Length', String(length)]);
  socket.write(`${method} ${path} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  for (const buffer of buffers) {
    if (isChunked) socket.write(`${buffer.length.toString(16)}\r\n`);
    socket.write(buffer);
    if (isChunked) socket.write('\r\n');
    // A packet of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (isChunked && !isCut) socket.write('0\r\n\r\n');
  if (isCut) socket.end();
  await closed;
  return parseAnswer(Buffer.concat(received));
}

/** @param {Buffer} bytes */
function parseAnswer(bytes) {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line, ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Map(lines.map((entry) => /** @type {[string, string]} */ ([entry.slice(0, entry.indexOf(':')).toLowerCase(), entry.slice(entry.indexOf(':') + 1).trim()])));
  let body = bytes.subarray(end + 4);
  if (headers.get('transfer-encoding') === 'chunked') body = unchunk(body);
  return { status: Number(line.split(' ')[1]), headers, body: body.toString() };
}

/** @param {Buffer} bytes */
function unchunk(bytes) {
  const parts = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

module.exports = { ask, serve };
