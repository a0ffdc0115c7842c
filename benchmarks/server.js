'use strict';

const { parseArgs } = require('node:util');
const { MODES } = require('../examples/express-orchestrator/app');
const { loadRequest } = require('./conversation');
const { UsageError } = require('./harness/args');
const { progress, report } = require('./harness/report');
const { measureMode, measurePaced, medianPaced, medianRow, upstreamDigest } = require('./server/measure');
const { charts, formatRows, formatSummary, summarise } = require('./server/summary');

/**
 * @typedef {import('./conversation').RequestBody} RequestBody
 * @typedef {import('./server/measure').Row} Row
 *
 * @typedef {object} Arguments
 * @property {boolean} quick
 * @property {boolean} help
 * @property {string[]} only modes
 * @property {string[]} body names
 * @property {string} [json]
 * @property {number} rounds
 * @property {import('./server/measure').Plan} plan
 */

const BODIES = ['chat-20k', 'chat-100k', 'chat-250k', 'chat-1m'];
const QUICK_BODIES = ['chat-250k', 'chat-1m'];

/** They take long and vary little. */
const SLOW_MODES = ['js-pool', 'piscina'];

/** Of inline's capacity: what a service that is well used has to do. */
const PACED_LOAD = 0.8;

const USAGE = `The example service under load, in each of its modes.

usage: node benchmarks/server.js [options]

  --quick          one short round; nothing is written to benchmarks/results
  --only MODE      only this mode: ${MODES.join(', ')}
  --body NAME      request body: a file of the corpus's requests/, or chat-SIZE (default: ${BODIES.join(', ')};
                   with --quick ${QUICK_BODIES.join(', ')})
  --connections N  kept busy by the load generator (default: 100)
  --duration S     seconds of each measured window, more where answers are slow (default: 2, with --quick 1)
  --rounds N       windows per mode, medians taken (default: 3, with --quick 1); the slow modes get one
  --json FILE      write the JSON document to FILE ('-' for stdout) instead of benchmarks/results
  --cpu-prof DIR   write V8 profiles of the service to DIR (the profiler slows it down)
  --help           this text

--only and --body may be repeated, or take a list separated by commas. OFFLOOP_CORPUS names the
folder of the test documents (default: ../shared/corpus beside the project); without it
conversations of the size in the body's name are made up.
`;

const METHOD =
  'Service, mock upstream and load generator (autocannon, closed loop) in a process each, on the same machine; one mode ' +
  'at a time, interleaved, medians over the rounds; each window after a warm-up under the same load. Paced: the same ' +
  "random arrivals for every mode, at 80 % of inline's capacity.";

/** @param {string[]} words */
const list = (words) => words.flatMap((word) => word.split(',')).filter((word) => word !== '');

/**
 * @param {string | undefined} text
 * @param {number} fallback
 * @param {string} name
 */
function toCount(text, fallback, name) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new UsageError(`${name} needs a number above zero`);
  return value;
}

/**
 * @param {string[]} argv
 * @returns {Arguments}
 */
function readArguments(argv) {
  const { quick, help, json, ...values } = parseOptions(argv);
  const only = list(values.only);
  for (const mode of only) {
    if (!MODES.includes(mode)) throw new UsageError(`--only ${mode}: no such mode.\n  modes: ${MODES.join(', ')}`);
  }
  const plan = {
    connections: toCount(values.connections, 100, '--connections'),
    seconds: toCount(values.duration, quick ? 1 : 2, '--duration'),
    warmUpSeconds: quick ? 0.6 : 1.2,
    profileFolder: values['cpu-prof'],
  };
  const rounds = toCount(values.rounds, quick ? 1 : 3, '--rounds');
  const body = list(values.body);
  return { quick, help, json, only, body: body.length > 0 ? body : quick ? QUICK_BODIES : BODIES, rounds, plan };
}

/** @param {string[]} argv */
function parseOptions(argv) {
  try {
    return parseArgs({
      args: argv,
      options: {
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        only: { type: 'string', multiple: true, default: [] },
        body: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        connections: { type: 'string' },
        duration: { type: 'string' },
        rounds: { type: 'string' },
        'cpu-prof': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} name */
function requireBody(name) {
  const body = loadRequest(name);
  if (body === undefined) throw new UsageError(`--body ${name}: no such file in the corpus, and no size in the name`);
  if (body.origin === 'generated') progress(`${name}: not in a corpus, made up`);
  return body;
}

/**
 * The modes are only comparable where they do the same: send the same bytes upstream.
 *
 * @param {string[]} modes
 * @param {RequestBody} body
 */
async function compareModes(modes, body) {
  let expected;
  for (const mode of modes.filter((name) => name !== 'pass')) {
    const digest = await upstreamDigest(mode, body);
    expected ??= { mode, digest };
    if (digest !== expected.digest) {
      throw new Error(`${body.name}: ${mode} sends other bytes upstream than ${expected.mode}`);
    }
  }
}

/**
 * @template T
 * @param {string[]} modes
 * @param {number} rounds
 * @param {(mode: string, round: number) => Promise<T>} measureOne
 * @returns {Promise<Map<string, T[]>>} by mode
 */
async function interleave(modes, rounds, measureOne) {
  /** @type {Map<string, T[]>} */
  const samples = new Map(modes.map((mode) => [mode, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Each round starts with another mode, so that what drifts meets all alike.
    for (let step = 0; step < modes.length; step += 1) {
      const mode = modes[(round + step) % modes.length];
      if (round > 0 && SLOW_MODES.includes(mode)) continue;
      samples.get(mode)?.push(await measureOne(mode, round));
    }
  }
  return samples;
}

/**
 * @param {string[]} modes
 * @param {RequestBody} body
 * @param {Arguments} args
 * @returns {Promise<Row[]>}
 */
async function measureBody(modes, body, { rounds, plan }) {
  const saturated = await interleave(modes, rounds, async (mode, round) => {
    const { row } = await measureMode(mode, body, plan);
    progress(`server: ${body.name} round ${round + 1} of ${rounds}, ${mode}: ${row.requestsPerSecond.toFixed(0)} requests/s`);
    return row;
  });
  const rows = modes.map((mode) => medianRow(saturated.get(mode) ?? []));
  const inline = rows.find(({ mode }) => mode === 'inline');
  if (inline === undefined) return rows;
  const rate = PACED_LOAD * inline.requestsPerSecond;
  const paced = await interleave(modes, Math.min(rounds, 2), async (mode) => {
    const row = await measurePaced(mode, body, plan, rate);
    progress(`server: ${body.name} at ${rate.toFixed(0)} requests/s, ${mode}: delay p99 ${row.eventLoopDelayMs.p99.toFixed(1)} ms`);
    return row;
  });
  return rows.map((row) => ({ ...row, paced: medianPaced(paced.get(row.mode) ?? []) }));
}

async function main() {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(USAGE);
    return;
  }
  const modes = MODES.filter((mode) => args.only.length === 0 || args.only.includes(mode));
  const bodies = args.body.map(requireBody);
  const rows = [];
  for (const body of bodies) {
    await compareModes(modes, body);
    rows.push(...(await measureBody(modes, body, args)));
  }
  const summary = summarise(rows);
  if (args.json !== '-') process.stdout.write(formatRows(rows) + formatSummary(summary));
  const result = {
    name: 'server',
    title: 'The example service under load',
    method: METHOD,
    packages: ['express', 'piscina', 'autocannon'],
    rows: rows.map((row) => ({ ...row })),
    summary,
    skipped: [],
    charts: charts(rows),
  };
  report(result, args);
}

main().catch((error) => {
  process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
