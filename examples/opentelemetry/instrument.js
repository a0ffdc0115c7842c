'use strict';

const { tracingChannel } = require('node:diagnostics_channel');
const { SpanStatusCode, context, trace } = require('@opentelemetry/api');

/**
 * Makes an OpenTelemetry span of each call of offloop's pools, in the trace of the span that is active at the call, or of the
 * `traceparent` in its options.
 *
 * @param {import('@opentelemetry/api').TracerProvider} [provider] the one that is registered
 * @returns {() => void} ends it
 */
function instrumentOffloop(provider = trace) {
  const tracer = provider.getTracer('offloop');
  /** @type {WeakMap<import('../..').TaskSpan, import('@opentelemetry/api').Span>} */
  const spans = new WeakMap();
  const channel = tracingChannel('offloop:task');
  const subscribers = {
    /** @param {import('../..').TaskSpan} task */
    start(task) {
      const { operation, inline, priority, startTime } = task;
      const attributes = { 'offloop.operation': operation, 'offloop.inline': inline, 'offloop.priority': priority };
      spans.set(task, tracer.startSpan(`offloop ${operation}`, { startTime, attributes }, parentOf(task)));
    },
    end() {},
    asyncStart() {},
    /** @param {import('../..').TaskSpan} task */
    asyncEnd(task) {
      const span = spans.get(task);
      if (span === undefined) return;
      span.setAttributes({
        'offloop.bytes': task.bytes,
        'offloop.cross_in_ms': task.crossIn,
        'offloop.wait_ms': task.wait,
        'offloop.run_ms': task.run,
        'offloop.cross_out_ms': task.crossOut,
      });
      const error = /** @type {any} */ (task.error);
      if (error !== undefined) {
        span.recordException(error);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error?.message });
      }
      span.end(task.startTime + task.duration);
    },
    error() {},
  };
  const all = /** @type {any} */ (subscribers);
  channel.subscribe(all);
  return () => void channel.unsubscribe(all);
}

/** @param {import('../..').TaskSpan} task */
function parentOf({ traceparent, traceId, parentSpanId }) {
  const active = context.active();
  if (traceparent === undefined || traceId === undefined || parentSpanId === undefined) return active;
  if (trace.getSpanContext(active)?.spanId === parentSpanId) return active;
  return trace.setSpanContext(active, { traceId, spanId: parentSpanId, traceFlags: parseInt(traceparent.slice(53, 55), 16), isRemote: true });
}

module.exports = { instrumentOffloop };
