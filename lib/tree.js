'use strict';

/**
 * Copies plain objects and arrays that form a tree: the fast path of `clone`.
 *
 * Objects whose key list is hot are copied by a function compiled for it, which reads each property once, in order,
 * and ends in one object literal, the fastest way V8 has to make an object. Keys enter the code only as string
 * literals escaped by `JSON.stringify`. Where code generation from strings is off, or the list is long or rare,
 * properties are assigned one by one.
 *
 * Every function leaves a hash of what it copied in `hashOut[0]`; `leaves.js` says why.
 */

const { isProxy } = require('node:util').types;
const { define } = require('./graph');
const { Leaves } = require('./leaves');
const { NOT_PLAIN, NOT_A_TREE, isDense, isDisguised, prototypesAreExtended } = require('./plain');
const { createShapes, MAX_KEYS } = require('./shapes');

/** Deeper values are left to the iterative copy; so are cycles, which run into it at once. */
const MAX_DEPTH = 100;

const { getPrototypeOf, prototype: objectPrototype } = Object;
const arrayPrototype = Array.prototype;

const hashOut = new Int32Array(1);
const leaves = new Leaves();
let depth = 0;
/** A getter can call `clone` while a copy is being made; the state above is the outer one's. */
let busy = false;

/** @typedef {(source: any) => object} Copier */

const shapes = createShapes(compileCopier);

/**
 * @param {object} root
 * @returns {any} the copy, NOT_PLAIN or NOT_A_TREE
 */
function copyTree(root) {
  if (busy) return NOT_A_TREE;
  if (prototypesAreExtended()) return NOT_PLAIN;
  busy = true;
  depth = 0;
  shapes.adopt();
  try {
    const copy = copyContainer(root);
    return leaves.hasRepeats() ? NOT_A_TREE : copy;
  } catch (error) {
    if (error === NOT_PLAIN || error === NOT_A_TREE) return error;
    throw error;
  } finally {
    leaves.clear();
    busy = false;
  }
}

/**
 * Comparisons rather than a switch: V8 compiles each to a look at the hidden class, but makes a switch's operand a
 * string first.
 * @param {any} value
 * @returns {any}
 */
function copyAny(value) {
  if (typeof value === 'string') {
    hashOut[0] = hashString(value);
  } else if (typeof value === 'number') {
    hashOut[0] = value * 8192;
  } else if (typeof value === 'object') {
    if (value !== null) return copyContainer(value);
    hashOut[0] = 3;
  } else if (typeof value === 'function' || typeof value === 'symbol') {
    throw NOT_PLAIN;
  } else {
    hashOut[0] = value ? 5 : 7;
  }
  return value;
}

/** @param {any} source @returns {object} */
function copyContainer(source) {
  if (isProxy(source)) throw NOT_PLAIN;
  if (depth === MAX_DEPTH) throw NOT_A_TREE;
  const before = leaves.visits;
  depth++;
  const copy = Array.isArray(source) ? copyArray(source) : copyObject(source);
  depth--;
  if (leaves.visits === before && !leaves.add(source, hashOut[0])) throw NOT_A_TREE;
  return copy;
}

/**
 * The prototype is looked at behind the shape: a compiled copier knows the hidden class by then, and with it the
 * prototype, where the question would take 30 ns here.
 * @param {any} source
 */
function copyObject(source) {
  let node = shapes.root;
  let count = 0;
  for (const key in source) {
    if (++count > MAX_KEYS) break;
    node = node.last !== null && node.lastKey === key ? node.last : shapes.step(node, key);
  }
  const isRecord = count > 0 && count <= MAX_KEYS;
  if (isRecord && node.compiled !== null) return node.compiled(source);
  if (getPrototypeOf(source) !== objectPrototype) throw NOT_PLAIN;
  if ((count === 0 || node.indexed) && isDisguised(source)) throw NOT_PLAIN;
  if (count === 0) {
    hashOut[0] = 0;
    return {};
  }
  // From the next copy on: within one, all visits of an object must give it the same hash.
  if (isRecord && !node.indexed) shapes.sightForLater(node, source);
  return assignAll(source);
}

/** @param {any} source */
function assignAll(source) {
  /** @type {Record<string, any>} */
  const target = {};
  let hash = 1;
  for (const key in source) {
    const value = copyAny(source[key]);
    hash = mix(hash, hashOut[0]);
    if (key === '__proto__') define(target, key, value);
    else target[key] = value;
  }
  hashOut[0] = hash;
  return target;
}

