'use strict';

const { Random } = require('./random');

/**
 * A tool's result with evidence planted in it.
 *
 * @typedef {'error' | 'outlier' | 'rare' | 'query'} Kind
 *
 * @typedef {object} Planted something that a reader of the shortened text must still be able to find
 * @property {Kind} kind
 * @property {string} needle  its distinctive part: nowhere else in the text, free of what JSON or HTML would escape
 *
 * @typedef {object} Sample
 * @property {string} text       the tool's result
 * @property {string} question   what the user asked for
 * @property {string} tool       the tool that the assistant called
 * @property {object} arguments  its arguments
 * @property {Planted[]} planted
 *
 * @typedef {object} Evidence a unit of text that carries something planted
 * @property {Kind} kind
 * @property {string} needle
 * @property {any} unit     what is put among the ordinary units: a line, a row
 */

/**
 * Ordinary units with the evidence among them, at places of its own, in the evidence's order shuffled.
 *
 * @template T
 * @param {Random} random
 * @param {number} count           ordinary units
 * @param {() => T} ordinary
 * @param {readonly Evidence[]} evidence
 * @returns {T[]}
 */
function mix(random, count, ordinary, evidence) {
  const total = count + evidence.length;
  const places = new Set();
  while (places.size < evidence.length) places.add(random.below(total));
  const order = random.sample(evidence, evidence.length);
  /** @type {T[]} */
  const units = [];
  for (let at = 0; at < total; at += 1) {
    units.push(places.has(at) ? /** @type {Evidence} */ (order.pop()).unit : ordinary());
  }
  return units;
}

/**
 * What is planted, without its place in the text; what stands there several times, once.
 *
 * @param {readonly Evidence[]} evidence
 * @returns {Planted[]}
 */
function planted(evidence) {
  const byNeedle = new Map(evidence.map(({ kind, needle }) => [needle, { kind, needle }]));
  return [...byNeedle.values()];
}

/**
 * The sample of a seed. A needle that ordinary text has as well, as chance may have it, would prove nothing and is not
 * counted; one that is not in the text, or that the question gives away, is a mistake of the generator.
 *
 * @param {string} name
 * @param {(random: Random) => Sample} generate
 * @param {number} seed
 * @returns {Sample}
 */
function makeSample(name, generate, seed) {
  const sample = generate(new Random(Math.imul(seed, 7919) + hash(name)));
  const isDistinctive = ({ kind, needle }) => {
    const first = sample.text.indexOf(needle);
    if (first < 0 || (kind === 'query' && sample.question.includes(needle))) {
      throw new Error(`${name}, seed ${seed}: ${kind} "${needle}" is planted wrongly`);
    }
    return kind === 'error' || sample.text.indexOf(needle, first + 1) < 0;
  };
  return { ...sample, planted: sample.planted.filter(isDistinctive) };
}

/** Generators do not begin alike. @param {string} text */
function hash(text) {
  let sum = 7;
  for (const letter of text) sum = (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0;
  return sum;
}

module.exports = { makeSample, mix, planted };
