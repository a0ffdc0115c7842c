'use strict';

const { openAsyncTask } = require('./competitors/asynctask');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { closePiscina, openPiscina, runOnPiscina } = require('./competitors/piscina');
const {
  closeEchoWorker,
  closePlainWorker,
  openEchoWorker,
  openPlainWorker,
  ping,
  runOnPlainWorker,
} = require('./competitors/plain-worker');
const { Unavailable, openContenders, runScript } = require('./harness');
const { select } = require('./harness/args');
const { atLeast, atMost, printFigures } = require('./harness/figures');
const { FULL, QUICK, measure } = require('./harness/measure');
const { formatRatio, formatTable, formatUs, progress, report } = require('./harness/report');
const { significant } = require('./harness/statistics');
const { LOADS, measureReadFile } = require('./read-file');

const BATCH = 1_000;
const TESTS = ['noop', 'readFile'];

/**
 * A message there and back, bare and as a pool has to send it; ours; libuv's threads; a pool in JavaScript.
 *
 * @type {{ name: string, task: () => Promise<unknown>, open: () => void | Promise<void>, close?: () => Promise<void> }[]}
 */
const contenders = [
  { name: 'postMessage', open: openEchoWorker, task: ping, close: closeEchoWorker },
  { name: 'worker_threads', open: openPlainWorker, task: () => runOnPlainWorker('noop'), close: closePlainWorker },
  { name: 'offloop', open: openNoop, task: () => offloopPool().exec('noop'), close: closeOffloop },
  { name: 'AsyncTask', open: () => void openAsyncTask(), task: () => openAsyncTask().noop() },
  { name: 'piscina', open: openPiscina, task: () => runOnPiscina('noop', undefined), close: closePiscina },
];

const script = {
  name: 'pool',
  about:
    'What one task costs (a no-op through offloop, a worker thread, piscina and AsyncTask), and what a busy pool does to fs.readFile.\nThe tests are named noop and readFile: --only noop.',
};

const METHOD = `No-op tasks in batches of ${BATCH.toLocaleString('en-US')}, CPU per task; one file read at a time while a load keeps threads busy, in turns.`;

runScript(script, async (args) => {
  const names = contenders.map(({ name }) => name);
  const chosen = select(args.only, TESTS, [...new Set([...names, ...LOADS])], 'postMessage');
  const rows = [];
  /** @type {{ candidate: string, reason: string }[]} */
  const skipped = [];
  if (chosen.files.includes('noop')) {
    const opened = await openContenders(contenders, chosen.candidates);
    skipped.push(...opened.skipped);
    rows.push(...(await measureNoop(opened.contenders, args.quick ? QUICK : FULL)));
    for (const contender of opened.contenders) await contender.close?.();
  }
  if (chosen.files.includes('readFile')) {
    const loads = LOADS.filter((load) => load === 'idle' || chosen.candidates.includes(load));
    const reads = await measureReadFile(loads, args.quick);
    rows.push(...reads.rows);
    skipped.push(...reads.skipped.filter((one) => !skipped.some(({ candidate }) => candidate === one.candidate)));
  }
  const summary = summarise(rows);
  const figures = figuresOf(summary);
  if (args.json !== '-') {
    print(rows, summary, skipped);
    printFigures(figures);
  }
  report(
    {
      name: 'pool',
      title: 'The pool',
      method: METHOD,
      packages: ['piscina'],
      rows,
      summary: [...figures, ...summary],
      skipped,
      charts: charts(rows),
    },
    args,
  );
});

async function openNoop() {
  openOffloop('exec');
  try {
    await offloopPool().exec('noop');
  } catch (error) {
    await closeOffloop();
    if (/** @type {any} */ (error).code !== 'ERR_UNKNOWN_TASK') throw error;
    throw new Unavailable("pool.exec('noop') is not there");
  }
}

/**
 * @param {typeof contenders} opened
 * @param {import('./harness/measure').Plan} plan
 */
async function measureNoop(opened, plan) {
  progress(`pool: ${BATCH} no-op tasks at once`);
  const atOnce = await measure(
    opened.map(({ name, task }) => ({
      name,
      tasksPerCall: BATCH,
      run: () => {
        const tasks = new Array(BATCH);
        for (let index = 0; index < BATCH; index += 1) tasks[index] = task();
        return Promise.all(tasks);
      },
    })),
    plan,
  );
  progress('pool: one no-op task at a time');
  const oneByOne = await measure(
    opened.map(({ name, task }) => ({ name, run: task })),
    plan,
  );
  return [...noopRows(BATCH, atOnce), ...noopRows(1, oneByOne)];
}

/**
 * @param {number} tasks
 * @param {readonly import('./harness/measure').Measurement[]} measurements
 */
function noopRows(tasks, measurements) {
  const base = measurements[0];
  return measurements.map((one) => ({
    test: 'noop',
    tasksAtOnce: tasks,
    candidate: one.name,
    mainCpuUs: significant(one.mainCpuUs),
    totalCpuUs: significant(one.totalCpuUs),
    latencyUs: significant(one.latencyUs),
    baseline: base.name,
    mainCpuRatio: significant(base.mainCpuUs / one.mainCpuUs),
    totalCpuRatio: significant(base.totalCpuUs / one.totalCpuUs),
    latencyRatio: significant(base.latencyUs / one.latencyUs),
    mainCpuUsP25: significant(one.mainCpuUsP25),
    mainCpuUsP75: significant(one.mainCpuUsP75),
    batches: one.batches,
    callsPerBatch: one.callsPerBatch,
  }));
}

