'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');

const fc = require('fast-check');
const { getEncoding } = require('js-tiktoken');
const tiktoken = require('tiktoken');

const { WorkerPool } = require('..');
const corpus = require('./corpus');
const { check } = require('./values');

const ENCODINGS = /** @type {const} */ (['o200k_base', 'cl100k_base']);
const oracles = new Map(ENCODINGS.map((name) => [name, getEncoding(name)]));
/** @param {string} text @param {typeof ENCODINGS[number]} encoding */
const expectedTokens = (text, encoding) => /** @type {any} */ (oracles.get(encoding)).encode(text, [], []);

const pool = new WorkerPool({ size: 1, offloadThreshold: 0 });
const inlinePool = new WorkerPool({ size: 1 });
test.after(() => Promise.all([pool.shutdown(), inlinePool.shutdown()]));

/** Text of the kinds that tokenizers stumble over. */
const character = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'abcdefghij ABCXYZ', ' ', '\n', "'", '-', '_') },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code)) },
  fc.constantFrom('é', 'ß', 'Ж', 'ا', '你', '好', '語', 'が', '한', 'ไ', '\u0301', '\u0e31', '\u00a0', '\u2028', '\u3000', '\ufeff', '\u0085'),
  fc.constantFrom('😀', '👩‍👩‍👧', '🏳️‍🌈', '𝒳', '½', 'Ⅷ', '٣', 'ǅ', 'ʰ', 'ª', '\ud800', '\udc00'),
);
const text = fc.oneof(
  fc.array(character, { maxLength: 60 }).map((all) => all.join('')),
  fc.tuple(character, fc.integer({ min: 1, max: 200 })).map(([one, times]) => one.repeat(times)),
  fc.constantFrom("it's we'LL I'd they'Re 'S", 'const x = (a) => { return a?.b ?? 12345678; };\r\n\r\n\t\treturn;', '{"a":[1.5e10,null],"ключ":"值"}', 'x\u0301y', 'A\u0301B'),
  fc.array(fc.constantFrom(' ', '\n', '\t', '\r\n', 'word', 'Word', 'WORD', '123', '1234', "'s", "'LL", '...', '=====', '//', 'naïve', 'お茶'), { maxLength: 40 }).map((all) => all.join('')),
);

test('counts and tokens are those of js-tiktoken, on generated texts', async (t) => {
  await check(
    t,
    fc.asyncProperty(text, async (value) => {
      for (const encoding of ENCODINGS) {
        const expected = expectedTokens(value, encoding);
        assert.deepStrictEqual([...(await pool.encode(value, { encoding }))], expected);
        assert.strictEqual(await pool.countTokens(value, { encoding }), expected.length);
        assert.strictEqual(await inlinePool.countTokens(value, { encoding }), expected.length);
        assert.strictEqual(await pool.countTokensUpTo(value, expected.length, { encoding }), expected.length);
        if (expected.length > 0) assert.strictEqual(await pool.countTokensUpTo(value, expected.length - 1, { encoding }), false);
        assert.strictEqual(await pool.decode(expected, { encoding }), value.toWellFormed?.() ?? Buffer.from(value).toString());
      }
    }),
  );
});

test('counts are those of js-tiktoken and tiktoken, on the corpus', { skip: corpus.skip }, async () => {
  for (const encoding of ENCODINGS) {
    const wasm = tiktoken.get_encoding(encoding);
    for (const { name, text: content } of corpus.texts()) {
      // js-tiktoken takes a second per megabyte. OFFLOOP_CASES asks for all of it.
      const isShort = content.length < 300_000 || Number(process.env.OFFLOOP_CASES) >= 20_000;
      const expected = isShort ? expectedTokens(content, encoding) : wasm.encode(content, [], []);
      assert.strictEqual(await pool.countTokens(content, { encoding }), expected.length, `${name} in ${encoding}`);
    }
    wasm.free();
  }
});

/** What OpenAI's cookbook computes. @param {any} body @param {typeof ENCODINGS[number]} encoding */
function cookbook({ messages = [], tools = [] }, encoding) {
  const count = (/** @type {string} */ value) => expectedTokens(value, encoding).length;
  let tokens = 3;
  for (const { role, content, name } of messages) {
    tokens += 3 + count(role) + count(content) + (name === undefined ? 0 : 1 + count(name));
  }
  for (const { function: tool } of tools) {
    tokens += encoding === 'o200k_base' ? 7 : 10;
    tokens += count(`${tool.name}:${tool.description.replace(/\.$/, '')}`);
    const properties = Object.entries(tool.parameters.properties);
    if (properties.length > 0) tokens += 3;
    for (const [key, property] of properties) {
      tokens += 3;
      if (property.enum) tokens += -3 + property.enum.reduce((/** @type {number} */ sum, /** @type {string} */ item) => sum + 3 + count(item), 0);
      tokens += count(`${key}:${property.type}:${property.description.replace(/\.$/, '')}`);
    }
  }
  return tools.length > 0 ? tokens + 12 : tokens;
}

