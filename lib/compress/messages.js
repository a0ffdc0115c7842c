'use strict';

// What messages are made of: OpenAI chat messages, Anthropic messages, items of OpenAI responses, as they come. The same
// model as src/compress/message/, which has it for Documents.
//
// A walk over the messages lists the texts that may be shortened. It copies nothing but the objects on the way to such a
// text, which makes the result a snapshot: what the caller changes afterwards does not show in it.
//
// The other texts are there to be counted. Looking at each would cost more than all the rest, so of many short ones some
// are counted, and the others are taken to be like those.

const { callLength, findCall, isCall, mayHaveHash, textOf } = require('./calls');

/** What a text is, as in src/compress/pipeline.rs; 0 is for those that are only counted. */
const RESULT = 1;
const SAID = 2;
const ASIDE = 3;

/** Words of an entry: purpose, length, message, and the pieces that led to it, the user's and the call's, from 1. */
const WORDS = 5;

/** Characters below which a result cannot have enough tokens to be worth shortening. */
const SHORT = 32;

/** The same for what the assistant said: it is not long-winded by nature, as tools are. */
const SHORT_SAID = 2000;

/** Characters from which a text may be too long, so that it matters what led to it. */
const LONG = 1000;

/** Characters from which a result may be what was retrieved. */
const RETRIEVED = 256;

/** Messages of a conversation that is counted as a whole, and characters of a text that is. */
const FEW = 128;
const COUNTED = 2000;
/** At least one message in so many is counted. */
const MAX_STRIDE = 8;

/** Blocks that carry text in one of the formats. */
const TEXT_BLOCKS = new Set(['text', 'input_text', 'output_text']);

/** Items of responses that are a tool's result. */
const OUTPUTS = new Set(['function_call_output', 'custom_tool_call_output', 'local_shell_call_output']);

/** Kinds of text that are estimated by their like. */
const USER = 0;
const ASSISTANT = 1;
const OTHER = 2;
const CALL = 3;
const KIND_BITS = 2;

/**
 * Where a replaced text goes. `up` puts the copied holder in its place.
 * @typedef {{ holder: any, key: string | number, up: Place | null }} Place
 *
 * What led to a text: what the user said, and the tool call.
 * @typedef {{ user: string, call: any }} Lead
 */

/** The texts of messages, in order. */
class Texts {
  /**
   * @param {any[]} messages
   * @param {boolean} [all] Whether all texts are to be counted, and to know what led to them.
   */
  constructor(messages, all = false) {
    this.messages = messages;
    this.all = all;
    /** One message in so many is counted, a power of two; less one. */
    this.stride = 0;
    if (!all) while ((this.stride + 1) * FEW < messages.length && this.stride < MAX_STRIDE - 1) this.stride = 2 * this.stride + 1;
    /** Entries. */
    this.count = 0;
    /** What src/bindings/compress.rs reads of each. @type {Uint32Array} */
    this.words = new Uint32Array(WORDS * ((messages.length >> 1) + 16));
    /** Texts. @type {string[]} */
    this.source = [];
    /** What each is like: one of the kinds. @type {number[]} */
    this.kind = [];
    /** Where the replacement of a text that may be replaced goes. @type {(Place | null)[]} */
    this.place = [];
    /** @type {(Lead | null)[]} */
    this.lead = [];
    /** Why each message stays as it is; null: its texts say. @type {(string | null)[]} */
    this.reasons = new Array(messages.length).fill(null);
    /** Characters, or calls, of each message that are not counted, above their kind's bits; -1 for none. */
    this.uncounted = new Int32Array(messages.length).fill(-1);
    /** The user's latest text. */
    this.lastUser = '';
    /** Whether a text may have been shortened for good, and its original be asked for. */
    this.mayRetrieve = all;
  }

  /** @param {number} recent The first message that is protected as recent. */
  walk(recent) {
    const { messages, reasons } = this;
    touch(messages);
    for (let index = 0; index < messages.length; index++) {
      const message = messages[index];
      reasons[index] =
        typeof message === 'object' && message !== null ? this.read(message, index, index >= recent) : 'no message';
    }
  }

  /**
   * A text that stays as it is, or a call.
   * @param {any} source
   * @param {number} length
   * @param {number} index
   * @param {number} kind
   */
  keep(source, length, index, kind) {
    const { uncounted } = this;
    const known = uncounted[index];
    if (length > COUNTED || (index & this.stride) === 0 || (known >= 0 && (known & ((1 << KIND_BITS) - 1)) !== kind)) {
      const text = typeof source === 'string' ? source : textOf(source);
      this.push(text, 0, text.length, index, kind, null, null);
    } else {
      uncounted[index] = known < 0 ? (length << KIND_BITS) | kind : known + (length << KIND_BITS);
    }
  }

  /**
   * A text that may be replaced.
   * @param {string} text
   * @param {number} purpose
   * @param {number} index
   * @param {any} id of the call
   * @param {Place} place
   */
  add(text, purpose, index, id, place) {
    const { length } = text;
    let lead = null;
    if (length > LONG || this.all) {
      this.mayRetrieve = true;
      lead = { user: this.lastUser, call: findCall(this.messages, id, index) };
    } else if (this.mayRetrieve && length > RETRIEVED) {
      const call = findCall(this.messages, id, index);
      if (call !== null && mayHaveHash(call)) lead = { user: '', call };
    }
    this.push(text, purpose, length, index, OTHER, place, lead);
  }

