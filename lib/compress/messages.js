'use strict';

// What messages are made of: OpenAI chat messages, Anthropic messages, items of OpenAI responses, as they come. The same
// model as src/compress/message/, which has it for Documents.
//
// A walk over the messages lists their texts: those that may be shortened, and the others, which are counted and say what
// a tool was asked for. It copies nothing but the objects on the way to a text that may be replaced, which makes the
// result a snapshot: what the caller changes afterwards does not show in it.

/** What a text is, as in src/compress/pipeline.rs. */
const COUNT = 0;
const RESULT = 1;
const SAID = 2;
const ASIDE = 3;

/** Characters below which a text cannot have enough tokens to be worth shortening. */
const SHORT = 32;

/** Blocks that carry text in one of the formats. */
const TEXT_BLOCKS = new Set(['text', 'input_text', 'output_text']);

/** Items of responses that are a tool's result, and what called it. */
const OUTPUTS = new Set(['function_call_output', 'custom_tool_call_output', 'local_shell_call_output']);

/** Levels of a call's input that are looked at. */
const INPUT_DEPTH = 64;

/**
 * Where a replaced text goes. `up` puts the copied holder in its place.
 * @typedef {{ holder: any, key: string | number, up: Place | null }} Place
 */

/** The texts of messages, in order, one entry in each list. */
class Texts {
  /** @param {readonly any[]} messages */
  constructor(messages) {
    this.messages = messages;
    /** Texts, or inputs of calls, to be written as text. @type {any[]} */
    this.source = [];
    /** @type {number[]} */
    this.purpose = [];
    /** The message of each. @type {number[]} */
    this.message = [];
    /** Entries that led to it: the user's and the call's, from 1; 0: none. @type {number[]} */
    this.user = [];
    /** @type {number[]} */
    this.call = [];
    /** Where its replacement goes. @type {(Place | null)[]} */
    this.place = [];
    /** Why each message stays as it is, unless its texts say so; as far as the walk has come. @type {(string | null)[]} */
    this.reasons = [];
    /** The latest text of the user's. */
    this.lastUser = 0;
    /** Entries of calls by id. @type {Map<string, number>} */
    this.calls = new Map();
  }

  /**
   * Walks on, up to a message.
   * @param {number} end
   * @param {number} recent The first message that is protected as recent.
   */
  walk(end, recent) {
    for (let index = this.reasons.length; index < end; index++) {
      const message = this.messages[index];
      this.reasons.push(
        typeof message === 'object' && message !== null ? this.read(message, index, index >= recent) : 'no message',
      );
    }
  }

  /**
   * @param {any} source
   * @param {number} purpose
   * @param {number} index
   * @param {number} call
   * @param {Place | null} place
   */
  add(source, purpose, index, call, place) {
    this.source.push(source);
    this.purpose.push(purpose);
    this.message.push(index);
    this.user.push(place === null ? 0 : this.lastUser);
    this.call.push(call);
    this.place.push(place);
    return this.source.length;
  }

  /**
   * @param {any} message
   * @param {number} index
   * @param {boolean} isRecent
   * @returns {string | null} why it stays as it is
   */
  read(message, index, isRecent) {
    const { role, content } = message;
    switch (role) {
      case 'tool':
      case 'function':
        return this.result(message, 'content', message.tool_call_id, index, isRecent);
      case 'user':
        return this.turn(message, index, isRecent);
      case 'assistant': {
        const reason = this.said(message, index, isRecent);
        if (Array.isArray(message.tool_calls)) this.toolCalls(message.tool_calls, index);
        return reason;
      }
      case undefined:
        return this.item(message, index, isRecent);
      default:
        this.count(content, index);
        return role === 'system' || role === 'developer' ? 'system text' : 'unknown role';
    }
  }

  /**
   * An item of a response that is no message.
   * @param {any} item
   * @param {number} index
   * @param {boolean} isRecent
   */
  item(item, index, isRecent) {
    if (OUTPUTS.has(item.type)) return this.result(item, 'output', item.call_id, index, isRecent);
    if (item.type === 'function_call' || item.type === 'custom_tool_call') {
      this.addCall(item.call_id, item.name, item.arguments ?? item.input, index);
      return 'tool call';
    }
    this.count(item.content, index);
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
    if (!Array.isArray(content)) {
      if (typeof content === 'string') this.lastUser = this.add(content, COUNT, index, 0, null);
      return 'user text';
    }
    /** @type {Place | null} */
    let list = null;
    let reason = /** @type {string | null} */ ('user text');
    for (let i = 0; i < content.length; i++) {
      const block = content[i];
      if (typeof block !== 'object' || block === null) continue;
      if (block.type === 'tool_result') {
        list ??= listOf(message, 'content', index);
        reason = this.toolResult(block, list, i, index, isRecent);
      } else if (TEXT_BLOCKS.has(block.type) && typeof block.text === 'string') {
        this.lastUser = this.add(block.text, COUNT, index, 0, null);
      }
    }
    return reason;
  }