/** @param {any[]} source @returns {any[]} */
function copyArray(source) {
  if (!isDense(source)) throw NOT_PLAIN;
  const { length } = source;
  hashOut[0] = 0;
  if (length === 0) return [];
  if (length === 2 && typeof source[0] === 'number') return copyPair(source[0], source[1]);
  if (length === 1) return [copyAny(source[0])];
  // Kept by slice(): the kind of elements, packed doubles for one. But it asks a subclass for the array to fill.
  const plain = getPrototypeOf(source) === arrayPrototype && source.constructor === Array;
  const target = plain ? source.slice() : Array.from({ length }, (_, i) => source[i]);
  let hash = length;
  for (let i = 0; i < length; i++) {
    const value = target[i];
    if (typeof value === 'number') {
      hash = mix(hash, value * 8192);
    } else if (typeof value === 'string') {
      hash = mix(hash, hashString(value));
    } else {
      target[i] = copyAny(value);
      hash = mix(hash, hashOut[0]);
    }
  }
  hashOut[0] = hash;
  return target;
}

/**
 * Pairs of numbers: coordinates and ranges, of which some data has tens of thousands. The literal's elements stay
 * unboxed as nothing but numbers ever comes here.
 * @param {number} x
 * @param {any} y
 */
function copyPair(x, y) {
  if (typeof y === 'number') {
    hashOut[0] = mix(x * 8192, y * 8192);
    return [x, y];
  }
  const target = [x, copyAny(y)];
  hashOut[0] = mix(x * 8192, hashOut[0]);
  return target;
}

/**
 * @param {number} hash
 * @param {number} value
 */
function mix(hash, value) {
  return Math.imul(hash ^ value, 0x85ebca6b) ^ (hash >>> 13);
}

/**
 * The length, and two characters of a short string: identifiers are of one length and differ at their end. A long
 * text is not looked into, as that would fetch it from memory.
 * @param {string} text
 */
function hashString(text) {
  const { length } = text;
  if (length === 0 || length > 64) return length * 31 + 1;
  return (length << 16) ^ (text.charCodeAt(length - 1) << 8) ^ text.charCodeAt(length >> 1);
}

/** Properties of a leaf that go into its hash: the first few tell most leaves apart. */
const MAX_HASHED = 4;

/** @param {unknown} value */
function typeOf(value) {
  return value === null ? 'null' : typeof value;
}

/**
 * A copier for objects with exactly these own enumerable keys in this order. It expects the types of the sample.
 * @param {string[]} keys
 * @param {object} sample
 * @returns {Copier}
 */
function compileCopier(keys, sample) {
  const types = keys.map((key) => typeOf(Object.getOwnPropertyDescriptor(sample, key)?.value));
  // What has objects in it is no leaf, and its hash not asked for. If that is wrong for another object of the shape,
  // its hash tells it from none of its like, and it is told by identity.
  let hashed = types.includes('object') ? MAX_HASHED : 0;
  let reads = '';
  let literal = '';
  keys.forEach((key, i) => {
    const name = JSON.stringify(key);
    const type = types[i];
    reads += `let v${i} = source[${name}];\n`;
    if (type === 'string' || type === 'number') {
      const hash = type === 'string' ? `hashString(v${i})` : `v${i} * 8192`;
      const mixed = hashed++ < MAX_HASHED ? `hash = mix(hash, ${hash})` : '';
      reads += `if (typeof v${i} === '${type}') { ${mixed} }\nelse `;
    }
    reads += `v${i} = copyAny(v${i});\n`;
    if (i === 0) reads += 'if (getPrototypeOf(source) !== objectPrototype) throw NOT_PLAIN;\n';
    literal += `${key === '__proto__' ? `[${name}]` : name}: v${i}, `;
  });
  const body = `'use strict';
return function copy(source) {
let hash = ${keys.length};
${reads}hashOut[0] = hash;
return { ${literal}};
};`;
  const scope = { copyAny, hashOut, hashString, mix, getPrototypeOf, objectPrototype, NOT_PLAIN };
  return new Function(...Object.keys(scope), body)(...Object.values(scope));
}

module.exports = { copyTree };