  /**
   * @param {string} source
   * @param {number} purpose
   * @param {number} length
   * @param {number} index
   * @param {number} kind
   * @param {Place | null} place
   * @param {Lead | null} lead
   */
  push(source, purpose, length, index, kind, place, lead) {
    const at = this.count * WORDS;
    if (at + WORDS > this.words.length) this.grow();
    const { words } = this;
    words[at] = purpose;
    words[at + 1] = length;
    words[at + 2] = index;
    this.source.push(source);
    this.kind.push(kind);
    this.place.push(place);
    this.lead.push(lead);
    this.count++;
  }

  /**
   * Forgets the entries behind the first ones.
   * @param {number} count
   */
  cut(count) {
    this.count = count;
    this.source.length = count;
    this.kind.length = count;
    this.place.length = count;
    this.lead.length = count;
  }

  grow() {
    const words = new Uint32Array(2 * this.words.length);
    words.set(this.words);
    this.words = words;
  }

  /**
   * @param {any} message
   * @param {number} index
   * @param {boolean} isRecent
   * @returns {string | null} why it stays as it is
   */
  read(message, index, isRecent) {
    const { role } = message;
    if (role === 'user') return this.turn(message, index, isRecent);
    if (role === 'assistant') return this.said(message, index, isRecent);
    if (role === 'tool' || role === 'function') {
      return this.result(message, 'content', message.tool_call_id, index, isRecent);
    }
    if (role === undefined) return this.item(message, index, isRecent);
    this.keepAll(message.content, index, OTHER);
    return role === 'system' || role === 'developer' ? 'system text' : 'unknown role';
  }

  /**
   * An item of a response that is no message.
   * @param {any} item
   * @param {number} index
   * @param {boolean} isRecent
   */
  item(item, index, isRecent) {
    if (OUTPUTS.has(item.type)) return this.result(item, 'output', item.call_id, index, isRecent);
    if (isCall(item)) {
      this.keep(item, callLength(item), index, CALL);
      return 'tool call';
    }
    this.keepAll(item.content, index, OTHER);
    return 'no role';
  }

  /**
   * A user's message, which has tool results in Anthropic's format.
   * @param {any} message
   * @param {number} index
   * @param {boolean} isRecent
   */
  turn(message, index, isRecent) {
    const { content } = message;
    if (typeof content === 'string') {
      this.lastUser = content;
      this.keep(content, content.length, index, USER);
      return 'user text';
    }
    return Array.isArray(content) ? this.userBlocks(message, content, index, isRecent) : 'no text';
  }

  /**
   * @param {any} message
   * @param {any[]} content
   * @param {number} index
   * @param {boolean} isRecent
   */
  userBlocks(message, content, index, isRecent) {
    /** @type {Place | null} */
    let list = null;
    let reason = /** @type {string | null} */ ('user text');
    for (let i = 0; i < content.length; i++) {
      const block = content[i];
      if (typeof block !== 'object' || block === null) continue;
      if (block.type === 'tool_result') {
        const protection = isRecent ? 'recent turn' : protectionOf(block);
        if (protection === null) {
          list ??= { holder: content.slice(), key: 0, up: { holder: { ...message }, key: 'content', up: null } };
          const up = { holder: list.holder, key: i, up: list.up };
          reason = combine(reason, this.content(block, 'content', block.tool_use_id, RESULT, index, up));
        } else {
          this.keepAll(block.content, index, OTHER);
          reason = combine(reason, protection);
        }
      } else if (TEXT_BLOCKS.has(block.type) && typeof block.text === 'string') {
        this.lastUser = block.text;
        this.keep(block.text, block.text.length, index, USER);
      }
    }
    return reason;
  }

  /**
   * A message or item that is a tool's result.
   * @param {any} message
   * @param {'content' | 'output'} key
   * @param {any} id
   * @param {number} index
   * @param {boolean} isRecent
   */
  result(message, key, id, index, isRecent) {
    const protection = isRecent ? 'recent turn' : protectionOf(message);
    if (protection === null) return this.content(message, key, id, RESULT, index, null);
    this.keepAll(message[key], index, OTHER);
    return protection;
  }

  /**
   * @param {any} message
   * @param {number} index
   * @param {boolean} isRecent
   */
  said(message, index, isRecent) {
    const { content, tool_calls: calls } = message;
    if (Array.isArray(calls)) {
      for (let i = 0; i < calls.length; i++) this.keep(calls[i], callLength(calls[i]), index, CALL);
    }
    if (typeof content === 'string' && content.length < SHORT_SAID) {
      this.keep(content, content.length, index, ASSISTANT);
      return 'assistant text';
    }
    const protection = isRecent ? 'recent turn' : protectionOf(message);
    if (protection === null) return this.content(message, 'content', undefined, SAID, index, null);
    this.keepAll(content, index, ASSISTANT);
    return protection;
  }

