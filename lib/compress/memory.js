'use strict';

// What is remembered of conversations, so that one that grew costs its new messages only: the texts of the others do not
// cross again.
//
// A conversation is found by its last message, an object. What was done to its texts holds as far as the texts are the
// same strings, which is looked at each time; so what the caller changes in between is seen. It goes when the message
// does, or with the first call that finds it: that call remembers the longer one.

const { WORDS } = require('./messages');

/** Messages from the end in which a remembered one is looked for. */
const REACH = 64;

/** For so many ms: native code keeps originals for longer, but wants to hear of them at times. */
const KEEP_MS = 30 * 60 * 1000;

/** Numbers of a text in a report: WORDS in src/compress/report.rs. */
const FIGURES = 11;
const REASON = 1;
const KEY = 7;
const ID = 9;

/** What was done to the texts of a conversation. */
class Known {
  /** @param {string} key Of the options; empty: not to be remembered. */
  constructor(key) {
    this.key = key;
    /** @type {any[]} */
    this.source = [];
    /** @type {Uint32Array} */
    this.words = new Uint32Array(0);
    /** @type {(import('./messages').Lead | null)[]} */
    this.lead = [];
    /** Entries for which there are figures. */
    this.count = 0;
    /** @type {Uint32Array} */
    this.figures = new Uint32Array(0);
    /** New texts by entry. @type {(string | undefined)[]} */
    this.texts = [];
    /** Reasons by number. @type {string[]} */
    this.names = [];
    /** @type {string[]} */
    this.transforms = [];
    this.at = 0;
  }

  /**
   * Forgets from the first entry on that is not the same in this conversation.
   * @param {import('./messages').Texts} texts
   */
  keepSame(texts) {
    const { source, words, lead } = this;
    const end = Math.min(this.count, texts.count);
    let same = 0;
    while (
      same < end &&
      source[same] === texts.source[same] &&
      isSame(words, texts.words, same) &&
      isSameLead(lead[same], texts.lead[same])
    ) {
      same++;
    }
    if (same === this.count) return;
    // A message is the same as a whole or not at all: its later texts may say more of the earlier ones.
    while (same > 0 && same < texts.count && texts.words[same * WORDS + 2] === texts.words[(same - 1) * WORDS + 2]) same--;
    this.count = same;
    this.texts.length = same;
  }

  /**
   * What was done to the entries behind those that were known.
   * @param {[Uint32Array, string[], string[], string[]]} report
   * @param {number} count Entries there are now.
   */
  add([figures, blocks, names, transforms], count) {
    const numbers = names.map((name) => {
      const known = this.names.indexOf(name);
      return known < 0 ? this.names.push(name) - 1 : known;
    });
    for (const name of transforms) if (!this.transforms.includes(name)) this.transforms.push(name);
    const end = (count - this.count) * FIGURES;
    for (let at = 0; at < end; at += FIGURES) {
      figures[at + REASON] = numbers[figures[at + REASON]];
      const block = figures[at + 4];
      const start = figures[at + 5];
      this.texts.push(block === 0 ? undefined : blocks[block - 1].substring(start, start + figures[at + 6]));
    }
    if (this.count === 0) {
      this.figures = figures;
    } else {
      const all = new Uint32Array(count * FIGURES);
      all.set(this.figures.subarray(0, this.count * FIGURES));
      all.set(figures.subarray(0, end), this.count * FIGURES);
      this.figures = all;
    }
    this.count = count;
  }

  /** What texts that follow have to know of those before them. */
  before() {
    const { figures, words, count } = this;
    /** @type {number[]} */
    const earlier = [];
    /** @type {number[]} */
    const ids = [];
    for (let entry = 0, at = 0; entry < count; entry++, at += FIGURES) {
      if (figures[at + KEY] !== 0 || figures[at + KEY + 1] !== 0) {
        earlier.push(figures[at + KEY], figures[at + KEY + 1], words[entry * WORDS + 2]);
      }
      if (figures[at + ID] !== 0 || figures[at + ID + 1] !== 0) ids.push(figures[at + ID], figures[at + ID + 1]);
    }
    return { earlier, ids };
  }
}

/**
 * Whether an entry has the same purpose and message.
 * @param {Uint32Array} one
 * @param {Uint32Array} other
 * @param {number} entry
 */
function isSame(one, other, entry) {
  const at = entry * WORDS;
  return one[at] === other[at] && one[at + 2] === other[at + 2];
}

/**
 * @param {import('./messages').Lead | null} one
 * @param {import('./messages').Lead | null} other
 */
function isSameLead(one, other) {
  if (one === null || other === null) return one === other;
  return one.user === other.user && one.call === other.call;
}

/** @type {WeakMap<object, Known>} By the last message. */
const conversations = new WeakMap();

/**
 * What must be the same for an outcome to hold; empty where outcomes depend on what follows.
 * @param {import('./options').CompressOptions} options
 */
function keyOf(options) {
  const { cache, deadlineMs, preserveRecentTurns = 0, tokenBudget, modelLimit } = options;
  const dependsOnMore = deadlineMs !== undefined || preserveRecentTurns > 0 || tokenBudget !== undefined || modelLimit !== undefined;
  if (cache === false || dependsOnMore) return '';
  const { mode = 'auto', targetRatio, minTokens, reversible = true, exactTokens = false, model, queryContext } = options;
  return `${mode} ${targetRatio} ${minTokens} ${reversible} ${exactTokens} ${model} ${queryContext}`;
}

/**
 * What is known of the texts that a conversation begins with.
 * @param {import('./messages').Texts} texts
 * @param {import('./options').CompressOptions} options
 */
function recall(texts, options) {
  const key = keyOf(options);
  const { messages } = texts;
  for (let index = messages.length - 1; key !== '' && index >= 0 && index >= messages.length - REACH; index--) {
    const known = conversations.get(messages[index]);
    if (known === undefined || known.key !== key) continue;
    conversations.delete(messages[index]);
    if (performance.now() - known.at > KEEP_MS) break;
    known.keepSame(texts);
    return known;
  }
  return new Known(key);
}

/**
 * @param {Known} known
 * @param {import('./messages').Texts} texts all of which are known now
 */
function remember(known, { messages, source, words, lead }) {
  const last = messages[messages.length - 1];
  if (typeof last !== 'object' || last === null || known.key === '') return;
  known.source = source;
  known.words = words;
  known.lead = lead;
  known.at = performance.now();
  conversations.set(last, known);
}

module.exports = { FIGURES, recall, remember };
