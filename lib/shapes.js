'use strict';

/**
 * Shapes: the key lists of the plain objects that pass through, kept as a trie. Each node stands for the keys on the
 * way to it and carries what was compiled for that list once it turned out to be hot.
 *
 * Walking costs one pointer comparison per key where an object looks like the one before it: V8 hands `for-in` keys
 * out of the hidden class, internalised. The walk itself stands in the callers' loops, where V8 can inline it:
 *
 *     let node = trie.root;
 *     for (const key in object) node = node.lastKey === key ? node.last : trie.step(node, key);
 */

const { mayCompile } = require('./compile');

/** Sightings of a key list before it is compiled: one compilation costs as much as some hundred copies save. */
const HOT = 64;
/** Objects with more keys are maps rather than records and are not worth a shape. */
const MAX_KEYS = 64;
/** With more nodes than this the trie is thrown away, compiled functions included, and grows anew. */
const MAX_NODES = 16384;

/** A key that is an index of an array. */
const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** @template T */
class ShapeNode {
  /**
   * @param {ShapeNode<T> | null} parent
   * @param {string} key
   * @param {boolean} indexed
   */
  constructor(parent, key, indexed) {
    /** @type {ShapeNode<T> | null} */
    this.parent = parent;
    this.key = key;
    /** The key of the child taken last, compared before the others; a node without children has itself there. */
    this.lastKey = '';
    /** @type {ShapeNode<T> | null} */
    this.last = null;
    /** The one taken before another was. */
    this.otherKey = '';
    /** @type {ShapeNode<T> | null} */
    this.other = null;
    /** @type {Map<string, ShapeNode<T>> | null} */
    this.children = null;
    this.sightings = 0;
    /** Whether the first key is an index, as those of `arguments` do. */
    this.indexed = indexed;
    /** @type {T | null} */
    this.compiled = null;
    /** What is known about values with this key list at the top, as strings and as buffers. @type {import('./worth').Site[] | null} */
    this.sites = null;
  }

  /** The key list this node stands for. */
  keys() {
    /** @type {string[]} */
    const keys = [];
    /** @type {ShapeNode<T>} */
    let at = this;
    for (; at.parent !== null; at = at.parent) keys.push(at.key);
    return keys.reverse();
  }
}

/** @template T */
class ShapeTrie {
  /** @param {(keys: string[], sample: object) => T} compile called once per hot shape */
  constructor(compile) {
    this.compile = compile;
    this.compiles = mayCompile;
    /** @type {ShapeNode<T>} */
    this.root = new ShapeNode(null, '', false);
    this.size = 1;
    /** @type {{ node: ShapeNode<T>, compiled: T }[]} */
    this.ready = [];
  }

  clear() {
    this.root = new ShapeNode(null, '', false);
    this.size = 1;
  }

  /**
   * The node one key further, made where there is none.
   * @param {ShapeNode<T>} node
   * @param {string} key
   * @returns {ShapeNode<T>}
   */
  step(node, key) {
    if (node.last !== null && node.lastKey === key) return node.last;
    const { other } = node;
    node.other = node.last;
    if (other !== null && node.otherKey === key) {
      node.otherKey = node.lastKey;
      node.lastKey = key;
      node.last = other;
      return other;
    }
    node.otherKey = node.lastKey;
    if (node.children === null) node.children = new Map();
    let child = node.children.get(key);
    if (child === undefined) {
      child = new ShapeNode(node, key, node === this.root ? INDEX.test(key) : node.indexed);
      node.children.set(key, child);
      this.size++;
    }
    node.lastKey = key;
    node.last = child;
    return child;
  }

  /**
   * Counts a sighting of a shape that has nothing compiled yet; compiles when it is hot.
   * @param {ShapeNode<T>} node
   * @param {object} sample an object of that shape
   * @returns {T | null}
   */
  sight(node, sample) {
    if (this.size > MAX_NODES) this.clear();
    if (this.compiles && ++node.sightings >= HOT) node.compiled = this.compile(node.keys(), sample);
    return node.compiled;
  }

  /**
   * As `sight`, for walks in which a shape must be treated alike from beginning to end: what is compiled counts from
   * the next `adopt` on.
   * @param {ShapeNode<T>} node
   * @param {object} sample
   */
  sightForLater(node, sample) {
    if (this.compiles && ++node.sightings === HOT) this.ready.push({ node, compiled: this.compile(node.keys(), sample) });
  }

  /** Between two walks: takes what was compiled, and forgets everything if it has become too much. */
  adopt() {
    for (const { node, compiled } of this.ready) node.compiled = compiled;
    this.ready.length = 0;
    if (this.size > MAX_NODES) this.clear();
  }
}

/**
 * @template T
 * @param {(keys: string[], sample: object) => T} compile
 */
function createShapes(compile) {
  return new ShapeTrie(compile);
}

module.exports = { createShapes, MAX_KEYS };
