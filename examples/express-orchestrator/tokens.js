'use strict';

// The tokens of a chat request, counted in JavaScript with js-tiktoken by the rules of OpenAI's cookbook: what the service
// does without offloop. It gives what `pool.countTokens(body)` gives.

const { getEncoding } = require('js-tiktoken');

/** @type {import('js-tiktoken').Tiktoken | undefined} */
let encoding;

/** @param {unknown} text */
function count(text) {
  if (typeof text !== 'string') return 0;
  // It takes half a second to make, once.
  encoding ??= getEncoding('o200k_base');
  return encoding.encode(text, [], []).length;
}

/** @param {any[]} items @param {(item: any) => number} figure */
const sum = (items, figure) => items.reduce((total, item) => total + figure(item), 0);

/** @param {any} message */
function countMessage({ role, name, content, tool_calls: calls = [] }) {
  const blocks = Array.isArray(content) ? content : [{ text: content }];
  return (
    3 + count(role) + (name === undefined ? 0 : 1 + count(name)) + sum(blocks, ({ text }) => count(text)) +
    sum(calls ?? [], ({ function: called }) => count(called?.name) + count(called?.arguments))
  );
}

/** @param {(string | undefined)[]} parts */
const countLine = (...parts) => count(parts.map((part) => part ?? '').join(':').replace(/\.$/, ''));

/** @param {any} schema @returns {number} */
function countProperties(schema) {
  const properties = Object.entries(schema?.properties ?? {});
  const tokens = sum(properties, ([key, property]) => {
    const { type, description, enum: values = [], items } = property;
    const choices = sum(values, count) + 3 * Math.max(0, values.length - 1);
    return 3 + choices + countLine(key, typeof type === 'string' ? type : '', description) + countProperties(property) + countProperties(items);
  });
  return properties.length > 0 ? 3 + tokens : 0;
}

/** @param {any} tool */
function countTool({ function: definition }) {
  return 7 + countLine(definition?.name, definition?.description) + countProperties(definition?.parameters);
}

/**
 * @param {any} body
 * @returns {number}
 */
function countTokens({ messages, tools = [] }) {
  return 3 + sum(messages, countMessage) + (tools.length > 0 ? sum(tools, countTool) + 12 : 0);
}

module.exports = { countTokens };
