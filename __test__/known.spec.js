'use strict';

// What is remembered of counts: beside counting anew, on generated conversations that grow, branch, change and come again.

const assert = require('node:assert');
const { test } = require('node:test');

const { MAX_ALIKE, MAX_CHARACTERS, holding, lookUp, remember } = require('../lib/known');
const { check, fc } = require('./values');

/** A count that differs with all that is in a message. @param {unknown} value */
const countOf = (value) => [...JSON.stringify(value)].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 65_521, 7);

/** Counts as lib/tokens.js does. @param {readonly any[]} messages @param {number} [encoding] */
function count(messages, encoding = 0) {
  const found = lookUp(messages[0], messages, encoding);
  const counts = messages.slice(found.from).map(countOf);
  remember(found, Uint32Array.from(counts), 0);
  return { sum: counts.reduce((sum, one) => sum + one, found.sum), known: found.from };
}

const message = (/** @type {string} */ content) => ({ role: 'user', content });
const long = (/** @type {string} */ text) => text.repeat(Math.ceil(3000 / text.length));

test('a conversation that is parsed anew is found, with one more message', () => {
  const text = JSON.stringify(Array.from({ length: 10 }, (_, index) => message(`found ${index} ${long('x')}`)));
  assert.strictEqual(count(JSON.parse(text)).known, 0);
  assert.strictEqual(count(JSON.parse(text)).known, 10);
  assert.strictEqual(count([...JSON.parse(text), message('more')]).known, 10);
  assert.strictEqual(count([...JSON.parse(text), message('more'), message('and more')]).known, 11);
  assert.strictEqual(count(JSON.parse(text), 1).known, 0, 'the other encoding');
});

test('from its first message on', () => {
  const messages = ['short', ...Array.from({ length: 5 }, (_, index) => `${index} ${long('begin ')}`)].map(message);
  for (let length = 2; length <= messages.length; length++) {
    assert.strictEqual(count(structuredClone(messages.slice(0, length))).known, length === 2 ? 0 : length - 1);
  }
});

test('those that begin alike do not take each other for one another', () => {
  const begin = long('the same system prompt ');
  const one = [message(begin), message(`${begin} one`), message('a')];
  const other = [message(begin), message(`${begin} two`), message('b')];
  for (let i = 0; i < 3; i++) {
    for (const messages of [one, other]) {
      const expected = messages.map(countOf).reduce((sum, next) => sum + next, 0);
      assert.strictEqual(count(structuredClone(messages)).sum, expected);
    }
  }
});

test('whatever was counted before, the sum is right', async (t) => {
  const word = fc.constantFrom('a', 'b', long('c'), long('cc'), long(`${'d'.repeat(60)}e`), long(`${'d'.repeat(60)}f`));
  const content = fc.oneof(word, fc.array(fc.record({ type: fc.constant('text'), text: word }), { maxLength: 3 }));
  const item = fc.oneof(fc.record({ role: fc.constantFrom('user', 'assistant'), content }), fc.constant(null), fc.record({ type: fc.constant('function_call'), arguments: word }));
  await check(t, fc.property(fc.array(fc.array(item, { minLength: 1, maxLength: 5 }), { maxLength: 8 }), (conversations) => {
    for (const messages of [...conversations, ...conversations]) {
      assert.strictEqual(count(structuredClone(messages)).sum, messages.map(countOf).reduce((sum, one) => sum + one, 0));
    }
  }));
});

test('nothing is held of what may be another the next time, or has no end', () => {
  const before = holding();
  const cycle = /** @type {any} */ ({ role: 'user', text: long('x') });
  cycle.content = cycle;
  const odd = [new Proxy(message(long('x')), {}), { content: { toJSON: () => long('x') } }, cycle, { content: new Proxy([long('x')], {}) }];
  for (const value of odd) {
    const found = lookUp(value, [value], 0);
    assert.strictEqual(found.record, undefined);
    remember(found, Uint32Array.of(1), 0);
  }
  assert.deepStrictEqual(holding(), before);
});

test('what is held is bounded', () => {
  const megabyte = 'x'.repeat(1024 * 1024);
  for (let i = 0; i < 20; i++) count([message(`${i} ${megabyte}`)]);
  assert.ok(holding().characters <= MAX_CHARACTERS);
  assert.strictEqual(count([message(`19 ${megabyte}`)]).known, 1);
  assert.strictEqual(count([message(`0 ${megabyte}`)]).known, 0, 'the oldest went');
  for (let i = 0; i < 2 * MAX_ALIKE; i++) count([message(`small ${i} ${long('y')}`)]);
  assert.strictEqual(holding().conversations, MAX_ALIKE);
  const { characters } = holding();
  count([message('x'.repeat(MAX_CHARACTERS + 1))]);
  assert.strictEqual(holding().characters, characters, 'more than there is room for');
});
