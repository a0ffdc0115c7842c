'use strict';

// The requests of the soak, and what each must come to.

const { createHash } = require('node:crypto');

const { loadRequest, makeConversation } = require('../../benchmarks/conversation');

/** @typedef {{ name: string, bytes: Buffer, status: number, upstream?: string }} Body `upstream`: the SHA-256 of what goes there */

const LIMITS = { assistant: 5000, tool: 3000 };
const NOTE = '\n[...truncated...]';

/** @param {unknown} text @param {number} limit */
function cut(text, limit) {
  if (typeof text !== 'string' || text.length <= limit) return text;
  const splits = /[\ud800-\udbff]/.test(text[limit - 1]) && /[\udc00-\udfff]/.test(text[limit]);
  return text.slice(0, splits ? limit - 1 : limit) + NOTE;
}

/** The plain truncation rule for texts, by itself: an oracle must not share code with what it judges. @param {any} message */
function truncate(message) {
  const limit = message.role === 'assistant' ? LIMITS.assistant : message.role === 'tool' ? LIMITS.tool : undefined;
  return limit === undefined || typeof message.content !== 'string' ? message : { ...message, content: cut(message.content, limit) };
}

/** @param {string} name @param {object} request @returns {Body} */
function body(name, request) {
  const bytes = Buffer.from(JSON.stringify(request));
  const parsed = JSON.parse(bytes.toString());
  parsed.messages = parsed.messages.map(truncate);
  return { name, bytes, status: 200, upstream: createHash('sha256').update(JSON.stringify(parsed)).digest('hex') };
}

/** @returns {Body[]} */
function bodies() {
  const list = [2_000, 20_000, 20_000, 100_000, 250_000, 1_000_000].map((size) => body(`${size} characters`, makeConversation(size)));
  const recorded = loadRequest('chat-unicode');
  if (recorded !== undefined) list.push(body('chat-unicode', JSON.parse(recorded.bytes.toString())));
  const half = list[3].bytes.subarray(0, list[3].bytes.length >> 1);
  list.push({ name: 'half a text', bytes: half, status: 400 }, { name: 'no list', bytes: Buffer.from('{"messages":1}'), status: 400 });
  return list;
}

module.exports = { bodies };
