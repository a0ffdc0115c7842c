'use strict';

const { fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { CANDIDATES } = require('./block/run');
const { testDocuments } = require('./corpus');
const { runScript } = require('./harness');
const { select } = require('./harness/args');
const { atLeast, printFigures } = require('./harness/figures');
const { formatRatio, formatTable, progress, report } = require('./harness/report');
const { median, significant } = require('./harness/statistics');

/**
 * @typedef {import('./block/run').Round} Round
 *
 * @typedef {object} Plan
 * @property {number} passes processes per candidate and text
 * @property {number} rounds in each process, of which the first warms up
 * @property {number} patienceMs after which a process is given up on
 *
 * @typedef {Round & { file: string, bytes: number, candidate: string, rounds: number, baseline: string, longestBlockRatio: number, longestBlockCpuRatio: number }} Row
 */

const BYTES = 20e6;
const BASELINE = 'JSON.parse';
/** @type {Plan} */
const FULL = { passes: 5, rounds: 4, patienceMs: 30_000 };
/** @type {Plan} */
const QUICK = { passes: 1, rounds: 3, patienceMs: 3_000 };

const script = {
  name: 'block',
  about:
    'The longest time that parsing a text of 20 MB keeps the event loop from turning: JSON.parse, yieldable-json, and\n' +
    'pool.parse, which builds the value in slices.',
};

/**
 * Texts of 20 MB: lists of the test documents, again and again; those of conversations and those of data apart.
 *
 * @returns {{ file: string, make: () => Buffer }[]}
 */
function texts() {
  const documents = testDocuments();
  const groups = [...new Set(documents.map(({ file }) => file.slice(0, file.indexOf('/'))))];
  return groups.map((group) => ({
    file: `${group}-20m`,
    make: () => {
      const parts = documents.filter(({ file }) => file.startsWith(`${group}/`)).map(({ read }) => read().toString());
      let text = '';
      for (let index = 0; text.length < BYTES; index += 1) text += `${index > 0 ? ',' : '['}${parts[index % parts.length]}`;
      return Buffer.from(`${text}]`);
    },
  }));
}

/**
 * @param {string} candidate
 * @param {string} file
 * @param {Plan} plan
 * @returns {Promise<Round[]>} without the warm-up, unless nothing else came
 */
async function runCandidate(candidate, file, { rounds, patienceMs }) {
  const child = fork(path.join(__dirname, 'block', 'run.js'), [candidate, file, String(rounds)]);
  /** @type {Round[]} */
  const done = [];
  /** @type {Round | undefined} */
  let latest;
  child.on('message', (message) => {
    latest = /** @type {Round} */ (message);
    if (latest.finished) done.push(latest);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await new Promise((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  if (done.length > 0) return done.slice(Math.min(1, done.length - 1));
  if (latest === undefined) throw new Error(`${candidate} ended without a word`);
  return [latest];
}

/**
 * @param {string} file
 * @param {number} bytes
 * @param {string} candidate
 * @param {Round[]} rounds
 * @param {Round[]} baseline
 * @returns {Row}
 */
function toRow(file, bytes, candidate, rounds, baseline) {
  const of = (/** @type {Round[]} */ all, /** @type {'longestBlockMs' | 'longestBlockCpuMs' | 'totalMs' | 'mainCpuMs'} */ figure) =>
    median(all.map((round) => round[figure]));
  return {
    file,
    bytes,
    candidate,
    longestBlockMs: significant(of(rounds, 'longestBlockMs')),
    longestBlockCpuMs: significant(of(rounds, 'longestBlockCpuMs')),
    totalMs: significant(of(rounds, 'totalMs')),
    mainCpuMs: significant(of(rounds, 'mainCpuMs')),
    finished: rounds.every(({ finished }) => finished),
    rounds: rounds.length,
    baseline: BASELINE,
    longestBlockRatio: significant(of(baseline, 'longestBlockMs') / of(rounds, 'longestBlockMs')),
    longestBlockCpuRatio: significant(of(baseline, 'longestBlockCpuMs') / of(rounds, 'longestBlockCpuMs')),
  };
}

/**
 * @param {{ file: string, make: () => Buffer }} text
 * @param {readonly string[]} candidates
 * @param {Plan} plan
 * @returns {Promise<Row[]>}
 */
async function measureText({ file, make }, candidates, plan) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-bench-'));
  const copy = path.join(folder, 'text.json');
  const bytes = make();
  fs.writeFileSync(copy, bytes);
  /** @type {Map<string, Round[]>} */
  const samples = new Map(candidates.map((candidate) => [candidate, []]));
  try {
    for (let pass = 0; pass < plan.passes; pass += 1) {
      for (const candidate of candidates) {
        // What has not finished once will not the next time.
        if (samples.get(candidate)?.some(({ finished }) => !finished)) continue;
        progress(`block: ${file}, ${candidate}`);
        samples.get(candidate)?.push(...(await runCandidate(candidate, copy, plan)));
      }
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  const baseline = samples.get(BASELINE) ?? [];
  return candidates.map((candidate) => toRow(file, bytes.length, candidate, samples.get(candidate) ?? [], baseline));
}

/** @param {readonly Row[]} rows */
function print(rows) {
  const head = ['longest block of the event loop', 'ms', 'JSON.parse to it', 'CPU ms', 'JSON.parse to it', 'all of it, ms', 'main CPU ms'];
  const lines = rows.map((row) => [
    `${row.file} (${(row.bytes / 1e6).toFixed(1)} MB), ${row.candidate}`,
    row.longestBlockMs.toFixed(1),
    row.candidate === BASELINE ? '' : formatRatio(row.longestBlockRatio),
    row.longestBlockCpuMs.toFixed(1),
    row.candidate === BASELINE ? '' : formatRatio(row.longestBlockCpuRatio),
    row.finished ? row.totalMs.toFixed(0) : 'given up',
    row.mainCpuMs.toFixed(0),
  ]);
  process.stdout.write(formatTable(head, lines));
}

/** @param {readonly Row[]} rows */
function chart(rows) {
  const files = [...new Set(rows.map(({ file }) => file))];
  return {
    title: 'Longest block of the event loop while 20 MB are parsed',
    unit: 'milliseconds between two turns of the event loop; less is better',
    groups: files.map((file) => ({
      label: file,
      bars: rows
        .filter((row) => row.file === file)
        .map(({ candidate, longestBlockMs, finished }) => ({
          series: candidate,
          value: longestBlockMs,
          text: `${longestBlockMs.toFixed(1)} ms${finished ? '' : ', given up'}`,
        })),
    })),
  };
}

runScript(script, async (args) => {
  const all = texts();
  const chosen = select(args.only, all.map(({ file }) => file), Object.keys(CANDIDATES), BASELINE);
  /** @type {Row[]} */
  const rows = [];
  for (const text of all.filter(({ file }) => chosen.files.includes(file))) {
    rows.push(...(await measureText(text, chosen.candidates, args.quick ? QUICK : FULL)));
  }
  const figures = rows
    .filter(({ candidate }) => candidate === 'offloop')
    .map(({ file, longestBlockRatio }) => ({ figure: `longest block, ${BASELINE} ÷ ours, ${file}`, ...atLeast(longestBlockRatio, 15) }));
  const ratios = rows
    .filter(({ candidate }) => candidate !== BASELINE)
    .map(({ file, candidate, longestBlockMs, longestBlockRatio, longestBlockCpuRatio, finished }) => ({
      ratioOf: BASELINE, to: candidate, file, longestBlockMs, longestBlockRatio, longestBlockCpuRatio, finished,
    }));
  if (args.json !== '-') {
    print(rows);
    printFigures(figures);
  }
  report(
    {
      name: 'block',
      title: 'Blocks of the event loop',
      method: `A Buffer of 20 MB to its value, a process per candidate, medians over the rounds after the first; given up on after ${FULL.patienceMs / 1e3} s.`,
      packages: ['yieldable-json'],
      rows: rows.map((row) => ({ ...row })),
      summary: [...figures, ...ratios],
      skipped: [],
      charts: [chart(rows)],
    },
    args,
  );
});
