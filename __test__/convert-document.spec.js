'use strict';

// Conversion of Documents, beside that of values, on generated bodies.

const assert = require('node:assert');
const test = require('node:test');

const { Document, WorkerPool } = require('..');
const { REQUESTS, RESPONSES } = require('./convert-bodies');
const { CASES, fc } = require('./values');

// Small bodies go off-thread, too: both ways are tested, as generated ones are on either side of this.
const pool = new WorkerPool({ size: 1, offloadThreshold: 400 });
test.after(() => pool.shutdown());

/** @typedef {'openai' | 'anthropic' | 'responses'} Format */

const FORMATS = /** @type {Format[]} */ (Object.keys(REQUESTS));
const KINDS = /** @type {const} */ ({ request: REQUESTS, response: RESPONSES });

/**
 * Runs a property on bodies of every kind, from every format to every other.
 * @param {(body: any, options: { from: Format, to: Format, kind: 'request' | 'response' }) => Promise<void>} property
 */
async function onBodies(property) {
  for (const [kind, bodies] of /** @type {['request' | 'response', any][]} */ (Object.entries(KINDS))) {
    for (const from of FORMATS) {
      for (const to of FORMATS.filter((format) => format !== from)) {
        const name = `${kind} from ${from} to ${to}`;
        const run = async (/** @type {any} */ body) => {
          try {
            await property(body, { from, to, kind });
          } catch (error) {
            throw new Error(name, { cause: error });
          }
        };
        await fc.assert(fc.asyncProperty(bodies[from], run), { numRuns: Math.ceil(CASES / 20) });
      }
    }
  }
}

/** All strings of a value, those that are JSON taken apart. @param {any} value @param {string[]} [found] */
function strings(value, found = []) {
  if (typeof value === 'string') found.push(value);
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) strings(item, found);
  return found;
}

/** When a reply was made is said by one format only. @param {any} body */
function timeless({ created: _, created_at: __, ...body }) {
  return body;
}

test('a Document and a value become the same', async () => {
  await onBodies(async (body, options) => {
    const text = JSON.stringify(body);
    const value = await pool.convert(body, options);
    assert.strictEqual(JSON.stringify(body), text, 'the argument is not changed');
    const document = await pool.load(text);
    const converted = await document.convert(options);
    assert.ok(converted instanceof Document);
    assert.deepStrictEqual(timeless(await converted.value()), timeless({ ...value }));
    assert.deepStrictEqual(converted.warnings, value.warnings);
    assert.strictEqual((await document.toBuffer()).toString(), text, 'the Document is not changed');
    // The same text laid out in another way, and the same value made by changes.
    const pretty = await pool.load(JSON.stringify(body, null, 2));
    const changed = (await pool.load('{"model":"other"}')).with({ '/model': undefined, ...Object.fromEntries(Object.entries(body).map(([key, item]) => [`/${key}`, item])) });
    for (const other of [pretty, changed]) assert.deepStrictEqual(timeless(await (await other.convert(options)).value()), timeless({ ...value }));
  });
});

test('what a target has said stays as it is there and back', async () => {
  // A budget for thinking raises the limit of tokens each time.
  await onBodies(async ({ thinking: _, reasoning: __, reasoning_effort: ___, ...body }, { from, to, kind }) => {
    const there = await pool.convert(body, { from, to, kind });
    const back = await pool.convert(there, { from: to, to: from, kind });
    const again = await pool.convert(back, { from, to, kind });
    const third = await pool.convert(await pool.convert(again, { from: to, to: from, kind }), { from, to, kind });
    assert.deepStrictEqual(timeless({ ...third }), timeless({ ...again }));
  });
});

