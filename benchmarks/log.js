'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { runScript } = require('./harness');
const { select } = require('./harness/args');
const { measure } = require('./harness/measure');
const { formatRatio, formatTable, progress, report } = require('./harness/report');
const { significant } = require('./harness/statistics');
const { CONTENDERS, DATA } = require('./log/contenders');
const { blocked, exit, kill, rotation, sustained } = require('./log/crash');

const NAMES = Object.keys(CONTENDERS);
const TESTS = ['cost', 'sustained', 'kill', 'exit', 'blocked', 'rotation'];
const BASELINE = 'pino-async';

/** Lines in a burst, by data; a pause of a millisecond follows, in which what was logged goes out. */
const BURST = /** @type {Record<string, number>} */ ({ small: 200, '2 KB': 50, '20 KB': 10 });

const FULL = { rounds: 9, batchMs: 250, warmUpMs: 200, minCalls: 10, sustainedMs: 10_000, kills: 200, exits: 200, others: 20, blockedMs: 2000, rotations: 50 };
const QUICK = { rounds: 3, batchMs: 30, warmUpMs: 50, minCalls: 3, sustainedMs: 500, kills: 3, exits: 3, others: 2, blockedMs: 2000, rotations: 5 };

const script = {
  name: 'log',
  about:
    'What a log line costs the main thread, and what becomes of lines when the process is killed, exits, blocks or rotates:\nAsyncLogger and the destination beside pino, winston and console.\nThe tests are named cost, sustained, kill, exit, blocked and rotation: --only cost.',
};

const METHOD =
  'Main-thread CPU per line in bursts with a millisecond between; child processes that are killed, exit or block their loop, files compared afterwards.';

/** @param {import('./harness/args').Arguments} args */
async function main(args) {
  const chosen = select(args.only, TESTS, NAMES, BASELINE);
  const plan = args.quick ? QUICK : FULL;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-bench-log-'));
  /** @type {Record<string, any>[]} */
  const rows = [];
  try {
    for (const test of chosen.files) rows.push(...(await TEST[test](chosen.candidates, folder, plan)));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  const summary = summarise(rows);
  if (args.json !== '-') print(rows, summary);
  report({ name: 'log', title: 'Logging', method: METHOD, packages: ['pino', 'winston'], rows, summary, skipped: [], charts: charts(rows) }, args);
}

/** @type {Record<string, (names: string[], folder: string, plan: typeof FULL) => Promise<Record<string, any>[]>>} */
const TEST = {
  async cost(names, folder, plan) {
    const rows = [];
    for (const [size, make] of Object.entries(DATA)) {
      progress(`log: ${size}`);
      const loggers = names.map((name) => CONTENDERS[name](path.join(folder, `${name}-${size.replace(' ', '')}.log`)));
      const burst = BURST[size];
      const candidates = loggers.map((logger, index) => ({
        name: names[index],
        tasksPerCall: burst,
        run: () => {
          for (let n = 0; n < burst; n++) logger.info('request completed', make(n));
          return new Promise((resolve) => setTimeout(resolve, 1));
        },
      }));
      const measured = await measure(candidates, plan);
      for (const logger of loggers) await logger.close();
      for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name));
      const base = measured.find(({ name }) => name === BASELINE) ?? measured[0];
      for (const one of measured) {
        rows.push({
          test: 'cost', data: size, candidate: one.name,
          mainCpuNs: significant(one.mainCpuUs * 1e3), mainCpuNsP25: significant(one.mainCpuUsP25 * 1e3), mainCpuNsP75: significant(one.mainCpuUsP75 * 1e3),
          totalCpuNs: significant(one.totalCpuUs * 1e3), baseline: base.name, mainCpuRatio: significant(base.mainCpuUs / one.mainCpuUs),
        });
      }
    }
    return rows;
  },

  async sustained(names, folder, plan) {
    const rows = [];
    for (const name of names.filter((one) => one !== 'console')) {
      progress(`log: sustained, ${name}`);
      rows.push(await sustained(name, folder, plan.sustainedMs));
    }
    return rows;
  },

  async kill(names, folder, plan) {
    const rows = [];
    for (const name of names.filter((one) => one !== 'console')) {
      progress(`log: kill -9, ${name}`);
      rows.push(await kill(name, folder, name === 'offloop-durable' ? plan.kills : plan.others));
    }
    return rows;
  },

  async exit(names, folder, plan) {
    const rows = [];
    for (const name of names.filter((one) => one !== 'console')) {
      progress(`log: process.exit(), ${name}`);
      rows.push(await exit(name, folder, name === 'offloop' ? plan.exits : plan.others));
    }
    return rows;
  },

  async blocked(names, folder, plan) {
    const rows = [];
    for (const name of names.filter((one) => one !== 'console')) {
      progress(`log: blocked loop, ${name}`);
      rows.push(await blocked(name, folder, plan.blockedMs));
    }
    return rows;
  },

  async rotation(_names, folder, plan) {
    progress('log: rotation');
    return [await rotation(folder, plan.rotations)];
  },
};

