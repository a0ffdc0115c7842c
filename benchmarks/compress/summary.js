'use strict';

const { formatTable } = require('../harness/report');

/**
 * @typedef {import('./speed').SpeedRow} SpeedRow
 * @typedef {import('./growth').GrowthRow} GrowthRow
 * @typedef {import('./recall').RecallRow} RecallRow
 *
 * @typedef {object} Rows
 * @property {SpeedRow[]} speed
 * @property {GrowthRow[]} growth
 * @property {RecallRow[]} recall
 * @property {any[]} logs
 */

/** Figures that are to be reached: input, candidate, field, the least (or, below, the most), its name. */
const WANTED = [
  ...['chat-250k', 'coding-agent', 'tool-logs', 'tool-json-2m'].flatMap((input) => [
    { input, candidate: 'offloop', field: 'timesHeadroom', least: 50, figure: `headroom's time ÷ ours, ${input}` },
    { input, candidate: 'offloop-exact', field: 'timesHeadroom', least: 8, figure: `the same with exactTokens, ${input}` },
  ]),
  { input: 'tool-json-2m', candidate: 'offloop', field: 'megabytesPerSecond', least: 60, figure: 'MB/s, tool-json-2m' },
  { input: 'tool-logs', candidate: 'offloop', field: 'megabytesPerSecond', least: 30, figure: 'MB/s, tool-logs' },
  { input: 'chat-1m', candidate: 'offloop', field: 'mainCpuShare', most: 0.3, figure: "main-thread CPU ÷ JSON.stringify's, chat-1m" },
  { input: 'tool-json-2m', candidate: 'offloop-lossless', field: 'savedPercent', least: 50, figure: '% of tokens saved, lossless, flights' },
  { input: 'tool-logs', candidate: 'offloop-lossless', field: 'savedPercent', least: 25, figure: '% of tokens saved, lossless, logs' },
  ...Object.entries({ 'chat-250k': 25, 'coding-agent': 15, 'tool-logs': 80, 'tool-json-2m': 95 }).map(([input, least]) => ({
    input, candidate: 'offloop', field: 'savedPercent', least, figure: `% of tokens saved, ${input}`,
  })),
];

/**
 * @param {Rows} rows
 * @returns {{ figure: string, wanted: string, measured: string | number, met: string }[]}
 */
function summarise({ speed, growth, recall, logs }) {
  const lines = [];
  const judge = (/** @type {string} */ figure, /** @type {string} */ wanted, /** @type {string | number} */ measured, /** @type {boolean} */ met) =>
    lines.push({ figure, wanted, measured, met: met ? 'yes' : 'no' });
  for (const { input, candidate, field, least, most, figure } of /** @type {any[]} */ (WANTED)) {
    const value = /** @type {any} */ (speed.find((row) => row.input === input && row.candidate === candidate))?.[field];
    if (value === undefined) continue;
    judge(figure, least === undefined ? `≤ ${most}` : `≥ ${least}`, value, least === undefined ? value <= most : value >= least);
  }
  if (growth.length > 0) {
    const last = growth[growth.length - 1];
    judge(`cost of turn ${last.turn} with the cache ÷ without`, '≤ 0.1', last.share, last.share <= 0.1);
    const changed = growth.reduce((sum, row) => sum + row.changedBytes, 0);
    judge('bytes that change when a turn is added', '0', changed, changed === 0);
  }
  for (const line of recallLines(recall)) judge(line.figure, line.wanted, line.measured, line.met);
  const errors = [...logs, ...recall].filter((row) => row.candidate === 'offloop' && row.errorTemplates > 0);
  if (errors.length > 0) {
    const [visible, all] = [sum(errors, 'errorTemplatesVisible'), sum(errors, 'errorTemplates')];
    judge('templates of error lines that are visible', '100 %', `${visible} of ${all}`, visible === all);
  }
  return lines;
}

/** @param {any[]} rows @param {string} field */
const sum = (rows, field) => rows.reduce((total, row) => total + row[field], 0);

/** @param {RecallRow[]} recall */
function recallLines(recall) {
  const of = (/** @type {string} */ candidate) => recall.filter((row) => row.candidate === candidate);
  const [ours, theirs] = [of('offloop'), of('headroom')];
  if (ours.length === 0) return [];
  const percent = (/** @type {RecallRow[]} */ rows) => (100 * sum(rows, 'found')) / sum(rows, 'planted');
  const lines = [{ figure: '% of planted evidence found, all generators', wanted: '≥ 99', measured: Number(percent(ours).toFixed(2)), met: percent(ours) >= 99 }];
  if (theirs.length === 0) return lines;
  lines.push({ figure: "the same, headroom's", wanted: '', measured: Number(percent(theirs).toFixed(2)), met: true });
  const worse = ours.filter((row) => (theirs.find((other) => other.generator === row.generator)?.recallPercent ?? 0) > row.recallPercent);
  lines.push({ figure: 'generators with less recall than headroom', wanted: '0', measured: worse.length, met: worse.length === 0 });
  return lines;
}

