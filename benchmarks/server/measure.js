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
 * @property {number} warmUpSeconds under the same load, not counted; longer until the first answers are there
 * @property {number} seconds longer until there are answers enough, but no longer than MOST_TIMES of it
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
 * @property {PacedRow} [paced] the same at a fixed rate, where inline's capacity is known
 *
 * @typedef {object} PacedRow
 * @property {number} requestsPerSecond sent
 * @property {number} answersPerSecond
 * @property {{ p50: number, p99: number }} latencyMs since the request was due
 * @property {{ p99: number, max: number }} eventLoopDelayMs
 * @property {number} errors
 */

/** Answers that make a window, and how many times its length it may last until they are there. */
const ENOUGH_ANSWERS = 150;
const MOST_TIMES = 4;

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
 * One window of a mode under load.
 *
 * @param {string} mode
 * @param {import('../conversation').RequestBody} body
 * @param {Plan} plan
 * @param {number} [requestsPerSecond] a fixed rate, instead of as many as the service takes
 * @returns {Promise<{ served: import('./service').ServiceReport, loaded: import('./load').LoadReport }>}
 */
async function runWindow(mode, body, plan, requestsPerSecond) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-bench-'));
  const bodyFile = path.join(folder, 'body.json');
  fs.writeFileSync(bodyFile, body.bytes);
  const stage = await Stage.open(mode, { profileFolder: plan.profileFolder });
  const load = new Child(LOAD);
  try {
    const { connections, warmUpSeconds, seconds } = plan;
    const longest = (warmUpSeconds + seconds) * MOST_TIMES + 30;
    load.send({ url: stage.url, bodyFile, connections, seconds: longest, requestsPerSecond });
    await untilAnswered(load, warmUpSeconds, 1);
    const service = /** @type {Child} */ (stage.service);
    await Promise.all([service.ask('reset'), load.ask('reset')]);
    await untilAnswered(load, seconds, ENOUGH_ANSWERS);
    const [served, loaded] = await Promise.all([service.ask('report'), load.ask('report')]);
    if (loaded.latenciesMs.length === 0 || served.requests === 0) {
      throw new Error(`${mode} on ${body.name}: no request was answered in ${loaded.seconds.toFixed(1)} s`);
    }
    return { served, loaded };
  } finally {
    await load.stop();
    await stage.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Waits for so many seconds, then for so many answers, but not for ever.
 *
 * @param {Child} load
 * @param {number} seconds
 * @param {number} answers
 */
async function untilAnswered(load, seconds, answers) {
  for (let times = 1; times <= MOST_TIMES; times += 1) {
    await sleep(seconds * 1e3);
    if ((await load.ask('count')).answers >= answers) return;
  }
}

/**
 * A mode with as many requests as it takes.
 *
 * @param {string} mode
 * @param {import('../conversation').RequestBody} body
 * @param {Plan} plan
 * @returns {Promise<{ row: Row, mainCpuSource: string }>}
 */
async function measureMode(mode, body, plan) {
  const { served, loaded } = await runWindow(mode, body, plan);
  return { row: toRow(mode, body.name, plan.connections, served, loaded), mainCpuSource: served.mainCpuSource };
}

/**
 * A mode at a fixed rate.
 *
 * @param {string} mode
 * @param {import('../conversation').RequestBody} body
 * @param {Plan} plan
 * @param {number} requestsPerSecond
 * @returns {Promise<PacedRow>}
 */
async function measurePaced(mode, body, plan, requestsPerSecond) {
  const { served, loaded } = await runWindow(mode, body, plan, requestsPerSecond);
  const { latenciesMs, seconds, errors } = loaded;
  return {
    requestsPerSecond,
    answersPerSecond: latenciesMs.length / seconds,
    latencyMs: { p50: median(latenciesMs), p99: quantile(latenciesMs, 0.99) },
    eventLoopDelayMs: served.eventLoopDelayMs,
    errors,
  };
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

/**
 * @param {PacedRow[]} rows of one mode and body
 * @returns {PacedRow}
 */
function medianPaced(rows) {
  const of = (/** @type {(row: PacedRow) => number} */ figure) => round(median(rows.map(figure)));
  return {
    requestsPerSecond: of((row) => row.requestsPerSecond),
    answersPerSecond: of((row) => row.answersPerSecond),
    latencyMs: { p50: of((row) => row.latencyMs.p50), p99: of((row) => row.latencyMs.p99) },
    eventLoopDelayMs: {
      p99: of((row) => row.eventLoopDelayMs.p99),
      max: of((row) => row.eventLoopDelayMs.max),
    },
    errors: rows.reduce((sum, row) => sum + row.errors, 0),
  };
}

/** @param {number} value */
const round = (value) => Number(value.toPrecision(4));

module.exports = { measureMode, measurePaced, medianPaced, medianRow, upstreamDigest };