const CHAT = {
  model: 'gpt-4o',
  messages: [
    { role: 'system', content: 'You are a helpful, pattern-following assistant.' },
    { role: 'system', name: 'example_user', content: 'New synergies will help drive top-line growth. “Quoted”\n\t😀' },
    { role: 'user', content: 'x'.repeat(100) + ' What is the weather? '.repeat(50) },
  ],
  tools: [
    {
      type: 'function',
      function: {
        name: 'get_current_weather',
        description: 'Get the current weather in a given location.',
        parameters: {
          type: 'object',
          properties: {
            location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' },
            unit: { type: 'string', description: 'The unit of temperature to return.', enum: ['celsius', 'fahrenheit'] },
          },
          required: ['location'],
        },
      },
    },
    { type: 'function', function: { name: 'ping', description: 'Nothing', parameters: { type: 'object', properties: {} } } },
  ],
};

test('messages and bodies are counted as the cookbook does', async () => {
  for (const encoding of ENCODINGS) {
    const expected = cookbook(CHAT, encoding);
    const document = await pool.load(JSON.stringify(CHAT));
    for (const own of [pool, inlinePool]) {
      assert.strictEqual(await own.countTokens(CHAT, { encoding }), expected);
      assert.strictEqual(await own.countTokens(structuredClone(CHAT), { encoding }), expected, 'other objects, known contents');
      assert.strictEqual(await own.countTokens(CHAT.messages, { encoding }), cookbook({ messages: CHAT.messages }, encoding));
      assert.strictEqual(await own.countTokens([], { encoding }), 3);
    }
    assert.strictEqual(await document.countTokens({ encoding }), expected);
    assert.strictEqual(await pool.countTokens(document.with({ '/messages/-': { role: 'user', content: 'hi' } }), { encoding }), expected + 5);
    assert.strictEqual(await pool.countTokens(document, { encoding }), expected);
  }
});

