'use strict';

/**
 * Copies plain objects and arrays with shared references and cycles, of any depth. It keeps a map from each object to
 * its copy and a stack of its own.
 */

const { isProxy } = require('node:util').types;
const { NOT_PLAIN, isDense, isDisguised, prototypesAreExtended } = require('./plain');

/**
 * One object being copied. Keys are read in order, depth first, as structuredClone does.
 * @typedef {{ source: any, target: any, keys: string[], at: number }} Frame
 */

/**
 * @param {object} root
 * @returns {any} the copy, or NOT_PLAIN
 */
function copyGraph(root) {
  if (prototypesAreExtended()) return NOT_PLAIN;
  /** @type {Map<object, object>} */
  const copies = new Map();
  const first = open(root);
  if (first === null) return NOT_PLAIN;
  copies.set(root, first.target);
  const stack = [first];
  /** @type {Frame} */
  let frame = first;
  for (; ; frame = stack[stack.length - 1]) {
    if (frame.at === frame.keys.length) {
      if (Array.isArray(frame.target)) frame.target.length = frame.keys.length;
      stack.pop();
      if (stack.length === 0) return first.target;
      continue;
    }
    const key = frame.keys[frame.at++];
    // A getter may have removed it.
    if (!Object.hasOwn(frame.source, key)) continue;
    let value = frame.source[key];
    if (typeof value === 'function' || typeof value === 'symbol') return NOT_PLAIN;
    if (typeof value === 'object' && value !== null) {
      /** @type {object | undefined} */
      let copy = copies.get(value);
      if (copy === undefined) {
        const next = open(value);
        if (next === null) return NOT_PLAIN;
        copy = next.target;
        copies.set(value, next.target);
        stack.push(next);
      }
      value = copy;
    }
    if (key === '__proto__') define(frame.target, key, value);
    else frame.target[key] = value;
  }
}

/**
 * @param {any} source
 * @returns {Frame | null} null where the source is not plain
 */
function open(source) {
  if (isProxy(source)) return null;
  if (Array.isArray(source)) {
    return isDense(source) ? { source, target: [], keys: Object.keys(source), at: 0 } : null;
  }
  if (Object.getPrototypeOf(source) !== Object.prototype) return null;
  const keys = Object.keys(source);
  if ((keys.length === 0 || (keys[0] >= '0' && keys[0] < ':')) && isDisguised(source)) return null;
  return { source, target: {}, keys, at: 0 };
}

/**
 * @param {object} target
 * @param {string} key
 * @param {unknown} value
 */
function define(target, key, value) {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

module.exports = { copyGraph, define };
