'use strict';

const { isDeepStrictEqual } = require('node:util');
const { UsageError, parseArguments, select, usage } = require('./args');
const { FULL, QUICK, measure } = require('./measure');
const { formatRatio, formatTable, formatUs, progress, report } = require('./report');
const { geometricMean, significant } = require('./statistics');

/**
 * @typedef {import('../corpus').TestDocument} TestDocument
 *
 * @typedef {object} Contender one way to do the work
 * @property {string} name
 * @property {string} [baseline]                     what it is compared with; default: the bench's own
 * @property {() => void | Promise<void>} [open]     may throw Unavailable
 * @property {(input: any) => () => unknown} prepare gives the call to measure
 * @property {() => unknown} [close]
 *
 * @typedef {object} FileBench a bench that does one thing to each test document
 * @property {string} name
 * @property {string} title
 * @property {string} about
 * @property {string} method
 * @property {string} baseline
 * @property {readonly string[]} packages
 * @property {readonly [string, string][]} pairs     candidates whose ratios are summed up
 * @property {number} summaryMinBytes                smaller files are left out of the summary
 * @property {() => TestDocument[]} documents
 * @property {(document: TestDocument) => unknown} input
 * @property {readonly Contender[]} contenders
 */

/** Thrown by a contender that cannot run here: it is left out and the reason reported. */
class Unavailable extends Error {}

/**
 * Runs a script's main function with its arguments; a usage error is one line and exit code 2.
 *
 * @param {{ name: string, about: string }} script
 * @param {(args: import('./args').Arguments) => Promise<void>} main
 */
function runScript({ name, about }, main) {
  const start = async () => {
    const args = parseArguments(process.argv.slice(2));
    if (args.help) process.stdout.write(usage(name, about));
    else await main(args);
  };
  start().catch((error) => {
    process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  });
}

/** @param {FileBench} bench */
function runFileBench(bench) {
  runScript(bench, async (args) => {
    const documents = bench.documents();
    const names = bench.contenders.map((contender) => contender.name);
    const chosen = select(args.only, documents.map((document) => document.file), names, bench.baseline);
    const { contenders, skipped } = await openContenders(bench.contenders, chosen.candidates);
    try {
      const rows = [];
      for (const document of documents.filter(({ file }) => chosen.files.includes(file))) {
        progress(`${bench.name}: ${document.file}`);
        rows.push(...(await measureDocument(bench, document, contenders, args.quick ? QUICK : FULL)));
      }
      const summary = summarise(bench, rows);
      if (args.json !== '-') print(rows, summary, skipped);
      report({ ...bench, rows, summary, skipped, charts: [chart(bench, rows)] }, args);
    } finally {
      for (const contender of contenders) await contender.close?.();
    }
  });
}

/**
 * Opens those asked for; one that cannot run here is left out, with its reason.
 *
 * @template {{ name: string, open?: () => void | Promise<void> }} T
 * @param {readonly T[]} all
 * @param {readonly string[]} names
 */
async function openContenders(all, names) {
  /** @type {T[]} */
  const contenders = [];
  const skipped = [];
  for (const contender of all) {
    if (!names.includes(contender.name)) continue;
    try {
      await contender.open?.();
      contenders.push(contender);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      progress(`${contender.name} is left out: ${error.message}`);
      skipped.push({ candidate: contender.name, reason: error.message });
    }
  }
  return { contenders, skipped };
}

/**
 * @param {FileBench} bench
 * @param {TestDocument} document
 * @param {readonly Contender[]} contenders
 * @param {import('./measure').Plan} plan
 */
async function measureDocument(bench, document, contenders, plan) {
  const input = bench.input(document);
  const candidates = contenders.map(({ name, prepare }) => ({ name, run: prepare(input) }));
  await compareAnswers(document.file, candidates);
  const measurements = await measure(candidates, plan);
  return measurements.map((measurement, index) => {
    const baselineName = contenders[index].baseline ?? bench.baseline;
    const baseline = measurements.find(({ name }) => name === baselineName) ?? measurement;
    return {
      file: document.file,
      bytes: document.bytes,
      candidate: measurement.name,
      mainCpuUs: significant(measurement.mainCpuUs),
      totalCpuUs: significant(measurement.totalCpuUs),
      latencyUs: significant(measurement.latencyUs),
      baseline: baselineName,
      mainCpuRatio: significant(baseline.mainCpuUs / measurement.mainCpuUs),
      totalCpuRatio: significant(baseline.totalCpuUs / measurement.totalCpuUs),
      latencyRatio: significant(baseline.latencyUs / measurement.latencyUs),
      mainCpuUsP25: significant(measurement.mainCpuUsP25),
      mainCpuUsP75: significant(measurement.mainCpuUsP75),
      batches: measurement.batches,
      callsPerBatch: measurement.callsPerBatch,
    };
  });
}

/**
 * A fast wrong answer is not a result: every candidate gives the first one's answer, as a value, a string or its bytes.
 *
 * @param {string} file
 * @param {readonly import('./measure').Candidate[]} candidates
 */