  /**
   * @param {any} block
   * @param {Place} list
   * @param {number} at
   * @param {number} index
   * @param {boolean} isRecent
   */
  toolResult(block, list, at, index, isRecent) {
    const protection = isRecent ? 'recent turn' : protectionOf(block);
    if (protection !== null) {
      this.count(block.content, index);
      return protection;
    }
    return this.content(block, 'content', this.calls.get(block.tool_use_id) ?? 0, RESULT, index, { holder: list.holder, key: at, up: list.up });
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
    if (protection !== null) {
      this.count(message[key], index);
      return protection;
    }
    return this.content(message, key, this.calls.get(id) ?? 0, RESULT, index, null);
  }

  /**
   * Texts that may be replaced.
   * @param {any} holder
   * @param {'content' | 'output'} key
   * @param {number} call
   * @param {number} purpose
   * @param {number} index
   * @param {Place | null} up
   */
  content(holder, key, call, purpose, index, up) {
    const content = holder[key];
    if (typeof content === 'string') {
      if (content.length < SHORT) {
        this.add(content, COUNT, index, 0, null);
        return 'short';
      }
      this.add(content, purpose, index, call, { holder: { ...holder }, key, up });
      return null;
    }
    if (!Array.isArray(content)) return 'no text';
    /** @type {Place | null} */
    let list = null;
    let reason = /** @type {string | null} */ ('no text');
    for (let i = 0; i < content.length; i++) {
      const block = content[i];
      if (typeof block !== 'object' || block === null) continue;
      if (TEXT_BLOCKS.has(block.type) && typeof block.text === 'string') {
        const protection = block.text.length < SHORT ? 'short' : protectionOf(block);
        if (protection !== null) {
          this.add(block.text, COUNT, index, 0, null);
          if (reason !== null) reason = protection;
          continue;
        }
        list ??= { holder: content.slice(), key: 0, up: { holder: { ...holder }, key, up } };
        this.add(block.text, purpose, index, call, { holder: { ...block }, key: 'text', up: { holder: list.holder, key: i, up: list.up } });
        reason = null;
      } else if (purpose === SAID && block.type === 'tool_use') {
        this.addCall(block.id, block.name, block.input, index);
      } else if (purpose === SAID && typeof block.thinking === 'string') {
        this.add(block.thinking, COUNT, index, 0, null);
      }
    }
    return reason;
  }

  /**
   * @param {any} message
   * @param {number} index
   * @param {boolean} isRecent
   */
  said(message, index, isRecent) {
    const protection = isRecent ? 'recent turn' : protectionOf(message);
    if (protection === null) return this.content(message, 'content', 0, SAID, index, null);
    this.count(message.content, index);
    return protection;
  }

  /** @param {any[]} calls @param {number} index */
  toolCalls(calls, index) {
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i];
      if (typeof call !== 'object' || call === null) continue;
      const { function: named } = call;
      if (typeof named === 'object' && named !== null) this.addCall(call.id, named.name, named.arguments, index);
    }
  }

  /**
   * @param {any} id
   * @param {any} name
   * @param {any} input
   * @param {number} index
   */
  addCall(id, name, input, index) {
    const source = typeof input === 'string' ? `${name} ${input}` : { name, input };
    const entry = this.add(source, COUNT, index, 0, null);
    if (typeof id === 'string') this.calls.set(id, entry);
  }

  /**
   * Texts that stay as they are.
   * @param {any} content
   * @param {number} index
   */
  count(content, index) {
    if (typeof content === 'string') this.add(content, COUNT, index, 0, null);
    else if (Array.isArray(content)) {
      for (const block of content) {
        if (typeof block !== 'object' || block === null) continue;
        if (typeof block.text === 'string') this.add(block.text, COUNT, index, 0, null);
        else if (block.type === 'tool_use') this.addCall(block.id, block.name, block.input, index);
      }
    }
  }
}

/**
 * The copy of a message's list.
 * @param {any} message
 * @param {string} key
 * @param {number} _index
 * @returns {Place}
 */
function listOf(message, key, _index) {
  return { holder: message[key].slice(), key: 0, up: { holder: { ...message }, key, up: null } };
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
 * The text of an entry's source.
 * @param {any} source
 * @returns {string}
 */
function textOf(source) {
  if (typeof source === 'string') return source;
  return `${source.name} ${inputText(source.input, 0)}`;
}

/**
 * A call's input, much as JSON.stringify writes it; ropes, so that nothing is copied.
 * @param {any} value
 * @param {number} depth
 * @returns {string}
 */
function inputText(value, depth) {
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth === INPUT_DEPTH) return '…';
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += (text === '' ? '' : ',') + inputText(item, depth + 1);
    return `[${text}]`;
  }
  for (const key of Object.keys(value)) text += `${text === '' ? '' : ','}"${key}":${inputText(value[key], depth + 1)}`;
  return `{${text}}`;
}

/**
 * The first message of the last turns, each of which begins with a user's text.
 * @param {readonly any[]} messages
 * @param {number} turns
 */
function startOfTurns(messages, turns) {
  let at = messages.length;
  if (turns === 0) return at;
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

module.exports = { ASIDE, COUNT, RESULT, SAID, Texts, startOfTurns, textOf };
