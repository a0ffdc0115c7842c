'use strict';

// metrics(): Prometheus's text format, read by a strict reader and, where it is installed, by promtool.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');

const { AsyncLogger, WorkerPool } = require('..');
const { fault, needsFaults } = require('./faults');

const PROMTOOL = process.env.OFFLOOP_PROMTOOL ?? 'promtool';
const hasPromtool = spawnSync(PROMTOOL, ['--version']).status === 0;
const needsPromtool = { skip: hasPromtool ? false : `no ${PROMTOOL} is installed (Debian: prometheus)` };

const LARGE = JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, text: `row ${id}` })));

/**
 * @typedef {{ name: string, labels: Record<string, string>, value: number }} Sample
 * @typedef {{ name: string, type: string, help: string, samples: Sample[] }} Family
 */

/**
 * Reads the text format, and nothing that is not in it.
 * @param {string} text
 * @returns {Map<string, Family>}
 */
function read(text) {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  /** @type {Map<string, Family>} */
  const families = new Map();
  /** @type {Family | undefined} */
  let family;
  const seen = new Set();
  const lines = text.slice(0, -1).split('\n');
  for (let at = 0; at < lines.length; at++) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*)$/.exec(lines[at]);
    if (help !== null) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[++at]);
      assert.equal(type?.[1], help[1], 'the type follows');
      assert.ok(!families.has(help[1]), `${help[1]} is in one place`);
      family = { name: help[1], type: /** @type {any} */ (type)[2], help: help[2], samples: [] };
      families.set(family.name, family);
      continue;
    }
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(lines[at]);
    assert.ok(match !== null && family !== undefined, `line ${at}: ${lines[at]}`);
    const [, name, pairs = '', number] = match;
    assert.ok(!seen.has(name + pairs), `${name}{${pairs}} is there once`);
    seen.add(name + pairs);
    const suffix = name.slice(family.name.length);
    assert.ok(name.startsWith(family.name) && (family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).includes(suffix), name);
    /** @type {Record<string, string>} */
    const labels = {};
    for (const [, label, value] of pairs.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
      labels[label] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    }
    const value = Number(number);
    assert.ok(Number.isFinite(value) && value >= 0, `${name} ${number}`);
    family.samples.push({ name, labels, value });
  }
  return families;
}

/**
 * @param {Map<string, Family>} families
 * @param {string} name
 * @param {Record<string, string>} [labels]
 */
function valueOf(families, name, labels = {}) {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  assert.ok(family, name);
  const samples = family.samples.filter((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels));
  assert.equal(samples.length, 1, `${name} ${JSON.stringify(labels)}`);
  return samples[0].value;
}

/** @param {Map<string, Family>} families @param {string} name @param {string} operation */
function checkHistogram(families, name, operation) {
  const { samples = [] } = families.get(name) ?? {};
  const buckets = samples.filter((one) => one.name === `${name}_bucket` && one.labels.operation === operation);
  assert.ok(buckets.length > 5);
  assert.equal(buckets.at(-1)?.labels.le, '+Inf');
  let [bound, count] = [-1, 0];
  for (const { labels, value } of buckets) {
    const le = labels.le === '+Inf' ? Infinity : Number(labels.le);
    assert.ok(le > bound && value >= count, 'ascending, and cumulative');
    [bound, count] = [le, value];
  }
  assert.equal(valueOf(families, `${name}_count`, { operation }), count);
  return { count, sum: valueOf(families, `${name}_sum`, { operation }), buckets };
}

