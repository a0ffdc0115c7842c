'use strict';

const { testDocuments, textsOf } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { closePiscina, openPiscina, runOnPiscina } = require('./competitors/piscina');
const { runFileBench } = require('./harness');
const { eachAtLeast, meanAtLeast, named, ratiosOf, worstAtLeast } = require('./harness/figures');

const LARGE = 100_000;
/** A document whose strings are so long on average is mostly text. */
const HEAVY = 100;
/** What JSON.stringify leaves to gain: V8 13.8, of Node 25, made it two to six times as fast. */
const LEAST = Number(process.versions.node.split('.')[0]) < 25 ? { string: 5, buffer: 7 } : { string: 3, buffer: 4 };

/** @param {readonly import('./harness/file-bench').FileRow[]} rows */
function figures(rows) {
  const isLargeRequest = (/** @type {{ file: string, bytes: number }} */ { file, bytes }) => file.startsWith('requests/') && bytes >= LARGE;
  const heavy = new Set(testDocuments().filter(isHeavy).map(({ file }) => file));
  const all = ratiosOf(rows, 'mainCpuUs', 'inline', 'offloop');
  return [
    ...worstAtLeast('main-thread CPU, inline ÷ ours', all, 0.97),
    ...eachAtLeast('main-thread CPU, inline ÷ ours', ratiosOf(rows, 'mainCpuUs', 'inline', 'offloop', named('chat-1m', 'coding-agent', 'tool-json-2m')), 3),
    ...meanAtLeast('main-thread CPU, inline ÷ ours, requests of 100 KB and more', ratiosOf(rows, 'mainCpuUs', 'inline', 'offloop', isLargeRequest), LEAST.string),
    ...meanAtLeast('the same as buffers', ratiosOf(rows, 'mainCpuUs', 'inline-buffer', 'offloop-buffer', isLargeRequest), LEAST.buffer),
    ...worstAtLeast('total CPU, inline ÷ ours, mostly text', ratiosOf(rows, 'totalCpuUs', 'inline', 'offloop', ({ file }) => heavy.has(file)), 1),
  ];
}

/** @param {import('./corpus').TestDocument} document */
function isHeavy({ read }) {
  const texts = textsOf(JSON.parse(read().toString()));
  return texts.reduce((sum, { length }) => sum + length, 0) >= HEAVY * texts.length;
}

runFileBench({
  name: 'stringify',
  title: 'Serialising a request',
  about: 'JSON.stringify against pool.stringify, each as a string and as the bytes that go on the wire, and piscina.',
  method:
    'The parsed document in, its JSON text out, one call at a time, the await included; medians of interleaved batches.',
  baseline: 'inline',
  packages: ['piscina'],
  pairs: [
    ['inline', 'offloop'],
    ['inline-buffer', 'offloop-buffer'],
    ['inline', 'piscina'],
  ],
  summaryMinBytes: 0,
  figures,
  documents: testDocuments,
  input: (document) => JSON.parse(document.read().toString()),
  contenders: [
    { name: 'inline', prepare: (value) => () => JSON.stringify(value) },
    { name: 'inline-buffer', baseline: 'inline-buffer', prepare: (value) => () => Buffer.from(JSON.stringify(value)) },
    {
      name: 'offloop',
      open: () => openOffloop('stringify'),
      prepare: (value) => () => offloopPool().stringify(value),
      close: closeOffloop,
    },
    {
      name: 'offloop-buffer',
      baseline: 'inline-buffer',
      open: () => openOffloop('stringify'),
      prepare: (value) => () => offloopPool().stringify(value, { as: 'buffer' }),
      close: closeOffloop,
    },
    {
      name: 'piscina',
      open: openPiscina,
      prepare: (value) => () => runOnPiscina('stringify', value),
      close: closePiscina,
    },
  ],
});
