'use strict';

// npm run figures: the table of figures in README.md and the picture over it, from the files that the benches leave in benchmarks/results.
// `--check` only compares.

const fs = require('node:fs');
const path = require('node:path');

const { drawChart } = require('../benchmarks/harness/chart');

const root = path.join(__dirname, '..');
const README = path.join(root, 'README.md');
const PICTURE = path.join(root, 'benchmarks', 'results', 'overview.svg');

/**
 * Main-thread CPU, inline ÷ offloop, by bench: the two candidates, what they do, and a short name.
 * @type {[bench: string, from: string, to: string, what: string, label: string][]}
 */
const FIGURES = [
  ['parse', 'inline', 'offloop', '`JSON.parse(buffer.toString())`, documents of 100 KB to 4 MB', 'parse'],
  ['stringify', 'inline-buffer', 'offloop-buffer', '`Buffer.from(JSON.stringify(value))`', 'stringify, buffer'],
  ['stringify', 'inline', 'offloop', '`JSON.stringify(value)`', 'stringify, string'],
  ['clone', 'structuredClone', 'offloop', '`structuredClone(value)`', 'clone'],
  ['document', 'inline', 'offloop-document', 'a body of 100 KB to 4 MB read, three fields changed, written: `JSON.parse`, `JSON.stringify`', 'change a request'],
  ['block', 'JSON.parse', 'offloop', '20 MB parsed: the most that `JSON.parse` takes of one turn of the event loop ÷ `pool.parse`', 'longest block, 20 MB'],
];

/** @param {number[]} values */
const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** @param {string} bench */
function results(bench) {
  return JSON.parse(fs.readFileSync(path.join(root, 'benchmarks', 'results', `${bench}.json`), 'utf8'));
}

/** @returns {{ bench: string, what: string, label: string, mean: number, least: number }[]} */
function figures() {
  return FIGURES.map(([bench, from, to, what, label]) => {
    const rows = results(bench).summary.filter((/** @type {any} */ row) => row.ratioOf === from && row.to === to);
    // One row for all files, or one for each.
    const means = rows.map((/** @type {any} */ row) => row.mainCpuRatioGeomean ?? row.longestBlockCpuRatio);
    const least = rows.map((/** @type {any} */ row) => row.mainCpuRatioWorst ?? row.longestBlockCpuRatio);
    return { bench, what, label, mean: geometricMean(means), least: Math.min(...least) };
  });
}

/** @param {ReturnType<typeof figures>} all */
function table(all) {
  const rows = all.map(({ bench, what, mean, least }) => `| \`npm run bench:${bench}\`: ${what} | ${mean.toFixed(1)} | ${least.toFixed(1)} |`);
  return ['| | geometric mean | least |', '|---|---|---|', ...rows].join('\n');
}

/** @param {ReturnType<typeof figures>} all */
function picture(all) {
  const { machine, versions } = results('parse');
  return drawChart({
    title: 'Main-thread CPU',
    unit: "share of the platform's own function; geometric mean over the files, and how many times less it is",
    groups: all.map(({ label, mean }) => ({
      label,
      bars: [
        { series: 'offloop', value: 100 / mean, text: `${mean.toFixed(1)}x less` },
        { series: 'inline', value: 100, text: '' },
      ],
    })),
    notes: [`Node ${versions.node}, ${machine.cpu}, ${machine.cpuCount} cores, ${machine.platform}-${machine.arch}; benchmarks/results has all figures, benchmarks/README.md the method`],
  });
}

function main() {
  const all = figures();
  const readme = fs.readFileSync(README, 'utf8');
  const wanted = new Map([
    [README, readme.replace(/(<!-- npm run figures -->\n)[^]*(?=<!-- end -->)/, `$1${table(all)}\n`)],
    [PICTURE, picture(all)],
  ]);
  const stale = [...wanted].filter(([file, text]) => !fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text);
  for (const [file, text] of stale) {
    if (process.argv.includes('--check')) {
      console.error(`figures: ${path.relative(root, file)} has others than benchmarks/results: npm run figures`);
      process.exitCode = 1;
    } else {
      fs.writeFileSync(file, text);
    }
  }
}

main();
