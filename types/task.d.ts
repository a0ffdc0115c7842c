import type { TaskSpan } from './spans.js';

/** How to run one operation. */
export interface TaskOptions {
  /** Gives up on the call: it rejects with an `AbortError` whose `cause` is the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds from the start of execution, instead of the pool's `taskTimeout`; 0: none. */
  timeout?: number;
  /** `bulk` tasks let `interactive` ones, the default, go ahead, but are never starved. */
  priority?: 'interactive' | 'bulk';
  /**
   * The caller's W3C trace context, as the header has it; by default that of the OpenTelemetry span that is active. It shows in
   * {@link TaskSpan}. What is malformed is ignored.
   */
  traceparent?: string;
}

export interface ReadOptions extends TaskOptions {
  /**
   * Whether the bytes are given up: whatever has an `ArrayBuffer` to itself is detached at the call, and its memory freed at
   * once, rather than when the collector gets to it. For the chunks of a request's body, which nobody else wants: a service
   * under load holds less memory, and collects less often. Has no effect below the pool's `offloadThreshold`.
   */
  transfer?: boolean;
}

export interface StringifyOptions extends TaskOptions {
  /** `JSON.stringify`'s third argument. */
  space?: number | string;
}

/** Codes of offloop's errors, whether rejected, thrown or emitted. An abort has `ABORT_ERR`, malformed JSON `ERR_JSON_SYNTAX`. */
export type ErrorCode =
  | 'ABORT_ERR'
  | 'ERR_BODY_LIMIT'
  | 'ERR_INVALID_ARG'
  | 'ERR_INVALID_STATE'
  | 'ERR_JSON_SYNTAX'
  | 'ERR_LOG_CLOSED'
  | 'ERR_LOG_WRITE'
  | 'ERR_MODEL_NOT_FOUND'
  | 'ERR_NO_BINARY'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_POOL_CLOSED'
  | 'ERR_QUEUE_FULL'
  | 'ERR_STORE'
  | 'ERR_TASK_PANIC'
  | 'ERR_TASK_TIMEOUT'
  | 'ERR_TOO_LARGE'
  | 'ERR_UNKNOWN_TASK'
  | 'ERR_WORKER_DIED';

/** What `parse` rejects with when the text is not JSON. */
export interface JsonSyntaxError extends SyntaxError {
  code: 'ERR_JSON_SYNTAX';
  /** UTF-16 units from the start of the text. */
  position: number;
  /** From 1. */
  line: number;
  /** UTF-16 units from the start of the line, from 1. */
  column: number;
}
