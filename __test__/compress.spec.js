'use strict';

const assert = require('node:assert');
const test = require('node:test');

const offloop = require('..');
const { WorkerPool } = require('../lib/pool');
const { Gate, needsFaults } = require('./faults');

const pool = new WorkerPool({ size: 1 });
test.after(() => pool.shutdown());

/** Rows of which one stands out. */
function rows(count, odd = 7) {
  const list = Array.from({ length: count }, (_, i) => ({
    id: `ROW-${1000 + i}`, name: `item number ${i}`, price: 10 + (i % 5), stock: 100, state: i === odd ? 'failed' : 'ok',
  }));
  return JSON.stringify(list);
}

/** Lines of which one is an error. */
function log(count, name = 'app') {
  const lines = Array.from({ length: count }, (_, i) => `2024-05-01 10:${String(i % 60).padStart(2, '0')}:00 INFO ${name} handled request ${i} in ${20 + (i % 7)} ms`);
  lines[count >> 1] = `2024-05-01 11:00:00 ERROR ${name} could not connect to db-7: connection refused`;
  return lines.join('\n');
}

const call = (id, name = 'search', args = '{}') => ({ role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name, arguments: args } }] });
const actions = ({ stats }) => stats.messages.map(({ action }) => action);
const reasons = ({ stats }) => stats.messages.map(({ reason }) => reason);