async function compareAnswers(file, candidates) {
  let expected;
  for (const [index, { name, run }] of candidates.entries()) {
    const value = await run();
    const answer = Buffer.isBuffer(value) ? value.toString() : value;
    if (index === 0) expected = answer;
    else if (!isDeepStrictEqual(answer, expected)) throw new Error(`${file}: ${name} gives another answer than ${candidates[0].name}`);
  }
}

/**
 * @typedef {Awaited<ReturnType<typeof measureDocument>>[number]} FileRow
 *
 * @param {FileBench} bench
 * @param {readonly FileRow[]} rows
 */
function summarise(bench, rows) {
  const figures = /** @type {const} */ (['mainCpuUs', 'totalCpuUs', 'latencyUs']);
  const summary = [];
  for (const [dividend, divisor] of bench.pairs) {
    const find = (/** @type {string} */ file, /** @type {string} */ candidate) => rows.find((row) => row.file === file && row.candidate === candidate);
    const files = [...new Set(rows.filter((row) => row.bytes >= bench.summaryMinBytes).map((row) => row.file))];
    const both = files.map((file) => [find(file, dividend), find(file, divisor)]).filter(([a, b]) => a !== undefined && b !== undefined);
    if (both.length === 0) continue;
    /** @type {Record<string, unknown>} */
    const line = { ratioOf: dividend, to: divisor, files: both.length };
    for (const figure of figures) {
      const ratios = both.map(([a, b]) => /** @type {FileRow} */ (a)[figure] / /** @type {FileRow} */ (b)[figure]);
      const worst = ratios.indexOf(Math.min(...ratios));
      const what = figure.slice(0, -2);
      line[`${what}RatioGeomean`] = significant(geometricMean(ratios));
      line[`${what}RatioWorst`] = significant(ratios[worst]);
      line[`${what}RatioWorstFile`] = both[worst][0]?.file;
    }
    summary.push(line);
  }
  return summary;
}

/**
 * @param {readonly FileRow[]} rows
 * @param {readonly Record<string, any>[]} summary
 * @param {readonly { candidate: string, reason: string }[]} skipped
 */
function print(rows, summary, skipped) {
  /** @type {string[][]} */
  const lines = [];
  let file = '';
  for (const row of rows) {
    if (row.file !== file) {
      if (file !== '') lines.push([]);
      lines.push([`${row.file} (${Math.round(row.bytes / 1e3)} KB)`]);
      file = row.file;
    }
    const compared = row.candidate !== row.baseline;
    const ratio = (/** @type {number} */ value) => (compared ? formatRatio(value) : '');
    lines.push([
      `  ${row.candidate}`,
      formatUs(row.mainCpuUs), ratio(row.mainCpuRatio),
      formatUs(row.totalCpuUs), ratio(row.totalCpuRatio),
      formatUs(row.latencyUs), ratio(row.latencyRatio),
    ]);
  }
  process.stdout.write(formatTable(['', 'main CPU us', 'ratio', 'total CPU us', 'ratio', 'latency us', 'ratio'], lines));
  if (summary.length > 0) {
    const pairs = summary.map((line) => [
      `${line.ratioOf} / ${line.to}`, String(line.files),
      formatRatio(line.mainCpuRatioGeomean), `${formatRatio(line.mainCpuRatioWorst)} ${line.mainCpuRatioWorstFile}`,
      formatRatio(line.totalCpuRatioGeomean), `${formatRatio(line.totalCpuRatioWorst)} ${line.totalCpuRatioWorstFile}`,
      formatRatio(line.latencyRatioGeomean),
    ]);
    process.stdout.write(`\n${formatTable(['ratio', 'files', 'main CPU geomean', 'worst', 'total CPU geomean', 'worst', 'latency geomean'], pairs)}`);
  }
  for (const { candidate, reason } of skipped) process.stdout.write(`\nleft out: ${candidate} (${reason})\n`);
}

/**
 * @param {FileBench} bench
 * @param {readonly FileRow[]} rows
 */
function chart(bench, rows) {
  const files = [...new Set(rows.map((row) => row.file))];
  const first = (/** @type {string} */ file) => rows.find((row) => row.file === file && row.candidate === bench.baseline);
  return {
    title: bench.title,
    unit: `main-thread CPU per call, percent of ${bench.baseline}; the time and how many times less than ${bench.baseline} at the end`,
    reference: { value: 100, label: bench.baseline },
    limit: 250,
    groups: files.map((file) => ({
      label: file,
      bars: rows.filter((row) => row.file === file).map((row) => {
        const ratio = (first(file) ?? row).mainCpuUs / row.mainCpuUs;
        const compared = row.candidate === bench.baseline ? '' : ` · ${formatRatio(ratio)}`;
        return { series: row.candidate, value: 100 / ratio, text: `${formatUs(row.mainCpuUs)} µs${compared}` };
      }),
    })),
  };
}

module.exports = { Unavailable, openContenders, runFileBench, runScript };
