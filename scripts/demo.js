'use strict';

// npm run demo: the example service under load, inline against offloop, in half a minute. On a fresh
// clone it installs and builds first, so nothing but Node's own modules is loaded before that.

const { SetupError, setUp } = require('./setup');

const BODY = 'chat-250k';
const ROUNDS = 2;
const PLAN = { connections: 100, warmUpSeconds: 1.5, seconds: 4 };

/** @typedef {import('../benchmarks/server/measure').Row} Row */

/** @returns {Promise<{ inline: Row, offloop: Row, mainCpuSource: string }>} */
async function measure() {
  const { loadWorkload } = require('../benchmarks/server/workload');
  const { measureMode, medianRow } = require('../benchmarks/server/measure');
  const body = loadWorkload(BODY);
  if (body === undefined) throw new Error(`There is no ${BODY}`);
  const kilobytes = Math.round(body.bodies[0].length / 1e3);
  const origin = body.isMadeUp ? 'a made-up' : 'a recorded';
  process.stderr.write(`demo: ${origin} conversation of ${kilobytes} KB, ${PLAN.connections} connections\n`);

  /** @type {Record<string, Row[]>} */
  const rows = { inline: [], offloop: [] };
  let mainCpuSource = '';
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const mode of Object.keys(rows)) {
      process.stderr.write(`demo: round ${round} of ${ROUNDS}, ${mode}\n`);
      const measured = await measureMode({ mode }, body, PLAN);
      rows[mode].push(measured.row);
      mainCpuSource = measured.mainCpuSource;
    }
  }
  return { inline: medianRow(rows.inline), offloop: medianRow(rows.offloop), mainCpuSource };
}

/** @param {{ inline: Row, offloop: Row, mainCpuSource: string }} measured */
function print({ inline, offloop, mainCpuSource }) {
  const { formatRatio, formatTable } = require('../benchmarks/harness/report');
  const { compareRows, figure } = require('../benchmarks/server/summary');
  const ratios = compareRows(offloop, inline);
  const line = (/** @type {string} */ name, /** @type {(row: Row) => number} */ value, /** @type {number} */ ratio) => [
    name, figure(value(inline)), figure(value(offloop)), formatRatio(ratio),
  ];
  const head = ['', 'inline', 'offloop', 'times better'];
  const table = formatTable(head, [
    line('requests per second', (row) => row.requestsPerSecond, ratios.requestsPerSecondRatio),
    line('latency p50, ms', (row) => row.latencyMs.p50, ratios.latencyP50Ratio),
    line('latency p99, ms', (row) => row.latencyMs.p99, ratios.latencyP99Ratio),
    line('event-loop delay p99, ms', (row) => row.eventLoopDelayMs.p99, ratios.eventLoopDelayP99Ratio),
    line('main-thread CPU per request, ms', (row) => row.mainCpuMsPerRequest, ratios.mainCpuRatio),
  ]);
  process.stdout.write(`\nExpress service: parse, route, clone twice, compress, stringify, upstream, reply\n\n${table}`);
  if (mainCpuSource === 'eventLoopUtilization') {
    process.stdout.write('\nThis platform has no CPU time per thread: the time the event loop was busy stands in.\n');
  }
  const errors = inline.errors + offloop.errors;
  if (errors > 0) {
    process.stdout.write(`\n${errors} requests failed.\n`);
    process.exitCode = 1;
  }
  process.stdout.write('\nAll modes and more bodies: npm run bench:server -- --help\n');
}

async function demo() {
  print(await measure());
}

if (require.main === module) {
  const main = async () => {
    setUp();
    await demo();
  };
  main().catch((error) => {
    process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });
}

module.exports = { demo };
