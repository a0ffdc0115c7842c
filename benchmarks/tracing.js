'use strict';

const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { runScript } = require('./harness');
const { select } = require('./harness/args');
const { root } = require('./harness/machine');
const { FULL, QUICK, measure } = require('./harness/measure');
const { formatRatio, formatTable, formatUs, progress, report } = require('./harness/report');
const { significant } = require('./harness/statistics');

const BATCH = 1_000;
/** The two that differ by little take more turns. */
const CLOSE = { rounds: 61, batchMs: 100, warmUpMs: 400, minCalls: 10 };
const BASELINE = 'no look';

const script = {
  name: 'tracing',
  about: 'What a no-op task costs the main thread with the look for observers taken out, with it, and with observers of each kind.',
};

const METHOD = `No-op tasks in batches of ${BATCH.toLocaleString('en-US')}, CPU per task. \`no look\` is the same code without the question whether anybody observes; it and \`nobody\` take ${CLOSE.rounds} turns. Ratios are of lower quartiles: what else the machine does adds to some batches and takes from none.`;

/** A second copy of offloop whose calls do not look for observers. */
function loadWithoutLook() {
  const lib = path.join(root, 'lib') + path.sep;
  const entry = path.join(root, 'lib', 'pool.js');
  const spans = require.resolve(path.join(root, 'lib', 'spans.js'));
  const kept = require(path.join(root, 'lib', 'native.js'));
  const real = require(spans);
  const forget = () => {
    for (const name of Object.keys(require.cache)) if (name.startsWith(lib) && require.cache[name]?.exports !== kept) delete require.cache[name];
  };
  const stub = /** @type {NodeJS.Module} */ (require.cache[spans]);
  forget();
  require.cache[spans] = Object.assign(Object.create(stub), { exports: { ...real, isObserved: () => false, begin: () => 0 } });
  const { WorkerPool } = require(entry);
  forget();
  return WorkerPool;
}

runScript(script, async (args) => {
  const Without = loadWithoutLook();
  const { WorkerPool } = require(root);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-tracing-'));
  const [plain, silent, listened, measured, filed] = [
    new Without(), new WorkerPool(), new WorkerPool(), new WorkerPool({ performanceEntries: true }), new WorkerPool({ traceFile: path.join(folder, 'trace.json') }),
  ];
  listened.on('slow', () => {});
  const nothing = () => {};
  /** @type {{ name: string, pool: any, before?: () => void, after?: () => void }[]} */
  const contenders = [
    { name: BASELINE, pool: plain },
    { name: 'nobody', pool: silent },
    { name: "'slow'", pool: listened },
    { name: 'channel', pool: silent, before: () => subscribe('offloop:task:asyncEnd', nothing), after: () => unsubscribe('offloop:task:asyncEnd', nothing) },
    { name: 'perf_hooks', pool: measured },
    { name: 'trace file', pool: filed },
  ];
  const names = contenders.map(({ name }) => name);
  const chosen = select(args.only, ['noop'], names, BASELINE);
  const close = contenders.slice(0, 2).filter(({ name }) => chosen.candidates.includes(name));
  const others = contenders.filter((one, index) => index === 0 || (index > 1 && chosen.candidates.includes(one.name)));
  progress(`tracing: ${BATCH} no-op tasks at once`);
  const rows = rowsOf(await measure(close.map(candidateOf), args.quick ? QUICK : CLOSE));
  if (others.length > 1) rows.push(...rowsOf(await measure(others.map(candidateOf), args.quick ? QUICK : FULL)).slice(1));
  const summary = rows.slice(1).map((row) => ({ ratioOf: row.candidate, to: BASELINE, mainCpuRatio: row.mainCpuRatio }));
  if (args.json !== '-') print(rows);
  report({ name: 'tracing', title: 'Tracing', method: METHOD, packages: [], rows, summary, skipped: [], charts: [chart(rows)] }, args);
  // Both copies have one environment, which tells the second of the end of pools.
  await Promise.all([silent, listened, measured, filed].map((pool) => pool.shutdown()));
  fs.rmSync(folder, { recursive: true });
  process.exit();
});

/** @param {{ name: string, pool: any, before?: () => void, after?: () => void }} contender */
function candidateOf({ name, pool, before, after }) {
  const run = async () => {
    before?.();
    const tasks = new Array(BATCH);
    for (let index = 0; index < BATCH; index += 1) tasks[index] = pool.exec('noop');
    await Promise.all(tasks);
    after?.();
  };
  return { name, tasksPerCall: BATCH, run };
}

/** @param {readonly import('./harness/measure').Measurement[]} measurements */
function rowsOf(measurements) {
  const [base] = measurements;
  return measurements.map((one) => ({
    candidate: one.name,
    mainCpuUs: significant(one.mainCpuUs),
    totalCpuUs: significant(one.totalCpuUs),
    mainCpuRatio: significant(one.mainCpuUsP25 / base.mainCpuUsP25),
    mainCpuUsP25: significant(one.mainCpuUsP25),
    mainCpuUsP75: significant(one.mainCpuUsP75),
    batches: one.batches,
    callsPerBatch: one.callsPerBatch,
  }));
}

/** @param {readonly Record<string, any>[]} rows */
function print(rows) {
  const lines = rows.map((row) => [
    row.candidate, formatUs(row.mainCpuUs), `${formatUs(row.mainCpuUsP25)}-${formatUs(row.mainCpuUsP75)}`, formatRatio(row.mainCpuRatio), formatUs(row.totalCpuUs),
  ]);
  process.stdout.write(formatTable(['observed by', 'main CPU us/task', 'quartiles', `to ${BASELINE}`, 'total CPU us/task'], lines));
}

/** @param {readonly Record<string, any>[]} rows */
function chart(rows) {
  return {
    title: 'A task that is observed',
    unit: 'main-thread CPU per task, µs',
    groups: [{ label: 'no-op', bars: rows.map((row) => ({ series: row.candidate, value: row.mainCpuUs, text: `${formatUs(row.mainCpuUs)} µs` })) }],
  };
}
