'use strict';

/**
 * Whether it is worth having a value written off the main thread, for the main thread. There are three decisions,
 * each with what is known by then:
 *
 * - Before the walk: how long the text was for values of the same layout before. Values that stay small are not
 *   walked at all. The expectation comes down slowly, as walking for nothing costs less than not handing over.
 * - After a few hundred values, and now and then later: whether walking what was seen took longer than JSON.stringify
 *   would have taken for it. Then the rest will hardly be different.
 * - At the end of the walk, which is spent: whether the hand-over costs less than JSON.stringify.
 *
 * Costs are nanoseconds of main thread, measured by benchmarks/stringify.js. V8 13.8 made JSON.stringify two to six
 * times as fast, most of all for long strings.
 */

const [major, minor] = process.versions.v8.split('.').map(Number);
const IS_FAST = major > 13 || (major === 13 && minor >= 8);

/** JSON.stringify: per value or bracket, per number that takes printing, per character of text. */
const HERE = IS_FAST ? { word: 22, number: 40, unit: 0.2 } : { word: 32, number: 70, unit: 1.4 };
/** The walk, and the copy of the text. */
const WALK = { word: 20, number: 12, unit: 0.1 };
/** Submitting and settling, the wake-ups of both threads included. */
const HAND_OVER = 14_000;
/** Characters of JSON text from which handing over pays for usual values. */
const PAYS_FROM = IS_FAST ? 48_000 : 32_000;

/** Words after which the walk is looked at first; further looks come at eight times the words each. */
const FIRST_LOOK = 400;

/**
 * What is known about values of one layout.
 * @typedef {{ expected: number }} Site characters of JSON text; negative: nothing
 */

/**
 * Whether to walk.
 * @param {Site} site
 * @param {number} threshold characters from which the pool is to be used; 0: whenever it can be
 */
function isPromising(site, threshold) {
  return threshold === 0 || site.expected < 0 || site.expected >= Math.max(threshold, PAYS_FROM);
}

/**
 * Notes how long a text was, or about how long it will be.
 * @param {Site} site
 * @param {number} length
 */
function learn(site, length) {
  site.expected = Math.max(length, site.expected * 0.75);
}

/**
 * Whether to go on with the walk.
 * @param {number} words values so far
 * @param {number} numbers of which are numbers that take printing
 * @param {number} units of text so far
 */
function isWinning(words, numbers, units) {
  const here = words * HERE.word + numbers * HERE.number + units * HERE.unit;
  return here > words * WALK.word + numbers * WALK.number + units * WALK.unit;
}

/**
 * Whether to hand over what was walked.
 * @param {number} words
 * @param {number} numbers
 * @param {number} units
 */
function isWorth(words, numbers, units) {
  return words * HERE.word + numbers * HERE.number + units * HERE.unit > HAND_OVER + units * WALK.unit;
}

/**
 * About how long the JSON text will be.
 * @param {number} words
 * @param {number} numbers
 * @param {number} units
 */
function estimate(words, numbers, units) {
  return units + 5 * words + 12 * numbers;
}

module.exports = { FIRST_LOOK, estimate, isPromising, isWinning, isWorth, learn };