test('texts are there, or a warning is', async () => {
  await onBodies(async (body, options) => {
    const value = await pool.convert(body, options);
    if (value.warnings.length > 0) return;
    const all = strings(value).join('\n');
    const list = body.messages ?? body.choices ?? body.content ?? body.output ?? body.input;
    const texts = strings(typeof list === 'string' ? [list] : list.map((/** @type {any} */ item) => item.message?.content ?? item.content ?? item.text ?? []));
    for (const text of texts) {
      const isText = text.length > 30 || text === 'plain';
      // A data URL may be taken apart: what it has is there.
      const said = /^data:.*;base64,/.test(text) ? text.slice(text.indexOf(',') + 1) : text;
      if (isText) assert.ok(all.includes(said), text);
    }
  });
});

test('calls have ids of their own, and results those of calls', async () => {
  await onBodies(async (body, { from, to, kind }) => {
    if (to !== 'anthropic' || kind !== 'request') return;
    const { messages } = await pool.convert(body, { from, to, kind });
    for (const { role, content } of messages) {
      for (const block of Array.isArray(content) ? content : []) {
        if (block.type === 'tool_use') assert.match(block.id, /^[A-Za-z0-9_-]+$/);
        if (block.type === 'tool_result') assert.match(block.tool_use_id, /^[A-Za-z0-9_-]+$/);
        assert.ok(block.type !== 'tool_use' || role === 'assistant');
      }
    }
  });
});

test('what is copied keeps its spelling', async () => {
  const schema = '{"maximum":1.50e3,"minimum":-0.0,"const":12345678901234567890}';
  const text = `{ "model": "\\u006d", "max_tokens": 10.0, "messages": [
    { "role": "user", "content": "caf\\u00e9 \\/ \\ud800" },
    { "\\u0072ole": "assistant", "content": [ { "type": "tool_use", "id": "a", "name": "f", "input": { "id": 12345678901234567890 } } ] } ],
    "tools": [ { "name": "f", "input_schema": ${schema} } ] }`;
  const document = await pool.load(text);
  const converted = (await (await document.convert({ from: 'anthropic', to: 'openai' })).toBuffer()).toString();
  for (const part of ['"model":"\\u006d"', '"max_completion_tokens":10.0', '"content":"caf\\u00e9 \\/ \\ud800"', `"parameters":${schema}`, '"arguments":"{\\"id\\":12345678901234567890}"']) {
    assert.ok(converted.includes(part), `${part} in ${converted}`);
  }
  const back = (await (await (await pool.load(converted)).convert({ from: 'openai', to: 'anthropic' })).toBuffer()).toString();
  for (const part of ['"input":{"id":12345678901234567890}', `"input_schema":${schema}`]) assert.ok(back.includes(part), `${part} in ${back}`);
});

test('no value is built for it', async (t) => {
  const content = 'x'.repeat(100_000);
  const document = await pool.load(JSON.stringify({ messages: [{ role: 'user', content }] }));
  t.mock.method(JSON, 'parse', () => assert.fail('parsed'));
  t.mock.method(JSON, 'stringify', () => assert.fail('written'));
  for (const name of /** @type {const} */ (['value', 'toBuffer'])) t.mock.method(Document.prototype, name, () => assert.fail(name));
  const converted = await pool.convert(document, { from: 'openai', to: 'responses' });
  document.dispose();
  t.mock.restoreAll();
  assert.deepStrictEqual(await converted.value(), { input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: content }] }] });
});

test('a format to itself shares all', async () => {
  const body = { messages: [{ role: 'user', content: 'Hi', odd: 1 }], seed: 7 };
  const document = await pool.load(JSON.stringify(body));
  const same = await document.convert({ from: 'openai', to: 'openai' });
  assert.notStrictEqual(same, document);
  document.dispose();
  assert.deepStrictEqual(await same.value(), body);
  assert.deepStrictEqual(same.warnings, []);
});

