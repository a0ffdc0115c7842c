'use strict';

// Calls in OpenTelemetry's traces, by the example, with the SDK's exporter in memory.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { after, beforeEach, describe, it } = require('node:test');
const { SpanStatusCode, context, trace } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');

const { WorkerPool } = require('..');
const { instrumentOffloop } = require('../examples/opentelemetry/instrument');
const { traceContext } = require('../lib/trace-context');

const LARGE = JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, text: `row ${id}` })));

describe('OpenTelemetry', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  const stop = instrumentOffloop();
  const pool = new WorkerPool({ size: 2 });
  const tracer = provider.getTracer('test');

  beforeEach(() => exporter.reset());
  after(async () => {
    stop();
    await pool.shutdown();
    trace.disable();
    context.disable();
  });

  it('has a span for each call, within the one that is active', async () => {
    const before = Date.now();
    const parent = await tracer.startActiveSpan('request', async (span) => {
      await Promise.all([pool.parse(LARGE), pool.clone([1])]);
      span.end();
      return span.spanContext();
    });
    const spans = exporter.getFinishedSpans();
    assert.deepEqual(spans.map(({ name }) => name).sort(), ['offloop clone', 'offloop parse', 'request']);
    const parse = spans.find(({ name }) => name === 'offloop parse');
    assert.ok(parse !== undefined);
    assert.equal(parse.spanContext().traceId, parent.traceId);
    assert.equal(parse.parentSpanContext?.spanId, parent.spanId);
    assert.equal(parse.parentSpanContext?.isRemote, undefined);
    const { attributes } = parse;
    assert.deepEqual([attributes['offloop.operation'], attributes['offloop.inline'], attributes['offloop.priority']], ['parse', false, 'interactive']);
    assert.ok(Number(attributes['offloop.bytes']) >= LARGE.length);
    for (const name of ['cross_in', 'wait', 'run', 'cross_out']) assert.ok(Number(attributes[`offloop.${name}_ms`]) > 0, name);
    const [start, duration] = [parse.startTime, parse.duration].map(([seconds, nanos]) => seconds * 1e3 + nanos / 1e6);
    assert.ok(start >= before - 5 && start + duration <= Date.now() + 5, 'on the clock of others');
    assert.ok(duration >= Number(attributes['offloop.run_ms']));
  });

  it('has those of a caller elsewhere in its trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await tracer.startActiveSpan('unrelated', async (span) => {
      await pool.parse(LARGE, { traceparent });
      span.end();
    });
    const [parse] = exporter.getFinishedSpans();
    assert.equal(parse.spanContext().traceId, '0af7651916cd43dd8448eb211c80319c');
    assert.deepEqual([parse.parentSpanContext?.spanId, parse.parentSpanContext?.isRemote], ['b7ad6b7169203331', true]);
  });

  it('has what is outside of any trace in one of its own', async () => {
    await pool.parse(LARGE);
    const [parse] = exporter.getFinishedSpans();
    assert.equal(parse.parentSpanContext, undefined);
  });

  it('has errors', async () => {
    await assert.rejects(pool.parse('{'));
    const [{ status, events }] = exporter.getFinishedSpans();
    assert.equal(status.code, SpanStatusCode.ERROR);
    assert.equal(events[0].name, 'exception');
    assert.equal(events[0].attributes?.['exception.type'], 'ERR_JSON_SYNTAX');
  });

  it('shows its trace in spans, without being asked', () => {
    tracer.startActiveSpan('request', (span) => {
      const { traceId, spanId } = span.spanContext();
      assert.deepEqual(traceContext(), { traceparent: `00-${traceId}-${spanId}-01`, traceId, parentSpanId: spanId });
      span.end();
    });
  });

  it('has an example that runs', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(__dirname, '..', 'examples', 'opentelemetry', 'main.js')], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n').map((line) => /(?:offloop |POST )\S+/.exec(line)?.[0]), [
      'offloop parse', 'offloop clone', 'offloop stringify', 'POST /chat',
    ]);
  });
});
