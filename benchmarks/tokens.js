'use strict';

const { testDocuments, textsOf } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { runFileBench } = require('./harness');

const ENCODING = 'o200k_base';

/** Longest text: js-tiktoken takes a second for each megabyte. */
const MAX_BYTES = 1_100_000;

/** @type {any} */
let wasm;

runFileBench({
  name: 'tokens',
  title: 'Counting the tokens of a conversation',
  about:
    "The texts of a request's messages, one after another, in o200k_base: js-tiktoken on the main thread against tiktoken (wasm), " +
    'gpt-tokenizer, pool.encode() and, for a text that was counted before, pool.countTokens().',
  method:
    'One text in, its tokens made and their number out, one call at a time, the await included. offloop remembers the counts of ' +
    'contents: offloop-known is countTokens of one such. Medians of interleaved batches.',
  baseline: 'js-tiktoken',
  packages: ['js-tiktoken', 'tiktoken', 'gpt-tokenizer'],
  pairs: [
    ['js-tiktoken', 'offloop'],
    ['gpt-tokenizer', 'offloop'],
    ['tiktoken', 'offloop'],
    ['js-tiktoken', 'offloop-known'],
  ],
  summaryMinBytes: 100_000,
  documents: () => testDocuments().filter(({ file, bytes }) => !file.startsWith('json/') && bytes < MAX_BYTES),
  input: (document) => textsOf(JSON.parse(document.read().toString()).messages).join('\n'),
  contenders: [
    {
      name: 'js-tiktoken',
      prepare: (/** @type {string} */ text) => {
        const encoding = require('js-tiktoken').getEncoding(ENCODING);
        return () => encoding.encode(text, [], []).length;
      },
    },
    {
      name: 'tiktoken',
      open: () => {
        wasm = require('tiktoken').get_encoding(ENCODING);
      },
      prepare: (/** @type {string} */ text) => () => wasm.encode(text, [], []).length,
      close: () => wasm.free(),
    },
    {
      name: 'gpt-tokenizer',
      prepare: (/** @type {string} */ text) => {
        const { encode } = require(`gpt-tokenizer/encoding/${ENCODING}`);
        return () => encode(text).length;
      },
    },
    {
      name: 'offloop',
      open: () => openOffloop('encode'),
      prepare: (/** @type {string} */ text) => async () => (await offloopPool().encode(text, { encoding: ENCODING })).length,
      close: closeOffloop,
    },
    {
      name: 'offloop-known',
      open: () => openOffloop('countTokens'),
      prepare: (/** @type {string} */ text) => () => offloopPool().countTokens(text, { encoding: ENCODING }),
      close: closeOffloop,
    },
  ],
});
