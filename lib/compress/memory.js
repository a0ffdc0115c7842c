'use strict';

// What is remembered of conversations, so that one that grew costs its new messages only: their texts do not cross again.
//
// A conversation is found by its last message, an object. What was done to its texts holds as long as all its messages
// are the same objects with the same texts in them, which is looked at each time; then the rest of the walk begins behind
// them. It goes when the message does, or with the first call that finds it: that call remembers the longer one.

const { Texts } = require('./messages');

/** Messages from the end in which a remembered one is looked for. */
const REACH = 64;

/** For so many ms: native code keeps originals for longer, but wants to hear of them at times. */
const KEEP_MS = 30 * 60 * 1000;

/** What was done to texts, one entry in each list. */
class Outcomes {
  /** @type {number[]} */
  action = [];
  /** @type {string[]} */
  reason = [];
  /** @type {number[]} */
  before = [];
  /** @type {number[]} */
  after = [];
  /** @type {(string | undefined)[]} */
  text = [];
  /** Two words each. @type {number[]} */
  keys = [];
  /** @type {number[]} */
  ids = [];
  /** @type {Set<string>} */
  transforms = new Set();

  /**
   * What texts that follow have to know.
   * @param {number[]} message of each
   * @param {import('./send').Batch} batch
   */
  listEarlier(message, { earlier, ids }) {
    for (let entry = 0; entry < this.action.length; entry++) {
      const low = this.keys[2 * entry];
      const high = this.keys[2 * entry + 1];
      if (low !== 0 || high !== 0) earlier.push(low, high, message[entry]);
      if (this.ids[2 * entry] !== 0 || this.ids[2 * entry + 1] !== 0) ids.push(this.ids[2 * entry], this.ids[2 * entry + 1]);
    }
  }
}

/**
 * @typedef {object} Known
 * @property {Texts} texts
 * @property {Outcomes} outcomes
 * @property {Prints} prints Of the messages.
 * @property {string} key Of the options.
 * @property {number} at
 */

/** @type {WeakMap<object, Known>} By the last message. */
const conversations = new WeakMap();

/** What a message was: the values in it that the walk looks at. Recorded once, compared from then on. */
class Prints {
  /** @type {unknown[]} */
  values = [];
  at = 0;
  same = true;
  recording = true;

  /** @param {unknown} value */
  put(value) {
    if (this.recording) this.values.push(value);
    else if (this.values[this.at++] !== value) this.same = false;
  }

  /** @param {any} message */
  message(message) {
    this.put(message);
    if (typeof message !== 'object' || message === null) return;
    this.put(message.role);
    const { content, output, tool_calls: calls } = message;
    this.content(content);
    if (output !== undefined) this.content(output);
    if (message.role === undefined) this.block(message);
    if (!Array.isArray(calls)) return;
    for (const call of calls) {
      this.put(call?.id);
      this.put(call?.function?.arguments);
    }
  }

  /** @param {any} content */
  content(content) {
    this.put(content);
    if (!Array.isArray(content)) return;
    this.put(content.length);
    for (const block of content) {
      this.put(block);
      if (typeof block === 'object' && block !== null) this.block(block);
    }
  }

  /** @param {any} block */
  block(block) {
    this.put(block.type);
    this.put(block.text);
    this.put(block.is_error);
    this.put(block.cache_control);
    if (block.type === 'tool_result') this.content(block.content);
  }

  /**
   * Whether the first messages are those that were recorded.
   * @param {readonly any[]} messages
   * @param {number} count
   */
  match(messages, count) {
    this.recording = false;
    this.same = true;
    this.at = 0;
    for (let index = 0; index < count && this.same; index++) this.message(messages[index]);
    return this.same && this.at === this.values.length;
  }

  /**
   * @param {readonly any[]} messages
   * @param {number} first
   */
  record(messages, first) {
    this.recording = true;
    for (let index = first; index < messages.length; index++) this.message(messages[index]);
  }
}

/**
 * What must be the same for an outcome to hold.
 * @param {import('./options').CompressOptions} options
 */
function keyOf({ mode, targetRatio, queryContext, minTokens, reversible, exactTokens, model }) {
  return `${mode ?? 'auto'} ${targetRatio} ${minTokens} ${reversible ?? true} ${exactTokens ?? false} ${model} ${queryContext}`;
}

/**
 * Whether a conversation is to be remembered: nothing in it may depend on what follows.
 * @param {import('./options').CompressOptions} options
 */
function isMemorable({ cache, deadlineMs, preserveRecentTurns = 0, tokenBudget, modelLimit }) {
  return cache !== false && deadlineMs === undefined && preserveRecentTurns === 0 && tokenBudget === undefined && modelLimit === undefined;
}

/**
 * What is known of the conversation that the messages begin with.
 * @param {any[]} messages
 * @param {import('./options').CompressOptions} options
 * @returns {Known}
 */
function recall(messages, options) {
  const fresh = () => ({ texts: new Texts(messages), outcomes: new Outcomes(), prints: new Prints(), key: '', at: 0 });
  if (!isMemorable(options)) return fresh();
  const key = keyOf(options);
  for (let index = messages.length - 1; index >= 0 && index >= messages.length - REACH; index--) {
    const known = conversations.get(messages[index]);
    if (known === undefined || known.texts.reasons.length !== index + 1 || known.key !== key) continue;
    conversations.delete(messages[index]);
    if (performance.now() - known.at < KEEP_MS && known.prints.match(messages, index + 1)) {
      known.prints.record(messages, index + 1);
      return known;
    }
  }
  const known = { ...fresh(), key };
  known.prints.record(messages, 0);
  return known;
}

/**
 * @param {Known} known of all messages now
 * @param {number} first Entries before this one had been known.
 * @param {import('./options').CompressOptions} options
 */
function remember(known, first, options) {
  const { messages, place } = known.texts;
  const last = messages[messages.length - 1];
  if (typeof last !== 'object' || last === null || !isMemorable(options)) return;
  // A copy that was handed out is no snapshot any more.
  for (let entry = first; entry < place.length; entry++) if (place[entry] !== null) place[entry] = HANDED_OUT;
  known.at = performance.now();
  conversations.set(last, known);
}

/** Stands for the place of a text that could be replaced. */
const HANDED_OUT = { holder: null, key: 0, up: null };

module.exports = { recall, remember };
