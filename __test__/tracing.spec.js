'use strict';

// Spans of calls, as subscribers of the channels, loggers and the performance timeline get them.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { channel, subscribe, tracingChannel, unsubscribe } = require('node:diagnostics_channel');
const { PerformanceObserver, performance } = require('node:perf_hooks');
const { afterEach, describe, it } = require('node:test');

const { WorkerPool, getWorkerPool, logTasks } = require('..');
const { resolveObservers } = require('../lib/observers');
const { sizeOf } = require('../lib/size');
const { traceContext } = require('../lib/trace-context');
const { Gate, fault, needsFaults, runScript } = require('./faults');

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
const LARGE = JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, text: `row ${id}` })));
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** @type {(() => unknown)[]} */
const undo = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

/** @param {any} [options] */
function poolOf(options) {
  const pool = new WorkerPool({ size: 2, ...options });
  undo.push(() => pool.shutdown());
  return pool;
}

/** Writes down what the channels say. @param {readonly string[]} [events] @param {string} [prefix] */
function listen(events = EVENTS, prefix = 'offloop:task:') {
  /** @type {[string, any][]} */
  const heard = [];
  for (const event of events) {
    const note = (/** @type {any} */ span) => void heard.push([event, span]);
    subscribe(prefix + event, note);
    undo.push(() => unsubscribe(prefix + event, note));
  }
  return heard;
}

