'use strict';

/**
 * Spans: what a call took of the event loop and of a pool thread, for whoever wants to know: subscribers of the channels, and
 * observers of one pool (`observers.js`). Where there are none, a call costs a look whether there are any.
 */

const { channel, tracingChannel } = require('node:diagnostics_channel');
const { performance } = require('node:perf_hooks');
const { threadId } = require('node:worker_threads');

const native = require('./native');
const { sizeOf } = require('./size');
const { traceContext } = require('./trace-context');

/**
 * A stretch of time for which a call had the event loop: taking the arguments in, handing the result out, or all of a call that
 * runs inline. Milliseconds, on the clock of `performance.now()`.
 * @typedef {{ phase: 'in' | 'out' | 'inline', start: number, duration: number }} Block
 *
 * @typedef {(span: Span) => void} Observer
 */

/** The channels under their own names, `offloop:task:start` and so on, as `tracingChannel()` groups them. */
const named = tracingChannel({
  start: channelOf('start'),
  end: channelOf('end'),
  asyncStart: channelOf('asyncStart'),
  asyncEnd: channelOf('asyncEnd'),
  error: channelOf('error'),
});
/** The same as `tracingChannel('offloop:task')` names them. */
const prefixed = tracingChannel('offloop:task');

/** @param {string} event @returns {import('node:diagnostics_channel').Channel<any, any>} */
function channelOf(event) {
  return channel(`offloop:task:${event}`);
}

// Held by name, as looking each up in its group takes longer than asking it.
const { start, end, asyncStart, asyncEnd, error: failure } = named;
const { start: start2, end: end2, asyncStart: asyncStart2, asyncEnd: asyncEnd2, error: failure2 } = prefixed;

function hasNamed() {
  return start.hasSubscribers || end.hasSubscribers || asyncStart.hasSubscribers || asyncEnd.hasSubscribers || failure.hasSubscribers;
}

function hasPrefixed() {
  return start2.hasSubscribers || end2.hasSubscribers || asyncStart2.hasSubscribers || asyncEnd2.hasSubscribers || failure2.hasSubscribers;
}

/**
 * Whether anybody wants to know what a call does.
 * @param {import('./submit').PoolState} state
 */
function isObserved(state) {
  return state.observers !== undefined || hasNamed() || hasPrefixed();
}

/**
 * For calls that do much before they know where they run.
 * @param {import('./submit').Pool} pool
 * @returns {number} When the call began; 0 where nobody wants to know.
 */
function begin(pool) {
  return isObserved(pool._state) ? performance.now() : 0;
}

/** Numbers of one thread's spans. */
let last = threadId * 2 ** 32;

/** Offloaded calls that are not settled. @type {Map<number, Span>} */
const underWay = new Map();

native.install({ spanned });

/** The native clock's zero on ours. @type {number | undefined} */
let nativeStart;

/** @returns {number} */
function setClock() {
  let [shortest, offset] = [Infinity, 0];
  for (let turn = 0; turn < 5; turn++) {
    const before = performance.now();
    const there = native.clock();
    const after = performance.now();
    // This thread may have been interrupted in between.
    if (after - before < shortest) [shortest, offset] = [after - before, (before + after) / 2 - there];
  }
  return offset;
}

/**
 * Native code is about to settle a task; times in ms.
 * @param {number} id
 * @param {number} queued on the native clock
 * @param {number} wait
 * @param {number} run
 * @param {number} out
 * @param {number} bytes
 * @param {number} thread
 */
function spanned(id, queued, wait, run, out, bytes, thread) {
  const span = underWay.get(id);
  if (span === undefined) return;
  const now = performance.now();
  span.wait = wait;
  span.run = run;
  span.taskBytes = bytes;
  span.thread = thread < 0 ? undefined : thread;
  nativeStart ??= setClock();
  span.queuedAt = nativeStart + queued;
  if (out > 0) span.held('out', now - out, now);
}

/** One call. Times are milliseconds, on the clock of `performance.now()`. */
class Span {
  #input;

