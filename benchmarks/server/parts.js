'use strict';

// The parts of the server bench, each from its plan to its rows.

const path = require('node:path');
const { UsageError } = require('../harness/args');
const { progress } = require('../harness/report');
const { significant } = require('../harness/statistics');
const { measureMode, measurePaced, medianPaced, medianRow, runWindow, upstreamDigest } = require('./measure');
const { measureOverload } = require('./overload');
const { measureRestart } = require('./restart');
const { loadWorkload } = require('./workload');

/**
 * @typedef {import('./arguments').Arguments} Arguments
 * @typedef {import('./measure').Row} Row
 * @typedef {import('./workload').Workload} Workload
 *
 * @typedef {object} ClusterRow
 * @property {'cluster'} part
 * @property {string} body
 * @property {number} processes
 * @property {'own share' | 'whole machine'} threadsFor what each process takes itself to have
 * @property {number} threads of each process
 * @property {number} requestsPerSecond
 * @property {number} totalCpuMsPerRequest
 * @property {number} eventLoopDelayP99Ms of the worst process
 * @property {number} leastShare of the requests that a process had, in parts of an equal one
 * @property {number} rssMb of all
 * @property {number} errors
 */

/** Modes that could not be measured. @type {{ candidate: string, reason: string }[]} */
const skipped = [];

/** They take long and vary little. */
const SLOW_MODES = ['js-pool', 'piscina'];
/** Of inline's capacity: what a service that is well used has to do. */
const PACED_LOAD = 0.8;

const TOKENS_BODY = 'chat-250k';
/** Inline takes a tenth of a second and more for each; as many would answer in bursts a quarter of a minute apart. */
const TOKENS_CONNECTIONS = 25;

const CLUSTER = path.join(__dirname, 'cluster.js');

/** @param {string} name */
function requireWorkload(name) {
  const workload = loadWorkload(name);
  if (workload === undefined) throw new UsageError(`--body ${name}: no such file in the corpus, and no size in the name`);
  if (workload.isMadeUp) progress(`${name}: not in a corpus, made up`);
  return workload;
}

/**
 * The modes are only comparable where they do the same: send the same bytes upstream.
 *
 * @param {string[]} modes
 * @param {Workload} workload
 * @param {boolean} countsTokens
 */
async function compareModes(modes, workload, countsTokens) {
  let expected;
  for (const mode of modes.filter((name) => name !== 'pass')) {
    const digest = await upstreamDigest({ mode, countsTokens }, workload);
    expected ??= { mode, digest };
    if (digest !== expected.digest) {
      throw new Error(`${workload.name}: ${mode} sends other bytes upstream than ${expected.mode}`);
    }
  }
}

/**
 * @template T
 * @param {string[]} modes
 * @param {number} rounds
 * @param {(mode: string, round: number) => Promise<T>} measureOne
 * @returns {Promise<Map<string, T[]>>} by mode; those that fail are left out, as a long run should not end for one
 */