describe('channels', () => {
  it('tell of an offloaded call from beginning to end', async () => {
    const pool = poolOf();
    const heard = listen();
    const before = performance.now();
    const promise = pool.parse(LARGE, { priority: 'bulk', traceparent: TRACEPARENT });
    assert.deepEqual(heard.map(([event]) => event), ['start', 'end']);
    const value = await promise;
    assert.deepEqual(heard.map(([event]) => event), ['start', 'end', 'asyncStart', 'asyncEnd']);
    const [[, span]] = heard;
    for (const [, other] of heard) assert.equal(other, span);
    assert.equal(span.operation, 'parse');
    assert.equal(span.inline, false);
    assert.equal(span.priority, 'bulk');
    assert.equal(span.result, value);
    assert.equal(span.error, undefined);
    assert.ok(span.bytes >= LARGE.length && span.bytes <= 3 * LARGE.length, String(span.bytes));
    assert.ok(span.thread === 0 || span.thread === 1);
    assert.ok(span.startTime >= before && span.startTime + span.duration <= performance.now());
    const { crossIn, wait, run, crossOut, duration } = span;
    for (const ms of [crossIn, wait, run, crossOut]) assert.ok(ms > 0 && ms <= duration, JSON.stringify(span));
    // A thread may begin before the call is back, so that crossIn and the others overlap.
    assert.ok(wait + run + crossOut <= duration, JSON.stringify(span));
    assert.equal(span.traceparent, TRACEPARENT);
    assert.deepEqual(span.toJSON(), {
      id: span.id, operation: 'parse', inline: false, bytes: span.bytes, crossIn, wait, run, crossOut, duration,
      traceId: '0af7651916cd43dd8448eb211c80319c', parentSpanId: 'b7ad6b7169203331', error: undefined,
    });
  });

  it('are those of tracingChannel, too', async () => {
    const pool = poolOf();
    const heard = listen(EVENTS, 'tracing:offloop:task:');
    /** @type {any[]} */
    const spans = [];
    const subscribers = /** @type {any} */ ({ start: (/** @type {any} */ span) => void spans.push(span) });
    tracingChannel('offloop:task').subscribe(subscribers);
    undo.push(() => tracingChannel('offloop:task').unsubscribe(subscribers));
    const named = listen(['asyncEnd']);
    await pool.parse(LARGE);
    assert.deepEqual(heard.map(([event]) => event), ['start', 'end', 'asyncStart', 'asyncEnd']);
    assert.equal(named.length, 1);
    assert.deepEqual([spans[0], named[0][1]], [heard[0][1], heard[0][1]], 'one span, whoever looks');
  });

  it('may be subscribed to one by one', async () => {
    const pool = poolOf();
    for (const event of EVENTS) {
      const heard = listen([event]);
      await assert.rejects(pool.parse('{'));
      assert.deepEqual(heard.map(([name]) => name), [event]);
      await undo.pop()?.();
    }
  });

  it('tell of calls that run inline', async () => {
    const pool = poolOf();
    const heard = listen(['asyncEnd', 'error']);
    assert.deepEqual(await pool.clone({ text: 'x'.repeat(1000) }), { text: 'x'.repeat(1000) });
    await assert.rejects(pool.parse('nope'), { code: 'ERR_JSON_SYNTAX' });
    const [[, clone], [, failed]] = heard;
    assert.deepEqual([clone.operation, clone.inline, clone.wait, clone.crossIn, clone.crossOut], ['clone', true, 0, 0, 0]);
    assert.ok(clone.run > 0 && clone.run <= clone.duration);
    assert.ok(clone.bytes >= 1000 && clone.bytes < 1100);
    assert.deepEqual(clone.longestBlock, { phase: 'inline', start: clone.blocks[0].start, duration: clone.run });
    assert.equal(failed.error.code, 'ERR_JSON_SYNTAX');
    assert.equal(failed.toJSON().error, 'ERR_JSON_SYNTAX');
    assert.deepEqual(heard.map(([event]) => event), ['asyncEnd', 'error', 'asyncEnd']);
  });

  it('name every operation as exec does', async () => {
    const pool = poolOf({ offloadThreshold: 0 });
    const heard = listen(['asyncEnd']);
    const text = 'words of a text, one after the other. '.repeat(40);
    const messages = [{ role: 'user', content: 'read it' }, { role: 'tool', tool_call_id: 'a', content: text.repeat(20) }];
    const document = await pool.load(JSON.stringify({ messages }));
    await document.value();
    await document.toBuffer();
    await document.compress();
    await pool.parse('[1]');
    await pool.stringify({ text: text.repeat(200) });
    await pool.clone([1]);
    await pool.compress(messages);
    await pool.retrieve('0123456789abcdef');
    await pool.transform(messages);
    await pool.truncate(text, 10);
    await pool.convert({ model: 'm', messages: [messages[0]] }, { from: 'openai', to: 'anthropic' });
    await pool.countTokens(text);
    await pool.decode(await pool.encode(text));
    await pool.embed(text);
    await pool.similar(new Float32Array(2).fill(1), new Float32Array(4).fill(1), 1);
    await pool.formatLog('info', 'hello');
    await pool.exec('noop');
    const names = heard.map(([, span]) => span.operation);
    for (const name of [
      'load', 'value', 'toBuffer', 'compress', 'parse', 'stringify', 'clone', 'retrieve', 'transform', 'truncate', 'convert', 'countTokens', 'encode',
      'decode', 'embed', 'similar', 'log', 'noop',
    ]) {
      assert.ok(names.includes(name), `${name} in ${names}`);
    }
    for (const [, span] of heard) {
      assert.ok(span.blocks.length > 0 && span.blocks.every((/** @type {any} */ block) => block.duration >= 0), span.operation);
      assert.ok(Number.isInteger(span.bytes), span.operation);
    }
    assert.equal(new Set(heard.map(([, span]) => span.id)).size, heard.length);
  });

  it('have results that come in slices belong to the call', async () => {
    const pool = poolOf({ maxBlockMs: 0.1 });
    const heard = listen(['asyncEnd']);
    const text = JSON.stringify(Array.from({ length: 60_000 }, (_, id) => ({ id, text: `row ${id}` })));
    await pool.parse(text);
    const [[, span]] = heard;
    assert.ok(span.blocks.filter((/** @type {any} */ { phase }) => phase === 'out').length > 2);
    assert.ok(span.crossOut > 1 && span.crossOut < span.duration);
    const [, ...out] = span.blocks;
    out.reduce((/** @type {any} */ before, /** @type {any} */ block) => {
      assert.ok(block.start >= before.start + before.duration - 0.001, 'one after the other');
      return block;
    });
  });

  it('count the walk over a value as handing it in', async () => {
    const pool = poolOf({ offloadThreshold: 0 });
    const heard = listen(['asyncEnd']);
    const value = { text: 'x'.repeat(5_000_000), get slow() { const end = performance.now() + 5; while (performance.now() < end); return 1; } };
    await pool.stringify(value);
    const [[, span]] = heard;
    assert.ok((span.inline ? span.run : span.crossIn) >= 5, JSON.stringify(span));
  });

  it('keep a store that is bound to them', async () => {
    const pool = poolOf();
    const storage = new AsyncLocalStorage();
    const starting = channel('offloop:task:start');
    starting.bindStore(storage, (/** @type {any} */ span) => span.operation);
    undo.push(() => starting.unbindStore(storage));
    /** @type {unknown[]} */
    const stores = [];
    const note = () => void stores.push(storage.getStore());
    subscribe('offloop:task:end', note);
    undo.push(() => unsubscribe('offloop:task:end', note));
    await pool.parse(LARGE);
    assert.deepEqual([stores, storage.getStore()], [['parse'], undefined]);
  });

  it('may call in turn, and change arguments: the call has read them', async () => {
    const pool = poolOf({ offloadThreshold: 0 });
    const value = { text: 'first '.repeat(40_000), more: [1, 2, 3] };
    const text = JSON.stringify(value);
    const body = { model: 'm', messages: [{ role: 'user', content: 'first '.repeat(40_000) }] };
    const converted = JSON.stringify(await pool.convert(body, { from: 'openai', to: 'anthropic' }));
    /** @type {Promise<any>[]} */
    const others = [];
    let isInside = false;
    const meddle = () => {
      if (isInside) return;
      isInside = true;
      value.text = 'second';
      others.push(pool.stringify({ other: 'x'.repeat(300_000), list: [others.length] }), pool.countTokens({ messages: [{ role: 'user', content: 'hello' }] }));
      isInside = false;
    };
    subscribe('offloop:task:start', meddle);
    undo.push(() => unsubscribe('offloop:task:start', meddle));
    assert.equal(await pool.stringify(value), text);
    assert.equal(JSON.stringify(await pool.convert(body, { from: 'openai', to: 'anthropic' })), converted);
    assert.ok(others.length > 2);
    await Promise.all(others);
  });

  it('change nothing of the answer', async () => {
    const pool = poolOf();
    const plain = await pool.parse(LARGE);
    listen();
    assert.deepEqual(await pool.parse(LARGE), plain);
    assert.equal(await pool.stringify(plain), LARGE);
    const reason = new Error('why');
    await assert.rejects(pool.parse(LARGE, { signal: AbortSignal.abort(reason) }), { name: 'AbortError', cause: reason });
    const closed = new WorkerPool({ size: 1 });
    await closed.shutdown();
    await assert.rejects(closed.parse(LARGE), { code: 'ERR_POOL_CLOSED' });
    await assert.rejects(pool.parse(LARGE, /** @type {any} */ ({ timeout: 'x' })), { code: 'ERR_INVALID_ARG' });
  });
});

