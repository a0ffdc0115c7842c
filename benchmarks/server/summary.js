'use strict';

// What the rows of the server bench say: ratios against inline, tables, charts.

const { formatRatio, formatTable } = require('../harness/report');
const { significant } = require('../harness/statistics');

/** @typedef {import('./measure').Row} Row */

/**
 * How many times better than inline a mode is, in every figure: more requests, less of the others.
 *
 * @param {Row} row
 * @param {Row} inline
 */
function compareRows(row, inline) {
  return {
    requestsPerSecondRatio: significant(row.requestsPerSecond / inline.requestsPerSecond),
    latencyP50Ratio: significant(inline.latencyMs.p50 / row.latencyMs.p50),
    latencyP99Ratio: significant(inline.latencyMs.p99 / row.latencyMs.p99),
    eventLoopDelayP99Ratio: significant(inline.eventLoopDelayMs.p99 / Math.max(row.eventLoopDelayMs.p99, 0.001)),
    mainCpuRatio: significant(inline.mainCpuMsPerRequest / row.mainCpuMsPerRequest),
    totalCpuRatio: significant(inline.totalCpuMsPerRequest / row.totalCpuMsPerRequest),
    ...(row.paced !== undefined && inline.paced !== undefined && comparePaced(row.paced, inline.paced)),
  };
}

/**
 * @param {import('./measure').PacedRow} paced
 * @param {import('./measure').PacedRow} inline
 */
function comparePaced(paced, inline) {
  return {
    pacedLatencyP99Ratio: significant(inline.latencyMs.p99 / paced.latencyMs.p99),
    pacedEventLoopDelayP99Ratio: significant(inline.eventLoopDelayMs.p99 / Math.max(paced.eventLoopDelayMs.p99, 0.001)),
  };
}

/** @param {Row[]} rows */
function summarise(rows) {
  return rows.flatMap((row) => {
    const inline = rows.find(({ mode, body }) => mode === 'inline' && body === row.body);
    if (inline === undefined || inline === row) return [];
    return [{ body: row.body, mode: row.mode, comparedWith: 'inline', ...compareRows(row, inline) }];
  });
}

/** @param {number} value */
const figure = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** @param {Row[]} rows */
function formatRows(rows) {
  const head = [
    'mode', 'body', 'requests/s', 'latency ms p50', 'p99', 'loop delay ms p99', 'max',
    'main CPU ms/request', 'total CPU ms/request', 'RSS MB', 'paced delay p99', 'paced latency p99', 'errors',
  ];
  const lines = rows.map((row) => [
    row.mode, row.body, figure(row.requestsPerSecond), figure(row.latencyMs.p50), figure(row.latencyMs.p99),
    figure(row.eventLoopDelayMs.p99), figure(row.eventLoopDelayMs.max),
    figure(row.mainCpuMsPerRequest), figure(row.totalCpuMsPerRequest), figure(row.rssMb),
    row.paced === undefined ? '' : figure(row.paced.eventLoopDelayMs.p99),
    row.paced === undefined ? '' : figure(row.paced.latencyMs.p99),
    String(row.errors + (row.paced?.errors ?? 0)),
  ]);
  return formatTable(head, lines);
}

/** @param {ReturnType<typeof summarise>} summary */
function formatSummary(summary) {
  if (summary.length === 0) return '';
  const head = [
    'times better than inline', 'body', 'requests/s', 'latency p50', 'p99', 'loop delay p99', 'main CPU', 'total CPU',
    'paced delay p99',
  ];
  const lines = summary.map((line) => [
    line.mode, line.body, formatRatio(line.requestsPerSecondRatio), formatRatio(line.latencyP50Ratio),
    formatRatio(line.latencyP99Ratio), formatRatio(line.eventLoopDelayP99Ratio),
    formatRatio(line.mainCpuRatio), formatRatio(line.totalCpuRatio), formatRatio(line.pacedEventLoopDelayP99Ratio),
  ]);
  return `\n${formatTable(head, lines)}`;
}

/**
 * @param {Row[]} rows
 * @param {string} title
 * @param {string} unit
 * @param {(row: Row) => number} value
 * @param {(row: Row) => string} text
 */
function chart(rows, title, unit, value, text) {
  const bodies = [...new Set(rows.map(({ body }) => body))];
  const groups = bodies.map((body) => ({
    label: body,
    bars: rows.filter((row) => row.body === body).map((row) => ({ series: row.mode, value: value(row), text: text(row) })),
  }));
  return { title, unit, groups };
}

/** @param {Row[]} rows */
function charts(rows) {
  const ms = (/** @type {number} */ value) => `${figure(value)} ms`;
  return [
    chart(rows, 'Requests per second of the example service', 'requests per second; more is better',
      (row) => row.requestsPerSecond, (row) => figure(row.requestsPerSecond)),
    chart(rows, 'Event-loop delay of the example service', 'milliseconds, 99th percentile; less is better',
      (row) => row.eventLoopDelayMs.p99, (row) => ms(row.eventLoopDelayMs.p99)),
    chart(rows, 'Main-thread CPU of the example service', 'milliseconds per request; less is better',
      (row) => row.mainCpuMsPerRequest, (row) => ms(row.mainCpuMsPerRequest)),
    chart(rows.filter(({ paced }) => paced !== undefined), "Event-loop delay at 80 % of inline's capacity",
      'milliseconds, 99th percentile, the same requests at the same times; less is better',
      (row) => row.paced?.eventLoopDelayMs.p99 ?? 0, (row) => ms(row.paced?.eventLoopDelayMs.p99 ?? 0)),
  ].filter(({ groups }) => groups.length > 0);
}

module.exports = { charts, compareRows, figure, formatRows, formatSummary, summarise };