test('a body that mixes formats is refused', async () => {
  const user = { role: 'user', content: 'Hi' };
  /** @type {[Format, any, RegExp][]} */
  const cases = [
    ['openai', { messages: [user], input: 'Hi' }, /: input is of another format$/],
    ['openai', { messages: [user], system: 'Be brief.' }, /: system is of another format$/],
    ['openai', { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'x' }] }] }, /: messages\[0\]\.content\[0\] is of type 'tool_result', which is of another format$/],
    ['openai', { messages: [{ type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }] }, /: messages\[0\]\.role must be a role of that format, not undefined$/],
    ['anthropic', { messages: [user, { role: 'assistant', content: null, tool_calls: [] }] }, /: messages\[1\]\.tool_calls is of another format$/],
    ['anthropic', { messages: [{ role: 'tool', content: 'x' }] }, /: messages\[0\]\.role must be a role of that format, not 'tool'$/],
    ['anthropic', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }, /image_url/],
    ['anthropic', { messages: [user], tools: [{ type: 'function', function: { name: 'f' } }] }, /: tools\[0\] is of type 'function'/],
    ['responses', { input: [user], messages: [user] }, /: messages is of another format$/],
    ['responses', { input: [{ role: 'assistant', content: 'x', tool_calls: [{}] }] }, /: input\[0\]\.tool_calls is of another format$/],
    ['responses', { input: [{ role: 'user', content: [{ type: 'tool_use', id: 'a' }] }] }, /tool_use/],
    // Or is of none.
    ['openai', { messages: [null] }, /: messages\[0\] must be an object, not null$/],
    ['openai', { messages: [{ role: 'user', content: 5 }] }, /: messages\[0\]\.content must be a string or a list, not 5$/],
    ['openai', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }, /: messages\[0\]\.content\[0\]\.text must be a string, not undefined$/],
    ['openai', { messages: [user], tools: {} }, /: tools must be a list, not an object$/],
    ['anthropic', { messages: [user], tools: [{}] }, /: tools\[0\]\.name must be a string, not undefined$/],
    ['responses', { input: ['Hi'] }, /: input\[0\] must be an object, not 'Hi'$/],
  ];
  for (const [from, body, message] of cases) {
    const to = from === 'openai' ? 'anthropic' : 'openai';
    const expected = { name: 'TypeError', code: 'ERR_INVALID_ARG', message: new RegExp(`^body must be a request of the format '${from}'.*${message.source}`) };
    await assert.rejects(pool.convert(body, { from, to }), expected);
    const padded = await pool.load(JSON.stringify({ ...body, user: 'x'.repeat(1000) }));
    await assert.rejects(padded.convert({ from, to }), expected);
  }
  for (const text of ['[]', '"x"', '{"input":[]}']) {
    await assert.rejects((await pool.load(text)).convert({ from: 'openai', to: 'anthropic' }), { code: 'ERR_INVALID_ARG', message: /^body.messages must be a list/ });
  }
});

test('depth and size take no stack and no quadratic time', async () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const call = JSON.stringify(`{"a":${deep}}`);
  const text = `{"max_tokens":1,"messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":${call}}}]}],"tools":[{"type":"function","function":{"name":"f","parameters":${deep}}}]}`;
  const converted = await (await pool.load(text)).convert({ from: 'openai', to: 'anthropic' });
  const back = await converted.convert({ from: 'anthropic', to: 'openai' });
  assert.ok((await back.toBuffer()).includes(call));
  const calls = Array.from({ length: 50_000 }, (_, index) => ({ id: index % 2 ? '' : 'a.b', type: 'function', function: { name: 'f', arguments: '{}' } }));
  const many = await (await pool.load(JSON.stringify({ messages: [{ role: 'assistant', tool_calls: calls }] }))).convert({ from: 'openai', to: 'anthropic' });
  assert.strictEqual(many.warnings.length, 25_002);
});

test('it can be aborted, and is not begun on what is gone', async () => {
  const document = await pool.load(JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(1000) }] }));
  const options = /** @type {const} */ ({ from: 'openai', to: 'anthropic' });
  await assert.rejects(document.convert({ ...options, signal: AbortSignal.abort() }), { name: 'AbortError' });
  document.dispose();
  await assert.rejects(document.convert(options), { code: 'ERR_INVALID_STATE' });
  await assert.rejects(pool.convert(document, options), { code: 'ERR_INVALID_STATE' });
});