describe('spans of calls that come to another end', needsFaults, () => {
  it('know how far they came', async () => {
    const pool = poolOf({ size: 1 });
    const heard = listen(['asyncEnd']);
    const gate = new Gate();
    const [held] = await gate.occupy(pool, {});
    const controller = new AbortController();
    const aborted = fault(pool, 'echo', { bytes: 7 }, { signal: controller.signal });
    const start = performance.now();
    while (performance.now() < start + 3);
    controller.abort();
    await assert.rejects(aborted, { code: 'ABORT_ERR' });
    gate.open();
    await held;
    await assert.rejects(fault(pool, 'spin', {}, { timeout: 20 }), { code: 'ERR_TASK_TIMEOUT' });
    await assert.rejects(fault(pool, 'panic'), { code: 'ERR_TASK_PANIC' });
    await assert.rejects(fault(pool, 'resolve'));
    const [queued, ran, late, panicked, unresolved] = heard.map(([, span]) => span);
    assert.deepEqual([queued.toJSON().error, queued.thread, queued.run, queued.bytes], ['ABORT_ERR', undefined, 0, 7]);
    assert.ok(queued.wait >= 3, String(queued.wait));
    assert.ok(ran.thread === 0 && ran.run >= 3);
    assert.deepEqual([late.toJSON().error, late.thread], ['ERR_TASK_TIMEOUT', 0]);
    assert.ok(late.run >= 19, String(late.run));
    assert.deepEqual([panicked.toJSON().error, unresolved.toJSON().error], ['ERR_TASK_PANIC', 'ERR_TASK_PANIC']);
  });
});

