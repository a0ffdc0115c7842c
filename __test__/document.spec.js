'use strict';

const assert = require('node:assert');
const { after, before, suite, test } = require('node:test');
const fc = require('fast-check');

const { Document, WorkerPool } = require('..');
const { conformance, jsonFiles, skip } = require('./corpus');
const { runScript } = require('./faults');

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

// No backslashes: in Node 24 and 26, JSON.parse takes the key "\"" for "\\" once it has seen that one, and is no oracle.
const key = fc.oneof(fc.constantFrom('a', 'b', 'content', '', 'é', '__proto__', 'a/b', 'm~n', '0', '-', '"', '\ud800', 'x\ny'), fc.string().filter((text) => !text.includes('\\')));
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

suite('the corpus', { skip }, () => {
  for (const { name, bytes } of jsonFiles()) {
    test(name, async () => {
      const expected = JSON.parse(bytes.toString());
      for (const input of [bytes, bytes.toString(), [bytes.subarray(0, 100), bytes.subarray(100)], Buffer.from(JSON.stringify(expected, null, 2))]) {
        const document = await pool.load(input);
        assert.deepStrictEqual(await document.value(), expected);
        assert.deepStrictEqual(document.get(''), expected);
        const text = await document.toBuffer();
        assert.strictEqual(text.length, document.byteLength);
        assert.deepStrictEqual(JSON.parse(text.toString()), expected);
        for (const key of Object.keys(expected)) assert.deepStrictEqual(document.get(pointerOf([key])), expected[key]);
        document.dispose();
      }
    });
  }

  test('truncated messages are those that pool.compress gives for values', async () => {
    for (const { name, bytes } of jsonFiles().filter((file) => file.name.startsWith('requests/'))) {
      const body = JSON.parse(bytes.toString());
      const place = Array.isArray(body) ? undefined : 'messages' in body ? 'messages' : 'input';
      const expected = await pool.compress(place === undefined ? body : body[place], { mode: 'truncate' });
      for (const loader of [pool, eager]) {
        const document = await loader.load(JSON.stringify(body, null, 1));
        const result = await document.compress({ mode: 'truncate' });
        const whole = place === undefined ? expected.messages : { ...body, [place]: expected.messages };
        assert.strictEqual((await result.toBuffer()).toString(), JSON.stringify(whole), name);
        assert.deepStrictEqual({ ...result.stats, latency_ms: 0 }, { ...expected.stats, latency_ms: 0 });
      }
    }
  });

  test('what parse rejects, load rejects with the same error', async () => {
    for (const prefix of /** @type {const} */ (['y_', 'n_', 'i_'])) {
      for (const { name, bytes } of conformance(prefix)) {
        for (const input of [bytes, bytes.toString(), Buffer.concat([Buffer.alloc(300, 32), bytes])]) {
          const parsed = await eager.parse(input).catch((error) => error);
          const document = await eager.load(input).catch((error) => error);
          if (parsed instanceof SyntaxError) {
            assert.ok(document instanceof SyntaxError, name);
            assert.deepStrictEqual({ ...document, message: document.message }, { ...parsed, message: parsed.message });
          } else {
            assert.deepStrictEqual(document.get(''), parsed, name);
            assert.strictEqual(normal(await document.toBuffer()), JSON.stringify(parsed), name);
          }
        }
      }
    }
  });
});

/** Messages of all formats, some of them odd. */
const words = fc.tuple(fc.constantFrom('x', '😀', '\n', '\u0001', 'é', '\ud83d', '\ude00'), fc.constantFrom(2990, 2999, 3000, 4999, 5000, 6000, 3), fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ maxLength: 20 }));
const longText = words.map(([unit, count, middle, end]) => unit.repeat(Math.max(1, count / unit.length - 2)) + middle + end);
const block = fc.letrec((tie) => ({
  block: fc.oneof(
    fc.record({ type: fc.constantFrom('text', 'input_text', 'output_text', 'image'), text: fc.oneof(longText, fc.constant(7)) }, { requiredKeys: ['type'] }),
    fc.record({ type: fc.constant('tool_result'), content: fc.oneof({ depthSize: 'small' }, longText, fc.array(tie('block'), { maxLength: 3 }), fc.constant(null)) }),
    fc.constantFrom(null, 'text', []),
  ),
})).block;
const message = fc.oneof(
  fc.record({ role: fc.constantFrom('assistant', 'tool', 'user', 7), content: fc.oneof(longText, fc.array(block, { maxLength: 3 }), fc.constant(null)) }, { requiredKeys: [] }),
  fc.record({ type: fc.constant('function_call_output'), output: fc.oneof(longText, fc.array(block, { maxLength: 2 })) }),
  fc.constantFrom(null, 'message', 1, []),
);

