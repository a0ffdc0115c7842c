'use strict';

// The tokens of a conversation: of all of it, and, as far as somebody asks, of each message.

const native = require('../native');
const { FIGURES } = require('./memory');
const { COUNTED, KIND_BITS, WORDS } = require('./messages');

const KIND_MASK = (1 << KIND_BITS) - 1;

/** What native code calls its actions, by number. @type {string[]} */
const ACTIONS = native.compressActions();

/** Figures of a call's texts, which stay as they are. */
class Tally {
  /**
   * @param {import('./messages').Texts} texts
   * @param {{ figures: Uint32Array, names: string[] }} known
   */
  constructor({ words, kind, reasons, uncounted, count, stride }, { figures, names }) {
    this.words = words;
    this.reasons = reasons;
    this.uncounted = uncounted;
    this.count = count;
    this.figures = figures;
    this.names = names;
    this.likes = stride === 0 ? NONE : likes(words, kind, figures, count, stride);
  }

  /** Messages. */
  get length() {
    return this.reasons.length;
  }

  /** Tokens of what was not counted in a message. @param {number} index */
  uncountedTokens(index) {
    const rest = this.uncounted[index];
    return rest < 0 ? 0 : Math.round((rest >> KIND_BITS) * this.likes[rest & KIND_MASK]);
  }

  /** Tokens of all messages. */
  sum() {
    const { figures, count, uncounted } = this;
    let before = 0;
    let saved = 0;
    for (let index = 0; index < uncounted.length; index++) before += this.uncountedTokens(index);
    for (let at = 0; at < count * FIGURES; at += FIGURES) {
      before += figures[at + 2];
      saved += figures[at + 2] - figures[at + 3];
    }
    return { before, after: before - saved };
  }

  /** @returns {import('./report').MessageReport[]} one for each message */
  messages() {
    const { words, reasons, figures, names, count } = this;
    /** @type {import('./report').MessageReport[]} */
    const reports = [];
    let entry = 0;
    for (let index = 0; index < reasons.length; index++) {
      let action = 0;
      let reason = reasons[index];
      let before = this.uncountedTokens(index);
      let after = before;
      for (; entry < count && words[entry * WORDS + 2] === index; entry++) {
        const at = entry * FIGURES;
        before += figures[at + 2];
        after += figures[at + 3];
        // Of what only was counted nothing else is to be said.
        if (words[entry * WORDS] === 0) continue;
        const done = figures[at];
        if (reason === null || done > action) reason = names[figures[at + 1]];
        if (done > action) action = done;
      }
      reports.push({ index, action: ACTIONS[action], reason: reason ?? '', tokens_before: before, tokens_after: after });
    }
    return reports;
  }
}

/** Numbers of a document's message: `document_report` in src/bindings/compress.rs. */
const MESSAGE = 4;

/** The same of a document's messages, each of which native code has figures of. */
class DocumentTally {
  /**
   * @param {Uint32Array} figures
   * @param {string[]} names Reasons.
   */
  constructor(figures, names) {
    this.figures = figures;
    this.names = names;
    this.length = figures.length / MESSAGE;
  }

  sum() {
    const { figures } = this;
    let [before, after] = [0, 0];
    for (let at = 0; at < figures.length; at += MESSAGE) {
      before += figures[at + 2];
      after += figures[at + 3];
    }
    return { before, after };
  }

  /** @returns {import('./report').MessageReport[]} */
  messages() {
    return Array.from({ length: this.length }, (_, index) => {
      const [action, reason, tokens_before, tokens_after] = this.figures.subarray(index * MESSAGE, (index + 1) * MESSAGE);
      return { index, action: ACTIONS[action], reason: this.names[reason], tokens_before, tokens_after };
    });
  }
}

/** Where all was counted. */
const NONE = [0, 0, 0, 0];

/**
 * Tokens of a character of each kind, as far as texts like those that were left out were counted.
 * @param {Uint32Array} words
 * @param {number[]} kind
 * @param {Uint32Array} figures
 * @param {number} count
 * @param {number} stride
 */
function likes(words, kind, figures, count, stride) {
  // A little of what is usual, for where there is nothing to go by.
  const lengths = [4, 4, 4, 4];
  const tokens = [1, 1, 1, 1];
  for (let entry = 0; entry < count; entry++) {
    const at = entry * WORDS;
    if (words[at] !== 0 || (words[at + 2] & stride) !== 0) continue;
    // What was left out was measured in the same way: a call without its name, and a little more.
    const length = words[at + 1];
    if (length > COUNTED) continue;
    lengths[kind[entry]] += length;
    tokens[kind[entry]] += figures[entry * FIGURES + 2];
  }
  return tokens.map((sum, like) => sum / lengths[like]);
}

exports.DocumentTally = DocumentTally;
exports.Tally = Tally;
