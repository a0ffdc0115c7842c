'use strict';

const assert = require('node:assert');
const test = require('node:test');

const { compress } = require('../lib/compress');
const { WorkerPool } = require('../lib/pool');
const corpus = require('./corpus');
const { check, fc } = require('./values');

const pool = new WorkerPool({ size: 1 });
test.after(() => pool.shutdown());

/** @param {any} messages */
const truncate = (messages) => compress(pool, messages, { mode: 'truncate' });

const MARKER = '\n[...truncated...]';

test('OpenAI messages: assistant and tool text is cut, the rest stays', async () => {
  const messages = [
    { role: 'system', content: 's'.repeat(9000) },
    { role: 'user', content: 'u'.repeat(9000) },
    { role: 'assistant', content: 'a'.repeat(5001), name: 'kept' },
    { role: 'assistant', content: 'a'.repeat(5000) },
    { role: 'assistant', content: null, tool_calls: [{ id: '1' }] },
    { role: 'tool', tool_call_id: '1', content: 't'.repeat(3001) },
    { role: 'tool', tool_call_id: '2', content: 't'.repeat(3000) },
    { role: 'tool', tool_call_id: '3', content: [{ type: 'text', text: 't'.repeat(4000) }, { type: 'image' }] },
    { role: 'assistant', content: [{ type: 'text', text: 'a'.repeat(6000) }, { type: 'text', text: 'short' }] },
    null,
    'odd',
  ];
  const before = structuredClone(messages);
  const result = await truncate(messages);
  assert.deepStrictEqual(messages, before);
  assert.strictEqual(result.compressed, true);
  const changed = { 2: 'a', 5: 't', 7: 't', 8: 'a' };
  result.messages.forEach((message, i) => {
    if (!(i in changed)) assert.strictEqual(message, messages[i], `message ${i}`);
  });
  assert.deepStrictEqual(result.messages[2], { role: 'assistant', content: 'a'.repeat(5000) + MARKER, name: 'kept' });
  assert.deepStrictEqual(result.messages[5], { role: 'tool', tool_call_id: '1', content: 't'.repeat(3000) + MARKER });
  assert.strictEqual(result.messages[7].content[0].text, 't'.repeat(3000) + MARKER);
  assert.strictEqual(result.messages[7].content[1], messages[7].content[1]);
  assert.strictEqual(result.messages[8].content[0].text, 'a'.repeat(5000) + MARKER);
  assert.strictEqual(result.messages[8].content[1], messages[8].content[1]);
  const { stats } = result;
  assert.strictEqual(stats.original_count, messages.length);
  assert.strictEqual(stats.compressed_count, messages.length);
  assert.deepStrictEqual(stats.transforms_applied, ['truncate']);
  assert.ok(stats.latency_ms >= 0);
  assert.deepStrictEqual(stats.messages.map(({ index, action }) => [index, action]), [2, 5, 7, 8].map((i) => [i, 'truncated']));
  assert.deepStrictEqual(stats.messages[0], {
    index: 2, action: 'truncated', reason: 'assistant text over 5000 characters', chars_before: 5001, chars_after: 5000 + MARKER.length,
  });
});