describe('metrics', () => {
  it('of a fresh pool are zero', async () => {
    const pool = new WorkerPool({ size: 3 });
    const families = read(pool.metrics());
    assert.equal(valueOf(families, 'offloop_threads_limit'), 3);
    assert.equal(valueOf(families, 'offloop_tasks_accepted_total'), 0);
    assert.equal(valueOf(families, 'offloop_tasks_total', { outcome: 'succeeded' }), 0);
    assert.ok(!families.has('offloop_task_run_seconds'), 'no operation has run');
    await pool.shutdown();
  });

  it('count what getStats counts', needsFaults, async () => {
    const pool = new WorkerPool({ size: 1 });
    await pool.parse(LARGE);
    await pool.clone([1]);
    await assert.rejects(pool.parse('{'));
    await assert.rejects(fault(pool, 'error'));
    await assert.rejects(fault(pool, 'panic'));
    await assert.rejects(fault(pool, 'spin', {}, { timeout: 1 }));
    const document = await pool.load(LARGE);
    const families = read(pool.metrics());
    const stats = pool.getStats();
    assert.equal(valueOf(families, 'offloop_tasks_accepted_total'), stats.offloaded);
    assert.equal(valueOf(families, 'offloop_tasks_total', { outcome: 'succeeded' }), 2);
    assert.equal(valueOf(families, 'offloop_tasks_total', { outcome: 'failed' }), 1);
    assert.equal(valueOf(families, 'offloop_tasks_total', { outcome: 'panicked' }), 1);
    assert.equal(valueOf(families, 'offloop_tasks_total', { outcome: 'timed_out' }), 1);
    assert.equal(valueOf(families, 'offloop_inline_calls_total', { outcome: 'succeeded' }), 1);
    assert.equal(valueOf(families, 'offloop_inline_calls_total', { outcome: 'failed' }), 1);
    assert.equal(valueOf(families, 'offloop_documents'), 1);
    assert.equal(valueOf(families, 'offloop_document_bytes'), stats.documents.bytes);
    assert.equal(valueOf(families, 'offloop_memory_used_bytes'), stats.memory.inUse);
    document.dispose();
    await pool.shutdown();
  });

  it('have the times of each operation', needsFaults, async () => {
    const pool = new WorkerPool({ size: 1 });
    for (let i = 0; i < 10; i++) await fault(pool, 'ignore', { argument: 3 });
    await fault(pool, 'ignore', { argument: 60 });
    await pool.exec('noop');
    const families = read(pool.metrics());
    const run = checkHistogram(families, 'offloop_task_run_seconds', 'fault');
    assert.equal(run.count, 11);
    assert.ok(run.sum >= 0.09 && run.sum < 2, String(run.sum));
    const at = (/** @type {string} */ le) => run.buckets.find(({ labels }) => labels.le === le)?.value;
    assert.deepEqual([at('0.0025'), at('0.05')], [0, 10]);
    checkHistogram(families, 'offloop_task_wait_seconds', 'fault');
    assert.equal(checkHistogram(families, 'offloop_task_run_seconds', 'noop').count, 1);
    await pool.shutdown();
  });

  it('have log lines, whatever the file is called', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-metrics-'));
    const file = path.join(folder, 'a "log"\\of\nlines.log');
    const loggers = [new AsyncLogger({ logFile: file }), new AsyncLogger({ logFile: file })];
    await Promise.all(loggers.map((logger) => logger.info('hello')));
    await Promise.all(loggers.map((logger) => logger.flush()));
    const pool = new WorkerPool();
    const families = read(pool.metrics());
    assert.equal(valueOf(families, 'offloop_log_lines_accepted_total', { file }), 2);
    assert.equal(valueOf(families, 'offloop_log_lines_written_total', { file }), 2);
    assert.equal(valueOf(families, 'offloop_log_waiting_bytes', { file }), 0);
    assert.ok(valueOf(families, 'offloop_log_written_bytes_total', { file }) > 50);
    await Promise.all([pool.shutdown(), ...loggers.map((logger) => logger.shutdown())]);
    assert.ok(!read(pool.metrics()).has('offloop_log_lines_accepted_total'), 'also after the end');
    fs.rmSync(folder, { recursive: true });
  });

  it('name models that are not known', async () => {
    const pool = new WorkerPool();
    await pool.countTokens('text', { model: 'odd "model"' });
    assert.equal(valueOf(read(pool.metrics()), 'offloop_unknown_model_total', { model: 'odd "model"' }), 1);
    await pool.shutdown();
  });

  it('are what promtool takes', needsPromtool, async () => {
    const pool = new WorkerPool();
    const logger = new AsyncLogger({ logFile: path.join(os.tmpdir(), `offloop-metrics-${process.pid}.log`) });
    await logger.info('hello');
    await pool.parse(LARGE);
    await pool.countTokens('text', { model: 'a\nb' });
    const { status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], { input: pool.metrics(), encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
    await Promise.all([pool.shutdown(), logger.shutdown()]);
    fs.rmSync(path.join(os.tmpdir(), `offloop-metrics-${process.pid}.log`));
  });
});
