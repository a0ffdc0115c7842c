'use strict';

const { testDocuments } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { runFileBench } = require('./harness');
const { atLeast, eachAtLeast, named, ratiosOf } = require('./harness/figures');
const { FULL, QUICK, measure } = require('./harness/measure');

/** What a proxy changes: fields that are there, and one that is new. */
const CHANGES = { '/model': 'gpt-4o-mini', '/stream': true, '/metadata': { tenant: 'a', attempt: 1 } };

/** Bytes that a socket's chunk has. */
const CHUNK = 64 * 1024;

/** A body as it comes from a socket. @param {Buffer} bytes */
function chunksOf(bytes) {
  const chunks = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.subarray(at, at + CHUNK));
  return chunks;
}

/** @param {Buffer[]} chunks */
function inline(chunks) {
  const body = JSON.parse(Buffer.concat(chunks).toString());
  const read = [body.model, body.stream, body.messages[1]?.role];
  body.model = CHANGES['/model'];
  body.stream = CHANGES['/stream'];
  body.metadata = CHANGES['/metadata'];
  return read.length > 0 ? Buffer.from(JSON.stringify(body)) : undefined;
}

/** @param {Buffer[]} chunks @param {boolean} disposes */
async function throughDocument(chunks, disposes) {
  const document = await offloopPool().load(chunks);
  const read = [document.get('/model'), document.get('/stream'), document.get('/messages/1/role')];
  const changed = document.with(CHANGES);
  const bytes = await changed.toBuffer();
  if (disposes) {
    document.dispose();
    changed.dispose();
  }
  return read.length > 0 ? bytes : undefined;
}

/** Clones of a Document made in one go. */
const CLONES = 1_000;

/**
 * @param {readonly import('./harness/file-bench').FileRow[]} rows
 * @param {boolean} quick
 */
async function figures(rows, quick) {
  const compare = (/** @type {'mainCpuUs' | 'totalCpuUs'} */ field, /** @type {string} */ file) =>
    ratiosOf(rows, field, 'inline', 'offloop-document', named(file));
  return [
    ...eachAtLeast('main-thread CPU, inline ÷ ours', compare('mainCpuUs', 'chat-1m'), 40),
    ...eachAtLeast('total CPU, inline ÷ ours', compare('totalCpuUs', 'chat-1m'), 4),
    ...eachAtLeast('main-thread CPU, inline ÷ ours', compare('mainCpuUs', 'chat-100k'), 8),
    ...(await cloneFigure(compare('mainCpuUs', 'chat-4m').map(({ file }) => file), quick)),
  ];
}

/** @param {string[]} files @param {boolean} quick */
async function cloneFigure([file], quick) {
  const source = testDocuments().find((document) => document.file === file);
  if (source === undefined) return [];
  const value = JSON.parse(source.read().toString());
  const document = await offloopPool().load(source.read());
  const cloneMany = () => Array.from({ length: CLONES }, () => document.clone());
  const [theirs, ours] = await measure(
    [{ name: 'structuredClone', run: () => structuredClone(value) }, { name: 'clone', tasksPerCall: CLONES, run: cloneMany }],
    quick ? QUICK : FULL,
  );
  return [{ figure: `main-thread CPU, structuredClone of the value ÷ document.clone(), ${file}`, ...atLeast(theirs.mainCpuUs / ours.mainCpuUs, 10_000) }];
}

runFileBench({
  name: 'document',
  title: 'A request changed on its way',
  about:
    'A body is read, three fields are looked at, three are set, and it is written again: JSON.parse and JSON.stringify ' +
    'against a Document that is disposed of, or left to the garbage collector.',
  method:
    'Chunks of 64 KB in, a Buffer out, one body at a time, the awaits included; medians of interleaved batches.',
  baseline: 'inline',
  packages: [],
  pairs: [
    ['inline', 'offloop-document'],
    ['inline', 'offloop-collected'],
  ],
  summaryMinBytes: 100_000,
  figures,
  documents: () => testDocuments().filter(({ read }) => Array.isArray(JSON.parse(read().toString()).messages)),
  input: (document) => chunksOf(document.read()),
  contenders: [
    { name: 'inline', prepare: (chunks) => () => inline(chunks) },
    {
      name: 'offloop-document',
      open: () => openOffloop('load'),
      prepare: (chunks) => () => throughDocument(chunks, true),
      close: closeOffloop,
    },
    {
      name: 'offloop-collected',
      open: () => openOffloop('load'),
      prepare: (chunks) => () => throughDocument(chunks, false),
      close: closeOffloop,
    },
  ],
});
