'use strict';

const assert = require('node:assert');
const test = require('node:test');

const { WorkerPool, asyncTransform, getWorkerPool, syncTransform } = require('..');
const { cutCode, cutJson, cutLines } = require('../lib/transform/cut');
const { check, fc } = require('./values');

const pool = new WorkerPool({ size: 1 });
test.after(() => Promise.all([pool.shutdown(), getWorkerPool().shutdown()]));

const MARKER = '\n[...truncated...]';
const lines = (/** @type {number} */ count) => Array.from({ length: count }, (_, index) => `line ${index}: something happened`).join('\n');

test('truncate cuts at the length, splits no surrogate pair, and marks the cut', async (t) => {
  assert.strictEqual(await pool.truncate('abcdef', 6), 'abcdef');
  assert.strictEqual(await pool.truncate('abcdef', 3), `abc${MARKER}`);
  assert.strictEqual(await pool.truncate('ab😀cd', 3), `ab${MARKER}`);
  assert.strictEqual(await pool.truncate('ab😀cd', 4), `ab😀${MARKER}`);
  assert.strictEqual(await pool.truncate('abcdef', 0), MARKER);
  assert.strictEqual(await pool.truncate('abcdefghij', 5, { tail: 2 }), `abc${MARKER}\nij`);
  assert.strictEqual(await pool.truncate('abcd😀', 3, { tail: 1 }), `ab${MARKER}\n`);
  await check(
    t,
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 30 }), fc.nat(30), fc.nat(10), async (text, length, tail) => {
      const options = { tail: Math.min(tail, length) };
      const cut = await pool.truncate(text, length, options);
      if (text.length <= length) return assert.strictEqual(cut, text);
      assert.ok(cut.isWellFormed?.() ?? true);
      const [head, end = ''] = cut.split(`${MARKER}`);
      assert.ok(text.startsWith(head) && text.endsWith(end.slice(1)));
      assert.ok(head.length <= length - options.tail && head.length >= length - options.tail - 1);
    }),
  );
});

test('truncate counts tokens if asked to', async () => {
  const text = lines(200);
  const cut = await pool.truncate(text, 100, { unit: 'tokens' });
  const kept = cut.slice(0, -MARKER.length);
  assert.ok(text.startsWith(kept));
  assert.strictEqual(await pool.countTokens(kept), 100);
  const both = await pool.truncate(text, 100, { unit: 'tokens', tail: 40, at: 'lines' });
  const [head, , tail] = /** @type {RegExpExecArray} */ (/^([^]*)\n\[\.\.\.truncated: (\d+) of \d+ characters\.\.\.\]\n([^]*)$/.exec(both)).slice(1);
  assert.ok(text.startsWith(`${head}\n`) && text.endsWith(`\n${tail}`), 'whole lines');
  assert.strictEqual(await pool.truncate('你好世界'.repeat(10), 1000, { unit: 'tokens' }), '你好世界'.repeat(10));
  assert.ok(!(await pool.truncate('🏳️‍🌈'.repeat(50), 7, { unit: 'tokens' })).includes('\ufffd'));
});