/** @param {readonly Record<string, any>[]} rows */
function summarise(rows) {
  const summary = [];
  for (const tasksAtOnce of [BATCH, 1]) {
    const ours = rows.find((row) => row.tasksAtOnce === tasksAtOnce && row.candidate === 'offloop');
    for (const other of rows.filter((row) => row.tasksAtOnce === tasksAtOnce && row !== ours)) {
      if (ours === undefined) continue;
      summary.push({
        test: `noop, ${tasksAtOnce} at once`,
        ratioOf: other.candidate,
        to: 'offloop',
        mainCpuRatio: significant(other.mainCpuUs / ours.mainCpuUs),
        totalCpuRatio: significant(other.totalCpuUs / ours.totalCpuUs),
        latencyRatio: significant(other.latencyUs / ours.latencyUs),
      });
    }
  }
  for (const row of rows.filter((one) => one.test === 'readFile' && one.load !== 'idle')) {
    const { load, document, p50Ratio, p99Ratio } = row;
    summary.push({ test: `readFile, ${document}`, ratioOf: load, to: 'idle', p50Ratio, p99Ratio });
  }
  return summary;
}

/** @param {readonly Record<string, any>[]} summary */
function figuresOf(summary) {
  const least = /** @type {const} */ ([['postMessage', 2.5], ['AsyncTask', 3]]);
  const noops = least.flatMap(([other, wanted]) =>
    summary
      .filter(({ test, ratioOf }) => test === `noop, ${BATCH} at once` && ratioOf === other)
      .map((line) => ({ figure: `main-thread CPU of a no-op, ${BATCH} at once, ${other} ÷ ours`, ...atLeast(line.mainCpuRatio, wanted) })),
  );
  const reads = summary
    .filter(({ ratioOf, p99Ratio }) => ratioOf === 'offloop' && p99Ratio !== undefined)
    .map(({ test, p99Ratio }) => ({ figure: `p99 of ${test}, pool saturated ÷ idle`, ...atMost(p99Ratio, 2) }));
  return [...noops, ...reads];
}

/**
 * @param {readonly Record<string, any>[]} rows
 * @param {readonly Record<string, any>[]} summary
 * @param {readonly { candidate: string, reason: string }[]} skipped
 */
function print(rows, summary, skipped) {
  const noops = rows.filter((row) => row.test === 'noop');
  if (noops.length > 0) {
    const lines = noops.map((row) => [
      `${row.candidate}, ${row.tasksAtOnce} at once`,
      formatUs(row.mainCpuUs),
      formatRatio(row.mainCpuRatio),
      formatUs(row.totalCpuUs),
      formatRatio(row.totalCpuRatio),
      formatUs(row.latencyUs),
      formatRatio(row.latencyRatio),
    ]);
    process.stdout.write(
      `${formatTable(['no-op', 'main CPU us/task', 'ratio', 'total CPU us/task', 'ratio', 'latency us', 'ratio'], lines)}\n`,
    );
  }
  const reads = rows.filter((row) => row.test === 'readFile');
  if (reads.length > 0) {
    const lines = reads.map((row) => [
      `${row.load}${row.document === undefined ? '' : ` (${row.document})`}`,
      formatUs(row.p50Us),
      formatRatio(row.p50Ratio),
      formatUs(row.p99Us),
      formatRatio(row.p99Ratio),
      `${formatUs(row.p99UsLowestRound)}-${formatUs(row.p99UsHighestRound)}`,
      String(row.samples),
      row.loadPerSecond === undefined ? '' : row.loadPerSecond.toFixed(0),
    ]);
    process.stdout.write(
      formatTable(
        ['fs.readFile beside', 'p50 us', 'to idle', 'p99 us', 'to idle', 'p99 of rounds', 'samples', 'load/s'],
        lines,
      ),
    );
  }
  const compared = summary.filter((line) => line.mainCpuRatio !== undefined);
  if (compared.length > 0) {
    const lines = compared.map((line) => [
      `${line.test}: ${line.ratioOf} / ${line.to}`,
      formatRatio(line.mainCpuRatio),
      formatRatio(line.totalCpuRatio),
      formatRatio(line.latencyRatio),
    ]);
    process.stdout.write(`\n${formatTable(['ratio', 'main CPU', 'total CPU', 'latency'], lines)}`);
  }
  for (const { candidate, reason } of skipped) process.stdout.write(`\nleft out: ${candidate} (${reason})\n`);
}

/** @param {readonly Record<string, any>[]} rows */
function charts(rows) {
  const noop = [BATCH, 1].map((tasksAtOnce) => ({
    label: `no-op, ${tasksAtOnce} at once`,
    bars: rows
      .filter((row) => row.tasksAtOnce === tasksAtOnce)
      .map((row) => ({ series: row.candidate, value: row.mainCpuUs, text: `${formatUs(row.mainCpuUs)} µs` })),
  }));
  const reads = rows.filter((row) => row.test === 'readFile');
  return [
    {
      title: 'A task through the pool',
      unit: 'main-thread CPU per task, µs',
      groups: noop.filter(({ bars }) => bars.length > 0),
    },
    {
      title: 'fs.readFile beside a busy pool',
      unit: 'p99 latency of reading a 16 KB file, µs',
      limit: 12 * (reads.find((row) => row.load === 'idle')?.p99Us ?? Infinity),
      groups: reads.map((row) => ({
        label: row.document ?? 'idle',
        bars: [
          {
            series: row.load,
            value: row.p99Us,
            text: `${formatUs(row.p99Us)} µs · ${formatRatio(row.p99Ratio)} of idle`,
          },
        ],
      })),
    },
  ].filter((chart) => chart.groups.length > 0);
}