async function interleave(modes, rounds, measureOne) {
  /** @type {Map<string, T[]>} */
  const samples = new Map(modes.map((mode) => [mode, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Each round starts with another mode, so that what drifts meets all alike.
    for (let step = 0; step < modes.length; step += 1) {
      const mode = modes[(round + step) % modes.length];
      if (round > 0 && SLOW_MODES.includes(mode)) continue;
      try {
        samples.get(mode)?.push(await measureOne(mode, round));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        progress(`server: left out: ${reason}`);
        skipped.push({ candidate: mode, reason });
      }
    }
  }
  return new Map([...samples].filter(([, all]) => all.length > 0));
}

/**
 * @param {Arguments} args
 * @param {string[]} modes
 * @param {Workload} workload
 * @param {boolean} countsTokens
 * @returns {Promise<Row[]>}
 */
async function saturate({ rounds, plan }, modes, workload, countsTokens) {
  const what = `${workload.name}${countsTokens ? ' with token counting' : ''}`;
  const samples = await interleave(modes, rounds, async (mode, round) => {
    const { row } = await measureMode({ mode, countsTokens }, workload, plan);
    progress(`server: ${what} round ${round + 1} of ${rounds}, ${mode}: ${row.requestsPerSecond.toFixed(0)} requests/s`);
    return row;
  });
  return Array.from(samples.values(), medianRow);
}

/** @param {Arguments} args */
async function load(args) {
  /** @type {Row[]} */
  const all = [];
  for (const workload of args.bodies.map(requireWorkload)) {
    await compareModes(args.modes, workload, false);
    const rows = await saturate(args, args.modes, workload, false);
    const inline = rows.find(({ mode }) => mode === 'inline');
    all.push(...(inline === undefined ? rows : await pace(args, rows, workload, PACED_LOAD * inline.requestsPerSecond)));
  }
  return all;
}

/**
 * @param {Arguments} args
 * @param {Row[]} rows
 * @param {Workload} workload
 * @param {number} rate
 * @returns {Promise<Row[]>} with what each mode does at the rate
 */
async function pace({ modes, plan }, rows, workload, rate) {
  const paced = await interleave(modes, 1, async (mode) => {
    const row = await measurePaced({ mode }, workload, plan, rate);
    progress(`server: ${workload.name} at ${rate.toFixed(0)} requests/s, ${mode}: delay p99 ${row.eventLoopDelayMs.p99.toFixed(1)} ms`);
    return row;
  });
  return rows.map((row) => (paced.has(row.mode) ? { ...row, paced: medianPaced(paced.get(row.mode) ?? []) } : row));
}

/** @param {Arguments} args */
async function tokens(args) {
  const workload = requireWorkload(TOKENS_BODY);
  const modes = args.modes.filter((mode) => mode !== 'pass');
  await compareModes(modes, workload, true);
  const plan = { ...args.plan, connections: Math.min(args.plan.connections, TOKENS_CONNECTIONS) };
  return saturate({ ...args, plan, rounds: 1 }, modes, workload, true);
}

/** @param {Arguments} args */
async function overload({ quick, modes }) {
  const rows = [];
  for (const mode of modes.filter((name) => ['offloop', 'offloop-document'].includes(name))) {
    const row = await measureOverload(mode, requireWorkload('chat-1m'), { connections: 2000, seconds: quick ? 6 : 15 });
    progress(`server: overload, ${mode}: ${row.errors} errors, ${row.peakRssMb.toFixed(0)} MB of ${row.allowedRssMb} at most`);
    rows.push(row);
  }
  return rows;
}

/** @param {Arguments} args */
async function restart({ quick, plan: { connections } }) {
  const row = await measureRestart('offloop-document', requireWorkload('chat-250k'), { connections, seconds: quick ? 6 : 30, restarts: quick ? 1 : 2 });
  progress(`server: restart: ${row.answered} requests answered, ${row.acceptedNotAnswered} accepted and not answered`);
  return [row];
}

/**
 * @param {Arguments} args
 * @returns {Promise<ClusterRow[]>}
 */
async function clusters({ quick, plan }) {
  const workload = requireWorkload('chat-250k');
  const rows = [];
  for (const processes of quick ? [1, 2] : [1, 2, 4]) {
    for (const threadsFor of /** @type {const} */ (processes === 1 ? ['own share'] : ['own share', 'whole machine'])) {
      const service = { mode: 'offloop-document', processes };
      // Where it is not told of the others, a process takes itself to be alone.
      const poolSize = threadsFor === 'own share' ? 0 : rows[0].threads;
      const { served, loaded } = await runWindow(/** @type {any} */ ({ ...service, poolSize }), workload, plan, { script: CLUSTER });
      const { perProcess, poolSize: threads } = /** @type {import('./cluster').ClusterReport} */ (served);
      const requestsPerSecond = significant(loaded.latenciesMs.length / loaded.seconds);
      progress(`server: cluster of ${processes}, ${threads} threads each: ${requestsPerSecond.toFixed(0)} requests/s`);
      rows.push({
        part: /** @type {const} */ ('cluster'),
        body: workload.name,
        processes,
        threadsFor,
        threads,
        requestsPerSecond,
        totalCpuMsPerRequest: significant(served.totalCpuMs / served.requests),
        eventLoopDelayP99Ms: significant(served.eventLoopDelayMs.p99),
        leastShare: significant(Math.min(...perProcess) / (served.requests / processes)),
        rssMb: significant(served.rssMb),
        errors: loaded.errors + loaded.refused,
      });
    }
  }
  return rows;
}

/** @type {Record<string, (args: Arguments) => Promise<any[]>>} */
const RUN = { load, tokens, overload, restart, cluster: clusters };

/**
 * @param {Arguments} args
 * @returns {Promise<{ rows: import('./summary').Rows, skipped: { candidate: string, reason: string }[] }>}
 */
async function runParts(args) {
  /** @type {any} */
  const rows = { load: [], tokens: [], overload: [], restart: [], cluster: [] };
  for (const part of args.parts) rows[part] = await RUN[part](args);
  return { rows, skipped };
}

module.exports = { runParts };