describe('the caller’s trace', () => {
  it('is read as the standard has it', () => {
    assert.deepEqual(traceContext(TRACEPARENT), { traceparent: TRACEPARENT, traceId: TRACEPARENT.slice(3, 35), parentSpanId: 'b7ad6b7169203331' });
    assert.ok(traceContext(`01${TRACEPARENT.slice(2)}-more`), 'a later version');
    for (const bad of [
      '', 'x', TRACEPARENT.toUpperCase(), `ff${TRACEPARENT.slice(2)}`, TRACEPARENT.slice(0, -1), `${TRACEPARENT}0`, ` ${TRACEPARENT}`,
      '00-00000000000000000000000000000000-b7ad6b7169203331-01', '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    ]) {
      assert.equal(traceContext(bad), undefined, bad);
    }
    assert.equal(traceContext(), undefined, 'nobody has OpenTelemetry here');
  });

  it('is ignored where it is malformed', async () => {
    const heard = listen(['asyncEnd']);
    assert.deepEqual(await poolOf().parse('[1]', { traceparent: 'nonsense' }), [1]);
    assert.deepEqual([heard[0][1].traceparent, heard[0][1].traceId], [undefined, undefined]);
  });
});

describe('logTasks', () => {
  it('writes a line for each call', async () => {
    const pool = poolOf();
    /** @type {unknown[][]} */
    const lines = [];
    const end = logTasks({ debug: (/** @type {unknown[]} */ ...line) => lines.push(line) });
    undo.push(end);
    const pino = logTasks({ info: (/** @type {unknown[]} */ ...line) => lines.push(line), bindings: () => ({}) }, { level: 'info', minMs: 1e6 });
    await pool.parse(LARGE);
    await assert.rejects(pool.parse('{'));
    assert.equal(lines.length, 3, 'the one that looks for slow ones hears of the failure alone');
    const [[message, parsed], ...failed] = lines;
    assert.deepEqual([message, /** @type {any} */ (parsed).operation], ['offloop task', 'parse']);
    assert.equal(/** @type {any} */ (failed[0][1]).error, 'ERR_JSON_SYNTAX');
    assert.deepEqual(failed[1], [failed[0][1], 'offloop task']);
    end();
    pino();
    await pool.parse(LARGE);
    assert.equal(lines.length, 3);
  });

  it('says what is wrong', () => {
    assert.throws(() => logTasks({}), { code: 'ERR_INVALID_ARG', message: /^logger must be a logger with a method called debug/ });
    assert.throws(() => logTasks(console, { minMs: -1 }), { code: 'ERR_INVALID_ARG', message: /^options\.minMs/ });
  });
});

describe('performanceEntries', () => {
  it('are measures with the figures', async () => {
    const pool = poolOf({ performanceEntries: true });
    undo.push(() => performance.clearMeasures());
    const observed = new Promise((resolve) => {
      const observer = new PerformanceObserver((list) => {
        observer.disconnect();
        resolve(list.getEntries());
      });
      observer.observe({ entryTypes: ['measure'] });
    });
    await pool.parse(LARGE);
    const [entry] = /** @type {any} */ (await observed);
    assert.equal(entry.name, 'offloop:parse');
    assert.ok(entry.duration > 0 && entry.startTime > 0);
    assert.equal(entry.detail.operation, 'parse');
    assert.ok(entry.detail.run > 0);
  });

  it('do not pile up', async () => {
    const pool = poolOf({ performanceEntries: true });
    undo.push(() => performance.clearMeasures());
    for (let i = 0; i < 2100; i++) await pool.clone(1);
    assert.equal(performance.getEntriesByName('offloop:clone').length, 100);
  });

  it('may be asked for by the environment', () => {
    const { performanceEntries, traceFile } = resolveObservers({}, { WORKER_PERFORMANCE_ENTRIES: ' true ', WORKER_TRACE_FILE: '/tmp/%p.json' });
    assert.deepEqual([performanceEntries, traceFile], [true, `/tmp/${process.pid}.json`]);
    const bad = { WORKER_PERFORMANCE_ENTRIES: '1' };
    assert.throws(() => resolveObservers({}, bad), { code: 'ERR_INVALID_ARG', message: /WORKER_PERFORMANCE_ENTRIES must be true or false, not '1'/ });
    assert.equal(resolveObservers({ performanceEntries: false }, bad).performanceEntries, false);
  });
});

describe('where nobody looks', () => {
  it('no span is made', async () => {
    const pool = poolOf();
    assert.equal(pool._state.observers, undefined);
    const promise = pool.parse(LARGE);
    // Subscribed in the midst of it: its beginning is over.
    const heard = listen();
    await promise;
    assert.deepEqual(heard, []);
  });

  it('every thread has its own', async () => {
    const script = `
      const { Worker, isMainThread, threadId } = require('node:worker_threads');
      const { subscribe } = require('node:diagnostics_channel');
      (async () => {
        subscribe('offloop:task:asyncEnd', (span) => console.log(threadId, span.operation, span.id));
        await offloop.getWorkerPool().exec('noop');
        const run = "require('node:diagnostics_channel').subscribe('offloop:task:asyncEnd', (span) => require('node:worker_threads').parentPort.postMessage([span.operation, span.id]));"
          + "require(" + JSON.stringify(require.resolve(${JSON.stringify(require.resolve('..'))})) + ").getWorkerPool().clone(1)";
        const worker = new Worker(run, { eval: true });
        worker.on('message', ([operation, id]) => { console.log('worker', operation, id > 2 ** 32); worker.terminate(); offloop.getWorkerPool().shutdown(); });
      })();`;
    const { stdout, stderr } = await runScript(script);
    assert.equal(stdout, '0 noop 1\nworker clone true\n', stderr);
  });
});

describe('sizes of values', () => {
  it('are about right, and take bounded time', () => {
    assert.equal(sizeOf('x'.repeat(9)), 9);
    assert.equal(sizeOf(Buffer.alloc(17)), 17);
    assert.equal(sizeOf([Buffer.alloc(17), Buffer.alloc(3)]), 28);
    assert.equal(sizeOf({ key: 'text', list: [1, 2] }), 8 + 3 + 4 + 4 + 8 + 16);
    const rows = Array.from({ length: 1_000_000 }, () => 'x'.repeat(100));
    const start = performance.now();
    const size = sizeOf(rows);
    assert.ok(performance.now() - start < 100);
    assert.ok(Math.abs(size / 1e8 - 1) < 0.1, String(size));
    const cycle = { self: /** @type {unknown} */ (undefined) };
    cycle.self = cycle;
    assert.ok(sizeOf(cycle) > 0);
  });

  it('run no code of the value’s', () => {
    const trap = () => assert.fail('it was asked');
    const value = { get text() { return trap(); }, proxy: new Proxy({}, { get: trap, ownKeys: trap, getOwnPropertyDescriptor: trap }) };
    assert.ok(sizeOf(value) > 0);
  });
});

it('the shared pool is traced like others', async () => {
  const heard = listen(['asyncEnd']);
  await getWorkerPool().exec('noop');
  await getWorkerPool().shutdown();
  assert.equal(heard[0][1].operation, 'noop');
});
