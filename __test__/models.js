'use strict';

/** Models of a few words, in folders as Model2Vec saves them. */

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** What is `[UNK]`, then words, then parts of words. */
const WORDS = ['[PAD]', '[UNK]', 'cancel', 'my', 'flight', 'sun', '##ny', 'weather', ',', 'é', 'the'];
const WIDTH = 19;

/** BERT's tokenizer over WORDS. */
const TOKENIZER = {
  version: '1.0',
  truncation: { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 0 },
  padding: { strategy: { Fixed: 12 }, direction: 'Right', pad_to_multiple_of: null, pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' },
  added_tokens: ['[PAD]', '[UNK]'].map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: false, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
  },
};

/** A value of a token's vector: any that 16 bits have. @param {number} row @param {number} column */
const value = (row, column) => ((row * 37 + column * 11) % 64) - 31;

/** Numbers as the bytes of a tensor's type. @type {Record<string, (numbers: number[]) => ArrayBufferView>} */
const TYPES = {
  F64: (numbers) => Float64Array.from(numbers),
  F32: (numbers) => Float32Array.from(numbers),
  BF16: (numbers) => Uint16Array.from(numbers, (number) => new Uint32Array(Float32Array.of(number).buffer)[0] >>> 16),
  I8: (numbers) => Int8Array.from(numbers),
  I64: (numbers) => BigInt64Array.from(numbers, BigInt),
};

/** @typedef {{ dtype: string, shape: number[], numbers: number[] }} Tensor */

/** A safetensors file. @param {Record<string, Tensor>} tensors */
function safetensors(tensors) {
  const header = {};
  const parts = [];
  let end = 0;
  for (const [name, { dtype, shape, numbers }] of Object.entries(tensors)) {
    const { buffer } = TYPES[dtype](numbers);
    header[name] = { dtype, shape, data_offsets: [end, (end += buffer.byteLength)] };
    parts.push(Buffer.from(buffer));
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}

/** A matrix of all words' vectors. @param {string} dtype @returns {Tensor} */
function matrix(dtype) {
  const numbers = WORDS.flatMap((_, row) => Array.from({ length: WIDTH }, (__, column) => value(row, column)));
  return { dtype, shape: [WORDS.length, WIDTH], numbers };
}

/**
 * A new folder with files, removed at the end of the test.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string | Buffer>} files
 */
function folderOf(t, files) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'offloop-model-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  return folder;
}

/** Files of a model. @param {Record<string, Tensor>} [tensors] */
function modelFiles(tensors = { embeddings: matrix('F32') }) {
  return { 'model.safetensors': safetensors(tensors), 'tokenizer.json': JSON.stringify(TOKENIZER), 'config.json': '{"normalize": true}' };
}

/**
 * The vector of words, as it is defined.
 * @param {string[]} words
 * @param {(row: number) => number} [factor]
 * @param {(row: number) => number} [rowOf]
 */
function vectorOf(words, factor = () => 1, rowOf = (row) => row) {
  const rows = words.map((word) => WORDS.indexOf(word));
  const sum = Array.from({ length: WIDTH }, (_, column) => rows.reduce((all, row) => all + factor(row) * value(rowOf(row), column), 0));
  const length = Math.hypot(...sum);
  return sum.map((one) => (length === 0 ? 0 : one / length));
}

module.exports = { TOKENIZER, WIDTH, WORDS, folderOf, matrix, modelFiles, safetensors, vectorOf };
