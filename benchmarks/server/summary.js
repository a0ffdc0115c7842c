'use strict';

// What the rows of the server bench say: ratios, what was wanted of them, tables, charts.

const { formatRatio, formatTable } = require('../harness/report');
const { significant } = require('../harness/statistics');

/**
 * @typedef {import('./measure').Row} Row
 *
 * @typedef {object} Rows of each part
 * @property {Row[]} load
 * @property {Row[]} tokens
 * @property {import('./overload').OverloadRow[]} overload
 * @property {import('./restart').RestartRow[]} restart
 * @property {import('./parts').ClusterRow[]} cluster
 *
 * @typedef {{ title: string, head: string[], lines: string[][] }} Table
 * @typedef {{ figure: string, wanted: string, measured: string, met: string }} Judgement
 */

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

/**
 * @param {Row[]} rows
 * @returns {Table}
 */
function loadTable(rows) {
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
  return { title: 'Each mode', head, lines };
}

/**
 * @param {Row[]} rows
 * @returns {Table}
 */
function ratioTable(rows) {
  const head = ['times better than inline', 'body', 'requests/s', 'latency p50', 'p99', 'loop delay p99', 'main CPU', 'total CPU', 'paced delay p99'];
  const lines = summarise(rows).map((line) => [
    line.mode, line.body, formatRatio(line.requestsPerSecondRatio), formatRatio(line.latencyP50Ratio),
    formatRatio(line.latencyP99Ratio), formatRatio(line.eventLoopDelayP99Ratio),
    formatRatio(line.mainCpuRatio), formatRatio(line.totalCpuRatio), formatRatio(line.pacedEventLoopDelayP99Ratio),
  ]);
  return { title: 'Against inline', head, lines };
}

/**
 * What one event loop can do: how many requests, and how many threads and CPUs it keeps busy with them.
 *
 * @param {Row[]} rows
 * @returns {Table}
 */
function sizingTable(rows) {
  const head = ['mode', 'body', 'requests/s of one event loop', 'threads it keeps busy', 'CPUs'];
  const lines = rows.filter(({ mode }) => mode.startsWith('offloop')).map(({ mode, body, mainCpuMsPerRequest, totalCpuMsPerRequest }) => {
    const threads = (totalCpuMsPerRequest - mainCpuMsPerRequest) / mainCpuMsPerRequest;
    return [mode, body, figure(1e3 / mainCpuMsPerRequest), threads.toFixed(1), (threads + 1).toFixed(1)];
  });
  return { title: 'Sizing, from CPU per request', head, lines };
}

/**
 * @param {import('./parts').ClusterRow[]} rows
 * @returns {Table}
 */
function clusterTable(rows) {
  const head = ['processes', 'threads each', 'requests/s', 'total CPU ms/request', 'loop delay ms p99', 'least share', 'RSS MB', 'errors'];
  const lines = rows.map((row) => [
    String(row.processes), `${row.threads} (${row.threadsFor})`, figure(row.requestsPerSecond), figure(row.totalCpuMsPerRequest),
    figure(row.eventLoopDelayP99Ms), row.leastShare.toFixed(2), figure(row.rssMb), String(row.errors),
  ]);
  return { title: 'Several processes', head, lines };
}

/**
 * @param {import('./overload').OverloadRow[]} rows
 * @returns {Table}
 */
function overloadTable(rows) {
  const head = ['mode', 'connections', 'answers/s', 'refused/s', 'other errors', 'peak RSS MB', 'allowed MB'];
  const lines = rows.map((row) => [
    row.mode, String(row.connections), figure(row.answersPerSecond), figure(row.refusedPerSecond), String(row.errors),
    figure(row.peakRssMb), String(row.allowedRssMb),
  ]);
  return { title: 'Overload, bodies of 1 MB', head, lines };
}

/**
 * @param {import('./restart').RestartRow[]} rows
 * @returns {Table}
 */
function restartTable(rows) {
  const head = ['mode', 'seconds', 'restarts', 'answered', 'accepted, not answered', 'refused', 'reset, never accepted', 'other answers', 'exit code'];
  const lines = rows.map((row) => [
    row.mode, row.seconds, row.restarts, row.answered, row.acceptedNotAnswered, row.refused, row.reset, row.otherAnswers, row.exitCode,
  ].map(String));
  return { title: 'SIGTERM under load', head, lines };
}

/**
 * @param {Rows} rows
 * @returns {Table[]} those that have lines
 */
function tables({ load, tokens, overload, restart, cluster }) {
  const all = [
    ratioTable(load), loadTable(load), { ...ratioTable(tokens), title: 'Against inline, with token counting' },
    { ...loadTable(tokens), title: 'Each mode, with token counting' }, overloadTable(overload), restartTable(restart), clusterTable(cluster),
    sizingTable([...load, ...tokens]),
  ];
  return all.filter(({ lines }) => lines.length > 0);
}

