'use strict';

const assert = require('node:assert');
const { after, before, suite, test } = require('node:test');
const fc = require('fast-check');

const { Document, WorkerPool } = require('..');
const { conformance, jsonFiles, skip } = require('./corpus');

/** Sequences of operations; 50,000 make a thorough run. */
const CASES = Number(process.env.OFFLOOP_CASES ?? 1000);
const SEED = process.env.OFFLOOP_SEED === undefined ? undefined : Number(process.env.OFFLOOP_SEED);

/** @type {WorkerPool} */
let pool;
/** Offloads whatever it gets. @type {WorkerPool} */
let eager;
before(() => {
  pool = new WorkerPool({ size: 2 });
  eager = new WorkerPool({ size: 2, offloadThreshold: 0 });
});
after(async () => {
  await pool.shutdown();
  await eager.shutdown();
});

/** What JSON.stringify leaves of a value's numbers: no -0, no infinities. */
const normal = (/** @type {Buffer} */ bytes) => JSON.stringify(JSON.parse(bytes.toString()));

const codeOf = (/** @type {() => unknown} */ run) => {
  try {
    run();
  } catch (error) {
    return /** @type {any} */ (error).code;
  }
  return undefined;
};

// The model: a plain value, and the few lines that RFC 6901 takes on one.

/** @param {string} pointer */
const tokensOf = (pointer) =>
  pointer === '' ? [] : pointer.slice(1).split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

/** @param {string[]} tokens */
const pointerOf = (tokens) => tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const isIndex = (/** @type {string} */ token) => /^(0|[1-9]\d*)$/.test(token);

/** @param {any} model @param {string} token */
function childOf(model, token) {
  if (typeof model !== 'object' || model === null) return undefined;
  if (Array.isArray(model) && !isIndex(token)) return undefined;
  return Object.hasOwn(model, token) ? model[token] : undefined;
}

/** @param {any} model @param {string} pointer */
const getFrom = (model, pointer) => tokensOf(pointer).reduce(childOf, model);

/** Changes the model; returns the new root, or throws where with() must. @param {any} root */
function change(root, /** @type {string} */ pointer, /** @type {unknown} */ value) {
  const tokens = tokensOf(pointer);
  const last = tokens.pop();
  if (last === undefined) {
    if (value === undefined) throw new Error('no root');
    return value;
  }
  const parent = tokens.reduce(childOf, root);
  if (typeof parent !== 'object' || parent === null) throw new Error('no parent');
  if (Array.isArray(parent)) {
    if (last !== '-' && !isIndex(last)) throw new Error('no index');
    const index = last === '-' ? parent.length : Number(last);
    if (value === undefined) {
      if (index < parent.length) parent.splice(index, 1);
    } else {
      if (index > parent.length) throw new Error('beyond the end');
      parent[index] = value;
    }
  } else if (value === undefined) {
    delete parent[last];
  } else {
    Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
  }
  return root;
}

const copy = (/** @type {any} */ value) => JSON.parse(JSON.stringify(value));

const key = fc.oneof(fc.constantFrom('a', 'b', 'content', '', 'é', '__proto__', 'a/b', 'm~n', '0', '-', '"', '\\', '\ud800', 'x\ny'), fc.string());
const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', 'a\\', '\ud83d', 'long '.repeat(20)), fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
const value = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(key, tie('value'), { maxKeys: 5 })),
})).value;

