'use strict';

const { makeSample } = require('./evidence');

/** @typedef {import('./evidence').Sample} Sample */

/** @type {Record<string, (random: import('./random').Random) => Sample>} */
const generators = {
  ...require('./logs').generators,
  ...require('./rows').generators,
  ...require('./outputs').generators,
  ...require('./services').generators,
  ...require('./files').generators,
  ...require('./mixed').generators,
};

/**
 * @param {string} name
 * @param {number} seed
 */
function sampleOf(name, seed) {
  return makeSample(name, generators[name], seed);
}

/**
 * A conversation that has the sample as the result of a tool call.
 *
 * @param {Sample} sample
 */
function conversationOf({ text, question, tool, arguments: given }) {
  const call = { id: 'call_1', type: 'function', function: { name: tool, arguments: JSON.stringify(given) } };
  return [
    { role: 'system', content: 'You are a careful engineer. Use the tools.' },
    { role: 'user', content: question },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_1', content: text },
  ];
}

/** What a model sees of the tool's result. @param {any[]} messages */
function visible(messages) {
  const { content } = messages[3];
  return typeof content === 'string' ? content : content.map((/** @type {any} */ block) => block.text ?? '').join('\n');
}

/** @param {Sample} sample @param {string} output */
function missesOf(sample, output) {
  return sample.planted.filter(({ needle }) => !output.includes(needle));
}

module.exports = { conversationOf, generators, missesOf, names: Object.keys(generators), sampleOf, visible };
