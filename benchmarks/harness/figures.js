'use strict';

const { formatTable } = require('./report');
const { significant } = require('./statistics');

/**
 * @typedef {object} Figure what is to be reached, and what was
 * @property {string} figure
 * @property {string} wanted
 * @property {number} measured
 * @property {'yes' | 'no'} met
 */

/** @param {number} measured @param {number} least @returns {Omit<Figure, 'figure'>} */
function atLeast(measured, least) {
  return { wanted: `≥ ${least}`, measured: significant(measured, 3), met: measured >= least ? 'yes' : 'no' };
}

/** @param {number} measured @param {number} most @returns {Omit<Figure, 'figure'>} */
function atMost(measured, most) {
  return { wanted: `≤ ${most}`, measured: significant(measured, 3), met: measured <= most ? 'yes' : 'no' };
}

/** @param {readonly Figure[]} figures */
function printFigures(figures) {
  if (figures.length === 0) return;
  const lines = figures.map(({ figure, wanted, measured, met }) => [figure, wanted, String(measured), met]);
  process.stdout.write(`\n${formatTable(['figure', 'wanted', 'measured', 'met'], lines)}`);
}

module.exports = { atLeast, atMost, printFigures };