/**
 * @param {Rows} rows
 * @param {Judgement[]} judgements
 */
function formatAll(rows, judgements) {
  const wanted = { title: 'Wanted', head: ['figure', 'wanted', 'measured', 'met'], lines: judgements.map((line) => [line.figure, line.wanted, line.measured, line.met]) };
  return [...tables(rows), wanted].map(({ title, head, lines }) => `\n${title}\n\n${formatTable(head, lines)}`).join('');
}

/** Ratios that are to be reached: which field of which mode on which bodies, against whom, and at least how much. */
const WANTED = [
  { name: 'requests per second', field: 'requestsPerSecondRatio', mode: 'offloop', against: 'inline', bodies: { 'chat-250k': 4, mix: 4 } },
  { name: 'requests per second', field: 'requestsPerSecondRatio', mode: 'offloop-document', against: 'inline', bodies: { 'chat-250k': 10, 'chat-1m': 10, mix: 8 } },
  { name: 'requests per second', field: 'requestsPerSecondRatio', mode: 'offloop-document', against: 'pass', bodies: { 'chat-250k': 0.6, 'chat-1m': 0.6 } },
  { name: 'main-thread CPU', field: 'mainCpuRatio', mode: 'offloop-document', against: 'inline', bodies: { 'chat-1m': 20 } },
  { name: 'event-loop delay p99, saturated', field: 'eventLoopDelayP99Ratio', mode: 'offloop', against: 'inline', bodies: { 'chat-250k': 5 } },
  { name: 'event-loop delay p99, saturated', field: 'eventLoopDelayP99Ratio', mode: 'offloop-document', against: 'inline', bodies: { 'chat-250k': 8 } },
  { name: 'event-loop delay p99, paced', field: 'pacedEventLoopDelayP99Ratio', mode: 'offloop', against: 'inline', bodies: { 'chat-250k': 20 } },
  { name: 'event-loop delay p99, paced', field: 'pacedEventLoopDelayP99Ratio', mode: 'offloop-document', against: 'inline', bodies: { 'chat-250k': 20 } },
];

/**
 * @param {Rows} rows
 * @returns {Judgement[]}
 */
function judge({ load, tokens, overload, restart }) {
  /** @type {Judgement[]} */
  const lines = [];
  const add = (/** @type {string} */ name, /** @type {string} */ wanted, /** @type {string} */ measured, /** @type {boolean} */ isMet) =>
    lines.push({ figure: name, wanted, measured, met: isMet ? 'yes' : 'no' });
  const addRatio = (/** @type {Row[]} */ rows, /** @type {Omit<typeof WANTED[number], 'bodies'>} */ { name, field, mode, against }, /** @type {string} */ body, /** @type {number} */ least) => {
    const [row, other] = [mode, against].map((wanted) => rows.find((row) => row.mode === wanted && row.body === body));
    const ratio = row && other && /** @type {any} */ (compareRows(row, other))[field];
    if (ratio === undefined) return;
    const [better, worse] = field === 'requestsPerSecondRatio' ? [mode, against] : [against, mode];
    add(`${name}, ${better} ÷ ${worse}, ${body}`, `≥ ${least}`, String(significant(ratio, 3)), ratio >= least);
  };
  for (const { bodies, ...wanted } of WANTED) {
    for (const [body, least] of Object.entries(bodies)) addRatio(load, wanted, body, /** @type {number} */ (least));
  }
  const counting = { name: 'requests per second with token counting', field: 'requestsPerSecondRatio', mode: 'offloop-document', against: 'inline' };
  addRatio(tokens, counting, 'chat-250k', 15);
  for (const { mode, errors, peakRssMb, allowedRssMb } of overload) {
    add(`errors but 503 and 413 under overload, ${mode}`, '0', String(errors), errors === 0);
    add(`peak RSS under overload, ${mode}, MB`, `≤ ${allowedRssMb}`, figure(peakRssMb), peakRssMb <= allowedRssMb);
  }
  for (const { acceptedNotAnswered } of restart) {
    add('requests accepted and not answered across SIGTERM', '0', String(acceptedNotAnswered), acceptedNotAnswered === 0);
  }
  return lines;
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

/** @param {Rows} rows */
function charts({ load: rows, tokens }) {
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
    chart(rows, 'Resident memory of the example service', 'MB, the highest in the window; less is better',
      (row) => row.rssMb, (row) => `${figure(row.rssMb)} MB`),
    chart(tokens, 'Requests per second with token counting', 'requests per second, every text new; more is better',
      (row) => row.requestsPerSecond, (row) => figure(row.requestsPerSecond)),
  ].filter(({ groups }) => groups.length > 0);
}

module.exports = { charts, compareRows, figure, formatAll, judge, ratioTable, sizingTable, summarise, tables };
