'use strict';

// `metrics()`: Prometheus's text format. One scrape of a pool: counters of its threads are those of all who share them.

const { unknownModels } = require('./models');
const native = require('./native');
const { openSinks } = require('./sink');

/** Upper bounds of the classes of times, in seconds. */
const BOUNDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A page of metrics. */
class Page {
  text = '';

  /**
   * @param {string} name
   * @param {'counter' | 'gauge' | 'histogram'} type
   * @param {string} help
   */
  family(name, type, help) {
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} labels
   * @param {number} value
   */
  sample(name, labels, value) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
    this.text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
  }

  /** @param {string} name @param {string} help @param {number} value */
  gauge(name, help, value) {
    this.family(name, 'gauge', help);
    this.sample(name, {}, value);
  }

  /** @param {string} name @param {string} help @param {number} value */
  counter(name, help, value) {
    this.family(name, 'counter', help);
    this.sample(name, {}, value);
  }

  /**
   * A counter for each value of a label.
   * @param {string} name
   * @param {string} help
   * @param {string} label
   * @param {Record<string, number>} values
   */
  counters(name, help, label, values) {
    const all = Object.entries(values);
    if (all.length === 0) return;
    this.family(name, 'counter', help);
    for (const [text, value] of all) this.sample(name, { [label]: text }, value);
  }

  /**
   * @param {string} name
   * @param {string} help
   * @param {{ operation: string, spread: import('../native').NativeSpread }[]} all
   */
  histograms(name, help, all) {
    if (all.length === 0) return;
    this.family(name, 'histogram', help);
    for (const { operation, spread } of all) {
      spread.counts.forEach((count, index) => this.sample(`${name}_bucket`, { operation, le: String(BOUNDS[index]) }, count));
      this.sample(`${name}_bucket`, { operation, le: '+Inf' }, spread.count);
      this.sample(`${name}_sum`, { operation }, spread.sum);
      this.sample(`${name}_count`, { operation }, spread.count);
    }
  }
}

/** @param {string} text a label's value */
function escape(text) {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/**
 * @param {Page} page
 * @param {import('../native').NativePoolStats} stats
 * @param {import('./submit').PoolState} state
 */
function tasks(page, stats, { inlined, inlineFailures }) {
  page.counter('offloop_tasks_accepted_total', 'Tasks given to the threads.', stats.accepted);
  page.counters('offloop_tasks_total', 'Tasks by what became of them.', 'outcome', {
    succeeded: stats.succeeded,
    failed: stats.failed,
    panicked: stats.panicked,
    aborted: stats.aborted,
    timed_out: stats.timedOut,
    closed: stats.closed,
    refused: stats.refused,
  });
  page.counter('offloop_tasks_delayed_total', 'Tasks that found every thread busy.', stats.delayed);
  page.counters('offloop_inline_calls_total', 'Calls that ran on the calling thread.', 'outcome', {
    succeeded: inlined - inlineFailures,
    failed: inlineFailures,
  });
  page.counter('offloop_threads_restarted_total', 'Threads that died and were replaced.', stats.restarted);
}

/**
 * @param {Page} page
 * @param {import('../native').NativePoolStats} stats
 */
function load(page, stats) {
  page.gauge('offloop_threads_limit', 'Threads at most.', stats.size);
  page.gauge('offloop_threads', 'Threads started.', stats.threads);
  page.gauge('offloop_threads_busy', 'Threads at work.', stats.active);
  page.gauge('offloop_queue_tasks', 'Tasks waiting for a thread.', stats.waiting);
  page.gauge('offloop_tasks_pending', 'Tasks waiting or running.', stats.inFlight);
  page.gauge('offloop_queue_bytes', 'Bytes that waiting and running tasks hold.', stats.bytes);
}

/**
 * @param {Page} page
 * @param {import('../native').NativePoolStats} stats
 */
function memory(page, { documents, documentBytes, memory }) {
  page.gauge('offloop_documents', 'Documents alive.', documents);
  page.gauge('offloop_document_bytes', 'Bytes of native memory that Documents hold.', documentBytes);
  page.gauge('offloop_memory_used_bytes', 'Native memory of texts that are being read, and of Documents.', memory.inUse);
  page.gauge('offloop_memory_kept_bytes', 'Native memory kept for reuse.', memory.kept);
  page.gauge('offloop_memory_kept_limit_bytes', 'Native memory that is kept for reuse at most.', memory.limit);
  page.counters('offloop_memory_requests_total', 'Requests for native memory, by whether there was some to reuse.', 'result', {
    reused: memory.hits,
    new: memory.misses,
  });
  page.counter('offloop_memory_trimmed_bytes_total', 'Native memory given back to the system.', memory.trimmed);
}

/** @param {Page} page */
function logs(page) {
  /** @type {Record<string, Record<string, number>>} */
  const files = {};
  for (const sink of openSinks()) {
    const sum = (files[String(sink.target)] ??= {});
    for (const [name, count] of Object.entries(sink.stats())) sum[name] = (sum[name] ?? 0) + count;
  }
  const all = Object.entries(files);
  if (all.length === 0) return;
  /** @type {[string, 'counter' | 'gauge', string, string][]} */
  const families = [
    ['offloop_log_lines_accepted_total', 'counter', 'Log lines taken.', 'accepted'],
    ['offloop_log_lines_dropped_total', 'counter', 'Log lines not taken, as the ring was full.', 'dropped'],
    ['offloop_log_lines_written_total', 'counter', 'Log lines in the file.', 'lines'],
    ['offloop_log_written_bytes_total', 'counter', 'Bytes of log lines in the file.', 'bytes'],
    ['offloop_log_write_failures_total', 'counter', 'Attempts to write log lines that failed.', 'failures'],
    ['offloop_log_rotations_total', 'counter', 'Log files begun anew.', 'rotations'],
    ['offloop_log_waiting_bytes', 'gauge', 'Bytes of log lines that wait to be written.', 'waiting'],
  ];
  for (const [name, type, help, count] of families) {
    page.family(name, type, help);
    for (const [file, counts] of all) page.sample(name, { file }, counts[count]);
  }
}

/**
 * @param {import('./submit').PoolState} state
 * @returns {string}
 */
function formatMetrics(state) {
  const stats = native.poolStats(state.handle);
  const spreads = native.poolSpreads(state.handle, BOUNDS);
  const page = new Page();
  tasks(page, stats, state);
  page.histograms('offloop_task_wait_seconds', 'From the call until a thread took the task.', spreads.map(({ name, wait }) => ({ operation: name, spread: wait })));
  page.histograms('offloop_task_run_seconds', 'Time of tasks on a thread.', spreads.map(({ name, run }) => ({ operation: name, spread: run })));
  load(page, stats);
  memory(page, stats);
  page.counters('offloop_unknown_model_total', 'Token counts for models whose encoding is not known.', 'model', unknownModels());
  logs(page);
  return page.text;
}

module.exports = { formatMetrics };
