import type { EventEmitter } from 'node:events';
import type { CompressOptions, CompressResult, Message, RetrieveOptions, RetrieveResult, StatsOf, StoreOptions } from './compress.js';
import type { ConvertOptions, Converted } from './convert.js';
import type { Document } from './document.js';
import type { EmbedOptions, Match } from './embed.js';
import type { SlowCall } from './spans.js';
import type { PoolStats } from './stats.js';
import type { JsonSyntaxError, ReadOptions, StringifyOptions, TaskOptions } from './task.js';
import type { TokenInput, TokenOptions } from './tokens.js';
import type { TransformOptions, TransformResult, TruncateOptions } from './transform.js';

/** Options of a pool. Each has an environment variable as its default; an option wins. */
export interface PoolOptions {
  /** Threads. `WORKER_POOL_SIZE`; 0, the default: one less than the CPUs available, at least two. */
  size?: number;
  /**
   * Processes on this machine that have such a pool, as the workers of a cluster. `WORKER_PROCESSES`, 1. Where `size` is 0, each has one
   * thread less than its share of the CPUs, at least one.
   */
  processes?: number;
  /** Milliseconds a task may run, counted from the start of its execution. `WORKER_TASK_TIMEOUT_MS`, 5000; 0: no limit. */
  taskTimeout?: number;
  /** Bytes below which an operation runs at once on the calling thread. `WORKER_OFFLOAD_THRESHOLD_BYTES`, 10000. */
  offloadThreshold?: number;
  /** Tasks that may wait. `WORKER_MAX_QUEUE`, 100000. Beyond it calls reject with `ERR_QUEUE_FULL`. */
  maxQueue?: number;
  /** Bytes that waiting and running tasks may hold. `WORKER_MAX_QUEUE_BYTES`, 512 MiB. */
  maxQueueBytes?: number;
  /** Milliseconds of the event loop that building one result may take at a stretch. `WORKER_MAX_BLOCK_MS`, 4. */
  maxBlockMs?: number;
  /** From how many milliseconds of the event loop at a stretch on a call is a `'slow'` event. `WORKER_SLOW_MS`, 50. */
  slowMs?: number;
  /**
   * A file that the calls are traced to, in the trace event format: Perfetto and chrome://tracing open it. `%p` becomes the
   * process's id. It is begun anew. `WORKER_TRACE_FILE`; none.
   */
  traceFile?: string;
  /**
   * Whether calls are entries of the performance timeline: measures called `offloop:parse` and so on, of each the last thousand
   * or so. `WORKER_PERFORMANCE_ENTRIES`, false.
   */
  performanceEntries?: boolean;
  /** Where originals of what `compress` shortens are kept. */
  store?: StoreOptions;
}

export interface ShutdownOptions {
  /** Whether accepted tasks may go on (default), or are rejected at once. */
  drain?: boolean;
  /** For how many milliseconds they may; 10000. What is left then rejects with `ERR_POOL_CLOSED`. */
  timeoutMs?: number;
}

export interface PoolEvents {
  /** There is room again after a call was refused with `ERR_QUEUE_FULL`. */
  drain: [];
  /** A thread died and was replaced. Nobody needs to listen. */
  error: [Error];
  /** A call had the event loop for longer than `slowMs` at a stretch. Calls are timed while somebody listens. */
  slow: [SlowCall];
}