test('JSON keeps whole items and properties, and stays JSON', async (t) => {
  const rows = Array.from({ length: 100 }, (_, id) => ({ id, name: `Row "${id}"`, tags: ['a', 'b]', '}'] }));
  for (const text of [JSON.stringify(rows), JSON.stringify(rows, null, 2), JSON.stringify({ status: 'ok', total: 100, rows }), JSON.stringify({ a: { b: { rows } } }, null, 1)]) {
    const cut = cutJson(text, 1000);
    assert.ok(cut !== undefined && cut.length < 1200, cut);
    const value = JSON.parse(cut);
    const kept = Array.isArray(value) ? value : (value.rows ?? value.a.b.rows);
    const note = kept.pop();
    assert.match(note, /^\[\.\.\.truncated: \d+ of \d+ characters\.\.\.\]$/);
    assert.ok(kept.length > 4);
    assert.deepStrictEqual(kept, rows.slice(0, kept.length));
  }
  const properties = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key ${index}`, 'value']));
  const { '[truncated]': truncated, ...kept } = JSON.parse(/** @type {string} */ (cutJson(JSON.stringify(properties), 500)));
  assert.match(truncated, /truncated/);
  assert.ok(Object.keys(kept).length > 20);
  assert.ok(Object.entries(kept).every(([key, value]) => /** @type {any} */ (properties)[key] === value));
  assert.strictEqual(cutJson(JSON.stringify({ text: 'x'.repeat(5000) }), 1000), undefined, 'one long string');
  assert.strictEqual(cutJson(`[1,2] and ${'x'.repeat(2000)}`, 1000), undefined);
  assert.strictEqual(cutJson('[1,2]', 1000), '[1,2]');
  await check(
    t,
    fc.property(fc.jsonValue(), fc.integer({ min: 2, max: 400 }), fc.constantFrom(undefined, 2), (value, limit, space) => {
      const text = JSON.stringify(value, null, space);
      const cut = cutJson(text, limit);
      if (cut !== undefined) JSON.parse(cut);
    }),
  );
});

test('lines stay whole', () => {
  const text = lines(100);
  const cut = cutLines(text, 1000, 300);
  const [head, tail] = cut.split(/\n\[\.\.\.truncated: \d+ of \d+ characters\.\.\.\]\n/);
  assert.ok(text.startsWith(`${head}\n`) && text.endsWith(`\n${tail}`));
  assert.ok(head.length > 900 && head.length <= 1000 && tail.length > 200 && tail.length <= 300);
  assert.match(cutLines('x'.repeat(5000), 100), /^x{100}\n\[\.\.\.truncated: 4900 of 5000 characters\.\.\.\]$/);
});

test('code blocks keep their beginning and last three lines', () => {
  const code = lines(200);
  const text = `Look:\n\`\`\`js\n${code}\n\`\`\`\nand\n~~~\nshort\n~~~\n\`\`\`\n${code}\n\`\`\`\nwhy?`;
  const cut = cutCode(text, 500);
  assert.ok(cut.startsWith('Look:\n```js\nline 0: something happened\n') && cut.endsWith('\n```\nwhy?'));
  const last = '\nline 197: something happened\nline 198: something happened\nline 199: something happened\n```\n';
  assert.strictEqual(cut.split(last).length, 3, 'both blocks end as they did');
  assert.ok(cut.includes('and\n~~~\nshort\n~~~\n'));
  assert.ok(cut.length < 1500);
  assert.strictEqual(cutCode(lines(300), 500), lines(300), 'no fence, no code');
  const open = cutCode(`\`\`\`\n${code}`, 500);
  assert.ok(open.length < 800 && open.endsWith('line 199: something happened'), 'a fence that is never closed');
});

const CONVERSATIONS = {
  openai: (/** @type {string} */ result) => [
    { role: 'user', content: 'Go on.' },
    { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'grep', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'a', content: result },
    { role: 'assistant', content: null, tool_calls: [{ id: 'b', type: 'function', function: { name: 'grep', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'b', content: result },
  ],
  anthropic: (/** @type {string} */ result) => [
    { role: 'user', content: [{ type: 'text', text: 'Go on.' }] },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'grep', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: result }] }] },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'b', name: 'grep', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b', content: result }] },
  ],
  responses: (/** @type {string} */ result) => [
    { role: 'user', content: [{ type: 'input_text', text: 'Go on.' }] },
    { type: 'function_call', call_id: 'a', name: 'grep', arguments: '{}' },
    { type: 'function_call_output', call_id: 'a', output: result },
    { type: 'function_call', call_id: 'b', name: 'grep', arguments: '{}' },
    { type: 'function_call_output', call_id: 'b', output: result },
  ],
};

/** The text of a message's result. @param {any} message @returns {string} */
function resultOf(message) {
  const content = message.output ?? message.content;
  const inner = Array.isArray(content) && content[0].type === 'tool_result' ? content[0].content : content;
  return typeof inner === 'string' ? inner : inner[0].text;
}

