'use strict';

// Tool calls: which one a result is of, and what its text is.

/** Levels of a call's input that are looked at, and messages before a result in which its call is looked for. */
const INPUT_DEPTH = 64;
const CALL_REACH = 64;

/** Characters of the id in a marker, and what they may be. */
const DIGITS = 16;
const HEX = new Uint8Array(128).map((_, code) => Number(/[0-9a-f]/.test(String.fromCharCode(code))));

/** @param {any} item */
function isCall({ type }) {
  return type === 'function_call' || type === 'custom_tool_call' || type === 'local_shell_call';
}

/**
 * The call that a result is of.
 * @param {readonly any[]} messages
 * @param {any} id
 * @param {number} index of the result's message
 * @returns {any} what has its name and input, or null
 */
function findCall(messages, id, index) {
  if (typeof id !== 'string' || index === 0) return null;
  // Where it nearly always is.
  const first = messages[index - 1]?.tool_calls?.[0];
  if (first?.id === id) return first;
  for (let at = index - 1; at >= 0 && at >= index - CALL_REACH; at--) {
    const message = messages[at];
    if (typeof message !== 'object' || message === null) continue;
    if (message.role === undefined && message.call_id === id && isCall(message)) return message;
    if (message.role !== 'assistant') continue;
    const { tool_calls: calls, content } = message;
    const found =
      (Array.isArray(calls) ? calls.find((call) => call?.id === id) : undefined) ??
      (Array.isArray(content) ? content.find((block) => block?.type === 'tool_use' && block.id === id) : undefined);
    if (found !== undefined) return found;
  }
  return null;
}

/** @param {any} call */
function mayHaveHash(call) {
  const input = (call.function ?? call).arguments;
  const text = typeof input === 'string' ? input : textOf(call);
  // One of so many in a row is at one of these places.
  for (let at = DIGITS - 1; at < text.length; at += DIGITS) {
    if (HEX[text.charCodeAt(at)] === 1 && digitsAround(text, at) >= DIGITS) return true;
  }
  return false;
}

/**
 * Digits in a row, one of which is here.
 * @param {string} text
 * @param {number} at
 */
function digitsAround(text, at) {
  let [start, end] = [at, at + 1];
  while (start > 0 && HEX[text.charCodeAt(start - 1)] === 1) start--;
  while (end < text.length && HEX[text.charCodeAt(end)] === 1) end++;
  return end - start;
}

/**
 * The text of an entry's source: of a call its name and its input.
 * @param {any} source
 * @returns {string}
 */
function textOf(source) {
  if (typeof source === 'string') return source;
  if (typeof source !== 'object' || source === null) return '';
  const named = source.function ?? source;
  const input = named.arguments ?? named.input ?? named.action ?? '';
  return `${named.name ?? ''} ${typeof input === 'string' ? input : inputText(input, 0)}`;
}

/**
 * About the length of a call's text.
 * @param {any} call
 */
function callLength(call) {
  const named = call?.function ?? call;
  const input = named?.arguments ?? named?.input;
  if (typeof input === 'string') return input.length + 16;
  let length = 16;
  if (typeof input === 'object' && input !== null) {
    for (const key in input) length += key.length + 6 + (typeof input[key] === 'string' ? input[key].length : 6);
  }
  return length;
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

module.exports = { callLength, findCall, isCall, mayHaveHash, textOf };