  /**
   * @param {string} operation
   * @param {import('./submit').TaskOptions | undefined} options
   * @param {number} begun 0: now
   * @param {unknown} [input] Of a call that runs inline.
   */
  constructor(operation, options, begun, input) {
    const context = traceContext(options?.traceparent);
    this.id = ++last;
    this.operation = operation;
    this.inline = false;
    this.priority = options?.priority ?? 'interactive';
    this.traceparent = context?.traceparent;
    this.traceId = context?.traceId;
    this.parentSpanId = context?.parentSpanId;
    this.startTime = begun || performance.now();
    this.duration = 0;
    this.wait = 0;
    this.run = 0;
    /** @type {Block[]} */
    this.blocks = [];
    /** @type {number | undefined} The pool thread that took it, from 0. */
    this.thread = undefined;
    /** @type {number | undefined} When it was queued. */
    this.queuedAt = undefined;
    /** @type {number | undefined} Bytes that the task holds. */
    this.taskBytes = undefined;
    this.#input = input;
    /** @type {any} */
    this.error = undefined;
  }

  /** Bytes that were handed in; about, of values. @returns {number} */
  get bytes() {
    return this.taskBytes ?? sizeOf(this.#input);
  }

  /** Ms of the event loop for handing the arguments in. */
  get crossIn() {
    return this.#sum('in');
  }

  /** Ms of the event loop for handing the result out. */
  get crossOut() {
    return this.#sum('out');
  }

  /** @param {Block['phase']} phase */
  #sum(phase) {
    let sum = 0;
    for (const block of this.blocks) if (block.phase === phase) sum += block.duration;
    return sum;
  }

  /** The longest time that the call had the event loop at a stretch. @returns {Block | undefined} */
  get longestBlock() {
    /** @type {Block | undefined} */
    let longest;
    for (const block of this.blocks) if (longest === undefined || block.duration > longest.duration) longest = block;
    return longest;
  }

  /**
   * The call had the event loop.
   * @param {Block['phase']} phase
   * @param {number} from
   * @param {number} to
   */
  held(phase, from, to) {
    this.blocks.push({ phase, start: from, duration: to - from });
  }

  /** Its figures, for lines and traces: without arguments and results. */
  toJSON() {
    const { id, operation, inline, bytes, crossIn, wait, run, crossOut, duration, traceId, parentSpanId, error } = this;
    return { id, operation, inline, bytes, crossIn, wait, run, crossOut, duration, traceId, parentSpanId, error: error?.code ?? error?.name };
  }
}

/**
 * Publishes a call as `TracingChannel.tracePromise` does, but when its arguments have been read: subscribers are code that may change
 * them, or call us in turn while a walk's result lies in memory that all calls share.
 * @template T
 * @param {Span} span
 * @param {() => Promise<T>} run Gives the promise of a call that has begun.
 * @returns {Promise<T>}
 */
function publish(span, run) {
  const inner = hasNamed() ? () => named.tracePromise(run, span) : run;
  return hasPrefixed() ? prefixed.tracePromise(inner, span) : inner();
}

/**
 * Has observers know of the end.
 * @template T
 * @param {import('./submit').PoolState} state
 * @param {Span} span
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function watched(state, span, promise) {
  const ended = () => {
    span.duration = performance.now() - span.startTime;
    underWay.delete(span.id);
    for (const observer of state.observers ?? []) observer(span);
  };
  return promise.then(
    (value) => {
      ended();
      return value;
    },
    (error) => {
      span.error = error;
      ended();
      throw error;
    },
  );
}

/**
 * An offloaded call with a span.
 * @template T
 * @param {import('./submit').PoolState} state
 * @param {Span} span
 * @param {() => Promise<any>} run
 * @param {((value: any, span?: Span) => any) | undefined} finish
 * @returns {Promise<T>}
 */
function traceTask(state, span, run, finish) {
  underWay.set(span.id, span);
  native.spanNext(span.id);
  const promise = run();
  span.held('in', span.startTime, performance.now());
  return publish(span, () => watched(state, span, finish === undefined ? promise : promise.then((value) => finish(value, span))));
}

/**
 * A call that runs on the spot, with a span.
 * @template T
 * @param {import('./submit').PoolState} state
 * @param {Span} span
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
function traceInline(state, span, run) {
  span.inline = true;
  const promise = run();
  const now = performance.now();
  span.run = now - span.startTime;
  span.held('inline', span.startTime, now);
  return publish(span, () => watched(state, span, promise));
}

exports.Span = Span;
exports.begin = begin;
exports.isObserved = isObserved;
exports.named = named;
exports.traceInline = traceInline;
exports.traceTask = traceTask;
