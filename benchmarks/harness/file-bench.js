'use strict';

const { isDeepStrictEqual } = require('node:util');
const { select } = require('./args');
const { chart, print, summarise } = require('./file-report');
const { FULL, QUICK, measure } = require('./measure');
const { progress, report } = require('./report');
const { openContenders, runScript } = require('./script');
const { significant } = require('./statistics');

/**
 * @typedef {import('../corpus').TestDocument} TestDocument
 *
 * @typedef {object} Contender one way to do the work
 * @property {string} name
 * @property {string} [baseline]                     what it is compared with; default: the bench's own
 * @property {() => void | Promise<void>} [open]     may throw Unavailable
 * @property {(document: TestDocument) => boolean} [takes] whether it does this document in a time worth waiting for; default: any
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
 * @property {import('./measure').Plan} [plan]       of full runs, where some candidates take seconds; default: FULL
 * @property {(rows: readonly FileRow[], quick: boolean) => import('./figures').Figure[] | Promise<import('./figures').Figure[]>} [figures] what is to be reached
 *
 * @typedef {object} FileRow one candidate on one file; a ratio is the baseline's figure divided by this one's
 * @property {string} file
 * @property {number} bytes
 * @property {string} candidate
 * @property {number} mainCpuUs
 * @property {number} totalCpuUs
 * @property {number} latencyUs
 * @property {string} baseline
 * @property {number} mainCpuRatio
 * @property {number} totalCpuRatio
 * @property {number} latencyRatio
 * @property {number} mainCpuUsP25
 * @property {number} mainCpuUsP75
 * @property {number} batches
 * @property {number} callsPerBatch
 */

/** @param {FileBench} bench */
function runFileBench(bench) {
  runScript(bench, async (args) => {
    const documents = bench.documents();
    const names = bench.contenders.map((contender) => contender.name);
    const chosen = select(
      args.only,
      documents.map((document) => document.file),
      names,
      bench.baseline,
    );
    const { contenders, skipped } = await openContenders(bench.contenders, chosen.candidates);
    try {
      const rows = [];
      for (const document of documents.filter(({ file }) => chosen.files.includes(file))) {
        progress(`${bench.name}: ${document.file}`);
        const takers = contenders.filter(({ takes }) => takes?.(document) ?? true);
        rows.push(...(await measureDocument(bench, document, takers, args.quick ? QUICK : (bench.plan ?? FULL))));
      }
      const ratios = summarise(bench, rows);
      const figures = (await bench.figures?.(rows, args.quick)) ?? [];
      if (args.json !== '-') print(rows, ratios, figures, skipped);
      report({ ...bench, rows, summary: [...figures, ...ratios], skipped, charts: [chart(bench, rows)] }, args);
    } finally {
      for (const contender of contenders) await contender.close?.();
    }
  });
}

/**
 * @param {FileBench} bench
 * @param {TestDocument} document
 * @param {readonly Contender[]} contenders
 * @param {import('./measure').Plan} plan
 * @returns {Promise<FileRow[]>}
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
      baseline: baseline.name,
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
    else if (!isDeepStrictEqual(answer, expected))
      throw new Error(`${file}: ${name} gives another answer than ${candidates[0].name}`);
  }
}

module.exports = { runFileBench };
