'use strict';

const { loadRequest } = require('../conversation');

/**
 * @typedef {object} Workload what a service is sent
 * @property {string} name
 * @property {Buffer[]} bodies in turn
 * @property {boolean} isMadeUp at least one is not from the corpus
 */

const MIX = 'mix';

/** Of twenty requests: most are short, most bytes are in the long ones. In an order that has these apart. */
const MIXED = [
  'chat-20k', 'chat-100k', 'chat-250k', 'chat-20k', 'chat-1m', 'chat-20k', 'chat-100k', 'chat-20k', 'chat-250k', 'chat-20k',
  'chat-4m', 'chat-20k', 'chat-100k', 'chat-20k', 'chat-250k', 'chat-100k', 'chat-1m', 'chat-20k', 'chat-100k', 'chat-20k',
];

/**
 * @param {string} name `mix`, or what loadRequest takes
 * @returns {Workload | undefined}
 */
function loadWorkload(name) {
  const names = name === MIX ? MIXED : [name];
  const loaded = new Map([...new Set(names)].map((part) => [part, loadRequest(part)]));
  const bodies = names.flatMap((part) => loaded.get(part) ?? []);
  if (bodies.length < names.length) return undefined;
  return { name, bodies: bodies.map(({ bytes }) => bytes), isMadeUp: bodies.some(({ origin }) => origin === 'generated') };
}

module.exports = { loadWorkload };
