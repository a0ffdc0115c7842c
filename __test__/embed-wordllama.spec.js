'use strict';

const assert = require('node:assert');
const test = require('node:test');

const fc = require('fast-check');

const { WorkerPool } = require('..');
const { closeWordLlama, openWordLlama, wordllamaEmbed } = require('../benchmarks/competitors/wordllama');
const { Unavailable } = require('../benchmarks/harness/script');
const corpus = require('./corpus');
const { CASES } = require('./values');

/** What the tokenizer cuts, joins, replaces or takes for a token of its own. */
const TEXTS = [
  'a', ' a', '  a  b   ', 'a\nb\n\nc', '\t', 'x  ', 'Hello, world!', "it's <s> here</s> <unk>", '<s>', 'a<s>', '▁', 'a▁ b ▁▁c', '<0x0A>',
  '你好，世界', '😀👩‍👩‍👧', 'naïve café', '\u0000\u0001', '{"a":[1.5e10,null],"b":"c"}', 'const x = (a) => a?.b ?? 12345678;\r\n',
  'a'.repeat(3000), '= '.repeat(500), '\ud800 lone', Array.from({ length: 127 }, (_, code) => String.fromCharCode(code + 1)).join(''),
];
const word = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  fc.constantFrom(' ', '  ', '\n', 'the', 'token', 'Word', ', ', '."', '<s>', 'é', '语', '12', '://'),
);
const text = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => words.join(''));

/** Texts of the corpus, a paragraph each. */
function paragraphs() {
  return corpus.texts().flatMap(({ text: whole }) => Array.from({ length: 40 }, (_, at) => whole.slice(at * 777, (at + 1) * 777))).filter((one) => one !== '');
}

test("vectors are those of WordLlama's own package", { timeout: 1_200_000 }, async (t) => {
  let model;
  try {
    model = await openWordLlama();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return t.skip(error.message);
  }
  t.after(closeWordLlama);
  const pool = new WorkerPool({ size: 2 });
  t.after(() => pool.shutdown());

  const seed = Number(process.env.OFFLOOP_SEED ?? Date.now() & 0x7fffffff);
  t.diagnostic(`OFFLOOP_SEED=${seed}`);
  const texts = [...TEXTS, ...paragraphs(), ...fc.sample(text, { seed, numRuns: CASES })].map((one) => Buffer.from(one).toString());
  // What cannot be told by its tokens alone, as of texts that were embedded before, shows the second time.
  for (let time = 0; time < 2; time++) {
    const ours = await pool.embed(texts, { model });
    const theirs = await wordllamaEmbed(texts);
    assert.strictEqual(ours.length, theirs.length);
    ours.forEach((vector, index) => {
      const cosine = vector.reduce((sum, value, at) => sum + value * theirs[index][at], 0);
      assert.ok(cosine >= 0.99999, `${JSON.stringify(texts[index])}: ${cosine}`);
    });
  }
});
