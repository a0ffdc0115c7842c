'use strict';

const fs = require('node:fs');
const path = require('node:path');

/**
 * @typedef {object} TestDocument
 * @property {string} file   `requests/chat-1m`
 * @property {number} bytes
 * @property {() => Buffer} read
 */

/**
 * The documents a bench runs on: the JSON files of the corpus, smallest first, or generated ones of the same kinds
 * where there is no corpus.
 *
 * @returns {TestDocument[]}
 */
function testDocuments() {
  const folder = process.env.OFFLOOP_CORPUS || path.join(__dirname, '..', '..', 'shared', 'corpus');
  const documents = ['requests', 'json'].flatMap((group) => listFolder(folder, group));
  if (documents.length > 0) return documents;
  process.stderr.write('No corpus (OFFLOOP_CORPUS): measuring on generated documents.\n');
  return generatedDocuments();
}

/**
 * @param {string} folder
 * @param {string} group
 * @returns {TestDocument[]}
 */
function listFolder(folder, group) {
  const directory = path.join(folder, group);
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const file = path.join(directory, name);
      return {
        file: `${group}/${name.slice(0, -5)}`,
        bytes: fs.statSync(file).size,
        read: () => fs.readFileSync(file),
      };
    })
    .sort((a, b) => a.bytes - b.bytes);
}

/** @returns {TestDocument[]} */
function generatedDocuments() {
  const values = {
    'generated/chat-20k': conversation(20_000),
    'generated/chat-250k': conversation(250_000),
    'generated/chat-1m': conversation(1_000_000),
    'generated/rows-1m': rows(12_000),
    'generated/numbers-1m': numbers(60_000),
  };
  return Object.entries(values).map(([file, value]) => {
    const body = Buffer.from(JSON.stringify(value));
    return { file, bytes: body.length, read: () => Buffer.from(body) };
  });
}

/**
 * A linear congruential generator: the same numbers on every machine.
 *
 * @param {number} seed
 */
function sequence(seed) {
  let state = seed;
  return (/** @type {number} */ bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

const WORDS = 'the flight reservation was changed to a later departure, please confirm "payment" and seat\n'.split(' ');

/**
 * A chat request of about so many bytes: user and assistant turns and JSON tool results.
 *
 * @param {number} bytes
 */
function conversation(bytes) {
  const next = sequence(bytes);
  const sentence = (/** @type {number} */ length) => Array.from({ length }, () => WORDS[next(WORDS.length)]).join(' ');
  /** @type {object[]} */
  const messages = [{ role: 'system', content: sentence(600) }];
  for (let size = 4_000, turn = 0; size < bytes; turn += 1) {
    const id = `call_${turn}`;
    const result = JSON.stringify({ status: 'ok', price: next(90_000) / 100, seats: rows(3 + next(6)) });
    const calls = [
      { id, type: 'function', function: { name: 'search', arguments: JSON.stringify({ day: next(30) }) } },
    ];
    messages.push({ role: 'user', content: sentence(20 + next(60)) });
    messages.push({ role: 'assistant', content: null, tool_calls: calls });
    messages.push({ role: 'tool', tool_call_id: id, content: result });
    messages.push({ role: 'assistant', content: sentence(40 + next(200)) });
    size += JSON.stringify(messages.slice(-4)).length;
  }
  return { model: 'example-large', temperature: 0.2, stream: false, messages };
}

/** @param {number} count */
function rows(count) {
  const next = sequence(count);
  return Array.from({ length: count }, (_, id) => ({
    id,
    seat: `${next(60)}${'ABCDEF'[next(6)]}`,
    free: next(2) === 1,
    price: next(50_000) / 100,
  }));
}

/** @param {number} count */
function numbers(count) {
  const next = sequence(count);
  return Array.from({ length: count / 2 }, () => [next(360_000_000) / 1e6 - 180, next(180_000_000) / 1e6 - 90]);
}

/** All strings of a value. @param {unknown} value @param {string[]} [found] */
function textsOf(value, found = []) {
  if (typeof value === 'string') found.push(value);
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) textsOf(item, found);
  return found;
}

module.exports = { testDocuments, textsOf };
