'use strict';

const { generators: logs } = require('./logs');
const { generators: outputs } = require('./outputs');
const { generators: rows } = require('./rows');

/**
 * @typedef {import('./random').Random} Random
 * @typedef {import('./evidence').Sample} Sample
 */

/**
 * One text with several kinds of content in it, as a shell session has; the question is about the last one.
 *
 * @param {Random} random
 * @returns {Sample}
 */
function session(random) {
  const pick = (/** @type {Record<string, (random: Random) => Sample>} */ group) => group[random.pick(Object.keys(group))];
  const parts = random.sample([pick(logs), pick(outputs), rows['json-orders'], rows.csv, rows['json-spans']], random.between(2, 3)).map((make) => make(random));
  const last = /** @type {Sample} */ (parts.at(-1));
  return {
    ...last,
    text: parts.map(({ text, arguments: given }) => `$ ${'command' in given ? given.command : 'curl -s localhost:8080/list'}\n${text}`).join('\n\n'),
    tool: 'bash',
    planted: parts.flatMap((part) => (part === last ? part.planted : part.planted.filter(({ kind }) => kind !== 'query'))),
  };
}

module.exports = { generators: { 'shell-session': session } };