  /**
   * Texts that may be replaced.
   * @param {any} holder
   * @param {'content' | 'output'} key
   * @param {any} id of the call
   * @param {number} purpose
   * @param {number} index
   * @param {Place | null} up
   * @returns {string | null} why none of them is
   */
  content(holder, key, id, purpose, index, up) {
    const content = holder[key];
    if (typeof content === 'string') {
      if (content.length < SHORT) {
        this.keep(content, content.length, index, OTHER);
        return 'short';
      }
      this.add(content, purpose, index, id, { holder: { ...holder }, key, up });
      return null;
    }
    return Array.isArray(content) ? this.blocks(holder, content, key, id, purpose, index, up) : 'no text';
  }

  /**
   * @param {any} holder
   * @param {any[]} content
   * @param {'content' | 'output'} key
   * @param {any} id
   * @param {number} purpose
   * @param {number} index
   * @param {Place | null} up
   */
  blocks(holder, content, key, id, purpose, index, up) {
    /** @type {Place | null} */
    let list = null;
    let reason = /** @type {string | null} */ ('no text');
    for (let i = 0; i < content.length; i++) {
      const block = content[i];
      if (typeof block !== 'object' || block === null) continue;
      if (TEXT_BLOCKS.has(block.type) && typeof block.text === 'string') {
        const { text } = block;
        const protection = shortness(text, purpose) ?? protectionOf(block);
        if (protection === null) {
          list ??= { holder: content.slice(), key: 0, up: { holder: { ...holder }, key, up } };
          this.add(text, purpose, index, id, { holder: { ...block }, key: 'text', up: { holder: list.holder, key: i, up: list.up } });
        } else {
          this.keep(text, text.length, index, purpose === SAID ? ASSISTANT : OTHER);
        }
        reason = combine(reason, protection);
      } else if (block.type === 'tool_use') {
        this.keep(block, callLength(block), index, CALL);
      } else if (typeof block.thinking === 'string') {
        this.keep(block.thinking, block.thinking.length, index, ASSISTANT);
      }
    }
    return reason;
  }

  /**
   * Texts that stay as they are.
   * @param {any} content
   * @param {number} index
   * @param {number} kind
   */
  keepAll(content, index, kind) {
    if (typeof content === 'string') this.keep(content, content.length, index, kind);
    if (!Array.isArray(content)) return;
    for (const block of content) {
      if (typeof block !== 'object' || block === null) continue;
      if (typeof block.text === 'string') this.keep(block.text, block.text.length, index, kind);
      else if (block.type === 'tool_use') this.keep(block, callLength(block), index, CALL);
      else if (typeof block.thinking === 'string') this.keep(block.thinking, block.thinking.length, index, kind);
    }
  }
}

/**
 * Has the processor fetch what the walk is going to look at. A loop that does nothing else has many fetches under way at
 * once; the walk, which decides on what it finds, waits for each.
 * @param {readonly any[]} messages
 */
function touch(messages) {
  let length = 0;
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index];
    if (typeof message !== 'object' || message === null) continue;
    const { content, tool_calls: calls } = message;
    if (typeof content === 'string') length += content.length;
    if (Array.isArray(calls)) {
      const input = calls[0]?.function?.arguments;
      if (typeof input === 'string') length += input.length;
    }
  }
  return length;
}

/**
 * Why a message stays as it is when one more of its texts does, or does not.
 * @param {string | null} reason
 * @param {string | null} next
 */
function combine(reason, next) {
  return reason === null || next === null ? null : next;
}

/**
 * @param {string} text
 * @param {number} purpose
 */
function shortness(text, purpose) {
  if (purpose === SAID) return text.length < SHORT_SAID ? 'assistant text' : null;
  return text.length < SHORT ? 'short' : null;
}

/**
 * Why a message or block is not to be changed: what is marked for the provider's cache stays byte-identical, as does
 * what is signed, and an error is what the reader needs most.
 * @param {any} block
 */
function protectionOf(block) {
  if (block.is_error === true) return 'error result';
  if (block.cache_control !== undefined && block.cache_control !== null) return 'cache_control';
  if (block.signature !== undefined) return 'signed';
  return null;
}

/**
 * The first message of the last turns, each of which begins with a user's text.
 * @param {readonly any[]} messages
 * @param {number} turns
 */
function startOfTurns(messages, turns) {
  let at = messages.length;
  while (at > 0 && turns > 0) {
    at--;
    if (beginsTurn(messages[at])) turns--;
  }
  return at;
}

/** @param {any} message */
function beginsTurn(message) {
  if (typeof message !== 'object' || message === null || message.role !== 'user') return false;
  const { content } = message;
  if (!Array.isArray(content)) return true;
  return content.some((block) => typeof block === 'object' && block !== null && block.type !== 'tool_result');
}

exports.ASIDE = ASIDE;
exports.COUNTED = COUNTED;
exports.KIND_BITS = KIND_BITS;
exports.Texts = Texts;
exports.WORDS = WORDS;
exports.startOfTurns = startOfTurns;