test('OpenAI messages: results are shortened, the rest stays as it is', async () => {
  const messages = [
    { role: 'system', content: log(400) },
    { role: 'user', content: log(400) },
    call('1'),
    { role: 'tool', tool_call_id: '1', name: 'search', content: log(400) },
    { role: 'tool', tool_call_id: '2', content: [{ type: 'text', text: rows(300) }, { type: 'image_url', image_url: {} }] },
    { role: 'tool', tool_call_id: '3', content: 'fine' },
    { role: 'developer', content: log(100) },
    { role: 'assistant', content: 'Here you are.' },
    null, 'odd', 5, { role: 'tool' }, { role: 'tool', content: { a: 1 } }, { content: log(100) }, { role: 'robot', content: [null, { type: 'text' }] },
  ];
  const before = structuredClone(messages);
  const result = await pool.compress(messages);
  assert.deepStrictEqual(messages, before);
  assert.strictEqual(result.compressed, true);
  assert.strictEqual(result.messages.length, messages.length);
  result.messages.forEach((message, i) => i === 3 || i === 4 || assert.strictEqual(message, messages[i], `message ${i}`));
  const { content, ...rest } = result.messages[3];
  assert.deepStrictEqual(rest, { role: 'tool', tool_call_id: '1', name: 'search' });
  assert.match(content, /could not connect to db-7: connection refused/);
  assert.match(content, /\n\[offloop:[0-9a-f]{16} \d+ of \d+ parts left out/);
  assert.match(result.messages[4].content[0].text, /failed/);
  assert.strictEqual(result.messages[4].content[1], messages[4].content[1]);
  assert.deepStrictEqual(actions(result).slice(0, 8), ['kept', 'kept', 'kept', 'lossy', 'lossless', 'kept', 'kept', 'kept']);
  assert.deepStrictEqual(reasons(result).filter((_, i) => i !== 3 && i !== 4), [
    'system text', 'user text', 'no text', 'short', 'system text', 'assistant text', 'no message', 'no message', 'no message', 'no text', 'no text', 'no role', 'unknown role',
  ]);
});

test('Anthropic messages: blocks that are marked, signed or errors stay byte-identical', async () => {
  const text = log(500);
  const messages = [
    { role: 'user', content: [{ type: 'text', text: 'why is it slow?' }] },
    { role: 'assistant', content: [{ type: 'thinking', thinking: text, signature: 'x' }, { type: 'tool_use', id: 'a', name: 'logs', input: { file: 'app.log', n: [1, { b: null }] } }] },
    { role: 'user', content: [
      { type: 'tool_result', tool_use_id: 'a', content: text },
      { type: 'tool_result', tool_use_id: 'b', content: log(500, 'b'), is_error: true },
      { type: 'tool_result', tool_use_id: 'c', content: log(500, 'c'), cache_control: { type: 'ephemeral' } },
      { type: 'tool_result', tool_use_id: 'd', content: [{ type: 'text', text: log(500, 'd') }, { type: 'text', text: log(500, 'e'), cache_control: { type: 'ephemeral' } }, { type: 'image' }] },
      { type: 'document', source: {} },
    ] },
  ];
  const { messages: [first, second, third], stats } = await pool.compress(messages);
  assert.strictEqual(first, messages[0]);
  assert.strictEqual(second, messages[1]);
  const blocks = messages[2].content;
  assert.match(third.content[0].content, /\[offloop:/);
  assert.strictEqual(third.content[0].tool_use_id, 'a');
  for (const same of [1, 2, 4]) assert.strictEqual(third.content[same], blocks[same]);
  assert.match(third.content[3].content[0].text, /\[offloop:/);
  assert.strictEqual(third.content[3].content[1], blocks[3].content[1]);
  assert.strictEqual(third.content[3].content[2], blocks[3].content[2]);
  assert.strictEqual(stats.messages[2].action, 'lossy');
});

test('Responses items', async () => {
  const items = [
    { role: 'user', content: [{ type: 'input_text', text: 'what failed?' }] },
    { type: 'reasoning', encrypted_content: 'x'.repeat(5000) },
    { type: 'function_call', call_id: 'a', name: 'rows', arguments: '{}' },
    { type: 'function_call_output', call_id: 'a', output: rows(2500) },
    { type: 'custom_tool_call_output', call_id: 'b', output: [{ type: 'input_text', text: log(500) }] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Row 7.' }] },
  ];
  const { messages, stats } = await pool.compress(items);
  assert.match(messages[3].output, /failed[^]*\[offloop:/);
  assert.match(messages[4].output[0].text, /connection refused[^]*\[offloop:/);
  for (const same of [0, 1, 2, 5]) assert.strictEqual(messages[same], items[same]);
  assert.deepStrictEqual(stats.messages.map(({ reason }) => reason).slice(0, 3), ['user text', 'no role', 'tool call']);
});

test('the stats add up, one entry for each message', async () => {
  const messages = [{ role: 'user', content: 'hi' }, call('1'), { role: 'tool', tool_call_id: '1', content: rows(200) }];
  const { stats } = await pool.compress(messages);
  const sum = (name) => stats.messages.reduce((all, message) => all + message[name], 0);
  assert.deepStrictEqual(stats.messages.map(({ index }) => index), [0, 1, 2]);
  assert.strictEqual(stats.tokens_before, sum('tokens_before'));
  assert.strictEqual(stats.tokens_after, sum('tokens_after'));
  assert.strictEqual(stats.tokens_saved, stats.tokens_before - stats.tokens_after);
  assert.strictEqual(stats.compression_ratio, stats.tokens_after / stats.tokens_before);
  assert.strictEqual(stats.savings_percent, (100 * stats.tokens_saved) / stats.tokens_before);
  assert.deepStrictEqual([stats.original_count, stats.compressed_count], [3, 3]);
  assert.ok(stats.latency_ms > 0 && stats.transforms_applied.includes('json_table'));
  const exact = (await pool.compress(messages, { exactTokens: true })).stats;
  assert.strictEqual(exact.messages[2].tokens_before, await pool.countTokens(messages[2].content));
  assert.ok(Math.abs(stats.tokens_before / exact.tokens_before - 1) < 0.03);
  const old = (await pool.compress(messages, { exactTokens: true, model: 'gpt-4' })).stats;
  assert.strictEqual(old.messages[2].tokens_before, await pool.countTokens(messages[2].content, { model: 'gpt-4' }));
});

test('a repeated result is referred to', async () => {
  const content = rows(12, -1);
  const messages = [{ role: 'tool', content }, { role: 'user', content: 'again' }, { role: 'tool', content }];
  const { messages: [first, , last], stats } = await pool.compress(messages);
  assert.strictEqual(stats.messages[0].action, 'lossless');
  assert.strictEqual(stats.messages[2].action, 'repeated');
  assert.match(last.content, /^\[offloop: the same text as 2 messages before, which begins: .*\]$/);
  assert.notStrictEqual(first.content, last.content);
});

test('the query decides what is kept, and is not a later one', async () => {
  const content = rows(2000);
  const ask = (question) => [{ role: 'user', content: question }, call('1'), { role: 'tool', tool_call_id: '1', content }];
  const text = async (messages, options) => (await pool.compress(messages, options)).messages[2].content;
  assert.match(await text(ask('what about ROW-2345?')), /ROW-2345/);
  assert.doesNotMatch(await text([...ask('what about them?'), { role: 'user', content: 'and ROW-2345?' }]), /ROW-2345/);
  assert.match(await text(ask('what about them?'), { queryContext: 'ROW-2345' }), /ROW-2345/);
});

test('modes, targets and budgets', async () => {
  const messages = [{ role: 'user', content: 'hi' }, { role: 'tool', content: log(3000) }, { role: 'tool', content: rows(1500) }, { role: 'tool', content: log(800, 'other') }];
  const full = await pool.compress(messages);
  const lossless = await pool.compress(messages, { mode: 'lossless' });
  assert.deepStrictEqual(actions(lossless), ['kept', 'lossless', 'lossless', 'lossless']);
  assert.ok(lossless.messages.every((message) => !message.content.includes('[offloop:')));
  const half = await pool.compress(messages, { targetRatio: 0.1 });
  half.stats.messages.slice(1).forEach(({ tokens_before: before, tokens_after: after }) => assert.ok(after < 0.13 * before && after > 0.05 * before, `${after} of ${before}`));
  for (const budget of [Math.round(full.stats.tokens_after * 0.7), 2000]) {
    const fitted = await pool.compress(messages, { tokenBudget: budget });
    assert.ok(fitted.stats.tokens_after <= budget * 1.02, `${fitted.stats.tokens_after} of ${budget}`);
    assert.deepStrictEqual((await pool.compress(messages, { modelLimit: budget })).messages, fitted.messages);
  }
  assert.deepStrictEqual((await pool.compress(messages, { tokenBudget: 1e9 })).messages, full.messages);
  const tools = [{ type: 'function', function: { name: 'f', description: 'x '.repeat(3000) } }];
  const withTools = await pool.compress(messages, { tokenBudget: 6000, tools });
  assert.strictEqual(withTools.tools, tools);
  assert.ok(withTools.stats.tokens_after < 6000 - 2000);
});

test('what is protected by options', async () => {
  const messages = [{ role: 'user', content: 'a' }, { role: 'tool', content: log(500) }, { role: 'user', content: 'b' }, { role: 'tool', content: log(500, 'b') }];
  assert.deepStrictEqual(actions(await pool.compress(messages, { preserveRecentTurns: 1 })), ['kept', 'lossy', 'kept', 'kept']);
  assert.deepStrictEqual(reasons(await pool.compress(messages, { preserveRecentTurns: 5 })), ['user text', 'recent turn', 'user text', 'recent turn']);
  const [, first] = (await pool.compress(messages, { minTokens: 1e6 })).stats.messages;
  assert.deepStrictEqual([first.action, first.reason], ['kept', 'short']);
  const { messages: [, gone] } = await pool.compress(messages, { reversible: false });
  assert.match(gone.content, /\[offloop: \d+ of \d+ parts left out, as marked\]$/);
});

test('a compressed text is not compressed again, nor is one that was retrieved', async () => {
  const messages = [{ role: 'tool', content: log(2000) }];
  const { messages: [compressed] } = await pool.compress(messages);
  const again = await pool.compress([compressed]);
  assert.strictEqual(again.messages[0], compressed);
  assert.deepStrictEqual(reasons(again), ['compressed before']);
  const [, hash] = /\[offloop:([0-9a-f]{16})/.exec(compressed.content);
  const { content } = await pool.retrieve(hash);
  for (const first of [messages[0], compressed]) {
    const result = await pool.compress([first, call('r', 'retrieve', JSON.stringify({ hash })), { role: 'tool', tool_call_id: 'r', content }]);
    assert.deepStrictEqual(reasons(result)[2], 'retrieved');
  }
  const other = await pool.compress([messages[0], call('r', 'retrieve', '{"hash":"0123456789abcdef"}'), { role: 'tool', tool_call_id: 'r', content: log(2000, 'other') }]);
  assert.strictEqual(actions(other)[2], 'lossy');
});

test('no messages, wrong arguments', async () => {
  assert.deepStrictEqual(await pool.compress([]), { messages: [], compressed: false, stats: { skipped: true, reason: 'no messages' } });
  for (const messages of [undefined, null, 'text', {}, 5]) {
    await assert.rejects(pool.compress(messages), (error) => error.code === 'ERR_INVALID_ARG' && error.message.includes('messages'));
  }
  const wrong = {
    mode: 'Auto', model: 5, modelLimit: 0, tokenBudget: 1.5, targetRatio: 1.1, queryContext: 1, preserveRecentTurns: -1, tools: {}, minTokens: '1', reversible: 1, deadlineMs: -1,
    exactTokens: 'yes', cache: 0, timeout: -1, priority: 'high', signal: {},
  };
  for (const [name, value] of Object.entries(wrong)) {
    await assert.rejects(pool.compress([{ role: 'tool', content: log(100) }], { [name]: value }), (error) => error.code === 'ERR_INVALID_ARG' && error.message.includes(`options.${name}`), name);
  }
  await assert.rejects(pool.compress([], null), { code: 'ERR_INVALID_ARG' });
  await assert.rejects(pool.compress([], 'fast'), { code: 'ERR_INVALID_ARG' });
});

test('a deadline gives the result so far, an abort ends the call', async () => {
  const messages = Array.from({ length: 60 }, (_, i) => ({ role: 'tool', content: log(3000, `app${i}`) }));
  const none = await pool.compress(messages, { deadlineMs: 0, cache: false });
  assert.ok(none.messages.every((message, i) => message === messages[i]));
  assert.ok(none.stats.skipped ? none.stats.reason === 'deadline' : reasons(none).every((reason) => reason === 'deadline'));
  const controller = new AbortController();
  const call = pool.compress(messages, { signal: controller.signal, cache: false });
  controller.abort(new Error('enough'));
  await assert.rejects(call, (error) => error.name === 'AbortError' && error.cause.message === 'enough');
  await assert.rejects(pool.compress(messages, { signal: AbortSignal.abort(), deadlineMs: 1000 }), { name: 'AbortError' });
});

test('a deadline is kept to when no thread is free, and a timeout loses nothing', needsFaults, async () => {
  const busy = new WorkerPool({ size: 1 });
  const gate = new Gate();
  const held = await gate.occupy(busy);
  const messages = [{ role: 'tool', content: log(500) }];
  const late = await busy.compress(messages, { deadlineMs: 1 });
  assert.deepStrictEqual([late.messages[0] === messages[0], late.compressed, late.stats], [true, false, { skipped: true, reason: 'deadline' }]);
  gate.open();
  await Promise.all(held);
  const long = [{ role: 'tool', content: log(200_000) }];
  const { compressed, messages: [same], stats } = await busy.compress(long, { timeout: 1, cache: false });
  assert.strictEqual(compressed, false);
  assert.strictEqual(same, long[0]);
  assert.match(stats.reason ?? stats.messages[0].reason, /ERR_TASK_TIMEOUT|deadline/);
  await busy.shutdown();
  await assert.rejects(busy.compress(messages), { code: 'ERR_POOL_CLOSED' });
});

test('compressMessages and ccrRetrieve never reject', async () => {
  const messages = [{ role: 'tool', content: log(2000) }];
  const tools = [{ name: 'f' }];
  const done = await offloop.compressMessages(messages, tools, { targetRatio: 0.1 });
  assert.ok(done.compressed && done.tools === tools);
  const [, hash] = /\[offloop:([0-9a-f]{16})/.exec(done.messages[0].content);
  assert.strictEqual((await offloop.ccrRetrieve(hash)).content, messages[0].content);
  assert.strictEqual((await offloop.ccrRetrieve(hash, 'connection refused', 1)).itemsRetrieved, 1);
  const failed = await offloop.compressMessages(/** @type {any} */ ('text'), null, { targetRatio: 7 });
  assert.deepStrictEqual([failed.messages, failed.compressed, failed.stats.skipped], ['text', false, true]);
  assert.strictEqual((await offloop.ccrRetrieve(/** @type {any} */ (5))).success, false);
});
