'use strict';

/**
 * `compress`: messages in, messages out, their long texts shortened off the main thread.
 *
 * Here is the main thread's part: the walk over the messages (`compress/messages.js`), the crossing (`compress/send.js`), what
 * is remembered of a conversation (`compress/memory.js`), and the result. Mode `truncate` is a rule of its own
 * (`compress/truncate.js`).
 */

const { textOf } = require('./compress/calls');
const { recall, remember } = require('./compress/memory');
const { ASIDE, Texts, WORDS, startOfTurns } = require('./compress/messages');
const { budgetOf, packOptions, wrongOption } = require('./compress/options');
const { Lateness, reasonFor, statsOf } = require('./compress/report');
const { send } = require('./compress/send');
const { Tally } = require('./compress/tally');
const { truncateAll } = require('./compress/truncate');
const { isDocument } = require('./document');
const { invalidArgument } = require('./errors');
const { begin } = require('./spans');
const { inline } = require('./submit');

/**
 * @typedef {import('./compress/report').MessageReport} MessageReport
 * @typedef {import('./compress/report').FullStats | import('./compress/truncate').TruncateStats | { skipped: true, reason: string }} CompressStats
 *
 * @typedef {object} CompressResult
 * @property {any[]} messages
 * @property {object[]} [tools]
 * @property {boolean} compressed
 * @property {CompressStats} [stats]
 *
 * @typedef {import('./compress/options').CompressOptions} CompressOptions
 */

/**
 * @param {import('./submit').Pool} pool
 * @param {any[] | import('./document').Document} messages OpenAI chat or Anthropic messages, or OpenAI Responses items; they are
 * not changed.
 * @param {CompressOptions} [options]
 * @returns {Promise<CompressResult>}
 */
function compress(pool, messages, options) {
  if (isDocument(messages)) return compressDocument(messages, options);
  if (!Array.isArray(messages)) return Promise.reject(invalidArgument('messages', 'an array or a Document', messages));
  const wrong = wrongOption(options);
  if (wrong !== undefined) return Promise.reject(wrong);
  if (options?.mode === 'truncate') return inline(pool, options, 'compress', () => truncateAll(messages), messages);
  if (messages.length === 0) return inline(pool, options, 'compress', () => skipped(messages, options, 'no messages'), messages);
  return shorten(pool, messages.slice(), options ?? {});
}

/**
 * A Document as the messages of a result.
 * @param {import('./document').Document} document
 * @param {CompressOptions} [options]
 * @returns {Promise<any>}
 */
async function compressDocument(document, options) {
  const shorter = await document.compress(options);
  const { stats } = shorter;
  const compressed = stats !== undefined && !('skipped' in stats) && ('chars_before' in stats || stats.tokens_after < stats.tokens_before);
  return withTools({ messages: shorter, compressed, stats }, options);
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
 * @template {object} R
 * @param {R & { tools?: object[] }} result
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
  const begun = begin(pool);
  const started = performance.now();
  let work;
  let reply;
  const late = new Lateness(options);
  try {
    work = new Work(messages, options);
    const { batch } = work;
    const numbers = packOptions(options, pool);
    reply = batch.texts.length === 0
      ? inline(pool, options, 'compress', () => undefined, messages, begun)
      : send(pool, late.options, batch, numbers, options.queryContext ?? '', begun);
    work.forgetAsides();
  } catch (error) {
    return Promise.reject(error);
  }
  const { texts } = work;
  return reply.then(
    (report) => {
      late.over();
      return work.finish(report, started);
    },
    (error) => {
      late.over();
      return skipped(texts.messages, options, reasonFor(error, late));
    },
  );
}

/**
 * Whether every text matters: all are counted, and may be too long.
 * @param {CompressOptions} options
 */
function needsAll({ exactTokens, tokenBudget, modelLimit, targetRatio }) {
  return exactTokens === true || tokenBudget !== undefined || modelLimit !== undefined || targetRatio !== undefined;
}

/** One call's. */
class Work {
  /**
   * @param {any[]} messages
   * @param {CompressOptions} options
   */
  constructor(messages, options) {
    this.options = options;
    this.texts = new Texts(messages, needsAll(options));
    this.texts.walk(startOfTurns(messages, options.preserveRecentTurns ?? 0));
    this.known = recall(this.texts, options);
    this.count = this.texts.count;
    this.batch = this.makeBatch();
  }

  /** @returns {import('./compress/send').Batch} what is not known yet */
  makeBatch() {
    const { source, count, lead } = this.texts;
    const { tools } = this.options;
    const first = this.known.count;
    const texts = first === 0 ? source : source.slice(first);
    /** Pieces, from 1, of what leads to others. @type {Map<any, number>} */
    const asides = new Map();
    /** @param {any} led */
    const aside = (led) => {
      if (led === '' || led === null) return 0;
      let piece = asides.get(led);
      if (piece === undefined) {
        const text = textOf(led);
        this.texts.push(text, ASIDE, text.length, 0, 0, null, null);
        if (first > 0) texts.push(text);
        piece = texts.length;
        asides.set(led, piece);
      }
      return piece;
    };
    for (let entry = first; entry < count; entry++) {
      const led = lead[entry];
      if (led === null) continue;
      const user = aside(led.user);
      const call = aside(led.call);
      const { words } = this.texts;
      words[entry * WORDS + 3] = user;
      words[entry * WORDS + 4] = call;
    }
    if (tools !== undefined && budgetOf(this.options) > 0) {
      const text = JSON.stringify(tools);
      this.texts.push(text, 0, text.length, 0, 0, null, null);
      if (first > 0) texts.push(text);
    }
    const pieces = this.texts.words.subarray(first * WORDS, this.texts.count * WORDS);
    return { texts, pieces, ...this.known.before() };
  }

  /** Asides are no entries. */
  forgetAsides() {
    this.texts.cut(this.count);
  }

  /**
   * @param {[Uint32Array, string[], string[], string[]] | undefined} report
   * @param {number} started
   * @returns {CompressResult}
   */
  finish(report, started) {
    const { texts, known, options } = this;
    const { messages } = texts;
    if (report !== undefined) known.add(report, texts.count);
    const out = messages.slice();
    this.rebuild(out);
    const stats = statsOf(new Tally(texts, known), known.transforms.slice(), started);
    remember(known, texts);
    return withTools({ messages: out, compressed: stats.tokens_after < stats.tokens_before, stats }, options);
  }

  /**
   * Puts the new texts in their places.
   * @param {any[]} out
   */
  rebuild(out) {
    const { words, place, count } = this.texts;
    const { texts } = this.known;
    for (let entry = 0; entry < count; entry++) {
      const replacement = texts[entry];
      const where = place[entry];
      if (replacement !== undefined && where !== null) out[words[entry * WORDS + 2]] = put(where, replacement);
    }
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

module.exports = { compress };
