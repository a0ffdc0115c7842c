'use strict';

const { Random } = require('../recall/random');
const { names, sampleOf } = require('../recall');
const { paragraph, sentence } = require('../recall/words');
const { offloopPool } = require('../competitors/offloop');
const { progress } = require('../harness/report');
const { median, significant } = require('../harness/statistics');

/**
 * A conversation that grows by a turn at a time, as a service sees it: all of it, each time.
 *
 * @typedef {object} GrowthRow
 * @property {'conversation'} part
 * @property {number} turn
 * @property {number} bytes            of the conversation so far, as JSON
 * @property {number} cachedMs         the turns before it were compressed before
 * @property {number} uncachedMs
 * @property {number} share            cachedMs divided by uncachedMs
 * @property {number} changedBytes     of what the turn before had sent already, since the row above
 * @property {number} savedPercent     of the conversation's bytes
 */

const TURNS = 200;

/** @param {number} seed */
function makeTurns(seed) {
  const random = new Random(seed);
  return Array.from({ length: TURNS }, (_, turn) => {
    const { question, tool, arguments: given, text } = sampleOf(random.pick(names), seed * 1_000 + turn);
    // Results of some 2 to 20 KB, at most.
    const cut = text.indexOf('\n', random.between(2_000, 20_000));
    const result = cut < 0 || text[0] === '{' || text[0] === '[' ? shortJson(random) : text.slice(0, cut);
    const id = `call_${turn}`;
    return [
      { role: 'user', content: question },
      { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: tool, arguments: JSON.stringify(given) } }] },
      { role: 'tool', tool_call_id: id, content: result },
      { role: 'assistant', content: paragraph(random, random.between(1, 8)) },
    ];
  });
}

/** @param {Random} random */
function shortJson(random) {
  const rows = Array.from({ length: random.between(3, 60) }, (_, id) => ({
    id,
    name: random.hex(8),
    state: random.skewed(['done', 'open', 'held']),
    amount: random.between(100, 9_000),
    note: random.chance(0.2) ? sentence(random) : null,
  }));
  return JSON.stringify({ items: rows, total: rows.length });
}

/**
 * @param {boolean} quick
 * @returns {Promise<GrowthRow[]>}
 */
async function measureGrowth(quick) {
  progress(`compress: a conversation of ${TURNS} turns`);
  const pool = offloopPool();
  // Nothing of it was seen before, in this process.
  const turns = makeTurns(quick ? 11 : 12);
  const messages = [];
  const rows = [];
  let cached = [];
  let [sent, changed] = [/** @type {string[]} */ ([]), 0];
  for (const [index, turn] of turns.entries()) {
    messages.push(...turn);
    const start = performance.now();
    const { messages: after } = await pool.compress(messages);
    cached.push(performance.now() - start);
    const now = after.map((/** @type {object} */ message) => JSON.stringify(message));
    for (const [at, text] of sent.entries()) changed += now[at] === text ? 0 : Buffer.byteLength(text);
    sent = now;
    if ((index + 1) % 20 !== 0) continue;
    rows.push({ ...(await row(messages, index + 1, sent)), ...costs(cached, await timeUncached(pool, messages, quick)), changedBytes: changed });
    [cached, changed] = [[], 0];
  }
  return rows;
}

/** @param {object[]} messages @param {number} turn @param {string[]} sent */
async function row(messages, turn, sent) {
  const bytes = Buffer.byteLength(JSON.stringify(messages));
  const after = sent.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 1);
  return { part: /** @type {const} */ ('conversation'), turn, bytes, savedPercent: significant(100 * (1 - after / bytes), 3) };
}

/** @param {any} pool @param {object[]} messages @param {boolean} quick */
async function timeUncached(pool, messages, quick) {
  const samples = [];
  for (let call = 0; call < (quick ? 2 : 7); call += 1) {
    const start = performance.now();
    await pool.compress(messages, { cache: false });
    samples.push(performance.now() - start);
  }
  return median(samples);
}

/** @param {number[]} cached the last turns @param {number} uncachedMs */
function costs(cached, uncachedMs) {
  const cachedMs = median(cached);
  return { cachedMs: significant(cachedMs), uncachedMs: significant(uncachedMs), share: significant(cachedMs / uncachedMs, 3) };
}

module.exports = { TURNS, measureGrowth };
