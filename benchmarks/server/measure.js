'use strict';

// One mode under load: upstream, service and load generator, each in a process of its own.

const { fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { median, quantile } = require('../harness/statistics');

const UPSTREAM = path.join(__dirname, '..', '..', 'examples', 'express-orchestrator', 'mock-upstream.js');
const SERVICE = path.join(__dirname, 'service.js');
const LOAD = path.join(__dirname, 'load.js');

/**
 * @typedef {object} Plan
 * @property {number} connections
 * @property {number} warmUpSeconds under the same load, not counted
 * @property {number} seconds
 * @property {string} [profileFolder] where V8 profiles of the service go
 *
 * @typedef {object} Row one mode on one body
 * @property {string} mode
 * @property {string} body
 * @property {number} connections
 * @property {number} requestsPerSecond
 * @property {{ p50: number, p99: number }} latencyMs
 * @property {{ p99: number, max: number }} eventLoopDelayMs
 * @property {number} mainCpuMsPerRequest
 * @property {number} totalCpuMsPerRequest
 * @property {number} rssMb
 * @property {number} errors
 */

/** A forked process that answers each message with one. */
class Child {
  /**
   * @param {string} script
   * @param {string[]} [args]
   * @param {string[]} [execArgv]
   */
  constructor(script, args = [], execArgv = []) {
    this.name = path.basename(script);
    this.process = fork(script, args, { execArgv, stdio: ['ignore', 2, 2, 'ipc'] });
    /** @type {Promise<void>} */
    this.gone = new Promise((resolve) => {
      this.process.once('exit', () => resolve());
    });
  }

  /** @param {any} message */
  send(message) {
    if (this.process.connected) this.process.send(message);
  }

  /** @returns {Promise<any>} the next message */
  receive() {
    const answer = new Promise((resolve) => {
      this.process.once('message', resolve);
    });
    const failure = this.gone.then(() => {
      throw new Error(`${this.name} ended before it answered`);
    });
    // Whichever comes second must not count as an unhandled rejection.
    failure.catch(() => {});
    return Promise.race([answer, failure]);
  }

  /** @param {any} message */
  async ask(message) {
    const answer = this.receive();
    this.send(message);
    return answer;
  }

  async stop() {
    this.send('stop');
    // Whoever does not listen ends without a channel.
    if (this.process.connected) this.process.disconnect();
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await this.gone;
    clearTimeout(timer);
  }
}

/** Upstream and service, ready for requests. */
class Stage {
  /**
   * @param {string} mode
   * @param {{ verify?: boolean, profileFolder?: string }} [options]
   */
  static async open(mode, { verify = false, profileFolder } = {}) {
    const stage = new Stage();
    stage.upstream = new Child(UPSTREAM, ['--port', '0', ...(verify ? ['--verify'] : [])]);
    try {
      const upstream = await stage.upstream.receive();
      const execArgv = profileFolder ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`] : [];
      stage.service = new Child(SERVICE, [mode, `http://127.0.0.1:${upstream.port}`], execArgv);
      const { port } = await stage.service.receive();
      stage.url = `http://127.0.0.1:${port}/v1/chat/completions`;
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  constructor() {
    /** @type {Child | undefined} */
    this.upstream = undefined;
    /** @type {Child | undefined} */
    this.service = undefined;
    this.url = '';
  }

  async close() {
    await this.service?.stop();
    await this.upstream?.stop();
  }
}

/**
 * @param {string} mode
 * @param {import('../conversation').RequestBody} body
 * @returns {Promise<string>} a digest of what the mode sends upstream for the body
 */
async function upstreamDigest(mode, body) {
  const stage = await Stage.open(mode, { verify: true });
  try {
    const answer = await fetch(stage.url, { method: 'POST', body: new Uint8Array(body.bytes) });
    if (!answer.ok) throw new Error(`${mode} answers with ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    const seen = await /** @type {Child} */ (stage.upstream).ask('report');
    if (seen.invalid > 0) throw new Error(`${mode} sends malformed JSON`);
    return seen.digest;
  } finally {
    await stage.close();
  }
}

/**
 * @param {string} mode
 * @param {import('../conversation').RequestBody} body
 * @param {Plan} plan
 * @returns {Promise<{ row: Row, mainCpuSource: string }>}
 */
async function measureMode(mode, body, plan) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-bench-'));
  const bodyFile = path.join(folder, 'body.json');
  fs.writeFileSync(bodyFile, body.bytes);
  const stage = await Stage.open(mode, { profileFolder: plan.profileFolder });
  const load = new Child(LOAD);
  try {
    const { connections, warmUpSeconds, seconds } = plan;
    load.send({ url: stage.url, bodyFile, connections, seconds: warmUpSeconds + seconds + 30 });
    await sleep(warmUpSeconds * 1e3);
    const service = /** @type {Child} */ (stage.service);
    await Promise.all([service.ask('reset'), load.ask('reset')]);
    await sleep(seconds * 1e3);
    const [served, loaded] = await Promise.all([service.ask('report'), load.ask('report')]);
    const row = toRow(mode, body.name, connections, served, loaded);
    return { row, mainCpuSource: served.mainCpuSource };
  } finally {
    await load.stop();
    await stage.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} mode
 * @param {string} body
 * @param {number} connections
 * @param {import('./service').ServiceReport} served
 * @param {import('./load').LoadReport} loaded
 * @returns {Row}
 */
function toRow(mode, body, connections, served, loaded) {
  const { latenciesMs } = loaded;
  if (latenciesMs.length === 0 || served.requests === 0) {
    throw new Error(`${mode} on ${body}: no request was answered in ${loaded.seconds.toFixed(1)} s`);
  }
  return {
    mode,
    body,
    connections,
    requestsPerSecond: latenciesMs.length / loaded.seconds,
    latencyMs: { p50: median(latenciesMs), p99: quantile(latenciesMs, 0.99) },
    eventLoopDelayMs: served.eventLoopDelayMs,
    mainCpuMsPerRequest: served.mainCpuMs / served.requests,
    totalCpuMsPerRequest: served.totalCpuMs / served.requests,
    rssMb: served.rssMb,
    errors: loaded.errors,
  };
}

/**
 * The median of each figure over the rounds of one mode and body; errors add up.
 *
 * @param {Row[]} rows
 * @returns {Row}
 */
function medianRow(rows) {
  const of = (/** @type {(row: Row) => number} */ figure) => round(median(rows.map(figure)));
  return {
    mode: rows[0].mode,
    body: rows[0].body,
    connections: rows[0].connections,
    requestsPerSecond: of((row) => row.requestsPerSecond),
    latencyMs: { p50: of((row) => row.latencyMs.p50), p99: of((row) => row.latencyMs.p99) },
    eventLoopDelayMs: {
      p99: of((row) => row.eventLoopDelayMs.p99),
      max: of((row) => row.eventLoopDelayMs.max),
    },
    mainCpuMsPerRequest: of((row) => row.mainCpuMsPerRequest),
    totalCpuMsPerRequest: of((row) => row.totalCpuMsPerRequest),
    rssMb: of((row) => row.rssMb),
    errors: rows.reduce((sum, row) => sum + row.errors, 0),
  };
}

/** @param {number} value */
const round = (value) => Number(value.toPrecision(4));

module.exports = { measureMode, medianRow, upstreamDigest };
