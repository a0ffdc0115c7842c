'use strict';

/**
 * A file of spans in the trace event format, which Perfetto and chrome://tracing open: a track for the event loop, one for each
 * pool thread, arrows between them, and a bar for each call from beginning to end.
 *
 * Events are lines of a log (`sink.js`): a thread writes them, and they survive whatever ends the process. Without the end of
 * the list, which a pool's shutdown writes, the file is whole as the format has it.
 */

const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { isMainThread, threadId } = require('node:worker_threads');

const { resolveSink } = require('./log-options');
const { Sink } = require('./sink');

/** Lowest numbers of what threads of the pools have in the file; this one's is its own. */
const POOL_TRACKS = 1000 * (threadId + 1);
const TRACKS_OF_POOL = 100;

const INFO = 2;

/** @type {Map<string, TraceFile>} This thread's, by path. */
const files = new Map();

/** Microseconds on a clock that threads and processes share. @param {number} ms */
function time(ms) {
  return (performance.timeOrigin + ms) * 1000;
}

class TraceFile {
  /** @param {string} file */
  constructor(file) {
    this.file = file;
    this.users = 0;
    /** @type {Set<number>} Tracks that have a name. */
    this.tracks = new Set();
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // Other threads of the process go on where the main thread began.
    if (isMainThread || !fs.existsSync(file)) fs.writeFileSync(file, '[\n');
    this.sink = new Sink(resolveSink({ logFile: file, onOverflow: 'drop' }), {
      onError() {},
      onRecovered() {},
      onDropping() {},
      dropLine: (count) => line({ name: 'events dropped', ph: 'i', s: 'p', ts: time(performance.now()), pid: process.pid, tid: threadId, args: { count } }),
    });
    this.track(threadId, isMainThread ? 'event loop' : `event loop of worker ${threadId}`);
  }

  /** @param {number} tid @param {string} name */
  track(tid, name) {
    if (this.tracks.has(tid)) return;
    this.tracks.add(tid);
    this.sink.write(line({ name: 'thread_name', ph: 'M', pid: process.pid, tid, args: { name } }), INFO);
  }

  /**
   * @param {import('./spans').Span} span
   * @param {number} handle The pool's.
   */
  add(span, handle) {
    if (!this.sink.isOpen) return;
    const { id, operation, startTime, duration, blocks, thread, queuedAt } = span;
    const call = head(operation, threadId);
    let lines = `${call},"ph":"b","id":${id},"ts":${time(startTime)},"args":${JSON.stringify({ ...span.toJSON(), traceparent: span.traceparent })}},\n`;
    lines += `${call},"ph":"e","id":${id},"ts":${time(startTime + duration)}},\n`;
    const steps = blocks.map((block) => ({ tid: threadId, name: block.phase === 'inline' ? operation : `${operation} ${block.phase}`, ...block }));
    if (thread !== undefined && queuedAt !== undefined) {
      const tid = POOL_TRACKS + handle * TRACKS_OF_POOL + thread;
      this.track(tid, `offloop-${thread} (pool ${handle})`);
      steps.splice(1, 0, { tid, name: operation, phase: 'inline', start: queuedAt + span.wait, duration: span.run });
    }
    const last = steps.length - 1;
    for (let index = 0; index <= last; index++) {
      const { tid, name, start, duration } = steps[index];
      lines += `${head(name, tid)},"ph":"X","ts":${time(start)},"dur":${duration * 1000},"args":{"id":${id}}},\n`;
      // An arrow from each step to the next.
      const ph = index === 0 ? 's' : index === last ? 'f' : 't';
      if (last > 0) lines += `${head(operation, tid)},"ph":"${ph}","id":${id},"bp":"e","ts":${time(start)}},\n`;
    }
    this.sink.write(lines, INFO);
  }

  /** One user less. */
  async close() {
    this.users--;
    if (this.users > 0) return;
    files.delete(this.file);
    // The last one has no comma behind it. Other threads may still write.
    if (isMainThread) {
      const event = { name: 'process_name', ph: 'M', pid: process.pid, tid: threadId, args: { name: 'offloop' } };
      this.sink.write(`${JSON.stringify(event)}]\n`, INFO);
    }
    await this.sink.close().catch(({ message }) => process.emitWarning(`the trace is not whole: ${message}`));
  }
}

/** How the lines of calls begin. @param {string} name An operation's, which needs no quoting. @param {number} tid */
function head(name, tid) {
  return `{"name":"${name}","cat":"offloop","pid":${process.pid},"tid":${tid}`;
}

/** @param {object} event */
function line(event) {
  return `${JSON.stringify(event)},\n`;
}

/**
 * @param {string} file A full path.
 * @throws {Error} with the system's code
 */
function openTraceFile(file) {
  const open = files.get(file) ?? new TraceFile(file);
  files.set(file, open);
  open.users++;
  return open;
}

module.exports = { openTraceFile };