/** @param {Rows} rows */
function format({ speed, growth, recall, logs }) {
  const parts = [];
  if (speed.length > 0) {
    const head = ['input', 'candidate', 'ms', 'MB/s', '× headroom', 'tokens', 'after', 'saved %', 'cl100k %', 'main CPU us', '÷ stringify'];
    const fields = ['input', 'candidate', 'ms', 'megabytesPerSecond', 'timesHeadroom', 'tokensBefore', 'tokensAfter', 'savedPercent', 'savedPercentCl100k', 'mainCpuUs', 'mainCpuShare'];
    parts.push(table(head, fields, speed));
  }
  if (growth.length > 0) {
    const head = ['turn', 'KB', 'cached ms', 'uncached ms', 'share', 'changed bytes', 'saved %'];
    parts.push(table(head, ['turn', 'kilobytes', 'cachedMs', 'uncachedMs', 'share', 'changedBytes', 'savedPercent'], growth.map((row) => ({ ...row, kilobytes: Math.round(row.bytes / 1e3) }))));
  }
  if (recall.length > 0) {
    parts.push(table(['generator', 'candidate', 'recall %', 'saved %', 'found', 'error templates'], ['generator', 'candidate', 'recallPercent', 'savedPercent', 'byKind', 'errors'], recall.map(withErrors)));
  }
  if (logs.length > 0) parts.push(table(['log', 'candidate', 'saved %', 'error templates'], ['log', 'candidate', 'savedPercent', 'errors'], logs.map(withErrors)));
  return parts.join('\n');
}

/** @param {any} row */
function withErrors(row) {
  return { ...row, errors: row.errorTemplates > 0 ? `${row.errorTemplatesVisible}/${row.errorTemplates}` : '' };
}

/** @param {string[]} head @param {string[]} fields @param {any[]} rows */
function table(head, fields, rows) {
  return formatTable(head, rows.map((row) => fields.map((field) => String(row[field] ?? ''))));
}

/** @param {Rows} rows */
function charts({ speed, recall }) {
  const inputs = [...new Set(speed.map((row) => row.input))];
  const drawn = speed.filter((row) => row.candidate !== 'offloop-exact');
  const group = (/** @type {string[]} */ labels, /** @type {(label: string) => any[]} */ bars) => labels.map((label) => ({ label, bars: bars(label) }));
  const all = [];
  if (drawn.length > 0) {
    all.push(
      {
        title: 'Tokens left of a conversation',
        unit: '% of its o200k tokens after compressing with default options; shorter is better',
        reference: { value: 100, label: 'as it was' },
        groups: group(inputs, (input) =>
          drawn.filter((row) => row.input === input).map((row) => ({ series: row.candidate, value: 100 - row.savedPercent, text: `${(100 - row.savedPercent).toFixed(1)} %` })),
        ),
      },
      {
        title: 'Time to compress a conversation',
        unit: 'share of headroom’s time, one thread, nothing remembered; shorter is better',
        reference: { value: 100, label: 'headroom' },
        groups: group(inputs, (input) => timeBars(speed.filter((row) => row.input === input))),
      },
    );
  }
  const generators = [...new Set(recall.map((row) => row.generator))];
  if (generators.length > 0) {
    all.push({
      title: 'Planted evidence that is still found',
      unit: '% of errors, outliers, rare templates and query matches; at the end also the tokens saved',
      groups: group(generators, (generator) =>
        recall.filter((row) => row.generator === generator).map((row) => ({ series: row.candidate, value: row.recallPercent, text: `${row.recallPercent} % · saved ${row.savedPercent} %` })),
      ),
    });
  }
  return all;
}

/** @param {SpeedRow[]} rows of an input */
function timeBars(rows) {
  const base = rows.find((row) => row.candidate === 'headroom') ?? rows[0];
  return rows.map((row) => ({
    series: row.candidate,
    value: (100 * row.ms) / base.ms,
    text: `${row.ms} ms${row.timesHeadroom === undefined ? '' : ` · ${row.timesHeadroom}x`}`,
  }));
}

module.exports = { charts, format, summarise };
