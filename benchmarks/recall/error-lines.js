'use strict';

// Which lines of a log tell of an error, what they have in common, and whether a reader of a shortened log sees it.
// Written without a look at how a compressor decides that.

const SEVERE = [
  // A level of its own: `ERROR`, `[error]`, `level=error`, `"level":"error"`, `error:`.
  /\b(ERROR|FATAL|CRITICAL|CRIT|ALERT|EMERG|EMERGENCY|SEVERE|PANIC)\b/,
  /\[(error|fatal|crit|critical|alert|emerg)\]/i,
  /\b(level|severity|lvl)"?\s*[=:]\s*"?(error|fatal|critical|crit|alert|emerg|panic)\b/i,
  /^[EF]\d{4} \d\d:/,
  /(^|[\s\]])(error|fatal|panic|critical):/,
  // An exception by its name.
  /\b[A-Za-z_$][\w.$]*(Exception|Error)\b(?=[:\s]|$)/,
  /\b(got|caught|unhandled|uncaught) exception\b/i,
];

/** Words of a line's head rather than of its message. */
const OF_HEADERS = /^(error|fatal|critical|severe|(mon|tue|wed|thu|fri|sat|sun)|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))$/i;

/** @param {string} text */
function plain(text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*m/g, '').trim();
}

/** What a line says: of a line of JSON, which may be written as a row of a table, its message. @param {string} line */
function message(line) {
  if (!line.startsWith('{')) return line;
  try {
    const { msg, message: text = msg } = JSON.parse(line);
    return typeof text === 'string' ? text : line;
  } catch {
    return line;
  }
}

/** What changes from one line of a template to the next: whatever has a digit in it. @param {string} line */
function words(line) {
  return message(plain(line)).split(/[\s,;:=()[\]{}"'<>|]+/).filter((word) => word.length > 1 && !/\d/.test(word));
}

/**
 * The severe lines of a log by their template: the same words without digits, up to one in five apart.
 *
 * @param {string} text
 * @returns {string[][]}
 */
function errorTemplates(text) {
  /** @type {{ words: string[], lines: string[] }[]} */
  const templates = [];
  /** @type {Map<string, string[]>} */
  const exact = new Map();
  for (const line of text.split('\n').filter((candidate) => SEVERE.some((pattern) => pattern.test(plain(candidate))))) {
    const own = words(line);
    const key = own.join(' ');
    let lines = exact.get(key);
    if (lines === undefined) {
      lines = templates.find((template) => isAlike(template.words, own))?.lines;
      if (lines === undefined) templates.push({ words: own, lines: (lines = []) });
      exact.set(key, lines);
    }
    lines.push(line);
  }
  return templates.map(({ lines }) => lines);
}

/** @param {string[]} one @param {string[]} other */
function isAlike(one, other) {
  if (one.length !== other.length || one.length === 0) return false;
  const same = one.filter((word, at) => word === other[at]).length;
  return same >= 0.8 * one.length;
}

/**
 * Whether one of the lines is there as it was, or a line that has the words of one of them in their order.
 *
 * @param {string[]} lines of a template
 * @param {string} output
 */
function isVisible(lines, output) {
  if (lines.some((line) => output.includes(plain(line)))) return true;
  const distinct = [...new Set(lines.map((line) => words(line).join(' ')))].slice(0, 200).map((text) => text.split(' '));
  const written = output.split('\n').map(plain);
  return distinct.some((wanted) => {
    // A level may be written once for many lines, and times in columns of their own.
    const own = wanted.filter((word) => !OF_HEADERS.test(word));
    return written.some((line) => hasInOrder(line, own));
  });
}

/** @param {string} line @param {string[]} wanted all but a fifth of them */
function hasInOrder(line, wanted) {
  let at = 0;
  let missing = 0;
  for (const word of wanted) {
    const found = line.indexOf(word, at);
    if (found < 0) missing += 1;
    else at = found + word.length;
  }
  return missing <= 0.2 * wanted.length;
}

module.exports = { errorTemplates, isVisible };
