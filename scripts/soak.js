'use strict';

// npm run soak -- [--minutes N] [--json FILE] [--svg FILE]: the example service on offloop under mixed traffic, with four faults a minute:
// threads that die, clients that go away, an upstream that fails, and restarts by SIGTERM and by SIGKILL. Every answer is compared with
// what the request must come to, and every line that the service said it had logged is looked for in its log.

const assert = require('node:assert');
const { fork } = require('node:child_process');
const { createHash } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { SetupError, setUp } = require('./setup');
const { draw } = require('./soak/picture');
const { bodies } = require('./soak/traffic');
const { FAULTS_ADDON } = require('./toolchain');

/** Requests on their way at once. */
const CONNECTIONS = 8;
const FAULT_EVERY_MS = 15_000;
const SAMPLE_EVERY_MS = 1000;
/** Of a service's life, before its memory is compared: caches fill. */
const WARM_UP_MS = 30_000;
/** An answer that is not there by then never comes. */
const PATIENCE_MS = 60_000;

const FAULTS = /** @type {const} */ (['die', 'restart', 'panic', 'client', 'slow', 'upstream', 'kill', 'die']);

/** @typedef {{ at: number, requests: number, rss: number, handles: number }} Sample */

class Soak {
  /** @param {string} folder @param {number} minutes */
  constructor(folder, minutes) {
    this.folder = folder;
    this.minutes = minutes;
    this.started = Date.now();
    this.bodies = bodies();
    this.isOver = false;
    this.isDown = false;
    /** What the upstream got, by request. @type {Map<string, string>} */
    this.received = new Map();
    this.upstreamFails = false;
    this.counts = { requests: 0, answered: 0, refused: 0, cut: 0, wrong: 0, unsettled: 0, faults: 0, restarts: 0 };
    /** @type {Sample[]} */
    this.samples = [];
    /** @type {{ at: number, kind: string }[]} */
    this.faults = [];
    /** Ids of requests that the service said it had logged. @type {Set<string>} */
    this.acknowledged = new Set();
    /** @type {string[]} */
    this.complaints = [];
    this.agent = new http.Agent({ keepAlive: true });
  }

  /** Seconds since the start. */
  now() {
    return (Date.now() - this.started) / 1000;
  }

  /** Stands for the model's API, and remembers what it was sent. */
  async startUpstream() {
    const server = http.createServer((req, res) => {
      const hash = createHash('sha256');
      req.on('data', (chunk) => hash.update(chunk));
      req.on('end', () => {
        const id = String(req.headers['x-api-key']);
        this.received.set(id, hash.digest('hex'));
        res.writeHead(this.upstreamFails ? 500 : 200, { 'content-type': 'application/json' });
        res.end(JSON.stringify({ id }));
      });
    });
    server.keepAliveTimeout = 120_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.upstream = server;
  }