test('generated messages are truncated as values are', async () => {
  const property = fc.asyncProperty(fc.array(message, { maxLength: 4 }), fc.nat(), fc.boolean(), async (messages, seed, change) => {
    const text = spell({ model: 'm', messages }, randomOf(seed));
    let document = await pool.load(text);
    let model = JSON.parse(text).messages;
    if (change) {
      document = document.with({ '/messages/-': messages[0] ?? 1, '/messages/0': { role: 'tool', content: 'y'.repeat(3001) } });
      model = [...model, messages[0] ?? 1];
      model[0] = { role: 'tool', content: 'y'.repeat(3001) };
    }
    const expected = await pool.compress(model, { mode: 'truncate' });
    const result = await document.compress({ mode: 'truncate' });
    assert.strictEqual(JSON.stringify(result.get('/messages')), JSON.stringify(expected.messages));
    if (expected.stats === undefined) assert.strictEqual(result.stats, undefined);
    else assert.deepStrictEqual({ ...result.stats, latency_ms: 0 }, { ...expected.stats, latency_ms: 0 });
  });
  await fc.assert(property, { numRuns: Math.ceil(CASES / 10), seed: SEED });
});

suite('get', () => {
  test('resolves the examples of RFC 6901', async () => {
    const model = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'g|h': 4, 'i\\j': 5, 'k"l': 6, ' ': 7, 'm~n': 8 };
    const document = await pool.load(JSON.stringify(model));
    assert.deepStrictEqual(document.get(''), model);
    assert.deepStrictEqual(document.get('/foo'), ['bar', 'baz']);
    assert.strictEqual(document.get('/foo/0'), 'bar');
    for (const key of Object.keys(model)) assert.deepStrictEqual(document.get(pointerOf([key])), model[key]);
  });

  test('tells types without building values', async () => {
    const document = await pool.load('{"o":{},"a":[],"s":"","n":0,"t":true,"f":false,"z":null}');
    const types = ['', '/o', '/a', '/s', '/n', '/t', '/f', '/z', '/x'].map((pointer) => document.type(pointer));
    assert.deepStrictEqual(types, ['object', 'object', 'array', 'string', 'number', 'boolean', 'boolean', 'null', undefined]);
    assert.strictEqual(document.with({ '/o/x': 1, '/a/-': 1 }).type('/a'), 'array');
    assert.throws(() => document.type('o'), { code: 'ERR_INVALID_ARG' });
  });

  test('gives undefined where nothing is', async () => {
    const document = await pool.load('{"a":[1,{"b":null}],"s":"text","length":1}');
    for (const pointer of ['/x', '/a/2', '/a/-', '/a/01', '/a/length', '/a/-1', '/s/0', '/s/length', '/a/1/b/c', '/toString', '/__proto__', '/']) {
      assert.strictEqual(document.get(pointer), undefined, pointer);
    }
    assert.strictEqual(document.get('/a/1/b'), null);
  });

  test('finds keys by their characters, and the last of several', async () => {
    const document = await pool.load('{"\\u0061":1,"é\\ud83d\\ude00":2,"\\ud800":3,"d":4,"d":{"e":5},"\\u0064":6,"a\\":1,\\"b":7}');
    assert.strictEqual(document.get('/a'), 1);
    assert.strictEqual(document.get('/é😀'), 2);
    assert.strictEqual(document.get('/\ud800'), 3);
    assert.strictEqual(document.get('/d'), 6);
    assert.strictEqual(document.get('/d/e'), undefined);
    assert.strictEqual(document.get('/a":1,"b'), 7);
  });

  test('an object of many members is not walked', async () => {
    /** @type {Record<string, any>} */
    const model = {};
    for (let index = 0; index < 5000; index++) model[`k${index}é"`] = index;
    const plain = JSON.stringify(model);
    const document = await pool.load(`${plain.slice(0, -1)},"k7\\u00e9\\"":"last","\\ud800":1,"\\ud800":2}`);
    model['k7é"'] = 'last';
    model['\ud800'] = 2;
    for (const key of Object.keys(model)) assert.strictEqual(document.get(pointerOf([key])), model[key]);
    assert.strictEqual(document.get('/k5000'), undefined);
    const changed = document.with({ '/k7é"': undefined, '/k8é"': 'new', '/k9é"': undefined, '/\ud800': undefined });
    delete model['k7é"'];
    delete model['k9é"'];
    delete model['\ud800'];
    model['k8é"'] = 'new';
    assert.strictEqual((await changed.toBuffer()).toString(), JSON.stringify(model));
    assert.strictEqual((await changed.toBuffer()).length, changed.byteLength);
  });

  test('keys with backslashes are told apart', async () => {
    const document = await pool.load('{"\\\\":1,"\\"":2,"a\\\\n":3,"a\\n":4}');
    assert.deepStrictEqual(['/\\', '/"', '/a\\n', '/a\n'].map((pointer) => document.get(pointer)), [1, 2, 3, 4]);
    assert.deepStrictEqual(Object.keys(document.get('')), ['\\', '"', 'a\\n', 'a\n']);
    const changed = document.with({ '/\\': undefined, '/a\\n': 5, '/b\\': 6 });
    assert.strictEqual((await changed.toBuffer()).toString(), '{"\\"":2,"a\\\\n":5,"a\\n":4,"b\\\\":6}');
  });

  test('numbers are read, and written as they were', async () => {
    const text = '[1.0,1e2,-0,0.1,12345678901234567890,1E400,5e-324]';
    const document = await pool.load(text);
    assert.deepStrictEqual(document.get(''), JSON.parse(text));
    for (let index = 0; index < 7; index++) assert.ok(Object.is(document.get(`/${index}`), JSON.parse(text)[index]));
    assert.strictEqual((await document.with({ '/-': 1 }).toBuffer()).toString(), `${text.slice(0, -1)},1]`);
  });

  test('a deep or large value needs no stack and no other way', async () => {
    const depth = 20_000;
    const deep = await pool.load('[1,'.repeat(depth) + ']'.repeat(depth).replace(/^/, '2'));
    assert.strictEqual(deep.get(`${'/1'.repeat(depth - 1)}/0`), 1);
    assert.strictEqual(deep.get('/1/1/0'), 1);
    const rows = Array.from({ length: 60_000 }, (_, id) => ({ id, text: `row ${id}` }));
    const large = await pool.load(JSON.stringify({ rows }));
    assert.deepStrictEqual(large.get('/rows'), rows);
    assert.deepStrictEqual(await large.with({ '/rows/0': 0 }).value(), { rows: [0, ...rows.slice(1)] });
  });
});

