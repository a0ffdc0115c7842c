'use strict';

const assert = require('node:assert');
const test = require('node:test');

const { WorkerPool, convertStream } = require('..');
const { check, fc } = require('./values');

const pool = new WorkerPool({ size: 1 });
test.after(() => pool.shutdown());

/** @typedef {'openai' | 'anthropic' | 'responses'} Format */

/** @param {object} data @param {string} [event] */
const sse = (data, event) => `${event ? `event: ${event}\r\n` : ''}data: ${JSON.stringify(data)}\r\n\r\n`;

/** @param {object} delta @param {string | null} [finish] */
const chunk = (delta, finish = null) => sse({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 7, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] });

/** @param {any} data */
const named = (data) => sse(data, data.type);

/** The same reply as each provider streams it. */
const STREAMS = {
  openai:
    `: a comment\n\n${chunk({ role: 'assistant', content: '' })}${chunk({ reasoning_content: 'Hm 😀.' })}${chunk({ content: 'Let me ' })}${chunk({ content: 'sée 你好.' })}` +
    chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }] }) +
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }) +
    chunk({ tool_calls: [{ index: 0, function: { arguments: '"Paris"}' } }] }) +
    chunk({ tool_calls: [{ index: 1, id: 'call_2', type: 'function', function: { name: 'time', arguments: '{}' } }] }) +
    chunk({}, 'tool_calls') +
    sse({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 7, model: 'm', choices: [], usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120, prompt_tokens_details: { cached_tokens: 60 } } }) +
    'data: [DONE]\n\n',
  anthropic: [
    { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: { input_tokens: 40, cache_read_input_tokens: 60, output_tokens: 1 } } },
    { type: 'ping' },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm 😀.' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Let me sée 你好.' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'call_1', name: 'weather', input: {} } },
    { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"city":"Par' } },
    { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: 'is"}' } },
    { type: 'content_block_stop', index: 2 },
    { type: 'content_block_start', index: 3, content_block: { type: 'tool_use', id: 'call_2', name: 'time', input: {} } },
    { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '{}' } },
    { type: 'content_block_stop', index: 3 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 20 } },
    { type: 'message_stop' },
  ].map(named).join(''),
  responses: [
    { type: 'response.created', response: { id: 'resp_1', model: 'm', created_at: 7 } },
    { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', id: 'rs', summary: [] } },
    { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'Hm 😀.' },
    { type: 'response.output_item.added', output_index: 1, item: { type: 'message', id: 'm' } },
    { type: 'response.output_text.delta', output_index: 1, delta: 'Let me sée 你好.' },
    { type: 'response.output_item.added', output_index: 2, item: { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '' } },
    { type: 'response.function_call_arguments.delta', output_index: 2, delta: '{"city":"Paris"}' },
    { type: 'response.output_item.added', output_index: 3, item: { type: 'function_call', call_id: 'call_2', name: 'time', arguments: '' } },
    { type: 'response.function_call_arguments.delta', output_index: 3, delta: '{}' },
    { type: 'response.completed', response: { id: 'resp_1', status: 'completed', usage: { input_tokens: 100, input_tokens_details: { cached_tokens: 60 }, output_tokens: 20 } } },
  ].map(named).join(''),
};

const FORMATS = /** @type {Format[]} */ (Object.keys(STREAMS));

/** @param {Format} from @param {Format} to @param {Buffer[]} chunks @returns {Promise<string>} */
async function run(from, to, chunks) {
  const stream = convertStream({ from, to });
  for (const one of chunks) stream.write(one);
  stream.end();
  const out = [];
  for await (const one of stream) out.push(one);
  return Buffer.concat(out).toString();
}

/** The events of a stream. @param {string} text @returns {any[]} */
const eventsOf = (text) => text.split('\n\n').filter(Boolean).map((event) => event.replace(/^(event: .*\n)?data: /, '')).filter((data) => data !== '[DONE]').map((data) => JSON.parse(data));

