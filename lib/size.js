'use strict';

const { types } = require('node:util');

/** Values that are looked at. */
const LOOKS = 4096;
/** Bytes that a value takes which is no text, about. */
const VALUE = 8;

let looks = 0;

/**
 * How large a value is, about, in bytes: characters of texts, and a little for each other value. No code of the value's is
 * run, and of large ones a part is taken for the whole.
 * @param {unknown} value
 * @returns {number}
 */
function sizeOf(value) {
  looks = LOOKS;
  return Math.round(measure(value, 0));
}

/** @param {any} value @param {number} depth @returns {number} */
function measure(value, depth) {
  looks--;
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return VALUE;
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return value.byteLength;
  if (depth === 64) return VALUE;
  const keys = Array.isArray(value) ? undefined : Object.keys(value);
  const { length } = keys ?? value;
  let sum = VALUE;
  for (let index = 0; index < length; index++) {
    if (looks <= 0) return (sum * length) / Math.max(1, index);
    const key = keys?.[index] ?? index;
    if (typeof key === 'string') sum += key.length;
    sum += measure(Object.getOwnPropertyDescriptor(value, key)?.value, depth + 1);
  }
  return sum;
}

module.exports = { sizeOf };
