'use strict';

/** Generated values for the oracle tests: plain data, shared references, cycles, and what JSON never saw. */

const fc = require('fast-check');

/** Generated cases per property; a nightly run sets it higher. */
const CASES = Number(process.env.OFFLOOP_CASES ?? 2000);

const KEYS = ['a', 'b', 'id', 'role', 'content', '__proto__', 'constructor', 'toString', '0', '17', '4294967295', '-1', '',
  'ключ', '\u2028', 'line\nbreak', '"quoted"', '\ud800', 'length', 'toJSON_'];

const key = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...KEYS) }, fc.string({ unit: 'binary', maxLength: 4 }));
const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(-0, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 53, 1e21, 5e-324, 0.1),
);
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', 'ü', '\ud83d', '\ude00', '😀', '"\\\b\f\n\r\t\u0000\u001f\u007f'),
  fc.tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.integer({ min: 1, max: 900 })).map(([s, n]) => s.repeat(n)),
);
const plainPrimitive = fc.oneof(number, text, fc.boolean(), fc.constant(null), fc.constant(undefined));

/** @param {[string, unknown][]} entries */
function makeObject(entries) {
  const object = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}

/**
 * Trees of objects and arrays over the given leaves.
 * @param {import('fast-check').Arbitrary<unknown>} leaf
 */
function trees(leaf) {
  return fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 5, depthSize: 'small' }, leaf, tie('array'), tie('object'), tie('rows')),
    array: fc.array(tie('value'), { maxLength: 6 }),
    object: fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map(makeObject),
    // Many objects of one shape, as rows of a table are: what the compiled paths are for.
    rows: fc
      .tuple(fc.uniqueArray(key, { minLength: 1, maxLength: 5 }), fc.array(fc.array(leaf, { minLength: 5, maxLength: 5 }), { maxLength: 8 }))
      .map(([keys, rows]) => rows.map((row) => makeObject(keys.map((name, i) => [name, row[i]])))),
  })).value;
}

/** Plain data. */
const plain = trees(plainPrimitive);

/** Adds shared references and cycles: each pair of numbers picks a container and what to put into it. */
const graphs = fc.tuple(plain, fc.array(fc.tuple(fc.nat(), fc.nat(), key), { maxLength: 4 })).map(([root, links]) => {
  const containers = [];
  const visit = (value) => {
    if (typeof value !== 'object' || value === null) return;
    containers.push(value);
    for (const name of Object.keys(value)) visit(value[name]);
  };
  visit(root);
  if (containers.length === 0) return root;
  for (const [from, to, name] of links) {
    const source = containers[from % containers.length];
    const value = containers[to % containers.length];
    if (Array.isArray(source)) source.push(value);
    else Object.defineProperty(source, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return root;
});

class Point {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }
  get length() {
    return Math.hypot(this.x, this.y);
  }
}

/** Makers of values that JSON.parse never returns. */
const EXOTIC = {
  date: () => new Date(1e12),
  'invalid date': () => new Date(NaN),
  regexp: () => /a+/giu,
  map: () => new Map([[1, { a: 1 }], ['b', [2]]]),
  set: () => new Set([1, 'a', { b: 2 }]),
  error: () => new TypeError('no', { cause: 1 }),
  buffer: () => Buffer.from('bytes'),
  'typed array': () => new Float64Array([1.5, -0, NaN]),
  'array buffer': () => new ArrayBuffer(8),
  'data view': () => new DataView(new ArrayBuffer(4), 1, 2),
  'boxed number': () => new Number(-0),
  'boxed string': () => new String('boxed'),
  'boxed boolean': () => new Boolean(false),
  'boxed bigint': () => Object(3n),
  'boxed symbol': () => Object(Symbol('s')),
  bigint: () => 12345678901234567890n,
  symbol: () => Symbol('s'),
  function: () => () => 1,
  instance: () => new Point(1, 2),
  'null prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'inherited keys': () => Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }),
  proxy: () => new Proxy({ a: 1 }, {}),
  'array proxy': () => new Proxy([1, 2], {}),
  accessor: () => ({ get a() { return { deep: [1] }; }, b: 2 }),
  'throwing accessor': () => ({ get a() { throw new RangeError('from the getter'); } }),
  'accessor that deletes': () => ({ get a() { delete this.b; return 1; }, b: 2, c: 3 }),
  'symbol key': () => ({ [Symbol('k')]: 1, a: 2 }),
  'hidden key': () => Object.defineProperty({ a: 1 }, 'hidden', { value: 2, enumerable: false }),
  sparse: () => [1, , 3], // eslint-disable-line no-sparse-arrays
  'long sparse': () => { const array = new Array(200).fill(1); delete array[7]; return array; },
  holes: () => new Array(3),
  'array with keys': () => Object.assign([1, 2], { extra: 3 }),
  'long array with keys': () => Object.assign(new Array(200).fill(0), { extra: 3 }),
  'empty array with keys': () => Object.assign([], { extra: [] }),
  'hole and key': () => Object.assign([1, , 3], { extra: 3 }), // eslint-disable-line no-sparse-arrays
  'match result': () => /b(?<c>c)/.exec('abcd'),
  subclass: () => Object.assign(new (class Rows extends Array {})(), [1, { a: 1 }]),
  'array with accessor': () => Object.defineProperty([1, 2, 3], 1, { get: () => [7], enumerable: true }),
  'array with hidden element': () => Object.defineProperty([1, 2, 3], 1, { value: 5, enumerable: false }),
  'frozen': () => Object.freeze({ a: Object.freeze([1, 2]) }),
  arguments: () => (function () { return arguments; })(1, 2), // eslint-disable-line prefer-rest-params
  'empty arguments': () => (function () { return arguments; })(), // eslint-disable-line prefer-rest-params
  'disguised map': () => Object.setPrototypeOf(new Map([[1, 2]]), Object.prototype),
  'disguised date': () => Object.setPrototypeOf(new Date(5), Object.prototype),
  'disguised error': () => Object.setPrototypeOf(new Error('x'), Object.prototype),
  'weak map': () => new WeakMap(),
  promise: () => Promise.resolve(1),
  iterator: () => [1][Symbol.iterator](),
  generator: () => (function* () { yield 1; })(),
  math: () => Math,
  'toJSON': () => ({ a: 1, toJSON() { return { replaced: true }; } }),
  'own __proto__': () => JSON.parse('{"__proto__": {"a": 1}, "b": 2}'),
  'null as __proto__': () => JSON.parse('{"__proto__": null}'),
};

/** Plain data with exotic values in it. */
const anything = trees(
  fc.oneof(
    { weight: 4, arbitrary: plainPrimitive },
    { weight: 1, arbitrary: fc.constantFrom(...Object.values(EXOTIC)).map((make) => make()) },
  ),
);

/**
 * fc.assert with the number of cases from OFFLOOP_CASES and a printed seed.
 * @param {import('node:test').TestContext} t
 * @param {import('fast-check').IRawProperty<any>} property
 * @param {number} [part] of the cases
 */
function check(t, property, part = 1) {
  const seed = Number(process.env.OFFLOOP_SEED ?? Date.now() & 0x7fffffff);
  t.diagnostic(`OFFLOOP_SEED=${seed} OFFLOOP_CASES=${CASES}`);
  return fc.assert(property, { seed, numRuns: Math.ceil(CASES * part), interruptAfterTimeLimit: undefined });
}

module.exports = { CASES, EXOTIC, anything, check, fc, graphs, plain };