  async startService() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (/** @type {http.Server} */ (this.upstream).address());
    const env = { ...process.env, OFFLOOP_NATIVE_PATH: process.env.OFFLOOP_NATIVE_PATH ?? FAULTS_ADDON.loader };
    const args = [`http://127.0.0.1:${port}`, path.join(this.folder, 'service.log')];
    const child = fork(path.join(__dirname, 'soak', 'service.js'), args, { env });
    this.service = child;
    this.serviceStarted = Date.now();
    child.on('exit', (code, signal) => {
      if (!this.isDown && !this.isOver) this.complaints.push(`the service ended by itself: ${code ?? signal}`);
    });
    [{ port: this.port }] = await once(child, 'message');
    this.agent.destroy();
    this.agent = new http.Agent({ keepAlive: true });
    this.isDown = false;
    child.on('message', (/** @type {any} */ { rss, handles, failure }) => {
      if (failure !== undefined) this.complaints.push(failure);
      else this.samples.push({ at: this.now(), requests: this.counts.answered, rss, handles });
    });
  }

  /** @param {NodeJS.Signals} signal */
  async restart(signal) {
    const child = /** @type {import('node:child_process').ChildProcess} */ (this.service);
    this.isDown = true;
    this.counts.restarts += 1;
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code, by] = await exit;
    if (signal === 'SIGTERM' && code !== 0) this.complaints.push(`a service that was asked to end ended with ${code ?? by}`);
    await this.startService();
  }

  /** @param {string} id @param {import('./soak/traffic').Body} body @param {boolean} leaves */
  send(id, body, leaves) {
    const { port, agent } = this;
    return new Promise((resolve, reject) => {
      const request = http.request({ port, agent, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions', headers: { 'x-api-key': id, 'content-length': body.bytes.length } });
      request.on('error', reject);
      request.on('response', (response) => {
        /** @type {Buffer[]} */
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode, logged: response.headers['x-logged'] === 'yes', text: Buffer.concat(chunks).toString() }));
      });
      request.end(body.bytes);
      if (leaves) setTimeout(() => request.destroy(new Error('left')), Math.random() * 20);
    });
  }

  /** One client: sends, compares, again. @param {number} client */
  async client(client) {
    for (let number = 0; !this.isOver; number++) {
      if (this.isDown) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      const id = `${client}-${number}`;
      const body = this.bodies[Math.floor(Math.random() * this.bodies.length)];
      const pid = this.service?.pid;
      this.counts.requests += 1;
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'LATE' })), PATIENCE_MS);
      });
      const leaves = this.leaving === true && Math.random() < 0.5;
      try {
        this.judge(id, body, /** @type {any} */ (await Promise.race([this.send(id, body, leaves), late])));
      } catch (error) {
        const { code, message } = /** @type {any} */ (error);
        if (code === 'LATE') this.counts.unsettled += 1;
        else if (leaves || this.isDown || pid !== this.service?.pid) this.counts.cut += 1;
        else this.wrong(id, body, `${code ?? ''} ${message}`);
      } finally {
        clearTimeout(timer);
        this.received.delete(id);
      }
    }
  }

  /** @param {string} id @param {import('./soak/traffic').Body} body @param {{ status: number, logged: boolean, text: string }} answer */
  judge(id, body, { status, logged, text }) {
    if (logged) this.acknowledged.add(id);
    if (status === 503 || (status === 502 && this.faulty())) {
      this.counts.refused += 1;
    } else if (status !== body.status || (status === 200 && JSON.parse(text).id !== id)) {
      this.wrong(id, body, `status ${status} in place of ${body.status}: ${text.slice(0, 200)}`);
    } else if (status === 200 && this.received.get(id) !== body.upstream) {
      this.wrong(id, body, 'the upstream was sent something else');
    } else {
      this.counts.answered += 1;
    }
  }

  /** Whether the upstream fails, or did a moment ago. */
  faulty() {
    return this.upstreamFails || Date.now() - (this.upstreamFailed ?? 0) < 5000;
  }

  /** @param {string} id @param {import('./soak/traffic').Body} body @param {string} what */
  wrong(id, body, what) {
    this.counts.wrong += 1;
    if (this.complaints.length < 20) this.complaints.push(`request ${id} (${body.name}): ${what}`);
  }

  /** @param {typeof FAULTS[number]} kind */
  async fault(kind) {
    this.counts.faults += 1;
    this.faults.push({ at: this.now(), kind });
    if (kind === 'restart') await this.restart('SIGTERM');
    else if (kind === 'kill') await this.restart('SIGKILL');
    else if (kind === 'client') {
      this.leaving = true;
      setTimeout(() => (this.leaving = false), 3000);
    } else if (kind === 'upstream') {
      this.upstreamFails = true;
      setTimeout(() => {
        this.upstreamFails = false;
        this.upstreamFailed = Date.now();
      }, 3000);
    } else this.service?.send({ fault: kind });
  }

  async run() {
    await this.startUpstream();
    await this.startService();
    const sampler = setInterval(() => this.isDown || this.service?.send({ sample: true }), SAMPLE_EVERY_MS);
    const clients = Array.from({ length: CONNECTIONS }, (_, client) => this.client(client));
    const end = this.started + this.minutes * 60_000;
    for (let number = 0; Date.now() + FAULT_EVERY_MS < end; number++) {
      await new Promise((resolve) => setTimeout(resolve, FAULT_EVERY_MS));
      await this.fault(FAULTS[number % FAULTS.length]);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, end - Date.now())));
    this.isOver = true;
    await Promise.all(clients);
    clearInterval(sampler);
    const child = /** @type {import('node:child_process').ChildProcess} */ (this.service);
    const report = once(child, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
    child.send({ pending: true });
    for (let [message] = await report; ; [message] = await once(child, 'message')) {
      if (message.pending === undefined) continue;
      this.counts.unsettled += message.pending;
      break;
    }
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
    this.upstream?.close();
    this.upstream?.closeAllConnections();
    this.agent.destroy();
    return this.result();
  }

  /** Lines that the service said it had logged and that are not there, or are there twice. */
  lost() {
    const text = fs.readFileSync(path.join(this.folder, 'service.log'), 'utf8');
    /** @type {Map<string, number>} */
    const found = new Map();
    for (const line of text.split('\n').slice(0, -1)) {
      const { id } = JSON.parse(line);
      if (id !== undefined) found.set(id, (found.get(id) ?? 0) + 1);
    }
    return [...this.acknowledged].filter((id) => found.get(id) !== 1).length;
  }

  result() {
    return {
      minutes: this.minutes,
      ...this.counts,
      lost: this.lost(),
      logged: this.acknowledged.size,
      ...drifts(this.samples, this.faults),
      complaints: this.complaints,
      samples: this.samples,
      faultsAt: this.faults,
    };
  }
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/**
 * Percent by which the last third of the time differs from the first, restarts and the warm-up after each left out. Memory is that of
 * one process, so the longest life is looked at.
 * @param {Sample[]} samples @param {{ at: number, kind: string }[]} faults
 */
