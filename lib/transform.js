'use strict';

/**
 * `transform` and `truncate`: texts of a conversation shortened by fixed rules.
 *
 * They run where they are called: V8 makes a substring without copying a character, and only what is kept is looked at, so
 * cutting costs less than handing anything over would. Only what was taken away is handed over, to be counted.
 */

const native = require('./native');
const { invalidArgument } = require('./errors');
const { inline } = require('./submit');
const { countTokens, decode, encode } = require('./tokens');
const { cutAnywhere, cutCode, cutJson, cutLines, cutResult } = require('./transform/cut');

/**
 * @typedef {import('./submit').TaskOptions & import('./tokens').TokenOptions & { unit?: 'characters' | 'tokens', tail?: number,
 *   at?: 'any' | 'lines' | 'auto' }} TruncateOptions
 *
 * @typedef {object} Rules
 * @property {number} maxAssistantLength
 * @property {number} maxToolResultLength
 * @property {Record<string, number>} toolLimits By the tool's name, instead of maxToolResultLength.
 * @property {number} toolResultTail Of a limit, the share that is kept from the end of what is not JSON.
 * @property {boolean} truncateCode
 * @property {number} maxCodeBlockLength
 * @property {boolean} deduplicateToolResults
 *
 * @typedef {import('./submit').TaskOptions & Partial<Rules>} TransformOptions
 *
 * @typedef {object} TransformResult
 * @property {any[]} messages
 * @property {boolean} transformed
 * @property {{ originalCount: number, transformedCount: number, tokensReduced: number }} stats
 */

/** @type {Rules} */
const DEFAULTS = {
  maxAssistantLength: 5000,
  maxToolResultLength: 3000,
  toolLimits: {},
  toolResultTail: 0,
  truncateCode: true,
  maxCodeBlockLength: 2000,
  deduplicateToolResults: true,
};

/** Blocks that carry text in one of the message formats. */
const TEXT_BLOCKS = new Set(['text', 'input_text', 'output_text']);

/**
 * @param {unknown} options
 * @returns {Rules}
 * @throws {TypeError} ERR_INVALID_ARG
 */
function rulesOf(options) {
  if (options === undefined) return DEFAULTS;
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const rules = { ...DEFAULTS };
  for (const name of /** @type {(keyof Rules)[]} */ (Object.keys(DEFAULTS))) {
    const value = /** @type {any} */ (options)[name];
    if (value === undefined) continue;
    if (typeof value !== typeof DEFAULTS[name] || value === null) {
      throw invalidArgument(`options.${name}`, `a value of type ${typeof DEFAULTS[name]}`, value);
    }
    if (typeof value === 'number') checkLength(`options.${name}`, value);
    /** @type {any} */ (rules)[name] = value;
  }
  if (rules.toolResultTail > 1) throw invalidArgument('options.toolResultTail', 'a share from 0 to 1', rules.toolResultTail);
  for (const [tool, limit] of Object.entries(rules.toolLimits)) checkLength(`options.toolLimits['${tool}']`, limit);
  return rules;
}

/** @param {string} name @param {unknown} value */
function checkLength(name, value) {
  if (typeof value !== 'number' || !(value >= 0)) throw invalidArgument(name, 'a number from 0', value);
}

/** One call's: what it has seen and taken away. */
class Transform {
  /** @param {Rules} rules */
  constructor(rules) {
    this.rules = rules;
    /** Names of tools by the ids of their calls. @type {Map<unknown, string>} */
    this.tools = new Map();
    /** Tool results by their length. @type {Map<number, { text: string, id: unknown }[]>} */
    this.results = new Map();
    /** Texts before and after. @type {[string, string][]} */
    this.changes = [];
  }

  /** @param {string} before @param {string} after */
  changed(before, after) {
    if (before !== after) this.changes.push([before, after]);
    return after;
  }