/** What a client makes of a stream. @param {Format} format @param {string} text @returns {any} */
function collect(format, text) {
  const events = eventsOf(text);
  if (format === 'responses') return events.at(-1).response;
  if (format === 'anthropic') {
    const { message } = events[0];
    for (const event of events) {
      if (event.type === 'content_block_start') message.content[event.index] = { ...event.content_block };
      const block = message.content[event.index];
      if (event.type === 'content_block_delta') {
        const { delta } = event;
        if (delta.type === 'text_delta') block.text += delta.text;
        if (delta.type === 'thinking_delta') block.thinking += delta.thinking;
        if (delta.type === 'input_json_delta') block.json = (block.json ?? '') + delta.partial_json;
      }
      if (event.type === 'content_block_stop' && block.json !== undefined) {
        block.input = JSON.parse(block.json);
        delete block.json;
      }
      if (event.type === 'message_delta') Object.assign(message, event.delta, { usage: { ...message.usage, ...event.usage } });
    }
    return message;
  }
  /** @type {any} */
  const message = { role: 'assistant', content: null };
  /** @type {any} */
  const body = { ...events[0], object: 'chat.completion', choices: [{ index: 0, message, finish_reason: null }] };
  for (const { choices, usage } of events) {
    if (usage) body.usage = usage;
    for (const { delta, finish_reason: finish } of choices) {
      if (delta.content) message.content = (message.content ?? '') + delta.content;
      if (delta.reasoning_content) message.reasoning_content = (message.reasoning_content ?? '') + delta.reasoning_content;
      for (const { index, function: called, ...rest } of delta.tool_calls ?? []) {
        message.tool_calls ??= [];
        message.tool_calls[index] ??= { ...rest, function: { ...called, arguments: '' } };
        message.tool_calls[index].function.arguments += called.arguments;
      }
      if (finish) body.choices[0].finish_reason = finish;
    }
  }
  return body;
}

test('a streamed reply becomes what the whole reply becomes', async () => {
  const whole = {
    id: 'chatcmpl-1', object: 'chat.completion', created: 7, model: 'm',
    choices: [{ index: 0, finish_reason: 'tool_calls', message: { role: 'assistant', content: 'Let me sée 你好.', reasoning_content: 'Hm 😀.', tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }, { id: 'call_2', type: 'function', function: { name: 'time', arguments: '{}' } }] } }],
    usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120, prompt_tokens_details: { cached_tokens: 60 } },
  };
  for (const from of FORMATS) {
    for (const to of FORMATS) {
      const collected = collect(to, await run(from, to, [Buffer.from(STREAMS[from])]));
      const expected = await pool.convert(whole, { from: 'openai', to, kind: 'response' });
      // Anthropic does not say when.
      if (from === 'anthropic' && to === 'openai') expected.created = collected.created;
      if (from === 'anthropic' && to === 'responses') expected.created_at = collected.created_at;
      assert.deepStrictEqual(collected, { ...expected }, `${from} to ${to}`);
    }
  }
});

test('wherever the bytes are cut', async (t) => {
  for (const from of FORMATS) {
    const bytes = Buffer.from(STREAMS[from]);
    const to = from === 'openai' ? 'anthropic' : 'openai';
    const stamp = (/** @type {string} */ text) => text.replace(/"created":\d+/g, '');
    const expected = stamp(await run(from, to, [bytes]));
    assert.strictEqual(stamp(await run(from, to, Array.from(bytes, (byte) => Buffer.from([byte])))), expected, 'byte by byte');
    await check(
      t,
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (places) => {
        const cuts = [0, ...places.sort((a, b) => a - b), bytes.length];
        const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
        assert.strictEqual(stamp(await run(from, to, chunks)), expected);
      }),
    );
  }
});

test('what breaks off, fails or is no event', async () => {
  const cut = STREAMS.openai.slice(0, STREAMS.openai.indexOf('"finish_reason":"tool_calls"'));
  const broken = await run('openai', 'anthropic', [Buffer.from(cut.slice(0, cut.lastIndexOf('data:')))]);
  assert.ok(!broken.includes('message_stop'), 'a reply that broke off does not look whole');
  const unsaid = await run('openai', 'anthropic', [Buffer.from(STREAMS.openai.replace('data: [DONE]\n\n', ''))]);
  assert.ok(unsaid.includes('message_stop'), 'a reply that is whole may lack its end');
  const failed = sse({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'error');
  assert.deepStrictEqual(eventsOf(await run('anthropic', 'openai', [Buffer.from(failed)])), [{ error: { message: 'Overloaded', type: 'server_error' } }]);
  assert.strictEqual(eventsOf(await run('anthropic', 'responses', [Buffer.from(failed)]))[0].message, 'Overloaded');
  await assert.rejects(run('openai', 'anthropic', [Buffer.from('data: {nonsense\n\n')]), { code: 'ERR_JSON_SYNTAX' });
  // Found by npm run fuzz -- sse: what misses a field was an error without a code.
  await assert.rejects(run('anthropic', 'openai', [Buffer.from('data: {"type":"message_start"}\n\n')]), { code: 'ERR_INVALID_ARG' });
  await assert.rejects(run('openai', 'anthropic', [Buffer.from(`data: ${'x'.repeat(17 << 20)}`)]), { code: 'ERR_TOO_LARGE' });
  assert.throws(() => convertStream(/** @type {any} */ ({ from: 'openai', to: 'x' })), { code: 'ERR_INVALID_ARG' });
});
