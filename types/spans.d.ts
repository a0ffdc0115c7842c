import type { AsyncLogger } from './log.js';

/** A call that had the event loop for long. */
export interface SlowCall {
  /** Its span's. */
  id: number;
  operation: string;
  /** Bytes that were handed in; about, of values. */
  bytes: number;
  /** Milliseconds at a stretch, the longest of the call's. */
  ms: number;
  /** What took so long. */
  phase: TaskBlock['phase'];
  /** The pool's `slowMs`. */
  limit: number;
  traceparent: string | undefined;
}

/** A stretch of time for which a call had the event loop. Milliseconds, on the clock of `performance.now()`. */
export interface TaskBlock {
  /** Taking the arguments in, handing the result out, or all of a call that runs on the calling thread. */
  phase: 'in' | 'out' | 'inline';
  start: number;
  duration: number;
}

/**
 * One call of a pool, as subscribers of the diagnostics channels `offloop:task:start`, `end`, `asyncStart`, `asyncEnd` and
 * `error` (`tracingChannel('offloop:task')` is the same) get it: one object from the beginning to the end of the call. `start` and
 * `end` are told when the arguments have been read, so that subscribers cannot change what the call sees. Times are milliseconds,
 * on the clock of `performance.now()`; all but `startTime` are complete at `asyncEnd`.
 */
export interface TaskSpan {
  /** Unique within the process. */
  readonly id: number;
  readonly operation: string;
  /** Whether it runs on the calling thread. */
  readonly inline: boolean;
  readonly priority: 'interactive' | 'bulk';
  /** The caller's trace. */
  readonly traceparent: string | undefined;
  readonly traceId: string | undefined;
  readonly parentSpanId: string | undefined;
  readonly startTime: number;
  /** Until the promise is settled. */
  readonly duration: number;
  /** Of the event loop, for handing the arguments in. */
  readonly crossIn: number;
  /** From the call until a pool thread took it. */
  readonly wait: number;
  /** On the pool thread, or on the calling thread if it is inline. */
  readonly run: number;
  /** Of the event loop, for handing the result out. */
  readonly crossOut: number;
  readonly blocks: readonly TaskBlock[];
  readonly longestBlock: TaskBlock | undefined;
  /** The pool thread that took it, from 0. */
  readonly thread: number | undefined;
  /** Bytes that the task holds; of a call that is inline what was handed in, about. */
  readonly bytes: number;
  /** What the promise is settled with. */
  readonly result?: unknown;
  readonly error: unknown;
  /** The figures alone, for lines and attributes. `error` is its code, or name. */
  toJSON(): TaskFigures;
}

/** The figures of a {@link TaskSpan}. */
export type TaskFigures = Pick<
  TaskSpan,
  'id' | 'operation' | 'inline' | 'bytes' | 'crossIn' | 'wait' | 'run' | 'crossOut' | 'duration' | 'traceId' | 'parentSpanId'
> & { error: string | undefined };

export interface LogTasksOptions {
  /** The method that is called; `'debug'`. */
  level?: string;
  /** Lines only for calls that took so many milliseconds, or failed; 0. */
  minMs?: number;
}

/**
 * Writes a line with {@link TaskFigures} to a logger for each call of this thread's pools: {@link AsyncLogger}, pino, winston, console,
 * or what has the same methods.
 * @returns a function that ends it.
 * @throws {TypeError} `ERR_INVALID_ARG`
 */
export function logTasks(logger: object, options?: LogTasksOptions): () => void;