  /** @param {any} message @returns {any} the message itself if nothing in it is to be changed */
  message(message) {
    if (typeof message !== 'object' || message === null) return message;
    const { role, type } = message;
    if (type === 'function_call' || type === 'custom_tool_call') this.tools.set(message.call_id, message.name);
    if (type === 'function_call_output' || type === 'custom_tool_call_output') {
      return replace(message, 'output', this.result(message.output, message.call_id));
    }
    if (role === 'tool') return replace(message, 'content', this.result(message.content, message.tool_call_id));
    if (role === 'assistant') {
      this.learnTools(message);
      const { maxAssistantLength } = this.rules;
      return replace(message, 'content', this.texts(message.content, (text) => cutAnywhere(text, maxAssistantLength)));
    }
    if (role === 'user') {
      const { truncateCode, maxCodeBlockLength } = this.rules;
      return replace(message, 'content', this.texts(message.content, (text) => (truncateCode ? cutCode(text, maxCodeBlockLength) : text)));
    }
    return message;
  }

  /** @param {any} message */
  learnTools({ tool_calls: calls, content }) {
    if (Array.isArray(calls)) for (const call of calls) this.tools.set(call?.id, call?.function?.name ?? call?.custom?.name);
    if (!Array.isArray(content)) return;
    for (const block of content) if (block?.type === 'tool_use') this.tools.set(block.id, block.name);
  }

  /**
   * A text, or blocks of which some carry text or tool results.
   * @param {any} content
   * @param {(text: string) => string} cut
   * @returns {any} the content itself if nothing in it is to be changed
   */
  texts(content, cut) {
    if (typeof content === 'string') return this.changed(content, cut(content));
    if (!Array.isArray(content)) return content;
    return changedItems(content, (block) => {
      if (block?.type === 'tool_result') return replace(block, 'content', this.result(block.content, block.tool_use_id));
      if (!TEXT_BLOCKS.has(block?.type) || typeof block.text !== 'string') return block;
      return replace(block, 'text', this.changed(block.text, cut(block.text)));
    });
  }

  /** @param {any} content @param {unknown} id */
  result(content, id) {
    const { maxToolResultLength, toolLimits, toolResultTail } = this.rules;
    const name = this.tools.get(id);
    const limit = (name !== undefined && Object.hasOwn(toolLimits, name) ? toolLimits[name] : undefined) ?? maxToolResultLength;
    const tail = Math.floor(limit * toolResultTail);
    const cut = (/** @type {string} */ text) => this.reference(text, id) ?? cutResult(text, limit, tail);
    if (typeof content === 'string') return this.changed(content, cut(content));
    if (!Array.isArray(content)) return content;
    return changedItems(content, (block) =>
      TEXT_BLOCKS.has(block?.type) && typeof block.text === 'string'
        ? replace(block, 'text', this.changed(block.text, cut(block.text)))
        : block,
    );
  }

  /**
   * What stands for a result that was there before, if it is shorter.
   * @param {string} text
   * @param {unknown} id
   */
  reference(text, id) {
    if (!this.rules.deduplicateToolResults) return undefined;
    const like = this.results.get(text.length);
    if (like === undefined) {
      this.results.set(text.length, [{ text, id }]);
      return undefined;
    }
    const first = like.find((result) => result.text === text);
    if (first === undefined) {
      like.push({ text, id });
      return undefined;
    }
    const reference = `[Same result as tool call ${String(first.id)}]`;
    return reference.length < text.length ? reference : undefined;
  }
}

/**
 * @param {any[]} items
 * @param {(item: any) => any} change
 * @returns {any[]} the list itself if no item changed
 */
function changedItems(items, change) {
  let changed = items;
  for (let i = 0; i < items.length; i++) {
    const item = change(items[i]);
    if (item === items[i]) continue;
    if (changed === items) changed = items.slice();
    changed[i] = item;
  }
  return changed;
}

/** @param {any} object @param {string} key @param {unknown} value */
function replace(object, key, value) {
  return object[key] === value ? object : { ...object, [key]: value };
}

/**
 * @param {any[]} messages
 * @param {Rules} rules
 */
function run(messages, rules) {
  const transform = new Transform(rules);
  const changed = changedItems(messages, (message) => transform.message(message));
  return { messages: changed, transformed: changed !== messages, changes: transform.changes };
}

/**
 * @param {{ messages: any[], transformed: boolean }} result
 * @param {number} tokensReduced
 * @returns {TransformResult}
 */
function finished({ messages, transformed }, tokensReduced) {
  const { length } = messages;
  return { messages, transformed, stats: { originalCount: length, transformedCount: length, tokensReduced } };
}

