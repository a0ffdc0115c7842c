'use strict';

/** @type {Record<string, number>} */
const UNITS = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40, pb: 2 ** 50 };

/**
 * A number of bytes as Express's limits have it: 1000, '1000', '100kb', '1.5 MB'.
 * @param {unknown} size
 * @returns {number | undefined}
 */
function parseSize(size) {
  if (typeof size === 'number') return size >= 0 ? size : undefined;
  const match = typeof size === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?b)?\s*$/i.exec(size) : null;
  return match === null ? undefined : Math.floor(Number(match[1]) * UNITS[(match[2] ?? 'b').toLowerCase()]);
}

module.exports = { parseSize };
