'use strict';

// A request of a service, in memory: what its trace has of offloop.

const { context, trace } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');

const { getWorkerPool } = require('../..');
const { instrumentOffloop } = require('./instrument');

async function main() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  instrumentOffloop();

  const pool = getWorkerPool();
  const text = JSON.stringify({ messages: Array.from({ length: 500 }, (_, id) => ({ role: 'user', content: `message ${id}` })) });
  await provider.getTracer('service').startActiveSpan('POST /chat', async (request) => {
    const body = await pool.parse(text);
    const copy = await pool.clone(body);
    await pool.stringify(copy, { as: 'buffer' });
    request.end();
  });
  await pool.shutdown();

  for (const span of exporter.getFinishedSpans()) {
    const [seconds, nanos] = span.duration;
    const parent = span.parentSpanContext === undefined ? '' : `  in ${span.parentSpanContext.spanId}`;
    console.log(`${span.spanContext().spanId}  ${span.name.padEnd(18)} ${(seconds * 1e3 + nanos / 1e6).toFixed(3).padStart(8)} ms${parent}`);
  }
}

main();
