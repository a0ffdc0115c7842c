'use strict';

const { formatTable } = require('./report');
const { geometricMean, significant } = require('./statistics');

/**
 * @typedef {import('./file-bench').FileRow} FileRow
 * @typedef {{ file: string, ratio: number }} Ratio
 *
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

/**
 * One candidate's figure divided by another's, for each file that both did.
 *
 * @param {readonly FileRow[]} rows
 * @param {'mainCpuUs' | 'totalCpuUs'} field
 * @param {string} dividend
 * @param {string} divisor
 * @param {(row: FileRow) => boolean} [takes] which files count; default: all
 * @returns {Ratio[]}
 */
function ratiosOf(rows, field, dividend, divisor, takes = () => true) {
  return rows.filter((row) => row.candidate === divisor && takes(row)).flatMap((row) => {
    const other = rows.find(({ file, candidate }) => file === row.file && candidate === dividend);
    return other === undefined ? [] : [{ file: row.file, ratio: other[field] / row[field] }];
  });
}

/** @param {string} figure @param {readonly Ratio[]} ratios @param {number} least @returns {Figure[]} none without ratios */
function meanAtLeast(figure, ratios, least) {
  if (ratios.length === 0) return [];
  const mean = geometricMean(ratios.map(({ ratio }) => ratio));
  return [{ figure: `${figure}, geometric mean of ${ratios.length}`, ...atLeast(mean, least) }];
}

/** @param {string} figure @param {readonly Ratio[]} ratios @param {number} least @returns {Figure[]} none without ratios */
function worstAtLeast(figure, ratios, least) {
  if (ratios.length === 0) return [];
  const worst = ratios.reduce((a, b) => (b.ratio < a.ratio ? b : a));
  return [{ figure: `${figure}, worst of ${ratios.length} (${worst.file})`, ...atLeast(worst.ratio, least) }];
}

/** @param {string} figure @param {readonly Ratio[]} ratios @param {number} least @returns {Figure[]} one for each file */
function eachAtLeast(figure, ratios, least) {
  return ratios.map(({ file, ratio }) => ({ figure: `${figure}, ${file}`, ...atLeast(ratio, least) }));
}

/** Takes the documents of these names, whatever folder they are in. @param {string[]} names @returns {(row: FileRow) => boolean} */
function named(...names) {
  return ({ file }) => names.includes(file.slice(file.lastIndexOf('/') + 1));
}

/** @param {readonly Figure[]} figures */
function printFigures(figures) {
  if (figures.length === 0) return;
  const lines = figures.map(({ figure, wanted, measured, met }) => [figure, wanted, String(measured), met]);
  process.stdout.write(`\n${formatTable(['figure', 'wanted', 'measured', 'met'], lines)}`);
}

module.exports = { atLeast, atMost, eachAtLeast, meanAtLeast, named, printFigures, ratiosOf, worstAtLeast };
