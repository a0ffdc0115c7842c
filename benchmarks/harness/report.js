'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { drawChart } = require('./chart');
const { root, describeMachine, describeVersions, describeCommit } = require('./machine');
const { writeIndex } = require('./results-index');

/**
 * @typedef {object} Result what a bench hands over to be reported
 * @property {string} name
 * @property {string} title
 * @property {string} method                     one line: what was measured and how
 * @property {readonly string[]} packages        competitors whose versions are stated
 * @property {Record<string, unknown>[]} rows    units in the field names
 * @property {Record<string, unknown>[]} summary
 * @property {{ candidate: string, reason: string }[]} skipped
 * @property {Omit<import('./chart').Chart, 'notes'>[]} charts
 */

/**
 * Writes the document: to the file asked for, else, after a full run, to benchmarks/results with its chart and index.
 *
 * @param {Result} result
 * @param {Pick<import('./args').Arguments, 'quick' | 'only' | 'json'>} args
 * @returns {{ isRecorded: boolean, machine: string }} whether it is the new record; a line on what it was measured on
 */
function report(result, args) {
  const { name, title, method, rows, summary, skipped } = result;
  const machine = describeMachine();
  const versions = describeVersions(result.packages);
  const commit = describeCommit();
  const date = new Date().toISOString().slice(0, 10);
  const document = { name, title, method, quick: args.quick, date, machine, versions, commit, rows, summary, skipped };
  const json = `${JSON.stringify(document, null, 1)}\n`;

  const isRecorded = args.json === undefined && !args.quick && args.only.length === 0;

  if (args.json === '-') {
    process.stdout.write(json);
  } else if (args.json !== undefined) {
    writeFile(path.resolve(args.json), json);
  } else if (!isRecorded) {
    progress('A partial run: nothing written (--json FILE writes it).');
  } else {
    const folder = path.join(root, 'benchmarks', 'results');
    writeFile(path.join(folder, `${name}.json`), json);
    const notes = [method, machineLine(document)];
    for (const [index, chart] of result.charts.entries()) {
      writeFile(path.join(folder, `${name}${index === 0 ? '' : `-${index + 1}`}.svg`), drawChart({ ...chart, notes }));
    }
    writeIndex(folder);
    progress('benchmarks/results/README.md');
  }
  return { isRecorded, machine: machineLine(document) };
}

/** @param {{ machine: ReturnType<typeof describeMachine>, versions: Record<string, string>, commit: string, date: string }} document */
function machineLine({ machine, versions, commit, date }) {
  const { cpu, cpuCount, memoryGb, platform, arch } = machine;
  return `${cpu}, ${cpuCount} cores, ${memoryGb} GB, ${platform}-${arch} · Node ${versions.node} · offloop ${versions.offloop} at ${commit} · ${date}`;
}

/**
 * @param {string} file
 * @param {string} content
 */
function writeFile(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  progress(path.relative(process.cwd(), file));
}

/** @param {string} line */
function progress(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * A plain text table: the first column to the left, the others to the right.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} lines an empty line is a gap
 * @returns {string}
 */
function formatTable(head, lines) {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? '').length)),
  );
  const format = (/** @type {readonly string[]} */ line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return `${[format(head), rule, ...lines.map(format)].join('\n')}\n`;
}

/** @param {number} us */
function formatUs(us) {
  if (us >= 100) return Math.round(us).toLocaleString('en-US');
  return us >= 10 ? us.toFixed(1) : us.toFixed(2);
}

/** @param {number | undefined} ratio */
function formatRatio(ratio) {
  if (ratio === undefined) return '';
  return `${ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)}x`;
}

module.exports = { report, progress, formatTable, formatUs, formatRatio, writeFile };
