'use strict';

// What a conversation's beginning becomes does not depend on how it goes on, on what was remembered of it, nor on whether it
// is a value or a Document.

const assert = require('node:assert');
const test = require('node:test');

const { WorkerPool } = require('../lib/pool');
const corpus = require('./corpus');
const { check, fc } = require('./values');

const pool = new WorkerPool({ size: 1 });
test.after(() => pool.shutdown());

const NO_CACHE = { cache: false };

/** Text of tools: rows, logs, prose, odd ones, of several lengths. */
const texts = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 3 })).map(([count, kind]) =>
    JSON.stringify(Array.from({ length: count }, (_, i) => ({ id: i, name: `n${i % 7}`, value: kind * i, note: i === kind ? 'error' : 'ok' })))),
  fc.tuple(fc.integer({ min: 1, max: 400 }), fc.constantFrom('a', 'b', 'é😀')).map(([count, name]) =>
    Array.from({ length: count }, (_, i) => `2024-05-01 10:00:${String(i % 60).padStart(2, '0')} ${i % 97 === 5 ? 'ERROR' : 'INFO'} ${name} did ${i}`).join('\n')),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom('', 'short', '\ud800'.repeat(100), 'x'.repeat(9000)),
);

const id = fc.constantFrom('1', '2', '3');
const calls = fc.record({ role: fc.constant('assistant'), content: fc.constantFrom(null, 'Let me see.'), tool_calls: fc.array(fc.record({ id, type: fc.constant('function'), function: fc.record({ name: fc.constantFrom('find', 'log'), arguments: fc.constantFrom('{}', '{"q":"n3 error"}') }) }), { minLength: 1, maxLength: 2 }) });
const results = fc.record({ role: fc.constant('tool'), tool_call_id: id, content: fc.oneof(texts, fc.array(fc.record({ type: fc.constantFrom('text', 'image'), text: texts }), { maxLength: 2 })) });
const users = fc.record({ role: fc.constant('user'), content: fc.oneof(fc.constantFrom('which one is n3?', 'what failed?'), fc.array(fc.oneof(
  fc.record({ type: fc.constant('tool_result'), tool_use_id: id, content: texts, is_error: fc.constantFrom(true, false) }),
  fc.record({ type: fc.constant('text'), text: fc.constantFrom('and now?', 'n5') })), { maxLength: 3 })) });
const uses = fc.record({ role: fc.constant('assistant'), content: fc.array(fc.record({ type: fc.constant('tool_use'), id, name: fc.constant('find'), input: fc.record({ q: fc.constantFrom('n1', 5, null), deep: fc.constant([{ a: 'b' }]) }) }), { maxLength: 2 }) });
const items = fc.oneof(
  fc.record({ type: fc.constant('function_call'), call_id: id, name: fc.constant('find'), arguments: fc.constant('{"q":"n2"}') }),
  fc.record({ type: fc.constant('function_call_output'), call_id: id, output: texts }),
);
const odd = fc.constantFrom(null, 'odd', 5, {}, { role: 'tool' }, { role: 'robot', content: 'x' });
/** As requests bring them: parsed. */
const conversations = fc.array(fc.oneof({ weight: 3, arbitrary: results }, calls, users, uses, items, odd), { maxLength: 12 }).map((messages) => JSON.parse(JSON.stringify(messages)));

/** The messages after each of several calls, one for each length. */
async function grow(messages, options) {
  const all = [];
  for (let end = 1; end <= messages.length; end++) all.push((await pool.compress(messages.slice(0, end), options)).messages);
  return all;
}

test('generated conversations: the beginning stays as it was, with and without what is remembered', (t) =>
  check(t, fc.asyncProperty(conversations, async (messages) => {
    const remembered = await grow(messages);
    const full = (await pool.compress(messages, NO_CACHE)).messages;
    remembered.forEach((prefix, at) => assert.deepStrictEqual(prefix, full.slice(0, at + 1)));
    const again = await pool.compress(structuredClone(messages));
    assert.deepStrictEqual(again.messages, full);
  }), 0.08));