/** Types of tasks that `exec` knows, with what they take and give. */
export interface TaskTypes {
  parse: { payload: string | Uint8Array | readonly Uint8Array[]; result: unknown };
  load: { payload: string | Uint8Array | readonly Uint8Array[]; result: Document };
  stringify: { payload: unknown; result: string | undefined };
  clone: { payload: unknown; result: unknown };
  compress: { payload: { messages: readonly Message[] | Document; options?: CompressOptions }; result: CompressResult<any, any> };
  retrieve: { payload: { hash: string; options?: RetrieveOptions }; result: RetrieveResult };
  embed: { payload: { texts: string | readonly string[]; options?: EmbedOptions }; result: Float32Array[] };
  similar: { payload: { query: Float32Array; matrix: Float32Array; k: number }; result: Match[] };
  convert: { payload: { body: object | Document; options: ConvertOptions }; result: object };
  transform: { payload: { messages: readonly object[]; options?: TransformOptions }; result: TransformResult<object> };
  truncate: { payload: { content: string; maxLength: number; options?: TruncateOptions }; result: string };
  countTokens: { payload: { input: TokenInput; options?: TokenOptions }; result: number };
  encode: { payload: { text: string; options?: TokenOptions }; result: Uint32Array };
  decode: { payload: { tokens: Uint32Array | readonly number[]; options?: TokenOptions }; result: string };
  log: { payload: { level: string; msg: string; data?: object }; result: string };
  noop: { payload: undefined; result: void };
}

export type TaskType = keyof TaskTypes;

/** A pool of native threads for CPU work. */
export class WorkerPool extends EventEmitter<PoolEvents> {
  /** @throws {TypeError} `ERR_INVALID_ARG`, naming the option or variable that is wrong. */
  constructor(options?: PoolOptions);

  /** Threads. */
  readonly size: number;
  readonly offloadThreshold: number;
  readonly maxBlockMs: number;
  readonly slowMs: number;

  /** Starts all threads now; otherwise they start as tasks need them. */
  initialize(): Promise<void>;

  /** Runs the operation called `type`. */
  exec<T extends TaskType>(type: T, payload?: TaskTypes[T]['payload'], options?: TaskOptions): Promise<TaskTypes[T]['result']>;

  /**
   * `JSON.parse`, with the text read off the calling thread. Bytes are read as `buffer.toString()` reads them; a list
   * of chunks is one text. Malformed JSON rejects with a {@link JsonSyntaxError}.
   */
  parse<T = any>(json: string | Uint8Array | readonly Uint8Array[], options?: ReadOptions): Promise<T>;

  /** Reads JSON as {@link parse} does, but keeps it in native memory, off the heap. */
  load(json: string | Uint8Array | readonly Uint8Array[], options?: ReadOptions): Promise<Document>;

  /** `JSON.stringify`. The value is read at the call; what changes afterwards does not show. */
  stringify(value: unknown, options: StringifyOptions & { as: 'buffer' }): Promise<Buffer | undefined>;
  stringify(value: object | string | number | boolean | null, options?: StringifyOptions & { as?: 'string' }): Promise<string>;
  stringify(value: unknown, options?: StringifyOptions & { as?: 'string' }): Promise<string | undefined>;

  /** `structuredClone`. The value is read at the call. */
  clone<T>(value: T, options?: TaskOptions): Promise<T>;

  /**
   * Shortens the messages of a conversation; never adds, removes or reorders any. Messages that stay as they are keep their
   * identity. What the same messages become does not depend on those that follow. When something fails, the messages come
   * back as they are, and `stats` says why; it rejects only when it is aborted, the arguments are wrong, or the pool is
   * closed or full.
   */
  compress<M extends Message, O extends CompressOptions>(messages: readonly M[], options?: O): Promise<CompressResult<M[], StatsOf<O>>>;
  compress<O extends CompressOptions>(messages: Document, options?: O): Promise<CompressResult<Document, StatsOf<O>>>;

  /** The original of a text that was shortened, by the hash in its marker, or what a query finds in it. */
  retrieve(hash: string, options?: RetrieveOptions): Promise<RetrieveResult>;

  /**
   * A request or response body in one provider's format as another's: system prompts, tools and choices, tool calls and results, images,
   * files, thinking, stop reasons, usage. The body is read before the call returns, and not changed; a Document is converted without
   * being built. What the other format has no place for is named in `warnings`. Rejects with `ERR_INVALID_ARG` for a body that is not in
   * the format it is said to be in, or mixes formats.
   */
  convert(body: Document, options: ConvertOptions): Promise<Document & Converted>;
  convert<T extends object = any>(body: object, options: ConvertOptions): Promise<T & Converted>;

