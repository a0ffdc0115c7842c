'use strict';

/**
 * Mode `truncate`: assistant text over 5000 and tool text over 3000 characters is cut there.
 *
 * It runs where it is called: V8 makes a substring without copying a character, so cutting costs less than handing
 * anything over would. Such a substring keeps its whole text alive, but only until the message is first written:
 * appending the marker makes a rope of the two, and V8 drops both when it flattens that.
 */

const MARKER = '\n[...truncated...]';
const MAX_ASSISTANT = 5000;
const MAX_TOOL = 3000;

/** Blocks that carry text in one of the message formats. */
const TEXT_BLOCKS = new Set(['text', 'input_text', 'output_text']);

/**
 * What happened to a message; those that stayed as they are have none. Characters are UTF-16 units.
 * @typedef {{ index: number, action: 'truncated', reason: string, chars_before: number, chars_after: number }} Action
 *
 * @typedef {{ original_count: number, compressed_count: number, chars_before: number, chars_after: number,
 *   latency_ms: number, transforms_applied: string[], messages: Action[] }} TruncateStats
 *
 * @typedef {{ messages: any[], compressed: boolean, stats?: TruncateStats }} TruncateResult
 */

/**
 * @param {any[]} messages
 * @returns {TruncateResult}
 */
function truncateAll(messages) {
  if (messages.length === 0) return { messages, compressed: false };
  const started = performance.now();
  const cut = new Cut();
  /** @type {Action[]} */
  const actions = [];
  const compressed = messages.map((message, index) => {
    const { before, after } = cut;
    const result = truncateMessage(message, cut);
    if (result !== message) {
      const reason = reasonOf(message.role === 'assistant');
      actions.push({ index, action: 'truncated', reason, chars_before: cut.before - before, chars_after: cut.after - after });
    }
    return result;
  });
  return {
    messages: compressed,
    compressed: true,
    stats: {
      original_count: messages.length,
      compressed_count: compressed.length,
      chars_before: cut.before,
      chars_after: cut.after,
      latency_ms: performance.now() - started,
      transforms_applied: actions.length > 0 ? ['truncate'] : [],
      messages: actions,
    },
  };
}

/** Counts the characters of the texts that are subject to a limit. */
class Cut {
  before = 0;
  after = 0;

  /**
   * @param {string} text
   * @param {number} limit
   */
  text(text, limit) {
    this.before += text.length;
    let result = text;
    if (text.length > limit) result = text.substring(0, endAt(text, limit)) + MARKER;
    this.after += result.length;
    return result;
  }
}

/**
 * Where to cut a text so that no surrogate pair is split.
 * @param {string} text
 * @param {number} limit less than its length
 */
function endAt(text, limit) {
  const splits = (text.charCodeAt(limit - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(limit) & 0xfc00) === 0xdc00;
  return splits ? limit - 1 : limit;
}

/**
 * @param {any} message
 * @param {Cut} cut
 * @returns {any} the message itself if nothing in it was cut
 */
function truncateMessage(message, cut) {
  if (typeof message !== 'object' || message === null) return message;
  if (message.type === 'function_call_output') {
    return replace(message, 'output', truncateContent(message.output, MAX_TOOL, cut));
  }
  let limit = Infinity;
  if (message.role === 'assistant') limit = MAX_ASSISTANT;
  else if (message.role === 'tool') limit = MAX_TOOL;
  return replace(message, 'content', truncateContent(message.content, limit, cut));
}

/**
 * A text, or blocks of which some carry text.
 * @param {any} content
 * @param {number} limit of each text
 * @param {Cut} cut
 * @returns {any} the content itself if nothing in it was cut
 */
function truncateContent(content, limit, cut) {
  if (typeof content === 'string') return limit === Infinity ? content : cut.text(content, limit);
  if (!Array.isArray(content)) return content;
  let changed = content;
  for (let i = 0; i < content.length; i++) {
    const block = truncateBlock(content[i], limit, cut);
    if (block === content[i]) continue;
    if (changed === content) changed = content.slice();
    changed[i] = block;
  }
  return changed;
}

/**
 * @param {any} block
 * @param {number} limit
 * @param {Cut} cut
 */
function truncateBlock(block, limit, cut) {
  if (typeof block !== 'object' || block === null) return block;
  if (block.type === 'tool_result') return replace(block, 'content', truncateContent(block.content, MAX_TOOL, cut));
  if (limit === Infinity || !TEXT_BLOCKS.has(block.type) || typeof block.text !== 'string') return block;
  return replace(block, 'text', cut.text(block.text, limit));
}

/**
 * @param {any} object
 * @param {string} key
 * @param {unknown} value
 */
function replace(object, key, value) {
  return object[key] === value ? object : { ...object, [key]: value };
}

/** @param {boolean} isAssistant whose message it is */
function reasonOf(isAssistant) {
  return isAssistant
    ? `assistant text over ${MAX_ASSISTANT} characters`
    : `tool text over ${MAX_TOOL} characters`;
}

module.exports = { reasonOf, truncateAll };
