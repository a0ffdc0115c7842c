'use strict';

// True token counts, by an implementation that has nothing to do with what is measured.

const cl100k = require('gpt-tokenizer/encoding/cl100k_base');
const o200k = require('gpt-tokenizer/encoding/o200k_base');

const ENCODINGS = { o200k, cl100k };

// The names of special tokens are text like any other.
const PLAIN = { disallowedSpecial: new Set() };

/** Texts come again: untouched messages, the same message after several compressors. @type {Map<string, number>[]} */
const known = [new Map(), new Map()];

/**
 * @param {string} text
 * @param {keyof typeof ENCODINGS} [encoding]
 */
function countText(text, encoding = 'o200k') {
  const counts = known[encoding === 'o200k' ? 0 : 1];
  let count = counts.get(text);
  if (count === undefined) {
    count = ENCODINGS[encoding].countTokens(text, PLAIN);
    if (counts.size > 5_000) counts.clear();
    counts.set(text, count);
  }
  return count;
}

/** @param {any} part @returns {string[]} what of a message a model reads */
function texts(part) {
  if (typeof part === 'string') return [part];
  if (Array.isArray(part)) return part.flatMap(texts);
  if (typeof part !== 'object' || part === null) return [];
  const { content, text, output, tool_calls: calls, name, arguments: given, input } = part;
  const inputs = input === undefined ? [] : [JSON.stringify(input)];
  const functions = Array.isArray(calls) ? calls.map((call) => call.function) : [];
  return [...texts(content), ...texts(text), ...texts(output), ...texts(name), ...texts(given), ...inputs, ...functions.flatMap(texts)];
}

/**
 * @param {readonly any[]} messages
 * @param {keyof typeof ENCODINGS} [encoding]
 */
function countMessages(messages, encoding) {
  let tokens = 0;
  // Three more for every message: its role and its ends.
  for (const message of messages) tokens += texts(message).reduce((sum, text) => sum + countText(text, encoding), 3);
  return tokens;
}

module.exports = { countMessages, countText };
