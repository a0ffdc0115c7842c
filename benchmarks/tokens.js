'use strict';

const { testDocuments, textsOf } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { runFileBench } = require('./harness');
const { atLeast, atMost } = require('./harness/figures');
const { FULL } = require('./harness/measure');

/** @typedef {import('./harness/file-bench').FileRow} FileRow */

const ENCODING = 'o200k_base';

/** Longest text: js-tiktoken takes a second for each megabyte. */
const MAX_BYTES = 1_100_000;

const MEGABYTE = 1e6;
const PROSE = 'generated/prose-1m';
/** Characters of which a megabyte is counted. @type {Record<string, string>} */
const REPEATED = {
  'repeated/a': 'a', 'repeated/space': ' ', 'repeated/newline': '\n', 'repeated/equals': '=', 'repeated/zero': '0', 'repeated/你': '你', 'repeated/😀': '😀',
};

/** A request with one message. @param {string} file @param {string} content */
function madeUp(file, content) {
  const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content }] }));
  return { file, bytes: body.length, read: () => body };
}

function documents() {
  const requests = testDocuments().filter(({ file, bytes, read }) => bytes < MAX_BYTES && Array.isArray(JSON.parse(read().toString()).messages));
  const texts = requests.map(({ read }) => contentsOf(read()).replace(/[^\n -~]+/g, '')).join('\n');
  const prose = texts.repeat(Math.ceil(MEGABYTE / texts.length)).slice(0, MEGABYTE);
  const repeated = Object.entries(REPEATED).map(([file, one]) => madeUp(file, one.repeat(MEGABYTE / Buffer.byteLength(one))));
  return [...requests, madeUp(PROSE, prose), ...repeated];
}

/** The texts of a request's messages. @param {Buffer} body */
function contentsOf(body) {
  return textsOf(JSON.parse(body.toString()).messages).join('\n');
}

/** What is quadratic in the length of a word does not come to an end. @param {{ file: string }} document */
const isMixed = ({ file }) => !(file in REPEATED);

/** @param {readonly FileRow[]} rows */
function figures(rows) {
  const find = (/** @type {string} */ file, /** @type {string} */ candidate) => rows.find((row) => row.file.endsWith(file) && row.candidate === candidate);
  const lines = [];
  const compare = (/** @type {string} */ what, /** @type {'totalCpuUs' | 'mainCpuUs'} */ field, /** @type {string} */ candidate, /** @type {number} */ least) => {
    const [theirs, ours] = [find('/chat-250k', candidate), find('/chat-250k', 'offloop')];
    if (theirs !== undefined && ours !== undefined) lines.push({ figure: `${what}, ${candidate} ÷ ours, chat-250k`, ...atLeast(theirs[field] / ours[field], least) });
  };
  compare('total CPU', 'totalCpuUs', 'js-tiktoken', 8);
  compare('total CPU', 'totalCpuUs', 'gpt-tokenizer', 2);
  compare('total CPU', 'totalCpuUs', 'tiktoken', 1);
  compare('main-thread CPU', 'mainCpuUs', 'js-tiktoken', 200);
  const prose = find(PROSE, 'offloop');
  for (const file of Object.keys(REPEATED)) {
    const repeated = find(file, 'offloop');
    if (prose === undefined || repeated === undefined) continue;
    lines.push({ figure: `time for 1 MB of one character ÷ that for 1 MB of prose, ${file}`, ...atMost(repeated.latencyUs / prose.latencyUs, 3) });
  }
  return lines;
}

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
    "contents: offloop-known is countTokens of one such. Megabytes of one character are offloop's alone: the time of the others is " +
    'quadratic in the length of a word. Medians of interleaved batches.',
  baseline: 'js-tiktoken',
  packages: ['js-tiktoken', 'tiktoken', 'gpt-tokenizer'],
  pairs: [
    ['js-tiktoken', 'offloop'],
    ['gpt-tokenizer', 'offloop'],
    ['tiktoken', 'offloop'],
    ['js-tiktoken', 'offloop-known'],
  ],
  summaryMinBytes: 100_000,
  documents,
  input: (document) => contentsOf(document.read()),
  // One call of js-tiktoken fills a batch many times over.
  plan: { ...FULL, minCalls: 1 },
  figures,
  contenders: [
    {
      name: 'js-tiktoken',
      takes: isMixed,
      prepare: (/** @type {string} */ text) => {
        const encoding = require('js-tiktoken').getEncoding(ENCODING);
        return () => encoding.encode(text, [], []).length;
      },
    },
    {
      name: 'tiktoken',
      takes: isMixed,
      open: () => {
        wasm = require('tiktoken').get_encoding(ENCODING);
      },
      prepare: (/** @type {string} */ text) => () => wasm.encode(text, [], []).length,
      close: () => wasm.free(),
    },
    {
      name: 'gpt-tokenizer',
      takes: isMixed,
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
