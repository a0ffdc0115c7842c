'use strict';

const assert = require('node:assert');
const test = require('node:test');

const { Document, WorkerPool } = require('..');
const corpus = require('./corpus');

const pool = new WorkerPool({ size: 1 });
test.after(() => pool.shutdown());

/** @typedef {'openai' | 'anthropic' | 'responses'} Format */

/**
 * @param {object} body
 * @param {Format} from
 * @param {Format} to
 * @param {'request' | 'response'} [kind]
 * @returns {Promise<any>}
 */
const convert = (body, from, to, kind) => pool.convert(body, { from, to, kind });

/** The same conversation, and the same reply, in each format. */
const REQUESTS = require('../tests/convert/requests.json');
const RESPONSES = require('../tests/convert/responses.json');

const FORMATS = /** @type {Format[]} */ (Object.keys(REQUESTS));

test('each format of a request becomes each other, there and back', async () => {
  for (const from of FORMATS) {
    for (const to of FORMATS) {
      const before = structuredClone(REQUESTS[from]);
      /** @type {any} */
      const expected = structuredClone(REQUESTS[to]);
      // The one says strict or not, the other leaves it open.
      if (from === 'responses' && to === 'openai') expected.tools[0].function.strict = false;
      if (from === 'responses' && to === 'openai') for (const part of expected.messages[1].content.slice(1)) part.image_url.detail = 'auto';
      const converted = await convert(REQUESTS[from], from, to);
      assert.deepStrictEqual(converted, expected, `${from} to ${to}`);
      assert.deepStrictEqual(converted.warnings, [], `${from} to ${to}`);
      assert.deepStrictEqual(REQUESTS[from], before, 'the argument is not changed');
      const back = await convert(converted, to, from);
      if (from !== 'openai' || to !== 'responses') assert.deepStrictEqual(back, REQUESTS[from], `${from} to ${to} and back`);
    }
  }
});

test('each format of a response becomes each other', async () => {
  for (const from of FORMATS) {
    for (const to of FORMATS) {
      const converted = await convert(RESPONSES[from], from, to, 'response');
      /** @type {any} */
      const expected = structuredClone(RESPONSES[to]);
      if (from === 'anthropic' && to !== from) {
        const key = to === 'openai' ? 'created' : 'created_at';
        assert.ok(Math.abs(converted[key] - Date.now() / 1000) < 100);
        expected[key] = converted[key];
      }
      if (from === 'responses' && to === 'openai') expected.usage.completion_tokens_details = { reasoning_tokens: 0 };
      assert.deepStrictEqual(converted, expected, `${from} to ${to}`);
      assert.deepStrictEqual(converted.warnings, []);
    }
  }
});

test('stop reasons', async () => {
  const cases = [
    ['stop', 'end_turn', 'completed'],
    ['length', 'max_tokens', 'incomplete'],
    ['content_filter', 'refusal', 'incomplete'],
  ];
  for (const [finish, stop, status] of cases) {
    const openai = { id: 'x', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: finish }] };
    const anthropic = { id: 'x', model: 'm', content: [{ type: 'text', text: 'a' }], stop_reason: stop };
    assert.strictEqual((await convert(openai, 'openai', 'anthropic', 'response')).stop_reason, stop);
    assert.strictEqual((await convert(anthropic, 'anthropic', 'openai', 'response')).choices[0].finish_reason, finish);
    const responses = await convert(openai, 'openai', 'responses', 'response');
    assert.strictEqual(responses.status, status);
    assert.strictEqual((await convert(responses, 'responses', 'anthropic', 'response')).stop_reason, stop);
  }
  const sequence = { id: 'x', model: 'm', content: [], stop_reason: 'stop_sequence', stop_sequence: 'END' };
  const converted = await convert(sequence, 'anthropic', 'openai', 'response');
  assert.strictEqual(converted.choices[0].finish_reason, 'stop');
  assert.match(converted.warnings.join(), /stop reason 'sequence'/);
});

