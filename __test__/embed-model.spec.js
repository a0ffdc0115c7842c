'use strict';

const assert = require('node:assert');
const { renameSync, truncateSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const fc = require('fast-check');

const { WorkerPool } = require('..');
const { TOKENIZER, WIDTH, WORDS, folderOf, matrix, modelFiles, safetensors, vectorOf } = require('./models');
const { check } = require('./values');

const pool = new WorkerPool({ size: 2 });
test.after(() => pool.shutdown());

/** @param {Float32Array} vector @param {number[]} expected @param {string} [message] */
function near(vector, expected, message) {
  assert.strictEqual(vector.length, expected.length, message);
  vector.forEach((value, index) => assert.ok(Math.abs(value - expected[index]) < 1e-6, `${message ?? ''} ${index}: ${value}, not ${expected[index]}`));
}

const TEXT = 'Cancel my flight, the  SUNNY weather!';
const TOKENS = ['cancel', 'my', 'flight', ',', 'the', 'sun', '##ny', 'weather'];

test('a vector is the sum of the vectors of the tokens that there are, of length one', async (t) => {
  for (const dtype of ['F64', 'F32', 'BF16', 'I8']) {
    const model = folderOf(t, modelFiles({ embeddings: matrix(dtype) }));
    const [vector, two, nothing, unknown] = await pool.embed([TEXT, 'É the', '', 'nothing known'], { model });
    near(vector, vectorOf(TOKENS), dtype);
    near(two, vectorOf(['é', 'the']), dtype);
    near(nothing, vectorOf([]), dtype);
    near(unknown, vectorOf([]), dtype);
    assert.strictEqual(await pool.unloadModel(model), true);
  }
});

test('tokens may have factors, and share rows', async (t) => {
  const mapping = WORDS.map((_, row) => (row * 5) % 7);
  const factors = WORDS.map((_, row) => 0.25 * row);
  const tensors = {
    embeddings: matrix('F32'),
    mapping: { dtype: 'I64', shape: [WORDS.length], numbers: mapping },
    weights: { dtype: 'F64', shape: [WORDS.length], numbers: factors },
  };
  const model = folderOf(t, modelFiles(tensors));
  near((await pool.embed(TEXT, { model }))[0], vectorOf(TOKENS, (row) => factors[row], (row) => mapping[row]));
  await pool.unloadModel(model);
});

test('fewer dimensions are the first, more are an error', async (t) => {
  const model = folderOf(t, modelFiles());
  const expected = vectorOf(TOKENS).slice(0, 5);
  const length = Math.hypot(...expected);
  near((await pool.embed(TEXT, { model, dimensions: 5 }))[0], expected.map((value) => value / length));
  await assert.rejects(pool.embed(TEXT, { model, dimensions: WIDTH + 1 }), { code: 'ERR_INVALID_ARG', message: /options.dimensions must be at most 19/ });
  await pool.unloadModel(model);
});

test('batches give what single texts give, in their order, whatever was embedded before', async (t) => {
  const model = folderOf(t, modelFiles());
  const word = fc.constantFrom('cancel', 'My', 'flight', 'sunny', ',', ', ', ' ', '  ', '\n', 'weather', '[UNK]', 'é', 'e\u0301', '你', '\u00a0', '\ud800', 'x'.repeat(60));
  const text = fc.array(word, { maxLength: 30 }).map((words) => words.join(''));
  await check(t, fc.asyncProperty(fc.array(text, { maxLength: 6 }), async (texts) => {
    const vectors = await pool.embed(texts, { model });
    for (const [index, one] of texts.entries()) assert.deepStrictEqual((await pool.embed([one], { model }))[0], vectors[index]);
  }), 0.1);
  const many = Array.from({ length: 20_000 }, (_, index) => `${WORDS[2 + (index % 9)]} ${index} the`);
  const before = pool.getStats().operations.embed.count;
  const vectors = await pool.embed(many, { model, priority: 'bulk' });
  assert.ok(pool.getStats().operations.embed.count > before + 2, 'more than one task');
  for (const index of [0, 8, 19_999]) near(vectors[index], vectorOf([WORDS[2 + (index % 9)], 'the'].filter((one) => one !== '##ny')));
  assert.deepStrictEqual(await pool.embed([], { model }), []);
  await pool.unloadModel(model);
});

test('a model is loaded once, and again after it was unloaded', async (t) => {
  const model = folderOf(t, modelFiles());
  const relative = path.relative(process.cwd(), model);
  const first = await Promise.all(Array.from({ length: 8 }, () => pool.embed(TEXT, { model })));
  renameSync(path.join(model, 'tokenizer.json'), path.join(model, 'away'));
  assert.deepStrictEqual(await pool.embed(TEXT, { model: relative }), first[7], 'the files are not read again');
  assert.strictEqual(await pool.unloadModel(relative), true);
  assert.strictEqual(await pool.unloadModel(model), false);
  await assert.rejects(pool.embed(TEXT, { model }), { code: 'ERR_MODEL_NOT_FOUND', message: new RegExp(`${path.basename(model)}.*no tokenizer.json`) });
  renameSync(path.join(model, 'away'), path.join(model, 'tokenizer.json'));
  assert.deepStrictEqual(await pool.embed(TEXT, { model }), first[0]);
  await pool.unloadModel(model);
});

/** Damaged models give an error that names the folder, or vectors. @param {string} model */
async function embedsOrRefuses(model) {
  try {
    assert.strictEqual((await pool.embed([TEXT, ' 你好 [UNK]'], { model }))[0].length, WIDTH);
  } catch (error) {
    assert.strictEqual(/** @type {any} */ (error).code, 'ERR_MODEL_NOT_FOUND', String(error));
    assert.ok(/** @type {Error} */ (error).message.includes(model));
  }
  await pool.unloadModel(model);
}

test('files that are cut or changed are an error with a code', async (t) => {
  const files = modelFiles();
  for (const name of /** @type {const} */ (['model.safetensors', 'tokenizer.json'])) {
    const model = folderOf(t, files);
    const whole = Buffer.from(files[name]);
    for (const length of [0, 1, 7, 8, 9, 100, whole.length - 1]) {
      writeFileSync(path.join(model, name), whole.subarray(0, length));
      await assert.rejects(pool.embed(TEXT, { model }), { code: 'ERR_MODEL_NOT_FOUND', message: new RegExp(`${path.basename(model)}.*${name} is damaged|${name}: `) }, `${name}, ${length} bytes`);
    }
    await check(t, fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), async (changes) => {
      const changed = Buffer.from(whole);
      for (const [at, byte] of changes) changed[at] = byte;
      writeFileSync(path.join(model, name), changed);
      await embedsOrRefuses(model);
    }), 0.15);
  }
});

