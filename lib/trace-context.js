'use strict';

// The caller's trace: W3C's traceparent, as an option or of the OpenTelemetry span that is active.

/** version - trace id - parent's span id - flags; later versions may have more behind it. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:$|-)/;

/** Where @opentelemetry/api has what was registered, and contexts their span. */
const API = Symbol.for('opentelemetry.js.api.1');
const ACTIVE_SPAN = Symbol.for('OpenTelemetry Context Key SPAN');

/** @typedef {{ traceparent: string, traceId: string, parentSpanId: string }} TraceContext */

/** @returns {string | undefined} */
function activeTraceparent() {
  try {
    const context = /** @type {any} */ (globalThis)[API]?.context?.active()?.getValue(ACTIVE_SPAN)?.spanContext();
    return context && `00-${context.traceId}-${context.spanId}-${Number(context.traceFlags).toString(16).padStart(2, '0')}`;
  } catch {
    return undefined; // Another version's.
  }
}

/**
 * @param {string} [given] A header's text, perhaps: what is no traceparent is ignored, as the standard has it.
 * @returns {TraceContext | undefined}
 */
function traceContext(given) {
  const traceparent = given ?? activeTraceparent();
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  return match === null ? undefined : { traceparent: match.input, traceId: match[1], parentSpanId: match[2] };
}

module.exports = { traceContext };
