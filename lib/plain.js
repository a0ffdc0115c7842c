'use strict';

/** What "plain" means to the walks over values: objects and arrays as JSON.parse makes them. */

const { inspect, types } = require('node:util');

/** Result of a walk that met something other than plain objects, arrays and primitives. */
const NOT_PLAIN = Symbol('not plain');
/** Result of a walk that met an object twice, or deeper nesting than it follows. */
const NOT_A_TREE = Symbol('not a tree');

/** Up to this length listing an array's keys is the cheaper way to see that there are no others than its indices. */
const SHORT = 100;
/** The last index of an array of each short length, as a key. */
const LAST = Array.from({ length: SHORT + 1 }, (_, length) => `${length - 1}`);
const OUTLINE = { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity };

/**
 * Whether an array, not a proxy, has all elements from 0 to length - 1 and no other enumerable string keys.
 *
 * JavaScript cannot ask for the named keys of an array alone. Listing the indices with them takes 5 ns for each; a
 * long array is outlined by `util.inspect`, which asks V8 for the named keys and leaves the elements alone.
 *
 * @param {unknown[]} array
 */
function isDense(array) {
  const { length } = array;
  if (length > SHORT) return inspect(array, OUTLINE) === `[ ... ${length} more items ]` && !hasHoles(array);
  const keys = Object.keys(array);
  return keys.length === length && (length === 0 || keys[length - 1] === LAST[length]);
}

/** @param {unknown[]} array */
function hasHoles(array) {
  for (let i = 0; i < array.length; i++) if (array[i] === undefined && !Object.hasOwn(array, i)) return true;
  return false;
}

/**
 * Whether an object whose prototype is Object.prototype is something else than a plain object: `arguments`, or an
 * object of a built-in class that had its prototype replaced. It takes too long to ask it of each; the walks ask it of
 * those that have no keys, or an index for the first one. (So a built-in object that got Object.prototype *and*
 * enumerable keys of its own passes for a plain object.)
 * @param {object} object
 */
function isDisguised(object) {
  return Object.prototype.toString.call(object) !== '[object Object]' || TYPES.some((is) => is(object));
}

/** Deno has no `isExternal`. */
const TYPES = [
  types.isMap, types.isSet, types.isWeakMap, types.isWeakSet, types.isPromise, types.isAnyArrayBuffer,
  types.isArrayBufferView, types.isModuleNamespaceObject, types.isExternal, types.isGeneratorObject,
  types.isMapIterator, types.isSetIterator, types.isBoxedPrimitive, types.isSymbolObject, types.isNativeError,
].filter((is) => is !== undefined);

/** Whether somebody gave Object.prototype or Array.prototype enumerable properties, which every walk would meet. */
function prototypesAreExtended() {
  for (const _ in Array.prototype) return true;
  return false;
}

module.exports = { NOT_PLAIN, NOT_A_TREE, isDense, isDisguised, prototypesAreExtended };
