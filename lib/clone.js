'use strict';

/**
 * `clone`: structuredClone's answer, at a fraction of its cost for JSON-like data.
 *
 * A deep copy in JavaScript shares the strings, which are immutable; nothing that leaves the main thread can. So
 * clones are made here and now, in three steps, each of which hands on what it does not cover exactly:
 *
 * 1. `tree.js` copies plain objects and arrays as if they formed a tree, and looks whether they did;
 * 2. `graph.js` copies plain objects and arrays with shared references, cycles, or any depth;
 * 3. `structuredClone` does everything else: class instances, Map, Date, typed arrays, proxies, functions, …
 *
 * Known differences, all of them about values that are no data:
 * - Step 2 or 3 starts over, so a getter in a value that needs it is read twice.
 * - An object referenced twice is copied twice if it has a getter that makes a new object at each read.
 * - A getter that removes a later key of its object leaves it there, as undefined, if that key list is compiled.
 * - A built-in object with Object.prototype as its prototype and with keys of its own passes for a plain object.
 * - Where structuredClone overflows the stack (some thousand levels), plain data is copied all the same.
 *
 * The price goes with the number of objects, not with the text: benchmarks/clone.js has figures.
 */

const { copyTree } = require('./tree');
const { copyGraph } = require('./graph');
const { NOT_PLAIN, NOT_A_TREE } = require('./plain');
const { inline } = require('./submit');

/**
 * @template T
 * @param {T} value
 * @returns {T}
 * @throws {DOMException} DataCloneError, as structuredClone does
 */
function syncClone(value) {
  if (typeof value !== 'object' || value === null) return structuredClone(value);
  let copy = copyTree(value);
  if (copy === NOT_A_TREE) copy = copyGraph(value);
  return copy === NOT_PLAIN ? structuredClone(value) : copy;
}

/**
 * `structuredClone(value)` as a promise.
 *
 * @template T
 * @param {import('./submit').Pool} pool
 * @param {T} value
 * @param {import('./submit').TaskOptions} [options]
 * @returns {Promise<T>}
 */
function clone(pool, value, options) {
  return inline(pool, options, 'clone', () => syncClone(value), value);
}

module.exports = { clone, syncClone };