test('Anthropic messages: tool_result blocks with a string, with blocks, and beside text', async () => {
  const messages = [
    { role: 'assistant', content: [{ type: 'text', text: 'a'.repeat(5001) }, { type: 'tool_use', id: '1', input: { text: 'x'.repeat(9000) } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', is_error: true, content: 't'.repeat(3001) }] },
    { role: 'user', content: [
      { type: 'tool_result', tool_use_id: '2', content: [{ type: 'text', text: 't'.repeat(3001), cache_control: { type: 'ephemeral' } }, { type: 'image' }] },
      { type: 'text', text: 'u'.repeat(9000) },
    ] },
    { role: 'assistant', content: [{ type: 'thinking', thinking: 'h'.repeat(9000), signature: 's' }] },
  ];
  const { messages: [first, second, third, fourth] } = await truncate(messages);
  assert.strictEqual(first.content[0].text, 'a'.repeat(5000) + MARKER);
  assert.strictEqual(first.content[1], messages[0].content[1]);
  assert.deepStrictEqual(second.content[0], { ...messages[1].content[0], content: 't'.repeat(3000) + MARKER });
  assert.deepStrictEqual(third.content[0].content[0], { ...messages[2].content[0].content[0], text: 't'.repeat(3000) + MARKER });
  assert.strictEqual(third.content[1], messages[2].content[1]);
  assert.strictEqual(fourth, messages[3]);
});

test('Responses items', async () => {
  const items = [
    { type: 'function_call_output', call_id: '1', output: 't'.repeat(3001) },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a'.repeat(5001) }] },
  ];
  const { messages } = await truncate(items);
  assert.strictEqual(messages[0].output, 't'.repeat(3000) + MARKER);
  assert.strictEqual(messages[1].content[0].text, 'a'.repeat(5000) + MARKER);
});

test('a surrogate pair is not split, a lone surrogate is cut like any unit', async () => {
  const cut = async (content) => (await truncate([{ role: 'tool', content }])).messages[0].content;
  assert.strictEqual(await cut('x'.repeat(2999) + '😀'.repeat(10)), 'x'.repeat(2999) + MARKER);
  assert.strictEqual(await cut('x'.repeat(2998) + '😀'.repeat(10)), 'x'.repeat(2998) + '😀' + MARKER);
  assert.strictEqual(await cut('x'.repeat(2999) + '\ud83d'.repeat(10)), 'x'.repeat(2999) + '\ud83d' + MARKER);
  assert.strictEqual(await cut('x'.repeat(2999) + '\ude00'.repeat(10)), 'x'.repeat(2999) + '\ude00' + MARKER);
});

test('generated conversations against the rule as it is written', (t) => {
  const text = fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 1500 })).map(([s, n]) => s.repeat(n));
  const message = fc.record({ role: fc.constantFrom('system', 'user', 'assistant', 'tool'), content: fc.oneof(text, fc.constant(null)) });
  return check(t, fc.asyncProperty(fc.array(message, { maxLength: 5 }), async (messages) => {
    const result = await truncate(messages);
    messages.forEach((original, i) => {
      const limit = { assistant: 5000, tool: 3000 }[original.role] ?? Infinity;
      const cut = result.messages[i];
      if (original.content === null || original.content.length <= limit) return assert.strictEqual(cut, original);
      const kept = cut.content.slice(0, -MARKER.length);
      assert.ok(cut.content.endsWith(MARKER) && original.content.startsWith(kept));
      assert.ok(kept.length === limit || (kept.length === limit - 1 && !kept.isWellFormed?.() === false));
      if (original.content.isWellFormed) assert.ok(!original.content.isWellFormed() || kept.isWellFormed());
    });
  }));
});

test('the corpus', { skip: corpus.skip }, async () => {
  for (const { name, bytes } of corpus.jsonFiles().filter((file) => file.name.startsWith('requests/'))) {
    const { messages } = JSON.parse(bytes.toString());
    const before = JSON.stringify(messages);
    const result = await truncate(messages);
    assert.strictEqual(JSON.stringify(messages), before, name);
    assert.strictEqual(result.messages.length, messages.length, name);
    assert.strictEqual(result.stats.chars_before - result.stats.chars_after >= 0, true, name);
  }
});

test('no messages, nothing to cut, wrong arguments', async () => {
  assert.deepStrictEqual(await truncate([]), { messages: [], compressed: false });
  const { stats, compressed } = await truncate([{ role: 'user', content: 'hi' }]);
  assert.deepStrictEqual([compressed, stats.transforms_applied, stats.messages], [true, [], []]);
  for (const messages of [undefined, null, 'text', {}, 5]) {
    await assert.rejects(truncate(messages), (error) => error.code === 'ERR_INVALID_ARG' && error.message.includes('messages'));
  }
  for (const mode of ['Auto', 'none', 1, null]) {
    await assert.rejects(compress(pool, [], { mode }), (error) => error.code === 'ERR_INVALID_ARG' && error.message.includes('options.mode'));
  }
});
