'use strict';

const { testDocuments } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { closePiscina, openPiscina, runOnPiscina } = require('./competitors/piscina');
const { Unavailable, runFileBench } = require('./harness');
const { meanAtLeast, ratiosOf, worstAtLeast } = require('./harness/figures');

/** @param {readonly import('./harness/file-bench').FileRow[]} rows */
function figures(rows) {
  const [theirs, roundTrip] = ['structuredClone', 'json'].map((name) => ratiosOf(rows, 'mainCpuUs', name, 'offloop'));
  return [
    ...worstAtLeast('main-thread CPU, structuredClone ÷ ours', theirs, 4),
    ...meanAtLeast('main-thread CPU, structuredClone ÷ ours', theirs, 8),
    ...meanAtLeast('main-thread CPU, JSON round trip ÷ ours', roundTrip, 20),
  ];
}

/** @type {Record<string, (value: unknown) => unknown>} */
const libraries = {};

/**
 * @param {string} name
 * @param {(exports: any) => (value: unknown) => unknown} pick
 */
function openLibrary(name, pick) {
  try {
    libraries[name] = pick(require(name));
  } catch {
    throw new Unavailable(`${name} is not installed (npm ci)`);
  }
}

runFileBench({
  name: 'clone',
  title: 'Deep copy of a request',
  about: 'structuredClone, a JSON round trip, rfdc and klona against pool.clone(value) and piscina.',
  method:
    'The parsed document in, its deep copy out, one call at a time, the await included; medians of interleaved batches.',
  baseline: 'structuredClone',
  packages: ['rfdc', 'klona', 'piscina'],
  pairs: [
    ['structuredClone', 'offloop'],
    ['json', 'offloop'],
    ['rfdc', 'offloop'],
    ['klona', 'offloop'],
    ['piscina', 'offloop'],
  ],
  summaryMinBytes: 0,
  figures,
  documents: testDocuments,
  input: (document) => JSON.parse(document.read().toString()),
  contenders: [
    { name: 'structuredClone', prepare: (value) => () => structuredClone(value) },
    { name: 'json', prepare: (value) => () => JSON.parse(JSON.stringify(value)) },
    {
      name: 'rfdc',
      open: () => openLibrary('rfdc', (rfdc) => rfdc()),
      prepare: (value) => () => libraries.rfdc(value),
    },
    {
      name: 'klona',
      open: () => openLibrary('klona', ({ klona }) => klona),
      prepare: (value) => () => libraries.klona(value),
    },
    {
      name: 'offloop',
      open: () => openOffloop('clone'),
      prepare: (value) => () => offloopPool().clone(value),
      close: closeOffloop,
    },
    {
      name: 'piscina',
      open: openPiscina,
      prepare: (value) => () => runOnPiscina('clone', value),
      close: closePiscina,
    },
  ],
});
