'use strict';

// The way of every operation into the pool: checks what all calls have in common, and packs it into the control
// word that native code unpacks (src/bindings/task.rs has its layout).

const { acquire, release } = require('./abort');
const { MAX_TIMEOUT_MS } = require('./config');
const { abortError, invalidArgument, poolClosed } = require('./errors');
const { Span, isObserved, traceInline, traceTask } = require('./spans');
const { promiseOf } = require('./tickets');

/**
 * @typedef {object} TaskOptions
 * @property {AbortSignal} [signal]
 * @property {number} [timeout] Milliseconds from the start of execution instead of the pool's; 0: none.
 * @property {'interactive' | 'bulk'} [priority]
 * @property {string} [traceparent] The caller's trace.
 *
 * @typedef {object} PoolState
 * @property {number} handle The native pool's.
 * @property {boolean} open
 * @property {number} taskTimeout Ms; 0: none.
 * @property {number} store The native store's, of originals.
 * @property {number} inlined Operations run on the spot.
 * @property {number} inlineFailures
 * @property {Promise<void> | undefined} closing
 * @property {readonly import('./spans').Observer[] | undefined} observers Who wants to know of its calls.
 *
 * @typedef {import('../native').Ticket<any>} Ticket
 *
 * @typedef {{ readonly offloadThreshold: number, readonly maxBlockMs: number, _state: PoolState }} Pool What the
 * operations' modules see of a pool; `_state` is hidden from users.
 */

const TIMEOUT_UNIT = 2;
const SLOT_UNIT = 2 ** 33;

/**
 * @param {unknown} signal
 * @returns {signal is AbortSignal}
 */
function isAbortSignal(signal) {
  return (
    typeof signal === 'object' &&
    signal !== null &&
    'aborted' in signal &&
    'addEventListener' in signal &&
    typeof signal.addEventListener === 'function'
  );
}

/**
 * @param {unknown} options
 * @returns {number} The control word, without a slot.
 * @throws {TypeError} ERR_INVALID_ARG
 */
function pack(options) {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { signal, timeout, priority, traceparent } = /** @type {TaskOptions} */ (options);
  let control = 0;
  if (priority === 'bulk') control = 1;
  else if (priority !== undefined && priority !== 'interactive') {
    throw invalidArgument('options.priority', "'interactive' or 'bulk'", priority);
  }
  if (timeout !== undefined) {
    if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= MAX_TIMEOUT_MS)) {
      throw invalidArgument('options.timeout', `a number of ms from 0 to ${MAX_TIMEOUT_MS}`, timeout);
    }
    control += (Math.ceil(timeout) + 1) * TIMEOUT_UNIT;
  }
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw invalidArgument('options.signal', 'an AbortSignal', signal);
  }
  if (traceparent !== undefined && typeof traceparent !== 'string') {
    throw invalidArgument('options.traceparent', 'a string', traceparent);
  }
  return control;
}

/**
 * Starts a native task.
 * @template T
 * @param {Pool} pool
 * @param {TaskOptions | undefined} options
 * @param {string} operation Its name.
 * @param {(handle: number, control: number) => Ticket} start Hands both numbers to one native operation and
 * returns its ticket. Called before `submit` returns, if at all.
 * @param {number} [begun] When the call began, see `begin`.
 * @param {(value: any, span?: import('./spans').Span) => any} [finish] What the main thread has still to do with the result.
 * @returns {Promise<T>}
 */
function submit(pool, options, operation, start, begun = 0, finish) {
  const state = pool._state;
  if (isObserved(state)) {
    return traceTask(state, new Span(operation, options, begun), () => startTask(state, options, start), finish);
  }
  const promise = startTask(state, options, start);
  return finish === undefined ? promise : promise.then(finish);
}

/**
 * @param {PoolState} state
 * @param {TaskOptions | undefined} options
 * @param {(handle: number, control: number) => Ticket} start
 */
function startTask(state, options, start) {
  if (!state.open) return Promise.reject(poolClosed());
  let slot = 0;
  try {
    if (options === undefined) return promiseOf(start(state.handle, 0));
    let control = pack(options);
    const { signal } = options;
    if (signal !== undefined) {
      if (signal.aborted) return Promise.reject(abortError(signal.reason));
      slot = acquire(signal);
      control += slot * SLOT_UNIT;
    }
    return promiseOf(start(state.handle, control));
  } catch (error) {
    if (slot !== 0) release(slot);
    return Promise.reject(error);
  }
}

/**
 * Runs an operation on the spot, where that is cheaper for the event loop than offloading it.
 * @template T
 * @param {Pool} pool
 * @param {TaskOptions | undefined} options
 * @param {string} operation Its name.
 * @param {() => T} compute
 * @param {unknown} input What it works on.
 * @param {number} [begun] When the call began, see `begin`.
 * @returns {Promise<T>}
 */
function inline(pool, options, operation, compute, input, begun = 0) {
  const state = pool._state;
  if (isObserved(state)) {
    return traceInline(state, new Span(operation, options, begun, input), () => runHere(state, options, compute));
  }
  return runHere(state, options, compute);
}

/**
 * @template T
 * @param {PoolState} state
 * @param {TaskOptions | undefined} options
 * @param {() => T} compute
 * @returns {Promise<T>}
 */
function runHere(state, options, compute) {
  if (!state.open) return Promise.reject(poolClosed());
  try {
    if (options !== undefined) {
      pack(options);
      if (options.signal?.aborted) return Promise.reject(abortError(options.signal.reason));
    }
    state.inlined++;
    return Promise.resolve(compute());
  } catch (error) {
    state.inlineFailures++;
    return Promise.reject(error);
  }
}

module.exports = { inline, submit };