  /**
   * Texts as vectors of length one (of no length for a text without words). By `'hash'` they are alike for texts that share words or
   * forms of them, and the same everywhere and always; by a model, for texts that mean something alike. A model is loaded by the first
   * call that names it, once in a process. Rejects with `ERR_MODEL_NOT_FOUND` if its files are missing or damaged.
   */
  embed(texts: string | readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;

  /** Lets go of a model that `embed` has loaded, for all pools of the process; whether there was one. The next call loads it anew. */
  unloadModel(model: string): Promise<boolean>;

  /**
   * The `k` rows of a matrix with the largest cosine to `query`, best first. Rows are as long as `query` and lie one after the
   * other; the matrix is read where it is, so it must not be changed before the promise is settled.
   */
  similar(query: Float32Array, matrix: Float32Array, k: number, options?: TaskOptions): Promise<Match[]>;

  /** Shortens a conversation by fixed rules: long texts, repeated tool results, code blocks. */
  transform<M extends object>(messages: readonly M[], options?: TransformOptions): Promise<TransformResult<M>>;

  /** The first `maxLength` characters of a text and a marker, or the text if it has no more. */
  truncate(content: string, maxLength: number, options?: TruncateOptions): Promise<string>;

  /**
   * The number of tokens, exactly: of a text, or of messages and bodies with what chat formats add to their texts, which is
   * 3 for each message, 1 for a name, 3 for the beginning of the reply, 85 for an image, and the figures of OpenAI's cookbook for tool
   * definitions. What looks like a special token is text. What was counted before costs next to nothing: messages are
   * known by identity and contents, texts by contents.
   */
  countTokens(input: TokenInput, options?: TokenOptions): Promise<number>;

  /** The same if it is at most `limit`, else false: counting stops there. */
  countTokensUpTo(input: TokenInput, limit: number, options?: TokenOptions): Promise<number | false>;

  /** The tokens of a text. */
  encode(text: string, options?: TokenOptions): Promise<Uint32Array>;

  /** The text of tokens, with U+FFFD where their bytes are no UTF-8. */
  decode(tokens: Uint32Array | readonly number[], options?: TokenOptions): Promise<string>;

  /** One JSON line, without a newline, of level, time, message and the fields of `data`. */
  formatLog(level: string, msg: string, data?: object | null, options?: TaskOptions): Promise<string>;

  getStats(): PoolStats;

  /** All that is counted and measured, in Prometheus's text format: histograms of waiting and running times, memory, log lines. */
  metrics(): string;

  /**
   * Stops accepting tasks, lets accepted ones go on for a while, rejects what is left with `ERR_POOL_CLOSED`; resolves
   * when every promise is settled.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;

  [Symbol.asyncDispose](): Promise<void>;
}

/** The process-wide pool, shared by all `worker_threads`. Options count on the first call. */
export function getWorkerPool(options?: PoolOptions): WorkerPool;

/** Whether the process-wide pool is up: its threads have started and it has not been shut down. */
export function isWorkerPoolReady(): boolean;

/** `getWorkerPool().getStats()`. */
export function getPoolStats(): PoolStats;

/** `getWorkerPool().parse(json, options)`. */
export function asyncParse<T = any>(json: string | Uint8Array | readonly Uint8Array[], options?: TaskOptions): Promise<T>;

/** `getWorkerPool().stringify(value, options)`. */
export const asyncStringify: WorkerPool['stringify'];

/** `getWorkerPool().clone(value, options)`. */
export function asyncClone<T>(value: T, options?: TaskOptions): Promise<T>;

/** `structuredClone`, at once. */
export function syncClone<T>(value: T): T;

/** Bytes from which a pool without options offloads: `WORKER_OFFLOAD_THRESHOLD_BYTES`, or 10000. */
export const OFFLOAD_THRESHOLD: number;
