'use strict';

const { testDocuments } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { closePiscina, openPiscina, runOnPiscina } = require('./competitors/piscina');
const { closePlainWorker, openPlainWorker, runOnPlainWorker } = require('./competitors/plain-worker');
const { runFileBench } = require('./harness');
const { eachAtLeast, meanAtLeast, named, ratiosOf, worstAtLeast } = require('./harness/figures');

const LARGE = 100_000;

/** @param {readonly import('./harness/file-bench').FileRow[]} rows */
function figures(rows) {
  const [main, total] = /** @type {const} */ (['mainCpuUs', 'totalCpuUs']).map((field) =>
    ratiosOf(rows, field, 'inline', 'offloop', ({ bytes }) => bytes >= LARGE),
  );
  return [
    ...meanAtLeast('main-thread CPU, inline ÷ ours', main, 8),
    ...worstAtLeast('main-thread CPU, inline ÷ ours', main, 4),
    ...eachAtLeast('main-thread CPU, inline ÷ ours', ratiosOf(rows, 'mainCpuUs', 'inline', 'offloop', named('chat-20k')), 2),
    ...worstAtLeast('total CPU, inline ÷ ours', total, 1),
    ...meanAtLeast('total CPU, inline ÷ ours', total, 1.5),
  ];
}

runFileBench({
  name: 'parse',
  title: 'Parsing a request body',
  about:
    'JSON.parse(buffer.toString()) on the main thread against pool.parse(buffer), piscina and a plain worker thread.',
  method: 'One buffer in, one value out, one call at a time, the await included; medians of interleaved batches.',
  baseline: 'inline',
  packages: ['piscina'],
  pairs: [
    ['inline', 'offloop'],
    ['inline', 'piscina'],
    ['inline', 'worker_threads'],
  ],
  summaryMinBytes: LARGE,
  figures,
  documents: testDocuments,
  input: (document) => document.read(),
  contenders: [
    { name: 'inline', prepare: (/** @type {Buffer} */ body) => () => JSON.parse(body.toString()) },
    {
      name: 'offloop',
      open: () => openOffloop('parse'),
      prepare: (/** @type {Buffer} */ body) => () => offloopPool().parse(body),
      close: closeOffloop,
    },
    {
      name: 'piscina',
      open: openPiscina,
      prepare: (/** @type {Buffer} */ body) => () => runOnPiscina('parse', body),
      close: closePiscina,
    },
    {
      name: 'worker_threads',
      open: openPlainWorker,
      prepare: (/** @type {Buffer} */ body) => () => runOnPlainWorker('parse', body),
      close: closePlainWorker,
    },
  ],
});
