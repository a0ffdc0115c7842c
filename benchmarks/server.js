'use strict';

const { parseArgs } = require('node:util');
const { MODES } = require('../examples/express-orchestrator/app');
const { loadRequest } = require('./conversation');
const { UsageError } = require('./harness/args');
const { progress, report } = require('./harness/report');
const { measureMode, medianRow, upstreamDigest } = require('./server/measure');
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

const USAGE = `The example service under load, in each of its modes.

usage: node benchmarks/server.js [options]

  --quick          one short round; nothing is written to benchmarks/results
  --only MODE      only this mode: ${MODES.join(', ')}
  --body NAME      request body: a file of the corpus's requests/, or chat-SIZE (default: chat-250k)
  --connections N  kept busy by the load generator (default: 100)
  --duration S     seconds of each measured window (default: 10, with --quick 3)
  --rounds N       windows per mode, medians taken (default: 3, with --quick 1)
  --json FILE      write the JSON document to FILE ('-' for stdout) instead of benchmarks/results
  --cpu-prof DIR   write V8 profiles of the service to DIR (the profiler slows it down)
  --help           this text

--only and --body may be repeated, or take a list separated by commas. OFFLOOP_CORPUS names the
folder of the test documents (default: ../shared/corpus beside the project); without it
conversations of the size in the body's name are made up.
`;

const METHOD =
  'Service, mock upstream and load generator (autocannon, closed loop) in a process each, on the same machine; one mode ' +
  'at a time, interleaved, medians over the rounds; each window after a warm-up under the same load.';

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
    seconds: toCount(values.duration, quick ? 3 : 10, '--duration'),
    warmUpSeconds: quick ? 1.5 : 3,
    profileFolder: values['cpu-prof'],
  };
  const rounds = toCount(values.rounds, quick ? 1 : 3, '--rounds');
  return { quick, help, json, only, body: list(values.body), rounds, plan };
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
        body: { type: 'string', multiple: true, default: ['chat-250k'] },
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
 * @param {string[]} modes
 * @param {RequestBody} body
 * @param {Arguments} args
 * @returns {Promise<Row[]>}
 */
async function measureBody(modes, body, { rounds, plan }) {
  /** @type {Map<string, Row[]>} */
  const samples = new Map(modes.map((mode) => [mode, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Each round starts with another mode, so that what drifts meets all alike.
    for (let step = 0; step < modes.length; step += 1) {
      const mode = modes[(round + step) % modes.length];
      const { row } = await measureMode(mode, body, plan);
      samples.get(mode)?.push(row);
      progress(`server: ${body.name} round ${round + 1} of ${rounds}, ${mode}: ${row.requestsPerSecond.toFixed(0)} requests/s`);
    }
  }
  return modes.map((mode) => medianRow(samples.get(mode) ?? []));
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
