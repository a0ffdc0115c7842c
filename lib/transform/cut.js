'use strict';

// Shortening one text. Lengths are UTF-16 units; no surrogate pair is split. What is looked at is what is kept, so a cut takes no
// longer for a long text than for a short one.

/** What the plain rule appends. */
const MARKER = '\n[...truncated...]';

/** Depth to which JSON is followed. */
const MAX_DEPTH = 64;

/**
 * Where to cut so that no surrogate pair is split: `at`, or one before.
 * @param {string} text
 * @param {number} at
 */
function backTo(text, at) {
  const splits = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
  return splits ? at - 1 : at;
}

/** The same, or one behind. @param {string} text @param {number} at */
function forwardTo(text, at) {
  const splits = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
  return splits ? at + 1 : at;
}

/** @param {number} gone @param {number} all */
function noteOf(gone, all) {
  return `[...truncated: ${gone} of ${all} characters...]`;
}

/**
 * The plain rule: the first `head` units and the last `tail`, and a marker where the others were.
 * @param {string} text
 * @param {number} head
 * @param {number} [tail]
 */
function cutAnywhere(text, head, tail = 0) {
  if (text.length <= head + tail) return text;
  const kept = text.substring(0, backTo(text, head)) + MARKER;
  return tail === 0 ? kept : `${kept}\n${text.substring(forwardTo(text, text.length - tail))}`;
}

/**
 * Whole lines from the beginning, and from the end if a tail is asked for; a line that takes more than half of its window is cut.
 * @param {string} text
 * @param {number} head
 * @param {number} [tail]
 */
function cutLines(text, head, tail = 0) {
  if (text.length <= head + tail) return text;
  let end = text.lastIndexOf('\n', head);
  if (end < head / 2) end = backTo(text, head);
  let start = text.length;
  if (tail > 0) {
    start = text.indexOf('\n', text.length - tail - 1) + 1;
    if (start === 0 || text.length - start < tail / 2) start = forwardTo(text, text.length - tail);
  }
  const kept = `${text.substring(0, end)}\n${noteOf(start - end, text.length)}`;
  return start === text.length ? kept : `${kept}\n${text.substring(start)}`;
}

/**
 * JSON with whole items and properties, and a note as the last of them; it is JSON again.
 *
 * Of the containers that are open at the limit, the outermost is cut that keeps at least half of what it may: an item is broken up
 * only if there is no better way.
 * @param {string} text
 * @param {number} limit
 * @returns {string | undefined} undefined if it is no list or object, or one long string is most of it
 */
function cutJson(text, limit) {
  if (text.length <= limit) return text;
  const start = firstSign(text);
  const opening = text[start];
  if (opening !== '{' && opening !== '[') return undefined;
  const last = text.trimEnd().at(-1);
  if (last !== (opening === '{' ? '}' : ']')) return undefined;
  const cut = findCut(text, start, limit);
  if (cut === undefined) return undefined;
  const { end, closers } = cut;
  const note = JSON.stringify(noteOf(text.length - end, text.length));
  const inObject = closers.at(-1) === '}';
  const comma = /[{[]\s*$/.test(text.substring(Math.max(0, end - 64), end)) ? '' : ',';
  return `${text.substring(0, end)}${comma}${inObject ? '"[truncated]":' : ''}${note}${[...closers].reverse().join('')}`;
}

/** @param {string} text */
function firstSign(text) {
  let at = 0;
  while (text.charCodeAt(at) <= 32) at++;
  return at;
}

/**
 * The end of the last whole child before the limit, in the container that is to be cut.
 * @param {string} text
 * @param {number} start
 * @param {number} limit
 * @returns {{ end: number, closers: string[] } | undefined}
 */
function findCut(text, start, limit) {
  /** @type {string[]} */
  const closers = [];
  /** By depth, where the last whole child ends. @type {number[]} */
  const ends = [];
  let at = start;
  for (; at < limit; at++) {
    switch (text[at]) {
      case '"':
        at = stringEnd(text, at, limit);
        break;
      case '{':
      case '[':
        if (closers.length === MAX_DEPTH) return undefined;
        closers.push(text[at] === '{' ? '}' : ']');
        ends.push(at + 1);
        break;
      case '}':
      case ']':
        // Its own end is noted at the comma behind it, or never: then more would be lost than is kept.
        if (closers.pop() !== text[at] || closers.length === 0) return undefined;
        ends.pop();
        break;
      case ',':
        ends[ends.length - 1] = at;
        break;
    }
  }
  const enough = (limit - start) / 2;
  let depth = ends.findIndex((end) => end - start >= enough);
  if (depth < 0) {
    depth = ends.lastIndexOf(Math.max(...ends));
    if (ends[depth] - start < enough / 4) return undefined;
  }
  return { end: ends[depth], closers: closers.slice(0, depth + 1) };
}

/** The closing quote, or the limit. @param {string} text @param {number} at @param {number} limit */
function stringEnd(text, at, limit) {
  for (at++; at < limit; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 92) at++;
    else if (unit === 34) return at;
  }
  return at;
}

/**
 * A tool's result: JSON by items and properties, all else by lines.
 * @param {string} text
 * @param {number} limit
 * @param {number} tail Of the limit, what is kept from the end where it is not JSON.
 */
function cutResult(text, limit, tail) {
  if (text.length <= limit) return text;
  return cutJson(text, limit) ?? cutLines(text, limit - tail, tail);
}

const LAST_LINES = 3;

/**
 * Long fenced code blocks with their beginning and last three lines.
 * @param {string} text
 * @param {number} limit of each
 */
function cutCode(text, limit) {
  if (text.length <= limit) return text;
  let result = '';
  let done = 0;
  for (let at = nextFence(text, 0); at >= 0; ) {
    const [fence] = /** @type {RegExpExecArray} */ (/^(`{3,}|~{3,})/.exec(text.substring(at, at + 80)));
    const body = text.indexOf('\n', at) + 1;
    if (body === 0) break;
    let end = text.indexOf(`\n${fence}`, body - 1);
    if (end < 0) end = text.length;
    if (end - body > limit) {
      result += text.substring(done, body) + cutBlock(text.substring(body, end), limit);
      done = end;
    }
    at = nextFence(text, end + 1 + fence.length);
  }
  return done === 0 ? text : result + text.substring(done);
}

/** The next line that opens a block. @param {string} text @param {number} from */
function nextFence(text, from) {
  for (let at = from; at <= text.length; at++) {
    const backticks = text.indexOf('```', at);
    const tildes = text.indexOf('~~~', at);
    at = backticks < 0 ? tildes : tildes < 0 ? backticks : Math.min(backticks, tildes);
    if (at < 0 || at === 0 || text[at - 1] === '\n') return at;
  }
  return -1;
}

/** @param {string} code longer than the limit @param {number} limit */
function cutBlock(code, limit) {
  let start = code.length;
  for (let line = 0; line < LAST_LINES && start > 0; line++) start = code.lastIndexOf('\n', start - 1);
  // Lines so long that the last three are most of it: the limit counts.
  if (start < 0 || code.length - start > limit) start = forwardTo(code, code.length - Math.floor(limit / 4)) - 1;
  let end = code.lastIndexOf('\n', limit);
  if (end < limit / 2) end = backTo(code, limit);
  if (end >= start) return code;
  return `${code.substring(0, end)}\n${noteOf(start - end, code.length)}\n${code.substring(start + 1)}`;
}

module.exports = { MARKER, cutAnywhere, cutCode, cutJson, cutLines, cutResult };
