'use strict';

// Who observes the calls of one pool, by its options: a file, the performance timeline, listeners of 'slow'.

const path = require('node:path');
const { performance } = require('node:perf_hooks');

const { invalidArgument, invalidVariable } = require('./errors');
const { openTraceFile } = require('./trace-file');

/**
 * @typedef {{ traceFile?: string, performanceEntries?: boolean }} ObserverOptions
 *
 * @typedef {object} SlowCall
 * @property {number} id
 * @property {string} operation
 * @property {number} bytes
 * @property {number} ms
 * @property {'in' | 'out' | 'inline'} phase
 * @property {number} limit
 * @property {string | undefined} traceparent
 */

/** Entries of an operation that the timeline keeps. */
const ENTRIES = 1000;

/**
 * An option wins over its variable.
 * @param {ObserverOptions} [options]
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ traceFile: string | undefined, performanceEntries: boolean }}
 * @throws ERR_INVALID_ARG naming the option or variable
 */
function resolveObservers(options = {}, env = process.env) {
  const { traceFile = env.WORKER_TRACE_FILE?.trim() || undefined, performanceEntries = entriesVariable(env) } = options;
  if (traceFile !== undefined && (typeof traceFile !== 'string' || traceFile === '' || traceFile.includes('\0'))) {
    throw invalidArgument('options.traceFile', 'a path', traceFile);
  }
  if (typeof performanceEntries !== 'boolean') throw invalidArgument('options.performanceEntries', 'a boolean', performanceEntries);
  return { traceFile: traceFile && path.resolve(traceFile.replaceAll('%p', String(process.pid))), performanceEntries };
}

/** @param {NodeJS.ProcessEnv} env */
function entriesVariable(env) {
  const text = env.WORKER_PERFORMANCE_ENTRIES?.trim() || 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw invalidVariable('WORKER_PERFORMANCE_ENTRIES', 'true or false', text);
}

/**
 * @param {ReturnType<typeof resolveObservers>} config
 * @returns {{ of: (handle: number) => import('./spans').Observer[] | undefined, close: () => Promise<void> }} the observers of
 * the pool with a handle, and what to do at its end
 */
function openObservers({ traceFile, performanceEntries }) {
  const file = traceFile === undefined ? undefined : openTraceFile(traceFile);
  return {
    of(handle) {
      /** @type {import('./spans').Observer[]} */
      const observers = [];
      if (performanceEntries) observers.push(measurer());
      if (file !== undefined) observers.push((span) => file.add(span, handle));
      return observers.length === 0 ? undefined : observers;
    },
    close: async () => file?.close(),
  };
}

/**
 * Adds measures to the performance timeline. That keeps entries until they are cleared, so the old ones go.
 * @returns {import('./spans').Observer}
 */
function measurer() {
  /** @type {Record<string, number>} */
  const counts = Object.create(null);
  return (span) => {
    const name = `offloop:${span.operation}`;
    const count = counts[name] ?? 0;
    if (count > 0 && count % ENTRIES === 0) performance.clearMeasures(name);
    counts[name] = count + 1;
    performance.measure(name, { start: span.startTime, duration: span.duration, detail: span.toJSON() });
  };
}

/**
 * @param {import('./spans').Span} span
 * @param {number} limit
 * @returns {SlowCall | undefined} if it had the event loop for longer than `limit` ms at a stretch
 */
function slowCall(span, limit) {
  const longest = span.longestBlock;
  if (longest === undefined || longest.duration <= limit) return undefined;
  const { id, operation, bytes, traceparent } = span;
  return { id, operation, bytes, ms: longest.duration, phase: longest.phase, limit, traceparent };
}

/**
 * @param {import('./submit').PoolState} state
 * @param {import('./spans').Observer} observer
 */
function observe(state, observer) {
  const { observers = [] } = state;
  if (!observers.includes(observer)) state.observers = [...observers, observer];
}

/**
 * The observer behind 'slow' events. It goes when a call finds no listener left, so that calls cost nothing again.
 * @param {import('./pool').WorkerPool} pool
 * @param {(slow: SlowCall) => void} tell
 * @returns {import('./spans').Observer}
 */
function slowObserver(pool, tell) {
  return function observer(span) {
    if (pool.listenerCount('slow') > 0) {
      const slow = slowCall(span, pool.slowMs);
      if (slow !== undefined) tell(slow);
      return;
    }
    const state = pool._state;
    const others = state.observers?.filter((other) => other !== observer) ?? [];
    // None at all, rather than an empty list: that is what calls look at.
    state.observers = others.length === 0 ? undefined : others;
  };
}

module.exports = { observe, openObservers, resolveObservers, slowObserver };