test('what is no model is said', async (t) => {
  const wrong = async (/** @type {Record<string, string | Buffer>} */ files, /** @type {RegExp} */ message) => {
    const model = folderOf(t, files);
    await assert.rejects(pool.embed(TEXT, { model }), { code: 'ERR_MODEL_NOT_FOUND', message });
  };
  const files = modelFiles();
  await wrong({}, /there is no model.safetensors in it/);
  await wrong({ 'a.safetensors': '', 'b.safetensors': '' }, /2 files in .* end in .safetensors/);
  await wrong(modelFiles({ other: matrix('F32') }), /neither embeddings nor embedding.weight/);
  await wrong(modelFiles({ embeddings: { dtype: 'F32', shape: [WORDS.length * WIDTH], numbers: matrix('F32').numbers } }), /no matrix/);
  await wrong(modelFiles({ embeddings: { dtype: 'F32', shape: [0, 4], numbers: [] } }), /are empty/);
  await wrong(modelFiles({ embeddings: matrix('I64') }), /values of type I64/);
  await wrong(modelFiles({ embeddings: matrix('F32'), mapping: { dtype: 'I64', shape: [1], numbers: [WORDS.length] } }), /its mapping is wrong/);
  await wrong(modelFiles({ embeddings: { ...matrix('F32'), numbers: matrix('F32').numbers.map(() => NaN) } }), /some are no numbers/);
  await wrong({ ...files, 'tokenizer.json': JSON.stringify({ ...TOKENIZER, model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'none' } }) }, /tokenizer.json is damaged/);
  await assert.rejects(pool.embed(TEXT, { model: __filename }), { code: 'ERR_MODEL_NOT_FOUND', message: /it is no folder/ });
  const any = /** @type {any} */ (pool);
  await assert.rejects(any.embed(TEXT, { model: '' }), { code: 'ERR_INVALID_ARG', message: /^options.model/ });
  await assert.rejects(any.unloadModel(7), { code: 'ERR_INVALID_ARG', message: /^model must be/ });
});

test('a file that is cut while its model is loaded is an error', async (t) => {
  const model = folderOf(t, modelFiles());
  await pool.embed(TEXT, { model });
  truncateSync(path.join(model, 'model.safetensors'), 200);
  await assert.rejects(pool.embed(TEXT, { model }), { code: 'ERR_MODEL_NOT_FOUND', message: /has changed since it was loaded/ });
  await pool.unloadModel(model);
});

test('a text of many megabytes is embedded, with and without blanks, or given up in time', async (t) => {
  const model = folderOf(t, modelFiles());
  const short = (await pool.embed('the sunny', { model }))[0];
  near((await pool.embed('the sunny '.repeat(500_000), { model, timeout: 0 }))[0], [...short]);
  assert.strictEqual((await pool.embed('x'.repeat(5_000_000), { model, timeout: 0 }))[0].length, WIDTH);
  await assert.rejects(pool.embed('é,'.repeat(20_000_000), { model, timeout: 50 }), { code: 'ERR_TASK_TIMEOUT' });
  await pool.unloadModel(model);
});

test('a matrix may be called as WordLlama calls it, in folders as it has them', async (t) => {
  const { 'tokenizer.json': tokenizer } = modelFiles();
  const model = folderOf(t, { 'l2_19.safetensors': safetensors({ 'embedding.weight': matrix('F32') }), 'l2_tokenizer_config.json': tokenizer });
  near((await pool.embed(`${TEXT} x`, { model }))[0], vectorOf([...TOKENS, '[UNK]', '[UNK]']), 'what is unknown counts');
  await pool.unloadModel(model);
});
