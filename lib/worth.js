'use strict';

/**
 * Whether it is worth handing a value to a pool thread to be stringified, judged by what the walk over it has seen.
 */

/** Words after which the walk is looked at first; further looks come at eight times the words each. */
const FIRST_LOOK = 400;

/**
 * @param {number} words values walked over
 * @param {number} numbers of which are numbers that take printing
 * @param {number} units of text
 * @param {number} threshold bytes of text that there must be
 */
function isWorth(words, numbers, units, threshold) {
  return units + 5 * words + 12 * numbers >= threshold;
}

module.exports = { FIRST_LOOK, isWorth };