test('tool results are cut, and repeated ones refer to the first, in every format', async () => {
  for (const [format, make] of Object.entries(CONVERSATIONS)) {
    const messages = make(lines(500));
    const before = structuredClone(messages);
    const { messages: after, transformed, stats } = await pool.transform(messages);
    assert.deepStrictEqual(messages, before, 'the argument is not changed');
    assert.strictEqual(transformed, true, format);
    assert.strictEqual(stats.originalCount, 5);
    assert.strictEqual(stats.transformedCount, 5);
    assert.match(resultOf(after[2]), /^line 0: [^]*\n\[\.\.\.truncated: \d+ of \d+ characters\.\.\.\]$/);
    assert.ok(resultOf(after[2]).length < 3100);
    assert.strictEqual(resultOf(after[4]), '[Same result as tool call a]');
    assert.strictEqual(after[0], messages[0], 'what stays keeps its identity');
    const real = (await pool.countTokens(messages)) - (await pool.countTokens(after));
    assert.ok(Math.abs(stats.tokensReduced - real) < 0.05 * real, `${stats.tokensReduced} for ${real}`);
    const limited = syncTransform(messages, { toolLimits: { grep: 500 }, deduplicateToolResults: false, toolResultTail: 0.5 });
    for (const index of [2, 4]) {
      const result = resultOf(limited.messages[index]);
      assert.ok(result.length < 600 && result.endsWith('line 499: something happened'), result);
    }
  }
});

test('assistant texts are cut by the plain rule, other texts are left alone', async () => {
  const long = 'x'.repeat(6000);
  const messages = [
    { role: 'system', content: long },
    { role: 'user', content: long },
    { role: 'assistant', content: long },
    { role: 'assistant', content: [{ type: 'text', text: long }] },
    { role: 'tool', tool_call_id: 'c', content: 'short' },
    null,
  ];
  const { messages: after } = await asyncTransform(/** @type {any} */ (messages));
  assert.deepStrictEqual(after.slice(0, 2), messages.slice(0, 2));
  assert.strictEqual(/** @type {any} */ (after[2]).content, 'x'.repeat(5000) + MARKER);
  assert.strictEqual(/** @type {any} */ (after[3]).content[0].text, 'x'.repeat(5000) + MARKER);
  assert.strictEqual(after[4], messages[4]);
  const nothing = await pool.transform([{ role: 'user', content: 'hi' }]);
  assert.deepStrictEqual(nothing, {
    messages: [{ role: 'user', content: 'hi' }],
    transformed: false,
    stats: { originalCount: 1, transformedCount: 1, tokensReduced: 0 },
  });
  const none = { maxAssistantLength: 1e9, truncateCode: false };
  assert.strictEqual((await pool.transform(/** @type {any} */ (messages), none)).transformed, false);
  assert.deepStrictEqual(await pool.exec('transform', { messages: [], options: {} }), { messages: [], transformed: false, stats: { originalCount: 0, transformedCount: 0, tokensReduced: 0 } });
  assert.strictEqual(await pool.exec('truncate', { content: 'abc', maxLength: 1 }), `a${MARKER}`);
});

test('wrong arguments are named', async () => {
  const any = /** @type {any} */ (pool);
  const invalid = (/** @type {RegExp} */ message) => ({ code: 'ERR_INVALID_ARG', message });
  await assert.rejects(any.transform('x'), invalid(/^messages must be/));
  await assert.rejects(any.transform([], { maxAssistantLength: '5' }), invalid(/^options.maxAssistantLength/));
  await assert.rejects(any.transform([], { maxToolResultLength: -1 }), invalid(/^options.maxToolResultLength/));
  await assert.rejects(any.transform([], { toolLimits: { a: 'x' } }), invalid(/^options.toolLimits\['a'\]/));
  await assert.rejects(any.transform([], { toolResultTail: 2 }), invalid(/^options.toolResultTail/));
  assert.throws(() => syncTransform(/** @type {any} */ (7)), invalid(/^messages must be/));
  await assert.rejects(any.truncate(7, 1), invalid(/^content must be/));
  await assert.rejects(any.truncate('x', NaN), invalid(/^maxLength must be/));
  await assert.rejects(any.truncate('x', 1, { unit: 'bytes' }), invalid(/^options.unit/));
  await assert.rejects(any.truncate('x', 1, { tail: 2 }), invalid(/^options.tail/));
  await assert.rejects(any.truncate('x', 1, { at: 'words' }), invalid(/^options.at/));
});
