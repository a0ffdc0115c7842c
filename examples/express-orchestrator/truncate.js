'use strict';

// The plain truncation rule, in JavaScript: what the service does without offloop. It gives what
// `pool.compress(messages, { mode: 'truncate' })` gives, so every mode sends the same bytes upstream.

const MAX_ASSISTANT_LENGTH = 5000;
const MAX_TOOL_LENGTH = 3000;
const MARKER = '\n[...truncated...]';

/**
 * @param {string} text
 * @param {number} limit in UTF-16 code units
 * @returns {string}
 */
function truncateText(text, limit) {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const next = text.charCodeAt(limit);
  const splitsPair = last >= 0xd800 && last <= 0xdbff && next >= 0xdc00 && next <= 0xdfff;
  return text.slice(0, splitsPair ? limit - 1 : limit) + MARKER;
}

/**
 * Applies `change` to each item; the very same array comes back where nothing changed.
 *
 * @template T
 * @param {T[]} items
 * @param {(item: T) => T} change
 * @returns {T[]}
 */
function mapChanged(items, change) {
  let changed = false;
  const result = items.map((item) => {
    const next = change(item);
    if (next !== item) changed = true;
    return next;
  });
  return changed ? result : items;
}

/**
 * Text is a string, or a list of blocks of which those with text count.
 *
 * @param {any} content
 * @param {number} limit
 * @returns {any}
 */
function truncateContent(content, limit) {
  if (typeof content === 'string') return truncateText(content, limit);
  if (!Array.isArray(content)) return content;
  return mapChanged(content, (block) => {
    if (block?.type !== 'text' || typeof block.text !== 'string') return block;
    const text = truncateText(block.text, limit);
    return text === block.text ? block : { ...block, text };
  });
}

/**
 * @param {any} owner a message, or a block of one
 * @param {number} limit
 * @returns {any}
 */
function withTruncatedContent(owner, limit) {
  const content = truncateContent(owner.content, limit);
  return content === owner.content ? owner : { ...owner, content };
}

/**
 * @param {any} message
 * @returns {any}
 */
function truncateMessage(message) {
  if (message?.role === 'assistant') return withTruncatedContent(message, MAX_ASSISTANT_LENGTH);
  if (message?.role === 'tool') return withTruncatedContent(message, MAX_TOOL_LENGTH);
  if (message?.role !== 'user' || !Array.isArray(message.content)) return message;
  // Anthropic messages carry tool results as blocks of a user turn.
  const content = mapChanged(message.content, (block) =>
    block?.type === 'tool_result' ? withTruncatedContent(block, MAX_TOOL_LENGTH) : block,
  );
  return content === message.content ? message : { ...message, content };
}

/**
 * @param {any[]} messages
 * @returns {{ messages: any[], compressed: boolean }}
 */
function truncateMessages(messages) {
  if (messages.length === 0) return { messages, compressed: false };
  return { messages: messages.map(truncateMessage), compressed: true };
}

module.exports = { truncateMessages };
