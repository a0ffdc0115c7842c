'use strict';

// One mode under load: upstream, service and load generator, each in a process of its own.

const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { median, quantile } = require('../harness/statistics');
const { Child, Stage, withFiles } = require('./stage');

const LOAD = path.join(__dirname, 'load.js');

/**
 * @typedef {import('./workload').Workload} Workload
 * @typedef {Omit<import('./service').ServiceOptions, 'upstreamUrl'>} Service
 *
 * @typedef {object} Plan
 * @property {number} connections
 * @property {number} warmUpSeconds under the same load, not counted; longer until the first answers are there
 * @property {number} seconds longer until there are answers enough, but no longer than MOST_TIMES of it
 * @property {string} [profileFolder] where V8 profiles of the service go
 *
 * @typedef {object} Row one mode on one body
 * @property {string} mode
 * @property {string} body
 * @property {boolean} countsTokens
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
/** Seconds that the first answer may take: some modes take as long on a busy machine. */
const FIRST_ANSWER_SECONDS = 45;

/**
 * @param {Service} service
 * @param {Workload} workload
 * @returns {Promise<string>} a digest of what the mode sends upstream for all bodies
 */
async function upstreamDigest(service, workload) {
  const stage = await Stage.open(service, { verify: true });
  try {
    for (const body of new Set(workload.bodies)) {
      const answer = await fetch(stage.url, { method: 'POST', body: new Uint8Array(body) });
      if (!answer.ok) throw new Error(`${service.mode} answers with ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
    const seen = await /** @type {Child} */ (stage.upstream).ask('report');
    if (seen.invalid > 0) throw new Error(`${service.mode} sends malformed JSON`);
    return seen.digest;
  } finally {
    await stage.close();
  }
}

/**
 * One window of a service under load.
 *
 * @param {Service} service
 * @param {Workload} workload
 * @param {Plan} plan
 * @param {{ requestsPerSecond?: number, script?: string }} [how] a fixed rate, instead of as many as the service takes
 * @returns {Promise<{ served: import('./service').ServiceReport, loaded: import('./load').LoadReport }>}
 */
function runWindow(service, workload, plan, { requestsPerSecond, script } = {}) {
  return withFiles(workload, async (bodyFiles) => {
    const stage = await Stage.open(service, { profileFolder: plan.profileFolder, script });
    const load = new Child(LOAD);
    try {
      const { connections, warmUpSeconds, seconds } = plan;
      const longest = (warmUpSeconds + seconds) * MOST_TIMES + 3 * FIRST_ANSWER_SECONDS;
      load.send({ url: stage.url, bodyFiles, connections, seconds: longest, requestsPerSecond, isNew: service.countsTokens });
      await untilAnswered(load, warmUpSeconds, 1);
      const child = /** @type {Child} */ (stage.service);
      await Promise.all([child.ask('reset'), load.ask('reset')]);
      await untilAnswered(load, seconds, ENOUGH_ANSWERS);
      const [served, loaded] = await Promise.all([child.ask('report'), load.ask('report')]);
      if (loaded.latenciesMs.length === 0 || served.requests === 0) {
        throw new Error(`${service.mode} on ${workload.name}: no request was answered in ${loaded.seconds.toFixed(1)} s`);
      }
      return { served, loaded };
    } finally {
      await load.stop();
      await stage.close();
    }
  });
}

/**
 * Waits for so many seconds, then for so many answers, but not for ever; for the first one longer.
 *
 * @param {Child} load
 * @param {number} seconds
 * @param {number} answers
 */
async function untilAnswered(load, seconds, answers) {
  const start = performance.now();
  for (let times = 1; ; times += 1) {
    await sleep(seconds * 1e3);
    const { answers: given } = await load.ask('count');
    const isOver = given > 0 ? times >= MOST_TIMES : performance.now() - start > FIRST_ANSWER_SECONDS * 1e3;
    if (given >= answers || isOver) return;
  }
}

/**
 * A service with as many requests as it takes.
 *
 * @param {Service} service
 * @param {Workload} workload
 * @param {Plan} plan
 * @returns {Promise<{ row: Row, mainCpuSource: string }>}
 */
async function measureMode(service, workload, plan) {
  const { served, loaded } = await runWindow(service, workload, plan);
  const { latenciesMs } = loaded;
  const row = {
    mode: service.mode,
    body: workload.name,
    countsTokens: service.countsTokens ?? false,
    connections: plan.connections,
    requestsPerSecond: latenciesMs.length / loaded.seconds,
    latencyMs: { p50: median(latenciesMs), p99: quantile(latenciesMs, 0.99) },
    eventLoopDelayMs: served.eventLoopDelayMs,
    mainCpuMsPerRequest: served.mainCpuMs / served.requests,
    totalCpuMsPerRequest: served.totalCpuMs / served.requests,
    rssMb: served.rssMb,
    errors: loaded.errors + loaded.refused,
  };
  return { row, mainCpuSource: served.mainCpuSource };
}

/**
 * A service at a fixed rate.
 *
 * @param {Service} service
 * @param {Workload} workload
 * @param {Plan} plan
 * @param {number} requestsPerSecond
 * @returns {Promise<PacedRow>}
 */
async function measurePaced(service, workload, plan, requestsPerSecond) {
  const { served, loaded } = await runWindow(service, workload, plan, { requestsPerSecond });
  const { latenciesMs, seconds } = loaded;
  return {
    requestsPerSecond,
    answersPerSecond: latenciesMs.length / seconds,
    latencyMs: { p50: median(latenciesMs), p99: quantile(latenciesMs, 0.99) },
    eventLoopDelayMs: served.eventLoopDelayMs,
    errors: loaded.errors + loaded.refused,
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
    countsTokens: rows[0].countsTokens,
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

module.exports = { measureMode, measurePaced, medianPaced, medianRow, runWindow, upstreamDigest };