test('the formats are counted alike', async () => {
  const count = (/** @type {string} */ value) => expectedTokens(value, 'o200k_base').length;
  const system = 'Be brief.';
  const question = 'What is in the file?';
  const thought = 'I should read it.';
  const result = 'line one\nline two';
  const call = count('read') + count('{"path":"a.txt"}');
  const overhead = 3 + 5 * 3 + count('system') + count('user') + count('assistant');
  const texts = count(system) + count(question) + call + count(result);
  const openai = {
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: [{ type: 'text', text: question }] },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: '{"path":"a.txt"}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: result },
      { role: 'assistant', content: 'Done.' },
    ],
  };
  const anthropic = {
    system: [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }],
    messages: [
      { role: 'user', content: question },
      { role: 'assistant', content: [{ type: 'thinking', thinking: thought, signature: 'abc' }, { type: 'tool_use', id: 't1', name: 'read', input: { path: 'a.txt' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: result }] }] },
      { role: 'assistant', content: 'Done.' },
    ],
  };
  const responses = {
    instructions: system,
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: question }] },
      { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{"path":"a.txt"}' },
      { type: 'function_call_output', call_id: 'c1', output: result },
      { role: 'assistant', content: [{ type: 'output_text', text: 'Done.' }] },
    ],
  };
  const done = count('Done.') + count('assistant');
  assert.strictEqual(await pool.countTokens(openai), overhead + texts + count('tool') + done);
  assert.strictEqual(await pool.countTokens(anthropic), overhead + texts + count('user') + count(thought) + done);
  assert.strictEqual(await pool.countTokens(responses), overhead - count('assistant') + texts + done);
  assert.strictEqual(await pool.countTokens({ input: question }), 3 + 3 + count('user') + count(question));
  assert.strictEqual(await pool.countTokens([{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:…' } }] }]), 3 + 3 + count('user') + 85);
});

test('a conversation that grew costs what is new, and what was changed is counted anew', async () => {
  const messages = Array.from({ length: 50 }, (_, index) => ({ role: 'user', content: `Message ${index}: ${'lorem ipsum '.repeat(200)}` }));
  const before = await pool.countTokens(messages);
  const { offloaded } = pool.getStats();
  assert.strictEqual(await pool.countTokens(messages), before);
  assert.strictEqual(pool.getStats().offloaded, offloaded, 'nothing was handed over');
  const grown = [...messages, { role: 'user', content: 'one more' }];
  assert.strictEqual(await pool.countTokens(grown), before + 3 + 1 + 2);
  messages[7].content += ' and more';
  assert.strictEqual(await pool.countTokens(messages), before + 2);
  const { content } = messages[9];
  /** @type {any} */ (messages[9]).content = [{ type: 'text', text: content }];
  assert.strictEqual(await pool.countTokens(messages), before + 2);
  /** @type {any} */ (messages[9]).content.push({ type: 'text', text: 'again' });
  assert.strictEqual(await pool.countTokens(messages), before + 3);
});

test('a Document that grew, or was changed, costs what is new', async (t) => {
  const pool = new WorkerPool({ size: 1 });
  t.after(() => pool.shutdown());
  const message = (/** @type {number} */ index) => ({ role: 'user', content: `Message ${index}: ${'lorem ipsum '.repeat(200)}` });
  const body = { model: 'gpt-4o', system: 'Be brief. '.repeat(300), messages: Array.from({ length: 20 }, (_, index) => message(index)) };
  const document = await pool.load(JSON.stringify(body));
  await document.countTokens();
  const changed = document
    .with({ '/messages/-': { role: 'user', content: 'one more' } })
    .with({ '/messages/-': { role: 'assistant', content: 'two more' }, '/temperature': 1 });
  const expected = await pool.countTokens(await changed.value());
  const { offloaded } = pool.getStats();
  assert.strictEqual(await changed.countTokens(), expected);
  assert.strictEqual(await pool.countTokensUpTo(changed, expected), expected);
  assert.strictEqual(await pool.countTokensUpTo(changed, expected - 1), false);
  assert.strictEqual(pool.getStats().offloaded, offloaded, 'nothing was handed over');
  // What is in other places than before is counted off-thread, with the same answer.
  const others = [{ '/messages/5': undefined }, { '/messages/7': message(3) }, { '/messages/19/content': 'x' }, { '/system': 'y '.repeat(2000) }, { '/messages': body.messages.slice(4) }];
  for (const changes of others) {
    const other = changed.with(changes);
    for (let i = 0; i < 2; i++) assert.strictEqual(await other.countTokens(), await pool.countTokens(await other.value()), JSON.stringify(Object.keys(changes)));
  }
});

test('values are counted as they are at the call', async () => {
  const messages = [{ role: 'user', content: 'x '.repeat(5000) }];
  const expected = await pool.countTokens(structuredClone(messages));
  const counted = pool.countTokens(messages);
  messages[0].content = 'short';
  assert.strictEqual(await counted, expected);
  assert.strictEqual(await pool.countTokens(messages), 3 + 3 + 1 + 1);
});

test('models have encodings; unknown ones are noted', async () => {
  const value = '你好，世界';
  const [o200k, cl100k] = ENCODINGS.map((encoding) => expectedTokens(value, encoding).length);
  assert.notStrictEqual(o200k, cl100k);
  for (const model of ['gpt-4o', 'gpt-4o-mini-2024-07-18', 'openai/gpt-4.1', 'ft:gpt-4o:org::id', 'o3-mini', 'gpt-5']) {
    assert.strictEqual(await pool.countTokens(value, { model }), o200k, model);
  }
  for (const model of ['gpt-4', 'gpt-4-turbo', 'gpt-3.5-turbo-0125', 'text-embedding-3-small']) {
    assert.strictEqual(await pool.countTokens(value, { model }), cl100k, model);
  }
  const before = pool.getStats().unknownModels['some-model'] ?? 0;
  assert.strictEqual(await pool.countTokens(value, { model: 'some-model' }), o200k);
  assert.strictEqual(pool.getStats().unknownModels['some-model'], before + 1);
  const body = { model: 'gpt-4', messages: [{ role: 'user', content: value }] };
  assert.strictEqual(await pool.countTokens(body), 3 + 3 + 1 + cl100k);
  assert.strictEqual(await (await pool.load(JSON.stringify(body))).countTokens(), 3 + 3 + 1 + cl100k);
  assert.strictEqual(await pool.countTokens(body, { model: 'gpt-4o' }), 3 + 3 + 1 + o200k);
});

test('a run of one character takes no longer than prose', async () => {
  const prose = 'The quick brown fox jumps over the lazy dog, again and again. '.repeat(16_400).slice(0, 1e6);
  /** @param {string} value */
  const best = async (value) => {
    let fastest = Infinity;
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await pool.encode(value);
      fastest = Math.min(fastest, performance.now() - start);
    }
    return fastest;
  };
  for (const one of ['a', ' ', '=', '\n', '0', '你', '😀', "'", '\0']) {
    const value = one.repeat(1e6 / Buffer.byteLength(one));
    // A wide margin: the machine may be busy. Three times is what the bench shows.
    assert.ok((await best(value)) < 20 * (await best(prose)), JSON.stringify(one));
  }
});

test('wrong arguments are named', async () => {
  const invalid = (/** @type {RegExp} */ message) => ({ code: 'ERR_INVALID_ARG', message });
  const any = /** @type {any} */ (pool);
  await assert.rejects(any.countTokens(7), invalid(/^input must be/));
  await assert.rejects(any.countTokens({ foo: 1 }), invalid(/^input must be/));
  await assert.rejects(any.countTokens('a', { encoding: 'p50k_base' }), invalid(/^options.encoding must be 'o200k_base' or 'cl100k_base'/));
  await assert.rejects(any.countTokens('a', { model: 7 }), invalid(/^options.model/));
  await assert.rejects(any.countTokens('a', null), invalid(/^options must be/));
  await assert.rejects(any.countTokensUpTo('a', -1), invalid(/^limit/));
  await assert.rejects(any.encode(7), invalid(/^text must be/));
  await assert.rejects(any.decode('a'), invalid(/^tokens must be/));
  await assert.rejects(any.decode([1.5]), invalid(/^tokens must be/));
  await assert.rejects(any.decode([4e9]), invalid(/^tokens\[0\] is 4000000000/));
  await assert.rejects((await pool.load('7')).countTokens(), invalid(/^input must be/));
  const document = await pool.load('[]');
  document.dispose();
  await assert.rejects(document.countTokens(), { code: 'ERR_INVALID_STATE' });
  assert.strictEqual(await pool.countTokens(''), 0);
  assert.strictEqual(await pool.decode([]), '');
});

test('100 MB of text are counted, or given up', async () => {
  const line = 'The quick brown fox jumps over the lazy dog, again and again, and 12345 times more.\n';
  const times = Math.ceil(1e8 / line.length);
  const whole = line.repeat(times);
  const expected = times * expectedTokens(line, 'o200k_base').length;
  assert.strictEqual(await pool.countTokens(whole, { timeout: 0 }), expected);
  assert.strictEqual((await pool.encode(whole, { timeout: 0 })).length, expected);
  assert.strictEqual(await pool.countTokensUpTo(`${whole}!`, 1000), false);
  await assert.rejects(pool.countTokens(`${whole}?`, { timeout: 1 }), { code: 'ERR_TASK_TIMEOUT' });
  assert.strictEqual(await pool.truncate(whole, line.length, { at: 'lines' }).then((cut) => cut.startsWith(line.trimEnd())), true);
  const narrow = new WorkerPool({ size: 1, maxQueueBytes: 1e8 });
  await assert.rejects(narrow.countTokens(whole), { code: 'ERR_QUEUE_FULL' });
  await narrow.shutdown();
});

test('an aborted count rejects', async () => {
  const controller = new AbortController();
  const counted = pool.countTokens('word '.repeat(2e6), { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(counted, { name: 'AbortError' });
});

test('a missing or damaged vocabulary is an error that names the file', () => {
  const root = path.join(__dirname, '..');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'offloop-'));
  try {
    for (const name of ['lib', 'index.js']) cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
    const script = `require('./index.js').getWorkerPool().countTokens('a').then(console.log, (error) => console.log(error.code, error.message))`;
    const addon = path.resolve(process.env.OFFLOOP_NATIVE_PATH ?? path.join(root, 'native.js'));
    const run = () => spawnSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8', env: { ...process.env, OFFLOOP_NATIVE_PATH: addon } }).stdout;
    assert.match(run(), /^ERR_MODEL_NOT_FOUND .*o200k_base\.bin/);
    mkdirSync(path.join(folder, 'vocabularies'));
    const file = path.join(folder, 'vocabularies', 'o200k_base.bin');
    cpSync(path.join(root, 'vocabularies', 'o200k_base.bin'), file);
    assert.match(run(), /^1\n/);
    truncateSync(file, 400_000);
    assert.match(run(), /^ERR_MODEL_NOT_FOUND .*damaged/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