/** What was taken away, and what came in its place, about. @param {[string, string][]} changes */
function lossOf(changes) {
  let gone = '';
  let notes = 0;
  for (const [before, after] of changes) {
    let same = 0;
    const most = Math.min(before.length, after.length);
    // The beginning is kept, in all but references; to know where it ends, a few steps do.
    for (let step = most; step > 0; step >>= 1) {
      while (same + step <= most && before.substring(same, same + step) === after.substring(same, same + step)) same += step;
    }
    notes += after.length - same;
    gone += before.substring(same);
  }
  return { gone, notes };
}

/** @param {number} tokens @param {number} notes characters */
function reduction(tokens, notes) {
  return Math.max(0, tokens - Math.round(notes / 4));
}

/**
 * The same on the spot; the figure of tokens is an estimate.
 * @param {any[]} messages
 * @param {TransformOptions} [options]
 * @returns {TransformResult}
 */
function syncTransform(messages, options) {
  if (!Array.isArray(messages)) throw invalidArgument('messages', 'an array', messages);
  const result = run(messages, rulesOf(options));
  const { gone, notes } = lossOf(result.changes);
  return finished(result, gone === '' ? 0 : reduction(native.estimateStringNow(gone, gone.length), notes));
}

/**
 * @param {import('./submit').Pool} pool
 * @param {any[]} messages OpenAI chat or Anthropic messages, or OpenAI Responses items; they are not changed.
 * @param {TransformOptions} [options]
 * @returns {Promise<TransformResult>}
 */
function transform(pool, messages, options) {
  if (!Array.isArray(messages)) return Promise.reject(invalidArgument('messages', 'an array', messages));
  let rules;
  try {
    rules = rulesOf(options);
  } catch (error) {
    return Promise.reject(error);
  }
  const { signal, timeout, priority, traceparent } = options ?? {};
  const cut = () => {
    const result = run(messages, rules);
    return { result, ...lossOf(result.changes) };
  };
  return inline(pool, options, 'transform', cut, messages).then(({ result, gone, notes }) => {
    if (gone === '') return finished(result, 0);
    const counted = countTokens(pool, gone, { signal, timeout, priority, traceparent });
    return counted.then((tokens) => finished(result, reduction(tokens, notes)));
  });
}

/**
 * A text with at most `maxLength` characters, or tokens, of what it had, and a marker if there was more.
 * @param {import('./submit').Pool} pool
 * @param {string} content
 * @param {number} maxLength
 * @param {TruncateOptions} [options]
 * @returns {Promise<string>}
 */
function truncate(pool, content, maxLength, options) {
  if (typeof content !== 'string') return Promise.reject(invalidArgument('content', 'a string', content));
  if (typeof maxLength !== 'number' || !(maxLength >= 0)) return Promise.reject(invalidArgument('maxLength', 'a number from 0', maxLength));
  const { unit = 'characters', tail = 0, at = 'any' } = options ?? {};
  if (unit !== 'characters' && unit !== 'tokens') return Promise.reject(invalidArgument('options.unit', "'characters' or 'tokens'", unit));
  if (typeof tail !== 'number' || !(tail >= 0 && tail <= maxLength)) {
    return Promise.reject(invalidArgument('options.tail', 'a number from 0 to maxLength', tail));
  }
  if (at !== 'any' && at !== 'lines' && at !== 'auto') return Promise.reject(invalidArgument('options.at', "'any', 'lines' or 'auto'", at));
  const cut = at === 'any' ? cutAnywhere : cutLines;
  const [head, end] = [Math.floor(maxLength) - Math.floor(tail), Math.floor(tail)];
  if (unit === 'characters') {
    return inline(pool, options, 'truncate', () => (at === 'auto' ? cutJson(content, head + end) : undefined) ?? cut(content, head, end), content);
  }
  return encode(pool, content, options).then(async (tokens) => {
    if (tokens.length <= head + end) return content;
    // Tokens end within characters, too: what is cut in two is not kept.
    const first = (await decode(pool, tokens.subarray(0, head), options)).replace(/\ufffd+$/, '').length;
    const last = end === 0 ? 0 : (await decode(pool, tokens.subarray(tokens.length - end), options)).replace(/^\ufffd+/, '').length;
    return (at === 'auto' ? cutJson(content, first + last) : undefined) ?? cut(content, first, last);
  });
}

module.exports = { syncTransform, transform, truncate };
