'use strict';

/**
 * `compress`: messages in, messages out, their long texts shortened off the main thread.
 *
 * Here is the main thread's part: the walk over the messages (`compress/messages.js`), the crossing (`compress/send.js`), what
 * is remembered of a conversation (`compress/memory.js`), and the result. Mode `truncate` is a rule of its own
 * (`compress/truncate.js`).
 */

const native = require('./native');
const { recall, remember } = require('./compress/memory');
const { ASIDE, Texts, startOfTurns, textOf } = require('./compress/messages');
const { packOptions, wrongOption } = require('./compress/options');
const { send } = require('./compress/send');
const { truncateAll } = require('./compress/truncate');
const { invalidArgument } = require('./errors');
const { inline } = require('./submit');

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
 * @typedef {FullStats | import('./compress/truncate').TruncateStats | { skipped: true, reason: string }} CompressStats
 *
 * @typedef {object} CompressResult
 * @property {any[]} messages
 * @property {object[]} [tools]
 * @property {boolean} compressed
 * @property {CompressStats} [stats]
 *
 * @typedef {import('./compress/options').CompressOptions} CompressOptions
 */

/** Numbers of a text in a report: WORDS in src/compress/report.rs. */
const FIGURES = 11;

/** What native code calls its actions, by number. @type {string[]} */
const ACTIONS = native.compressActions();

/** What is thrown at whoever asked for it, or at a pool that is full or closed, is no failure of ours to cover up. */
const REJECTED = new Set(['ABORT_ERR', 'ERR_POOL_CLOSED', 'ERR_QUEUE_FULL', 'ERR_INVALID_ARG']);

/**
 * @param {import('./submit').Pool} pool
 * @param {any[]} messages OpenAI chat or Anthropic messages, or OpenAI Responses items; they are not changed.
 * @param {CompressOptions} [options]
 * @returns {Promise<CompressResult>}
 */
function compress(pool, messages, options) {
  if (!Array.isArray(messages)) return Promise.reject(invalidArgument('messages', 'an array or a Document', messages));
  const wrong = wrongOption(options);
  if (wrong !== undefined) return Promise.reject(wrong);
  if (options?.mode === 'truncate') return inline(pool, options, 'compress', () => truncateAll(messages));
  if (messages.length === 0) return inline(pool, options, 'compress', () => skipped(messages, options, 'no messages'));
  return shorten(pool, messages.slice(), options ?? {});
}

/**
 * @param {any[]} messages
 * @param {CompressOptions | undefined} options
 * @param {string} reason
 * @returns {CompressResult}
 */
function skipped(messages, options, reason) {
  return withTools({ messages, compressed: false, stats: { skipped: true, reason } }, options);
}

/**
 * @param {CompressResult} result
 * @param {CompressOptions | undefined} options
 */
function withTools(result, options) {
  if (options?.tools !== undefined) result.tools = options.tools;
  return result;
}

/**
 * @param {import('./submit').Pool} pool
 * @param {any[]} messages ours
 * @param {CompressOptions} options
 * @returns {Promise<CompressResult>}
 */
function shorten(pool, messages, options) {
  const started = performance.now();
  let work;
  let reply;
  try {
    work = new Work(messages, options);
    const { batch } = work;
    const budget = -1;
    reply = batch.texts.length === 0
      ? inline(pool, options, 'compress', () => undefined)
      : send(pool, options, batch, packOptions(options, budget), options.queryContext ?? '');
  } catch (error) {
    return Promise.reject(error);
  }
  const { texts } = work;
  return reply.then(
    (report) => work.finish(report, started),
    (error) => {
      if (REJECTED.has(error?.code)) throw error;
      return skipped(texts.messages, options, `${error?.code ?? 'failed'}: ${error?.message ?? error}`);
    },
  );
}

/** One call's. */
class Work {
  /**
   * @param {any[]} messages
   * @param {CompressOptions} options
   */
  constructor(messages, options) {
    this.options = options;
    const recent = startOfTurns(messages, options.preserveRecentTurns ?? 0);
    this.recent = recent;
    const known = recall(messages, options);
    /** What is known of the first so many entries. */
    this.first = known.texts.source.length;
    this.firstMessage = known.texts.reasons.length;
    this.known = known;
    this.texts = known.texts;
    this.outcomes = known.outcomes;
    this.messages = messages;
    this.texts.messages = messages;
    this.texts.walk(messages.length, recent);
    /** Places of replaced texts of messages that are known. */
    this.again = this.placesAgain();
    /** Entries by piece; -1 for what is not asked for. @type {number[]} */
    this.entries = [];
    this.batch = this.makeBatch();
  }

  /** Snapshots of the known messages whose texts are replaced. */
  placesAgain() {
    const again = new Texts(this.messages);
    /** @type {number[]} */
    const starts = [];
    const { text } = this.outcomes;
    const { message } = this.texts;
    for (let entry = 0; entry < this.first; entry++) {
      if (text[entry] === undefined || starts[message[entry]] !== undefined) continue;
      const index = message[entry];
      starts[index] = again.source.length;
      again.read(this.messages[index], index, index >= this.recent);
    }
    return { places: again.place, starts };
  }

