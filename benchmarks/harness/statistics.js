'use strict';

/**
 * The value below which a share of the samples lies, by linear interpolation between the two nearest ranks.
 *
 * @param {readonly number[]} samples not empty; any order
 * @param {number} share 0 to 1
 * @returns {number}
 */
function quantile(samples, share) {
  if (samples.length === 0) throw new RangeError('quantile of no samples');
  const sorted = Float64Array.from(samples).sort();
  const rank = (sorted.length - 1) * share;
  const below = Math.floor(rank);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (rank - below);
}

/**
 * @param {readonly number[]} samples
 * @returns {number}
 */
function median(samples) {
  return quantile(samples, 0.5);
}

/**
 * The geometric mean: the only mean under which a ratio and its inverse agree.
 *
 * @param {readonly number[]} ratios each above zero
 * @returns {number}
 */
function geometricMean(ratios) {
  if (ratios.length === 0) throw new RangeError('geometric mean of no ratios');
  let logarithms = 0;
  for (const ratio of ratios) {
    if (!(ratio > 0)) throw new RangeError(`geometric mean needs ratios above zero, got ${ratio}`);
    logarithms += Math.log(ratio);
  }
  return Math.exp(logarithms / ratios.length);
}

/**
 * Rounds for a report: four significant digits say more than the noise leaves, and keep the files readable.
 *
 * @param {number} value
 * @param {number} [digits]
 * @returns {number}
 */
function significant(value, digits = 4) {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value;
}

module.exports = { quantile, median, geometricMean, significant };
