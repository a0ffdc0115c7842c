'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { testDocuments, textsOf } = require('./corpus');
const { runScript } = require('./harness');
const { select } = require('./harness/args');
const { atLeast, atMost, printFigures } = require('./harness/figures');
const { formatTable, progress, report } = require('./harness/report');
const { median, significant } = require('./harness/statistics');
const { CANDIDATES } = require('./tokens-cold/first-count');

/** @typedef {import('./tokens-cold/first-count').FirstCount & { fromStartMs: number }} Sample */

const ENCODINGS = ['o200k_base', 'cl100k_base'];
const BASELINE = 'js-tiktoken';
const CHARACTERS = 20_000;

const script = {
  name: 'tokens-cold',
  about:
    'The time from the start of a process, and from require(), to the first count of tokens: offloop beside js-tiktoken, tiktoken\n' +
    '(wasm) and gpt-tokenizer. Inputs are the encodings.',
};

const METHOD =
  `A text of ${CHARACTERS.toLocaleString('en-US')} characters, each count in a process of its own, candidates in turns; medians; files in the page cache.`;

runScript(script, async (args) => {
  const chosen = select(args.only, ENCODINGS, Object.keys(CANDIDATES), BASELINE);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-bench-'));
  const file = path.join(folder, 'text.txt');
  fs.writeFileSync(file, textsOf(JSON.parse(testDocuments()[0].read().toString())).join('\n').slice(0, CHARACTERS));
  try {
    const rows = chosen.files.flatMap((encoding) => measureEncoding(encoding, chosen.candidates, file, args.quick ? 3 : 15));
    const figures = rows.filter(({ candidate }) => candidate === 'offloop').flatMap(figuresOf);
    if (args.json !== '-') print(rows, figures);
    const packages = ['js-tiktoken', 'tiktoken', 'gpt-tokenizer'];
    report({ ...script, title: 'The first count of a process', method: METHOD, packages, rows, summary: figures, skipped: [], charts: [chart(rows)] }, args);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * @param {string} candidate
 * @param {string} encoding
 * @param {string} file
 * @returns {Sample}
 */
function firstCount(candidate, encoding, file) {
  const startedAt = process.hrtime.bigint();
  const written = execFileSync(process.execPath, [path.join(__dirname, 'tokens-cold', 'first-count.js'), candidate, encoding, file], { encoding: 'utf8' });
  const found = JSON.parse(written);
  return { ...found, fromStartMs: Number(BigInt(found.countedAtNs) - startedAt) / 1e6 };
}

/**
 * @param {string} encoding
 * @param {readonly string[]} candidates
 * @param {string} file
 * @param {number} rounds
 */
function measureEncoding(encoding, candidates, file, rounds) {
  progress(`tokens-cold: ${encoding}`);
  const samples = candidates.map(() => /** @type {Sample[]} */ ([]));
  for (let round = 0; round < rounds; round += 1) {
    for (let step = 0; step < candidates.length; step += 1) {
      const index = (round + step) % candidates.length;
      samples[index].push(firstCount(candidates[index], encoding, file));
    }
  }
  const counts = samples.map(([{ count }]) => count);
  if (new Set(counts).size > 1) throw new Error(`${encoding}: ${candidates.join(', ')} count ${counts.join(', ')}`);
  const of = (/** @type {Sample[]} */ all, /** @type {'fromStartMs' | 'fromRequireMs' | 'totalCpuMs'} */ figure) => median(all.map((sample) => sample[figure]));
  const baseline = samples[candidates.indexOf(BASELINE)];
  return candidates.map((candidate, index) => ({
    encoding,
    candidate,
    fromStartMs: significant(of(samples[index], 'fromStartMs'), 3),
    fromRequireMs: significant(of(samples[index], 'fromRequireMs'), 3),
    totalCpuMs: significant(of(samples[index], 'totalCpuMs'), 3),
    baseline: BASELINE,
    fromStartRatio: significant(of(baseline, 'fromStartMs') / of(samples[index], 'fromStartMs'), 3),
    rounds,
  }));
}

/** @typedef {ReturnType<typeof measureEncoding>[number]} Row */

/** @param {Row} row of offloop */
function figuresOf({ encoding, fromStartMs, fromRequireMs, fromStartRatio }) {
  return [
    { figure: `first count, ms from the start of the process, ${encoding}`, ...atMost(fromStartMs, 300) },
    { figure: `first count, ms from require(), ${encoding}`, ...atMost(fromRequireMs, 300) },
    { figure: `js-tiktoken's time from the start of the process ÷ ours, ${encoding}`, ...atLeast(fromStartRatio, 1) },
  ];
}

/** @param {readonly Row[]} rows @param {readonly import('./harness/figures').Figure[]} figures */
function print(rows, figures) {
  const head = ['first count', 'ms from start', 'js-tiktoken / this', 'ms from require()', 'CPU ms'];
  const lines = rows.map((row) => [`${row.encoding}, ${row.candidate}`, ...[row.fromStartMs, row.fromStartRatio, row.fromRequireMs, row.totalCpuMs].map(String)]);
  process.stdout.write(formatTable(head, lines));
  printFigures(figures);
}

/** @param {readonly Row[]} rows */
function chart(rows) {
  return {
    title: 'The first count of a process',
    unit: 'milliseconds from the start of the process to the first count; less is better',
    groups: [...new Set(rows.map(({ encoding }) => encoding))].map((encoding) => ({
      label: encoding,
      bars: rows.filter((row) => row.encoding === encoding).map(({ candidate, fromStartMs }) => ({ series: candidate, value: fromStartMs, text: `${fromStartMs} ms` })),
    })),
  };
}