/** mulberry32 @param {number} seed */
function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** JSON text of a value in many spellings: white space, escapes, duplicate keys. @param {any} value @param {() => number} random */
function spell(value, random) {
  const space = () => (random() < 0.3 ? [' ', '\n  ', '\t', '\r\n', '      '][Math.floor(random() * 5)] : '');
  const text = (/** @type {string} */ string) => {
    if (random() < 0.7) return JSON.stringify(string);
    const units = string.split('');
    return `"${units.map((unit) => (random() < 0.5 ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : JSON.stringify(unit).slice(1, -1))).join('')}"`;
  };
  const write = (/** @type {any} */ item) => {
    if (typeof item === 'string') return text(item);
    if (typeof item !== 'object' || item === null) return JSON.stringify(item);
    if (Array.isArray(item)) return `[${space()}${item.map((inner) => write(inner) + space()).join(`,${space()}`)}]`;
    const members = Object.keys(item).map((name) => `${text(name)}${space()}:${space()}${write(item[name])}${space()}`);
    // An earlier member of the same key must not count.
    if (members.length > 0 && random() < 0.2) members.unshift(`${text(Object.keys(item)[0])}:${write([item, 1])}`);
    return `{${space()}${members.join(`,${space()}`)}}`;
  };
  return space() + write(value) + space();
}

/** All pointers of a value. @param {any} value @returns {string[]} */
function pointersOf(value, tokens = /** @type {string[]} */ ([])) {
  if (typeof value !== 'object' || value === null) return [pointerOf(tokens)];
  return [pointerOf(tokens), ...Object.keys(value).flatMap((token) => pointersOf(value[token], [...tokens, token]))];
}

const step = fc.record({
  kind: fc.constantFrom('get', 'with', 'with', 'with', 'clone', 'buffer', 'document', 'value'),
  place: fc.nat(),
  tail: fc.option(key, { nil: undefined }),
  end: fc.boolean(),
  values: fc.array(fc.option(value, { nil: undefined }), { minLength: 1, maxLength: 3 }),
});

test('sequences of operations do what they do to a plain value', async () => {
  const sequence = fc.asyncProperty(value, fc.array(step, { maxLength: 8 }), fc.nat(), fc.boolean(), fc.boolean(), async (start, steps, seed, offloaded, asString) => {
    const random = randomOf(seed);
    const text = spell(start, random);
    let model = JSON.parse(asString ? text : Buffer.from(text).toString());
    let document = await (offloaded ? eager : pool).load(asString ? text : Buffer.from(text));
    const kept = [{ document, text: JSON.stringify(model) }];
    for (const { kind, place, tail, end, values } of steps) {
      const pointers = pointersOf(model);
      const pick = (/** @type {number} */ index) => {
        const pointer = pointers[(place + index * 7) % pointers.length];
        if (tail === undefined) return pointer;
        return `${pointer}/${end ? '-' : pointerOf([tail]).slice(1)}`;
      };
      if (kind === 'get') {
        assert.deepStrictEqual(document.get(pick(0)), getFrom(model, pick(0)));
      } else if (kind === 'clone') {
        document = document.clone();
      } else if (kind === 'value') {
        assert.deepStrictEqual(await document.value(), model);
      } else if (kind === 'buffer') {
        const bytes = await document.toBuffer();
        assert.strictEqual(bytes.length, document.byteLength);
        assert.strictEqual(normal(bytes), JSON.stringify(model));
      } else {
        /** @type {Record<string, any>} */
        const changes = Object.create(null);
        values.forEach((item, index) => {
          changes[pick(index)] = kind === 'document' && index === 0 ? document : item;
        });
        let expected = copy(model);
        let fails = false;
        try {
          for (const pointer of Object.keys(changes)) {
            const item = changes[pointer];
            expected = change(expected, pointer, item === document ? copy(model) : item === undefined ? undefined : copy(item));
          }
        } catch {
          fails = true;
        }
        if (fails) {
          assert.strictEqual(codeOf(() => document.with(changes)), 'ERR_INVALID_ARG');
        } else {
          document = document.with(changes);
          model = copy(expected);
          kept.push({ document, text: JSON.stringify(model) });
        }
      }
    }
    // Nothing that was done changed a document that was there before.
    for (const { document: earlier, text: expected } of kept) assert.strictEqual(normal(await earlier.toBuffer()), expected);
  });
  await fc.assert(sequence, { numRuns: CASES, seed: SEED, verbose: 0 });
});