test('thinking is kept where it can be, and named where not', async () => {
  const blocks = [{ type: 'thinking', thinking: 'Hm.', signature: 'sig' }, { type: 'redacted_thinking', data: 'xyz' }];
  const messages = [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [...blocks, { type: 'text', text: 'Hello.' }] }];
  const body = { model: 'm', max_tokens: 20_000, thinking: { type: 'enabled', budget_tokens: 8192 }, messages };
  const openai = await convert(body, 'anthropic', 'openai');
  assert.strictEqual(openai.reasoning_effort, 'medium');
  assert.strictEqual(openai.messages[1].reasoning_content, 'Hm.\n');
  assert.deepStrictEqual(openai.messages[1].thinking_blocks, blocks);
  assert.deepStrictEqual((await convert(openai, 'openai', 'anthropic')).messages, messages);
  assert.match((await convert(body, 'anthropic', 'responses')).warnings.join(), /thinking in a request/);
  const plain = { messages: [{ role: 'assistant', content: 'x', reasoning_content: 'Hm.' }] };
  assert.match((await convert(plain, 'openai', 'anthropic')).warnings.join(), /without a signature/);
  const reply = { id: 'resp_2', status: 'completed', model: 'm', output: [{ type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 'Hm.' }] }, { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] }] };
  assert.deepStrictEqual((await convert(reply, 'responses', 'anthropic', 'response')).content, [{ type: 'thinking', thinking: 'Hm.', signature: '' }, { type: 'text', text: 'Hello.' }]);
});

test('what has no counterpart is named', async () => {
  const warned = async (/** @type {any} */ body, /** @type {Format} */ from, /** @type {Format} */ to) => (await convert(body, from, to)).warnings.join('\n');
  const messages = [{ role: 'user', content: 'Hi' }];
  assert.match(await warned({ messages, seed: 7, logprobs: true }, 'openai', 'anthropic'), /^seed has.*\nlogprobs has.*\nmax_tokens must be there/);
  assert.match(await warned({ messages, max_tokens: 1, top_k: 5 }, 'anthropic', 'openai'), /^top_k has no counterpart/);
  assert.match(await warned({ messages, stop: 'END' }, 'openai', 'responses'), /^stop has/);
  assert.match(await warned({ messages, max_tokens: 5, temperature: 1.7 }, 'openai', 'anthropic'), /temperature of 1.7 became 1/);
  assert.match(await warned({ messages, max_tokens: 5, response_format: { type: 'json_object' } }, 'openai', 'anthropic'), /response format of type json_object/);
  assert.match(await warned({ input: [{ type: 'web_search_call', id: 'w' }] }, 'responses', 'openai'), /input\[0\] of type web_search_call/);
  assert.match(await warned({ messages, max_tokens: 1, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'anthropic', 'openai'), /tools\[0\] of type web_search/);
  const cached = { max_tokens: 1, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] }] };
  assert.match(await warned(cached, 'anthropic', 'openai'), /messages\[0\].content\[0\].cache_control/);
  const failed = { max_tokens: 1, messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', is_error: true, content: [{ type: 'image', source: { type: 'url', url: 'https://x/y' } }] }] }] };
  const converted = await convert(failed, 'anthropic', 'openai');
  assert.deepStrictEqual(converted.messages, [{ role: 'tool', tool_call_id: 'a', content: '' }, { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/y' } }] }]);
  assert.strictEqual(converted.warnings.length, 2);
  const late = { max_tokens: 1, messages: [...messages, { role: 'developer', content: 'Be kind.' }, { role: 'user', content: 'Well?' }] };
  const merged = await convert(late, 'openai', 'anthropic');
  assert.strictEqual(merged.messages.length, 1);
  assert.match(merged.warnings.join(), /developer message in the midst/);
});

test('data and the URL of a file, and parameters of a media type', async () => {
  const data = 'data:text/plain;charset=utf-8;base64,aGk=';
  const file = { type: 'input_file', filename: 'a.txt', file_data: data, file_url: 'https://example.com/a.txt' };
  const body = { max_output_tokens: 1, input: [{ role: 'user', content: [file] }] };
  const chat = await convert(body, 'responses', 'openai');
  assert.deepStrictEqual(chat.messages[0].content, [{ type: 'file', file: { filename: 'a.txt', file_data: data } }]);
  assert.deepStrictEqual(chat.warnings, ['input[0].content[0].file_url has no counterpart and is left out']);
  const { messages, warnings } = await convert(chat, 'openai', 'anthropic');
  assert.deepStrictEqual(messages[0].content[0].source, { type: 'base64', media_type: 'text/plain', data: 'aGk=' });
  assert.match(warnings.join(), /'charset=utf-8' of a media type/);
});

test('an empty text says nothing, as a string and in a list', async () => {
  const call = { id: 'call_0', type: 'function', function: { name: 'f', arguments: '{}' } };
  for (const content of ['', [{ type: 'text', text: '' }]]) {
    const body = { messages: [{ role: 'assistant', content: '', tool_calls: [call] }, { role: 'system', content }, { role: 'assistant', content: 'x' }] };
    const { input, warnings } = await convert(body, 'openai', 'responses');
    assert.deepStrictEqual(input.map((/** @type {any} */ item) => item.type), ['function_call', 'message']);
    assert.deepStrictEqual(warnings, []);
  }
});

test('ids and arguments are repaired', async () => {
  const call = (/** @type {any} */ id, /** @type {string} */ text) => ({ role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: text } }] });
  const body = {
    max_tokens: 1,
    messages: [call('call.1|x', '{"a":1}'), { role: 'tool', tool_call_id: 'call.1|x', content: 'one' }, call('', 'not json'), { role: 'tool', content: 'two' }, call('ok', '')],
  };
  const { messages, warnings } = await convert(body, 'openai', 'anthropic');
  const [first, second] = messages[0].content[0].id === undefined ? [] : [messages[0].content[0], messages[2].content[0]];
  assert.match(first.id, /^[A-Za-z0-9_-]+$/);
  assert.strictEqual(messages[1].content[0].tool_use_id, first.id);
  assert.deepStrictEqual(second.input, { arguments: 'not json' });
  assert.strictEqual(messages[3].content[0].tool_use_id, second.id);
  assert.deepStrictEqual(messages[4].content[0].input, {});
  assert.strictEqual(warnings.length, 3);
});

