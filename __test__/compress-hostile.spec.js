'use strict';

// Bad input: the originals come back, or what is valid of them is shortened; never a panic, never a hang.

const assert = require('node:assert');
const test = require('node:test');

const { WorkerPool } = require('../lib/pool');
const corpus = require('./corpus');

const pool = new WorkerPool({ size: 1, taskTimeout: 60_000 });
test.after(() => pool.shutdown());

/** Ms that a megabyte may take: far more than it does, far less than what grows faster than the text. */
const MS_PER_MB = 1000;

const tool = (content) => [{ role: 'user', content: 'what is "wrong" with id-123?' }, { role: 'tool', content }];

/** A generator of bytes that is the same every time. */
function noise(length, from = 0, to = 0xffff) {
  let state = 1;
  const units = new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    units[i] = from + ((state >>> 8) % (to - from));
  }
  let text = '';
  for (let i = 0; i < length; i += 8192) text += String.fromCharCode(...units.subarray(i, i + 8192));
  return text;
}

const rows = JSON.stringify(Array.from({ length: 5000 }, (_, i) => ({ id: i, text: `row ${i}`, nested: { a: [i, i + 1] } })));
const MB = 1 << 20;

const texts = {
  'one line of a megabyte': 'x'.repeat(MB),
  'a megabyte of spaces': ' '.repeat(MB),
  'a megabyte of newlines': '\n'.repeat(MB),
  'binary noise': noise(MB / 2),
  'control characters': noise(MB / 2, 0, 31),
  'noise that is printable': noise(MB, 32, 126),
  'emoji': '😀'.repeat(MB / 4),
  'half of a JSON text': rows.slice(0, rows.length >> 1),
  'a JSON text with rubbish behind it': `${rows}]]}`,
  'JSON with rubbish in it': rows.replaceAll('"row 7', '"row\u0000'),
  '10,000 levels of arrays': '['.repeat(10_000) + ']'.repeat(10_000),
  '100,000 levels that are not closed': '{"a":['.repeat(100_000),
  'JSON in strings in JSON': Array.from({ length: 12 }).reduce((inner) => JSON.stringify({ inner }), 'x'.repeat(100)),
  'many keys': JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`key${i}`, i]))),
  'rows that are all different': JSON.stringify(Array.from({ length: 3000 }, (_, i) => ({ [`a${i}`]: i, [`b${i}`]: [i] }))),
  'quotes and backslashes': '\\"'.repeat(MB / 4),
  'escape codes': '\x1b[31m\x1b]0;'.repeat(MB / 16),
  'brackets': '<div>'.repeat(MB / 10),
  'separators of tables': '|'.repeat(MB / 2),
  'a diff without an end': `diff --git a/x b/x\n@@ -1,1000000 +1,1000000 @@\n${'+a\n'.repeat(100_000)}`,
  'a log of one template': '2024-05-01 10:00:00 ERROR x failed\n'.repeat(20_000),
  'a log of all templates': Array.from({ length: 20_000 }, (_, i) => `2024-05-01 10:00:00 INFO ${noise(6, 97, 122)}${i} ${'ab'.repeat(i % 30)}`).join('\n'),
  'a trace of frames': '  at f (/x/y.js:1:2)\n'.repeat(30_000),
  'markers': `[offloop:0123456789abcdef 1 of 2 parts left out]\n`.repeat(5000),
  'an open marker at the end': `${'a line of text\n'.repeat(5000)}[offloop:`,
  'words of the query': 'wrong id-123 '.repeat(MB / 16),
};

for (const [name, text] of Object.entries(texts)) {
  test(name, async () => {
    const messages = tool(text);
    const started = performance.now();
    const { messages: out, stats } = await pool.compress(messages, { cache: false });
    const elapsed = performance.now() - started;
    assert.ok(elapsed < MS_PER_MB * Math.max(1, text.length / MB), `${elapsed} ms`);
    assert.strictEqual(out[0], messages[0]);
    const [, { action, reason }] = stats.messages;
    assert.doesNotMatch(reason, /^failed|deadline/);
    if (action === 'kept') return assert.strictEqual(out[1], messages[1]);
    assert.ok(out[1].content.length < 1.5 * text.length);
    const hash = /\[offloop:([0-9a-f]{16})[^\n]*\]$/.exec(out[1].content)?.[1];
    if (action === 'lossy') assert.ok((await pool.retrieve(hash)).content === text);
  });
}

test('a marker in a tool result is that text and nothing more', async () => {
  const secret = Array.from({ length: 2000 }, (_, i) => `line ${i} with a secret`).join('\n');
  const { messages: [compressed] } = await pool.compress([{ role: 'tool', content: secret }]);
  const marker = /\[offloop:[^\n]*\]$/.exec(compressed.content)[0];
  const forged = `${'a line of text\n'.repeat(3000)}${marker}`;
  const { messages: [same], stats } = await pool.compress([{ role: 'tool', content: forged }]);
  assert.strictEqual(same.content, forged);
  assert.strictEqual(stats.messages[0].reason, 'compressed before');
});

test('50 MB in one message', async () => {
  const line = 'a line of a text that goes on and on, with number ';
  const text = Array.from({ length: 800_000 }, (_, i) => line + i).join('\n') + noise(8 * MB, 32, 126);
  assert.ok(text.length > 50e6);
  const started = performance.now();
  const { messages: [, out], stats } = await pool.compress(tool(text), { cache: false });
  assert.ok(performance.now() - started < 30_000);
  assert.strictEqual(stats.messages[1].action, 'lossy');
  assert.ok(out.content.length < text.length / 10);
});

test('an abort gives the thread back', async () => {
  const text = Array.from({ length: 300_000 }, (_, i) => `2024-05-01 10:00:00 INFO handled ${i} of ${i * 7}`).join('\n');
  for (const delay of [1, 5, 20, 60, 120]) {
    const controller = new AbortController();
    const call = pool.compress(tool(text), { signal: controller.signal, cache: false });
    await new Promise((resolve) => setTimeout(resolve, delay));
    controller.abort();
    const aborted = performance.now();
    await call.then(() => {}, (error) => assert.strictEqual(error.name, 'AbortError'));
    while (pool.getStats().activeWorkers > 0) {
      assert.ok(performance.now() - aborted < 2000, 'the thread goes on');
      await new Promise(setImmediate);
    }
  }
});

test('pieces of the corpus, cut and mixed', { skip: corpus.skip }, async () => {
  const all = corpus.texts().filter(({ text }) => text.length < 3e6);
  const messages = [];
  for (let i = 0; i < all.length; i++) {
    const { text } = all[i];
    const start = (i * 7919) % (text.length >> 1);
    messages.push({ role: 'tool', content: text.slice(start, start + 60_000) });
    messages.push({ role: 'tool', content: text.slice(start, start + 3000) + all[(i * 31) % all.length].text.slice(100, 20_000) });
  }
  const { stats } = await pool.compress(messages, { cache: false });
  for (const { reason } of stats.messages) assert.doesNotMatch(reason, /^failed/);
});
