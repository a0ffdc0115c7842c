'use strict';

// What `compress` says it did, and what it does not count as a failure.

/**
 * What became of a message.
 * @typedef {{ index: number, action: string, reason: string, tokens_before: number, tokens_after: number }} MessageReport
 *
 * @typedef {object} FullStats
 * @property {number} original_count
 * @property {number} compressed_count
 * @property {number} tokens_before
 * @property {number} tokens_after
 * @property {number} tokens_saved
 * @property {number} savings_percent
 * @property {number} compression_ratio
 * @property {number} latency_ms
 * @property {string[]} transforms_applied
 * @property {MessageReport[]} messages
 *
 * @typedef {import('./options').CompressOptions} CompressOptions
 */

/** What was asked for, or says that nothing can be asked for now, is no failure of ours to cover up. */
const REJECTED = new Set(['ABORT_ERR', 'ERR_POOL_CLOSED', 'ERR_QUEUE_FULL', 'ERR_INVALID_ARG']);

/** Ms that a call with a deadline waits for a result on its way. */
const GRACE_MS = 25;

/**
 * The reports of messages are made when somebody asks for them: most callers log the sums.
 * @param {import('./tally').Tally | import('./tally').DocumentTally} tally
 * @param {string[]} transforms
 * @param {number} started
 * @returns {FullStats}
 */
function statsOf(tally, transforms, started) {
  const { before, after } = tally.sum();
  /** @type {MessageReport[] | undefined} */
  let messages;
  return {
    original_count: tally.length,
    compressed_count: tally.length,
    tokens_before: before,
    tokens_after: after,
    tokens_saved: before - after,
    savings_percent: before === 0 ? 0 : (100 * (before - after)) / before,
    compression_ratio: before === 0 ? 1 : after / before,
    latency_ms: performance.now() - started,
    transforms_applied: transforms,
    get messages() {
      return (messages ??= tally.messages());
    },
    set messages(value) {
      messages = value;
    },
  };
}

/** @param {string} reason @returns {{ skipped: true, reason: string }} */
function skippedStats(reason) {
  return { skipped: true, reason };
}

/**
 * Why nothing was done, as an error says.
 * @param {any} error
 * @param {Lateness} late
 * @returns {string}
 * @throws the error, if it is the caller's.
 */
function reasonFor(error, late) {
  if (late.isIt(error)) return 'deadline';
  if (REJECTED.has(error?.code)) throw error;
  return `${error?.code ?? 'failed'}: ${error?.message ?? error}`;
}

/** Gives a call up that has not even begun when its deadline is over: the pool is busy. */
class Lateness {
  /** @param {CompressOptions} options */
  constructor(options) {
    /** With a signal of ours. */
    this.options = options;
    const { deadlineMs, signal } = options;
    if (deadlineMs === undefined || deadlineMs > 2 ** 30) return;
    this.controller = new AbortController();
    const ours = this.controller.signal;
    this.options = { ...options, signal: signal instanceof AbortSignal ? AbortSignal.any([signal, ours]) : (signal ?? ours) };
    this.timer = setTimeout(() => this.controller?.abort(this), deadlineMs + GRACE_MS);
  }

  over() {
    clearTimeout(this.timer);
  }

  /** @param {any} error */
  isIt(error) {
    return error?.code === 'ABORT_ERR' && error.cause === this;
  }
}

module.exports = { Lateness, reasonFor, skippedStats, statsOf };