test('a Document becomes a Document', async () => {
  const document = await pool.load(JSON.stringify(REQUESTS.openai));
  const converted = await document.convert({ from: 'openai', to: 'anthropic' });
  assert.ok(converted instanceof Document);
  assert.deepStrictEqual(await converted.value(), REQUESTS.anthropic);
  assert.deepStrictEqual(converted.warnings, []);
});

test('the corpus survives the way there and back', { skip: corpus.skip }, async () => {
  for (const { name, bytes } of corpus.jsonFiles()) {
    const body = JSON.parse(bytes.toString());
    if (!Array.isArray(body.messages)) continue;
    const from = name.includes('messages-') ? 'anthropic' : 'openai';
    for (const to of FORMATS) {
      const there = await convert(body, from, to);
      const back = await convert(there, to, from);
      const again = await convert(back, from, to);
      assert.deepStrictEqual(again, there, `${name}: ${from} to ${to}`);
      const texts = async (/** @type {any} */ value) => pool.countTokens(value.messages ?? value.input);
      if (to === from) assert.strictEqual(await texts(back), await texts(body), name);
    }
  }
});

test('wrong arguments are named', async () => {
  const any = /** @type {any} */ (pool);
  const invalid = (/** @type {RegExp} */ message) => ({ code: 'ERR_INVALID_ARG', message });
  await assert.rejects(any.convert({}, {}), invalid(/^options.from must be one of 'openai', 'anthropic', 'responses'/));
  await assert.rejects(any.convert({}), invalid(/^options must be/));
  await assert.rejects(any.convert({}, { from: 'openai', to: 'x' }), invalid(/^options.to/));
  await assert.rejects(any.convert([], { from: 'openai', to: 'openai' }), invalid(/^body must be/));
  await assert.rejects(any.convert({}, { from: 'openai', to: 'openai', kind: 'x' }), invalid(/^options.kind/));
  await assert.rejects(any.convert({ input: 'x' }, { from: 'openai', to: 'responses' }), invalid(/^body.messages must be a list/));
  await assert.rejects(any.convert({ messages: [null] }, { from: 'openai', to: 'responses' }), invalid(/^body must be a request of the format 'openai'/));
});