  makeBatch() {
    const { texts, first, outcomes, entries } = this;
    const { source, purpose, message, user, call } = texts;
    /** @type {import('./compress/send').Batch} */
    const batch = { texts: [], pieces: [], earlier: [], ids: [] };
    const { pieces } = batch;
    /** @type {Map<number, number>} */
    const asides = new Map();
    for (let entry = first; entry < source.length; entry++) {
      for (const before of [user[entry], call[entry]]) {
        if (before === 0 || before > first || asides.has(before)) continue;
        const text = textOf(source[before - 1]);
        batch.texts.push(text);
        pieces.push(ASIDE, text.length, 0, 0, 0);
        asides.set(before, entries.push(-1));
      }
    }
    const offset = entries.length - first;
    /** @param {number} before */
    const pieceOf = (before) => (before > first ? before + offset : (asides.get(before) ?? 0));
    for (let entry = first; entry < source.length; entry++) {
      const text = typeof source[entry] === 'string' ? source[entry] : textOf(source[entry]);
      batch.texts.push(text);
      pieces.push(purpose[entry], text.length, message[entry], pieceOf(user[entry]), pieceOf(call[entry]));
      entries.push(entry);
    }
    if (pieces.length > 0) outcomes.listEarlier(message, batch);
    return batch;
  }

  /**
   * @param {[Uint32Array, string[], string[], string[]] | undefined} report
   * @param {number} started
   * @returns {CompressResult}
   */
  finish(report, started) {
    const { outcomes, messages, options } = this;
    if (report !== undefined) this.take(report);
    const out = messages.slice();
    const reports = this.rebuild(out);
    let before = 0;
    let after = 0;
    for (let i = 0; i < reports.length; i++) {
      before += reports[i].tokens_before;
      after += reports[i].tokens_after;
    }
    remember(this.known, this.first, options);
    const stats = {
      original_count: messages.length,
      compressed_count: messages.length,
      tokens_before: before,
      tokens_after: after,
      tokens_saved: before - after,
      savings_percent: before === 0 ? 0 : (100 * (before - after)) / before,
      compression_ratio: before === 0 ? 1 : after / before,
      latency_ms: performance.now() - started,
      transforms_applied: Array.from(outcomes.transforms),
      messages: reports,
    };
    return withTools({ messages: out, compressed: after < before, stats }, options);
  }

  /** @param {[Uint32Array, string[], string[], string[]]} report */
  take([figures, blocks, names, transforms]) {
    const { entries, outcomes } = this;
    for (const name of transforms) outcomes.transforms.add(name);
    for (let piece = 0, at = 0; piece < entries.length; piece++, at += FIGURES) {
      if (entries[piece] === -1) continue;
      const block = figures[at + 4];
      const start = figures[at + 5];
      const text = block === 0 ? undefined : blocks[block - 1].substring(start, start + figures[at + 6]);
      outcomes.action.push(figures[at]);
      outcomes.reason.push(names[figures[at + 1]]);
      outcomes.before.push(figures[at + 2]);
      outcomes.after.push(figures[at + 3]);
      outcomes.text.push(text);
      outcomes.keys.push(figures[at + 7], figures[at + 8]);
      outcomes.ids.push(figures[at + 9], figures[at + 10]);
    }
  }

  /**
   * Puts the new texts in their places.
   * @param {any[]} out
   * @returns {MessageReport[]} one for each message
   */
  rebuild(out) {
    const { texts, outcomes, first, again } = this;
    const { message, reasons, place } = texts;
    const { action, reason, before, after, text } = outcomes;
    /** @type {MessageReport[]} */
    const reports = [];
    let entry = 0;
    for (let index = 0; index < out.length; index++) {
      let strongest = 0;
      let why = reasons[index];
      let tokensBefore = 0;
      let tokensAfter = 0;
      const start = entry;
      for (; entry < message.length && message[entry] === index; entry++) {
        tokensBefore += before[entry];
        tokensAfter += after[entry];
        if (place[entry] === null) continue;
        if (why === null || action[entry] > strongest) why = reason[entry];
        if (action[entry] > strongest) strongest = action[entry];
        const replacement = text[entry];
        if (replacement !== undefined) {
          const where = entry < first ? again.places[again.starts[index] + entry - start] : place[entry];
          out[index] = put(/** @type {import('./compress/messages').Place} */ (where), replacement);
        }
      }
      reports.push({
        index,
        action: ACTIONS[strongest],
        reason: why ?? '',
        tokens_before: tokensBefore,
        tokens_after: tokensAfter,
      });
    }
    return reports;
  }
}

/**
 * Puts a text into the copies on its way.
 * @param {import('./compress/messages').Place} place
 * @param {string} text
 * @returns {any} the copied message
 */
function put(place, text) {
  place.holder[place.key] = text;
  let at = place;
  while (at.up !== null) {
    at.up.holder[at.up.key] = at.holder;
    at = at.up;
  }
  return at.holder;
}

module.exports = { compress, skipped, wrongOption };
