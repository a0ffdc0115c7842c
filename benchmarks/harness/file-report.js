'use strict';

const { printFigures } = require('./figures');
const { formatRatio, formatTable, formatUs } = require('./report');
const { geometricMean, significant } = require('./statistics');

/**
 * @typedef {import('./file-bench').FileBench} FileBench
 * @typedef {import('./file-bench').FileRow} FileRow
 * @typedef {import('./figures').Figure} Figure
 */

/**
 * @param {FileBench} bench
 * @param {readonly FileRow[]} rows
 */
function summarise(bench, rows) {
  const figures = /** @type {const} */ (['mainCpuUs', 'totalCpuUs', 'latencyUs']);
  const summary = [];
  for (const [dividend, divisor] of bench.pairs) {
    const find = (/** @type {string} */ file, /** @type {string} */ candidate) =>
      rows.find((row) => row.file === file && row.candidate === candidate);
    const files = [...new Set(rows.filter((row) => row.bytes >= bench.summaryMinBytes).map((row) => row.file))];
    const both = files
      .map((file) => [find(file, dividend), find(file, divisor)])
      .filter(([a, b]) => a !== undefined && b !== undefined);
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
 * @param {readonly Figure[]} figures
 * @param {readonly { candidate: string, reason: string }[]} skipped
 */
function print(rows, summary, figures, skipped) {
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
      formatUs(row.mainCpuUs),
      ratio(row.mainCpuRatio),
      formatUs(row.totalCpuUs),
      ratio(row.totalCpuRatio),
      formatUs(row.latencyUs),
      ratio(row.latencyRatio),
    ]);
  }
  process.stdout.write(
    formatTable(['', 'main CPU us', 'ratio', 'total CPU us', 'ratio', 'latency us', 'ratio'], lines),
  );
  if (summary.length > 0) {
    const pairs = summary.map((line) => [
      `${line.ratioOf} / ${line.to}`,
      String(line.files),
      formatRatio(line.mainCpuRatioGeomean),
      `${formatRatio(line.mainCpuRatioWorst)} ${line.mainCpuRatioWorstFile}`,
      formatRatio(line.totalCpuRatioGeomean),
      `${formatRatio(line.totalCpuRatioWorst)} ${line.totalCpuRatioWorstFile}`,
      formatRatio(line.latencyRatioGeomean),
    ]);
    process.stdout.write(
      `\n${formatTable(['ratio', 'files', 'main CPU geomean', 'worst', 'total CPU geomean', 'worst', 'latency geomean'], pairs)}`,
    );
  }
  printFigures(figures);
  for (const { candidate, reason } of skipped) process.stdout.write(`\nleft out: ${candidate} (${reason})\n`);
}

/**
 * @param {FileBench} bench
 * @param {readonly FileRow[]} rows
 */
function chart(bench, rows) {
  const files = [...new Set(rows.map((row) => row.file))];
  const first = (/** @type {string} */ file) =>
    rows.find((row) => row.file === file && row.candidate === bench.baseline);
  return {
    title: bench.title,
    unit: `main-thread CPU per call, as a share of ${bench.baseline}'s; at the end the time, and ${bench.baseline}'s time divided by it`,
    reference: { value: 100, label: bench.baseline },
    limit: 250,
    groups: files.map((file) => ({
      label: file,
      bars: rows
        .filter((row) => row.file === file)
        .map((row) => {
          const ratio = (first(file) ?? row).mainCpuUs / row.mainCpuUs;
          const compared = row.candidate === bench.baseline ? '' : ` · ${formatRatio(ratio)}`;
          return { series: row.candidate, value: 100 / ratio, text: `${formatUs(row.mainCpuUs)} µs${compared}` };
        }),
    })),
  };
}

module.exports = { summarise, print, chart };
