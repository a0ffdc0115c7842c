'use strict';

// The trace file: events that Perfetto and chrome://tracing open.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { afterEach, beforeEach, describe, it } = require('node:test');
const { threadId } = require('node:worker_threads');

const { WorkerPool } = require('..');
const { runScript } = require('./faults');

const LARGE = JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, text: `row ${id}` })));
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** @type {string} */
let folder;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-trace-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

/** @param {string} file @returns {any[]} as readers of the format take it: the end of the list may be missing */
function read(file) {
  const text = fs.readFileSync(file, 'utf8');
  return JSON.parse(text.endsWith(']\n') ? text : text.replace(/,\n$/, ']'));
}

/** The format's own rules. @param {any[]} events */
function check(events) {
  const named = new Set();
  for (const event of events) {
    assert.equal(typeof event.name, 'string');
    assert.match(event.ph, /^[MXbestfi]$/);
    assert.ok(Number.isInteger(event.pid) && Number.isInteger(event.tid));
    if (event.ph === 'M') named.add(event.tid);
    else assert.ok(event.ts > 1.6e15 && event.ts < 1e16, 'microseconds since 1970');
    assert.ok(named.has(event.tid), 'tracks have names');
    if (event.ph === 'X') assert.ok(event.dur >= 0);
    if ('bestf'.includes(event.ph)) assert.ok(event.id > 0 && event.cat === 'offloop');
  }
  // Stretches of one track lie beside or within each other.
  for (const tid of named) {
    /** @type {number[]} */
    const ends = [];
    const slices = events.filter((event) => event.ph === 'X' && event.tid === tid).sort((a, b) => a.ts - b.ts);
    for (const { ts, dur } of slices) {
      while (ends.length > 0 && ends[ends.length - 1] <= ts + 5) ends.pop();
      if (ends.length > 0) assert.ok(ts + dur <= ends[ends.length - 1] + 5, 'nested');
      ends.push(ts + dur);
    }
  }
}

describe('traceFile', () => {
  it('has the event loop, the threads, and each call on both', async () => {
    const file = path.join(folder, 'new', 'trace-%p.json');
    const pool = new WorkerPool({ size: 2, traceFile: file });
    await Promise.all([pool.parse(LARGE, { traceparent: TRACEPARENT }), pool.parse(LARGE)]);
    await pool.clone([1]);
    await pool.parse('{').catch(() => {});
    await pool.shutdown();
    const events = read(file.replace('%p', String(process.pid)));
    check(events);
    assert.ok(fs.readFileSync(file.replace('%p', String(process.pid)), 'utf8').endsWith(']\n'), 'whole JSON');
    const of = (/** @type {string} */ ph) => events.filter((event) => event.ph === ph);
    assert.equal(of('b').length, 4);
    assert.deepEqual(of('b').map(({ id }) => id).sort(), of('e').map(({ id }) => id).sort());
    const [call] = of('b').filter(({ args }) => args.traceparent === TRACEPARENT);
    assert.equal(call.name, 'parse');
    assert.equal(call.args.traceId, TRACEPARENT.slice(3, 35));
    const end = of('e').find(({ id }) => id === call.id);
    const steps = of('X').filter(({ args }) => args.id === call.id);
    assert.deepEqual(steps.map(({ name }) => name), ['parse in', 'parse', 'parse out']);
    assert.deepEqual([steps[0].tid, steps[2].tid], [threadId, threadId]);
    assert.ok(steps[1].tid >= 1000);
    for (const { ts, dur } of steps) assert.ok(ts >= call.ts - 5 && ts + dur <= end.ts + 5);
    assert.deepEqual(events.filter((event) => event.id === call.id && 'stf'.includes(event.ph)).map(({ ph }) => ph), ['s', 't', 'f']);
    const inline = of('X').filter(({ name }) => name === 'clone');
    assert.deepEqual([inline.length, inline[0].tid], [1, threadId]);
    assert.equal(of('b').filter(({ args }) => args.error === 'ERR_JSON_SYNTAX').length, 1);
  });

  it('is shared by pools, and begun anew', async () => {
    const file = path.join(folder, 'trace.json');
    fs.writeFileSync(file, 'something else');
    const pools = [new WorkerPool({ size: 1, traceFile: file }), new WorkerPool({ size: 1, traceFile: file })];
    await Promise.all(pools.map((pool) => pool.parse(LARGE)));
    await pools[0].shutdown();
    await pools[1].parse(LARGE);
    await pools[1].shutdown();
    const events = read(file);
    check(events);
    assert.equal(events.filter(({ ph }) => ph === 'b').length, 3);
    assert.equal(new Set(events.filter(({ ph, name }) => ph === 'X' && name === 'parse').map(({ tid }) => tid)).size, 2, 'a track for each pool');
  });

  it('is there without a shutdown, and asked for by the environment, by all threads', async () => {
    const file = path.join(folder, 'trace.json');
    const script = `
      const { Worker } = require('node:worker_threads');
      const text = JSON.stringify('x'.repeat(50_000));
      const pool = offloop.getWorkerPool();
      pool.parse(text).then(() => {
        const code = 'require(' + JSON.stringify(${JSON.stringify(require.resolve('..'))}) + ').getWorkerPool().parse(' + JSON.stringify(text) + ')';
        new Worker(code, { eval: true }).on('exit', () => pool.parse(text).then(() => process.exit()));
      });`;
    const { code, stderr } = await runScript(script, { env: { WORKER_TRACE_FILE: file } });
    assert.equal(code, 0, stderr);
    const events = read(file);
    check(events);
    assert.deepEqual(events.filter(({ ph }) => ph === 'b').map(({ tid }) => tid).sort(), [0, 0, 1]);
    assert.equal(new Set(events.map(({ pid }) => pid)).size, 1);
  });

  it('that cannot be written is an error at construction', () => {
    fs.writeFileSync(path.join(folder, 'file'), '');
    assert.throws(() => new WorkerPool({ traceFile: path.join(folder, 'file', 'trace.json') }), { code: /^(ENOTDIR|EEXIST)$/ });
    assert.throws(() => new WorkerPool({ traceFile: folder }), { code: 'EISDIR' });
  });
});
