'use strict';

const { testDocuments } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { closePiscina, openPiscina, runOnPiscina } = require('./competitors/piscina');
const { runFileBench } = require('./harness');

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
