'use strict';

// Which encoding a model has.

/** Encodings by the numbers that native code has for them. */
const ENCODINGS = /** @type {const} */ (['o200k_base', 'cl100k_base']);

/** @typedef {typeof ENCODINGS[number]} EncodingName */

/** Beginnings of models' names; the first that fits counts. @type {[string, EncodingName][]} */
const MODELS = [
  ['gpt-4o', 'o200k_base'],
  ['chatgpt-4o', 'o200k_base'],
  ['gpt-4.', 'o200k_base'],
  ['gpt-5', 'o200k_base'],
  ['gpt-oss', 'o200k_base'],
  ['o1', 'o200k_base'],
  ['o3', 'o200k_base'],
  ['o4', 'o200k_base'],
  ['codex-mini', 'o200k_base'],
  ['gpt-4', 'cl100k_base'],
  ['gpt-3.5', 'cl100k_base'],
  ['gpt-35', 'cl100k_base'],
  ['text-embedding-', 'cl100k_base'],
  ['davinci-002', 'cl100k_base'],
  ['babbage-002', 'cl100k_base'],
];

/** Models whose encoding is not known, and how often they were asked for. @type {Map<string, number>} */
const unknown = new Map();
/** How many of them are remembered by name. */
const MAX_UNKNOWN = 100;

/**
 * @param {string} model As requests name it; a provider's prefix and one for fine-tuned models do not matter.
 * @returns {EncodingName | undefined}
 */
function encodingOfModel(model) {
  const name = model.slice(model.lastIndexOf('/') + 1).replace(/^ft:/, '');
  return MODELS.find(([start]) => name.startsWith(start))?.[1];
}

/**
 * The number of the encoding that a model has; an unknown one has o200k_base, and is noted.
 * @param {string} model
 */
function encodingNumber(model) {
  const name = encodingOfModel(model);
  if (name !== undefined) return ENCODINGS.indexOf(name);
  const known = unknown.has(model) || unknown.size < MAX_UNKNOWN ? model : '(others)';
  unknown.set(known, (unknown.get(known) ?? 0) + 1);
  return 0;
}

/** @returns {Record<string, number>} How often models were counted for whose encoding is not known, by name. */
function unknownModels() {
  return Object.fromEntries(unknown);
}

module.exports = { ENCODINGS, encodingNumber, encodingOfModel, unknownModels };
