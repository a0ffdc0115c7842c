'use strict';

// Tokens in stats are estimated: how far they are from what the tokenizer counts.

const assert = require('node:assert');
const test = require('node:test');

const { WorkerPool } = require('../lib/pool');
const corpus = require('./corpus');

const pool = new WorkerPool({ size: 1, taskTimeout: 0 });
test.after(() => pool.shutdown());

/** Part of the true count that an estimate may be off by. */
const MOST = 0.03;

/**
 * @param {number} estimated
 * @param {number} counted
 */
function assertNear(estimated, counted) {
  const off = estimated / counted - 1;
  assert.ok(Math.abs(off) <= MOST, `${estimated} estimated, ${counted} counted: ${(100 * off).toFixed(2)} % off`);
}

for (const { name, text } of corpus.texts()) {
  test(`${name} as one text`, async () => {
    const { stats } = await pool.compress([{ role: 'tool', content: text }], { mode: 'lossless', cache: false });
    assertNear(stats.tokens_before, await pool.countTokens(text));
  });
  const messages = name.startsWith('requests/') ? JSON.parse(text).messages : undefined;
  if (messages === undefined) continue;
  test(`${name}, before and after`, async () => {
    const { stats } = await pool.compress(messages, { cache: false });
    const exact = (await pool.compress(messages, { cache: false, exactTokens: true })).stats;
    assertNear(stats.tokens_before, exact.tokens_before);
    assertNear(stats.tokens_after, exact.tokens_after);
  });
}

test('the corpus', { skip: corpus.skip }, () => assert.ok(corpus.texts().length > 0));