suite('with', () => {
  test('nests without end: Documents in Documents', async () => {
    let document = await pool.load('{"leaf":true}');
    for (let depth = 0; depth < 3000; depth++) document = (await pool.load('{"n":0}')).with({ '/n': document });
    assert.strictEqual(document.get(`${'/n'.repeat(3000)}/leaf`), true);
    assert.strictEqual((await document.toBuffer()).length, document.byteLength);
  });

  test('values are read at the call', async () => {
    const value = { list: [1] };
    const document = (await pool.load('{}')).with({ '/value': value });
    value.list.push(2);
    assert.deepStrictEqual(document.get('/value'), { list: [1] });
  });

  test('keeps the places of keys, and the white space of nothing', async () => {
    const document = await pool.load(' { "a" : 1 , "b" : [ 1 , 2 , 3 ] , "c" : "x  y" } ');
    const changed = document.with({ '/a': 'A', '/b/1': undefined, '/d': null, '/b/0': { z: 1 } });
    assert.strictEqual((await changed.toBuffer()).toString(), '{"a":"A","b":[{"z":1},3],"c":"x  y","d":null}');
    assert.strictEqual((await document.toBuffer()).toString(), '{"a":1,"b":[1,2,3],"c":"x  y"}');
  });

  test('says what is wrong', async () => {
    const document = await pool.load('{"a":{"b":[1]},"s":1}');
    /** @type {any} */
    const cycle = {};
    cycle.self = cycle;
    /** @type {[any, RegExp][]} */
    const wrong = [
      [{ '/x/y': 1 }, /'\/x\/y'.*nothing at '\/x'/],
      [{ '/x/y': undefined }, /'\/x'/],
      [{ '/s/y': 1 }, /neither an object nor an array/],
      [{ '/a/b/3': 1 }, /no such index/],
      [{ '/a/b/x': 1 }, /no such index/],
      [{ '': undefined }, /its root cannot be removed/],
      [{ a: 1 }, /'a'.*JSON Pointer/],
      [{ '/~2': 1 }, /JSON Pointer/],
      [{ '/a': () => {} }, /'\/a'.*JSON/],
      [{ '/a': Symbol('s') }, /'\/a'/],
      [{ '/a': 1n }, /BigInt/],
      [{ '/a': cycle }, /circular/i],
      [{ '/a': { document } }, /toBuffer/],
      [{ '/a': { toJSON: () => undefined } }, /'\/a'/],
      [{ ['/n'.repeat(501)]: 1 }, /levels/],
      [null, /changes/],
      [[], /changes/],
      ['/a', /changes/],
    ];
    for (const [changes, message] of wrong) {
      assert.throws(() => document.with(changes), (/** @type {any} */ error) => error.code === 'ERR_INVALID_ARG' && message.test(error.message), String(message));
    }
    assert.throws(() => document.get('a'), { code: 'ERR_INVALID_ARG' });
    assert.throws(() => document.get(/** @type {any} */ (1)), { code: 'ERR_INVALID_ARG' });
    assert.strictEqual((await document.toBuffer()).toString(), '{"a":{"b":[1]},"s":1}');
  });
});

