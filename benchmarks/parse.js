'use strict';

const { testDocuments } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { closePiscina, openPiscina, runOnPiscina } = require('./competitors/piscina');
const { closePlainWorker, openPlainWorker, runOnPlainWorker } = require('./competitors/plain-worker');
const { runFileBench } = require('./harness');

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
  summaryMinBytes: 100_000,
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