function drifts(samples, faults) {
  const births = [0, ...faults.filter(({ kind }) => kind === 'restart' || kind === 'kill').map(({ at }) => at), Infinity];
  const lives = births.slice(1).map((end, index) => samples.filter(({ at }) => at > births[index] + WARM_UP_MS / 1000 && at < end - 1));
  const longest = lives.reduce((best, life) => (life.length > best.length ? life : best), []);
  const drift = (/** @type {number[]} */ figures) => {
    const third = Math.max(1, Math.floor(figures.length / 3));
    const [first, last] = [median(figures.slice(0, third)), median(figures.slice(-third))];
    return Number(((last / first - 1) * 100).toFixed(1));
  };
  const rates = samples.slice(1).flatMap((sample, index) => (sample.at - samples[index].at < 2 ? [(sample.requests - samples[index].requests) / (sample.at - samples[index].at)] : []));
  return {
    requestsPerSecond: Number(median(rates).toFixed(0)),
    throughputDriftPercent: drift(rates),
    rssMegabytes: Number((median(longest.map(({ rss }) => rss)) / 1e6).toFixed(0)),
    rssDriftPercent: drift(longest.map(({ rss }) => rss)),
    handles: Math.max(0, ...longest.map(({ handles }) => handles)),
  };
}

async function main() {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' }, json: { type: 'string' }, svg: { type: 'string' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new SetupError('--minutes must be a number above 0');
  setUp(FAULTS_ADDON);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-soak-'));
  try {
    const result = await new Soak(folder, minutes).run();
    const { samples, faultsAt, complaints, ...figures } = result;
    console.log(JSON.stringify(figures, null, 2));
    for (const complaint of complaints) console.error(`soak: ${complaint}`);
    if (values.json !== undefined) fs.writeFileSync(values.json, `${JSON.stringify({ ...figures, complaints, samples, faultsAt })}\n`);
    if (values.svg !== undefined) fs.writeFileSync(values.svg, draw(result));
    assert.deepStrictEqual({ unsettled: result.unsettled, lost: result.lost, wrong: result.wrong, complaints }, { unsettled: 0, lost: 0, wrong: 0, complaints: [] });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(`soak: ${error instanceof SetupError ? error.message : error.stack}`);
  process.exitCode = 1;
});