suite('a Document that is not to be used', () => {
  test('disposed of', async () => {
    const document = await pool.load('{"a":1}');
    const clone = document.clone();
    document[Symbol.dispose ?? 'dispose']();
    document.dispose();
    for (const use of [() => document.get(''), () => document.with({}), () => document.clone(), () => document.byteLength]) {
      assert.strictEqual(codeOf(use), 'ERR_INVALID_STATE');
    }
    for (const use of [document.value(), document.toBuffer(), document.compress()]) await assert.rejects(use, { code: 'ERR_INVALID_STATE' });
    assert.strictEqual(codeOf(() => clone.with({ '/a': document })), 'ERR_INVALID_STATE');
    assert.strictEqual(clone.get('/a'), 1);
    clone.dispose();
  });

  test('of a closed pool: what is there can be read, tasks are rejected', async () => {
    const closed = new WorkerPool({ size: 1 });
    const document = await closed.load('{"a":1}');
    await closed.shutdown();
    assert.strictEqual(document.with({ '/b': 2 }).get('/b'), 2);
    for (const use of [document.value(), document.toBuffer(), document.compress(), closed.load('1')]) {
      await assert.rejects(use, { code: 'ERR_POOL_CLOSED' });
    }
  });

  test('as text', async () => {
    const document = await pool.load('1');
    assert.throws(() => `${document}`, { code: 'ERR_INVALID_STATE', message: /toBuffer/ });
    assert.throws(() => JSON.stringify({ document }), { code: 'ERR_INVALID_STATE', message: /toBuffer/ });
    assert.ok(document instanceof Document);
  });

  test('wrong arguments reject', async () => {
    for (const json of [1, null, {}, [1], ['x']]) await assert.rejects(pool.load(/** @type {any} */ (json)), { code: 'ERR_INVALID_ARG' });
    const document = await pool.load('{"a":1}');
    await assert.rejects(document.compress(), { code: 'ERR_INVALID_ARG', message: /messages/ });
    await assert.rejects(document.compress({ mode: /** @type {any} */ ('x') }), { code: 'ERR_INVALID_ARG' });
    await assert.rejects(document.toBuffer({ signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.strictEqual(/** @type {any} */ (await pool.exec('load', '[1]')).get('/0'), 1);
  });
});

test('memory is counted, shared, and freed by dispose', async () => {
  const mine = new WorkerPool({ size: 1 });
  const { documents: none } = mine.getStats();
  assert.deepStrictEqual(none, { count: 0, bytes: 0 });
  const document = await mine.load(JSON.stringify({ text: 'x'.repeat(1e6) }));
  const one = mine.getStats().documents;
  assert.strictEqual(one.count, 1);
  assert.ok(one.bytes >= 1e6);
  const changed = document.with({ '/n': 1 });
  assert.ok(mine.getStats().documents.bytes < one.bytes + 1e5);
  document.dispose();
  assert.ok(mine.getStats().documents.bytes >= 1e6);
  changed.dispose();
  assert.deepStrictEqual(mine.getStats().documents, { count: 0, bytes: 0 });
  await mine.shutdown();
});

test('documents that are dropped are freed', async () => {
  const script = `
    const pool = new offloop.WorkerPool({ size: 2 });
    const text = Buffer.from(JSON.stringify({ text: 'x'.repeat(50_000) }));
    const round = async (count) => {
      for (let index = 0; index < count; index++) {
        const document = await pool.load(text);
        document.with({ '/n': index }).clone().get('/n');
      }
    };
    const settle = async () => {
      await until(() => { gc(); return pool.getStats().documents.count < 100; }, 'the collection');
      return process.memoryUsage.rss();
    };
    (async () => {
      await round(5_000);
      const before = await settle();
      // No collection is asked for here: V8 must see the memory.
      let highest = 0;
      for (let rounds = 0; rounds < 9; rounds++) {
        await round(5_000);
        highest = Math.max(highest, process.memoryUsage.rss());
      }
      const after = await settle();
      console.log(JSON.stringify({ before, highest, after }));
      await pool.shutdown();
    })();
  `;
  const { stdout, stderr, code } = await runScript(script, { args: ['--expose-gc'] });
  assert.strictEqual(code, 0, stderr);
  const { before, highest, after } = JSON.parse(stdout);
  const MB = 1 << 20;
  assert.ok(after < before + 64 * MB, `rss grew from ${before / MB} to ${after / MB} MB`);
  assert.ok(highest < before + 400 * MB, `rss went up from ${before / MB} to ${highest / MB} MB`);
});