test('generated conversations: Documents become what values become', (t) =>
  check(t, fc.asyncProperty(conversations, async (messages) => {
    const expected = await pool.compress(messages, NO_CACHE);
    const document = await pool.load(JSON.stringify({ messages }));
    const result = await document.compress(NO_CACHE);
    assert.deepStrictEqual(result.get('/messages'), JSON.parse(JSON.stringify(expected.messages)));
    const strip = ({ stats }) => stats.messages?.map(({ index, action, reason }) => [index, action, reason]);
    assert.deepStrictEqual(strip(result), strip(expected));
    const both = await pool.compress(document, NO_CACHE);
    assert.strictEqual(both.compressed, expected.compressed);
    for (const done of [document, result, both.messages]) done.dispose();
  }), 0.08));

test('the corpus: the beginning stays as it was', { skip: corpus.skip }, async () => {
  for (const { name, bytes } of corpus.jsonFiles().filter((file) => file.name.startsWith('requests/'))) {
    const { messages } = JSON.parse(bytes.toString());
    const { messages: full, stats } = await pool.compress(messages, NO_CACHE);
    for (const part of [0.3, 0.7, 0.95]) {
      const end = Math.ceil(part * messages.length);
      const prefix = await pool.compress(structuredClone(messages.slice(0, end)));
      assert.deepStrictEqual(prefix.messages, full.slice(0, end), `${name}, ${end} messages`);
    }
    const document = await pool.load(bytes);
    const shorter = await document.compress(NO_CACHE);
    assert.deepStrictEqual(shorter.get('/messages'), full, name);
    const exact = (await pool.compress(messages, { exactTokens: true })).stats;
    assert.ok(Math.abs(stats.tokens_before / exact.tokens_before - 1) < 0.03, `${name}: ${stats.tokens_before}, ${exact.tokens_before}`);
    assert.deepStrictEqual(full.map((message) => message.role), messages.map((message) => message.role), name);
  }
});

test('what the caller changes is seen by the next call, and not by the one under way', async () => {
  const rows = (name) => JSON.stringify(Array.from({ length: 100 }, (_, i) => ({ id: i, name })));
  const messages = [{ role: 'user', content: 'hi' }, { role: 'tool', content: rows('first') }, { role: 'user', content: [{ type: 'tool_result', content: rows('block') }] }];
  const expected = (await pool.compress(structuredClone(messages), NO_CACHE)).messages;
  const call = pool.compress(messages);
  messages[1].extra = true;
  messages[2].content[0].is_error = true;
  messages.push({ role: 'user', content: 'more' });
  assert.deepStrictEqual((await call).messages, expected);
  const next = (await pool.compress(messages)).messages;
  assert.strictEqual(next[1].extra, true);
  assert.strictEqual(next[2], messages[2]);
  messages[1].content = rows('second');
  assert.match((await pool.compress(messages)).messages[1].content, /second/);
  // A result is the caller's.
  const { messages: result } = await pool.compress(messages);
  result[1].content = 'changed';
  assert.match((await pool.compress(messages)).messages[1].content, /second/);
});

test('a text is written in the same way by every process', async () => {
  const { runScript } = require('./faults');
  const script = `
    const pool = new offloop.WorkerPool({ size: 1 });
    const rows = Array.from({ length: 3000 }, (_, i) => ({ id: i, name: 'n' + (i % 9), at: 1700000000 + i * 60, state: i === 17 ? 'failed' : 'ok' }));
    pool.compress([{ role: 'user', content: 'n3' }, { role: 'tool', content: JSON.stringify(rows) }]).then(async ({ messages }) => {
      process.stdout.write(messages[1].content);
      await pool.shutdown();
    });`;
  const [one, other] = await Promise.all([runScript(script), runScript(script)]);
  assert.match(one.stdout, /\[offloop:[0-9a-f]{16} /, one.stderr);
  assert.strictEqual(one.stdout, other.stdout);
});