/** @param {Record<string, any>[]} rows */
function summarise(rows) {
  const summary = [];
  for (const data of Object.keys(DATA)) {
    const of = (/** @type {string} */ name) => rows.find((row) => row.test === 'cost' && row.data === data && row.candidate === name)?.mainCpuNs;
    for (const name of NAMES.filter((one) => one.includes('offloop'))) {
      if (of(name) === undefined) continue;
      summary.push({ test: `cost, ${data}`, ratioOf: BASELINE, to: name, ratio: significant(of(BASELINE) / of(name), 3) });
    }
  }
  const speed = (/** @type {string} */ name) => rows.find((row) => row.test === 'sustained' && row.candidate === name)?.linesPerSecond;
  for (const name of NAMES.filter((one) => one.includes('offloop') && speed(one) !== undefined)) {
    summary.push({ test: 'sustained lines per second', ratioOf: name, to: BASELINE, ratio: significant(speed(name) / speed(BASELINE), 3) });
  }
  for (const row of rows) {
    if ('lost' in row) summary.push({ test: row.test, to: row.candidate, rounds: row.rounds ?? row.rotations, lost: row.lost, doubled: row.doubled, torn: row.torn });
    if ('latestMs' in row) summary.push({ test: `loop blocked for ${row.blockedMs} ms`, to: row.candidate, latestMs: row.latestMs });
  }
  return summary;
}

/**
 * @param {readonly Record<string, any>[]} rows
 * @param {readonly Record<string, any>[]} summary
 */
function print(rows, summary) {
  const out = [];
  const costs = rows.filter((row) => row.test === 'cost');
  if (costs.length > 0) {
    const names = [...new Set(costs.map((row) => row.candidate))];
    const lines = names.map((name) => [
      name,
      ...Object.keys(DATA).flatMap((data) => {
        const row = costs.find((one) => one.candidate === name && one.data === data);
        return [row === undefined ? '' : Math.round(row.mainCpuNs).toLocaleString('en-US'), formatRatio(row?.mainCpuRatio)];
      }),
    ]);
    out.push(formatTable(['main-thread ns per line', ...Object.keys(DATA).flatMap((data) => [data, 'ratio'])], lines));
  }
  const speeds = rows.filter((row) => row.test === 'sustained');
  if (speeds.length > 0) {
    const base = speeds.find((row) => row.candidate === BASELINE);
    const lines = speeds.map((row) => [row.candidate, row.linesPerSecond.toLocaleString('en-US'), formatRatio(row.linesPerSecond / base?.linesPerSecond)]);
    out.push(formatTable(['sustained', 'lines per second', 'ratio'], lines));
  }
  const losses = rows.filter((row) => 'lost' in row);
  if (losses.length > 0) {
    const lines = losses.map((row) => [`${row.test}: ${row.candidate}`, ...[row.rounds ?? row.rotations, row.accepted, row.lost, row.doubled, row.torn].map(String)]);
    out.push(formatTable(['lines', 'times', 'accepted', 'lost', 'doubled', 'torn'], lines));
  }
  const silences = rows.filter((row) => 'latestMs' in row);
  if (silences.length > 0) {
    out.push(formatTable(['loop blocked', 'for ms', 'latest line after ms'], silences.map((row) => [row.candidate, String(row.blockedMs), String(row.latestMs)])));
  }
  process.stdout.write(`${out.join('\n')}\n`);
  void summary;
}

/** @param {readonly Record<string, any>[]} rows */
function charts(rows) {
  const costs = rows.filter((row) => row.test === 'cost');
  const base = Object.fromEntries(costs.filter((row) => row.candidate === BASELINE).map((row) => [row.data, row.mainCpuNs]));
  return [
    {
      title: 'A log line',
      unit: 'main-thread CPU per line, of that of pino with its async destination',
      groups: Object.keys(DATA).map((data) => ({
        label: data,
        bars: costs
          .filter((row) => row.data === data)
          .map((row) => ({ series: row.candidate, value: row.mainCpuNs / base[data], text: `${Math.round(row.mainCpuNs).toLocaleString('en-US')} ns` })),
      })),
      reference: { value: 1, label: 'pino-async' },
      limit: 4,
    },
  ].filter(({ groups }) => groups.every(({ bars }) => bars.length > 0));
}

runScript(script, main);
