/// <reference types="node" />

import { EventEmitter } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { Transform, Writable } from 'node:stream';

/** How to run one operation. */
export interface TaskOptions {
  /** Gives up on the call: it rejects with an `AbortError` whose `cause` is the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds from the start of execution, instead of the pool's `taskTimeout`; 0: none. */
  timeout?: number;
  /** `bulk` tasks let `interactive` ones, the default, go ahead, but are never starved. */
  priority?: 'interactive' | 'bulk';
}

/** Options of a pool. Each has an environment variable as its default; an option wins. */
export interface PoolOptions {
  /** Threads. `WORKER_POOL_SIZE`; 0, the default: one less than the CPUs available, at least two. */
  size?: number;
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
  /** Where originals of what `compress` shortens are kept. */
  store?: StoreOptions;
}

export interface ShutdownOptions {
  /** Whether accepted tasks may go on (default), or are rejected at once. */
  drain?: boolean;
  /** For how many milliseconds they may; 10000. What is left then rejects with `ERR_POOL_CLOSED`. */
  timeoutMs?: number;
}

/** Codes of the errors that calls reject with. An abort has `ABORT_ERR`, malformed JSON `ERR_JSON_SYNTAX`. */
export type ErrorCode =
  | 'ABORT_ERR'
  | 'ERR_INVALID_ARG'
  | 'ERR_INVALID_STATE'
  | 'ERR_JSON_SYNTAX'
  | 'ERR_MODEL_NOT_FOUND'
  | 'ERR_POOL_CLOSED'
  | 'ERR_QUEUE_FULL'
  | 'ERR_STORE'
  | 'ERR_TASK_PANIC'
  | 'ERR_TASK_TIMEOUT'
  | 'ERR_TOO_LARGE'
  | 'ERR_UNKNOWN_TASK';

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

export interface StringifyOptions extends TaskOptions {
  /** `JSON.stringify`'s third argument. */
  space?: number | string;
}

/** A message of an OpenAI chat or of Anthropic's messages. */
export interface Message {
  role?: string;
  content?: unknown;
  [key: string]: unknown;
}

/**
 * How `compress` shortens messages. By default it writes tool results shorter without losing anything, and leaves out what
 * tells least of those that are still too long: the longer a result, the smaller the part that is kept.
 */
export interface CompressOptions extends TaskOptions {
  /**
   * `auto`, the default; `lossless`: nothing is left out; `truncate`: a plain rule instead, which cuts assistant text at 5000
   * UTF-16 units and tool text at 3000 and takes none of the options below.
   */
  mode?: 'auto' | 'lossless' | 'truncate';
  /** Whose tokens `exactTokens` counts: those of `o200k_base` unless the model has others. */
  model?: string;
  /** Tokens that the model takes: a `tokenBudget` by another name; the smaller one counts. */
  modelLimit?: number;
  /**
   * Tokens that the messages, and `tools` if they are given, may have. Results are shortened further until they fit, as far
   * as that can be; `stats.tokens_after` says how far. The beginning then depends on the whole conversation.
   */
  tokenBudget?: number;
  /** The part of its tokens that each result is to keep, above 0, at most 1. */
  targetRatio?: number;
  /** What the reader is after, in place of the user's text and the tool call that led to a result. */
  queryContext?: string;
  /**
   * The last so many turns stay as they are, each of which begins with a user's text; 0. A window that moves changes what was
   * sent before, and with it the provider's prompt cache.
   */
  preserveRecentTurns?: number;
  /** Definitions of tools, which count for a budget and are handed back. */
  tools?: object[];
  /** Results of fewer tokens stay as they are; 40. */
  minTokens?: number;
  /** Whether originals are kept for {@link WorkerPool.retrieve}; true. Without, markers have no hash. */
  reversible?: boolean;
  /** The result so far is given after so many milliseconds. Never an error. */
  deadlineMs?: number;
  /** Whether `stats` counts tokens exactly rather than estimating them to a few per cent; false. */
  exactTokens?: boolean;
  /** Whether results of earlier calls are used, and these kept; true. */
  cache?: boolean;
}

export interface RetrieveOptions extends TaskOptions {
  /** What to look for; without, the whole original is given. */
  query?: string;
  /** Matches at most; 20. */
  maxResults?: number;
}

/** What {@link WorkerPool.retrieve} found. */
export interface RetrieveResult {
  /** False where nothing is kept for the hash; `error` says so. */
  success: boolean;
  /** The original to the last character, or the matches in its order, one on each line. */
  content?: string;
  /** Matches; items of the original, or its lines, where it is given as a whole. */
  itemsRetrieved: number;
  wasSearch: boolean;
  error?: string;
}

/** Where originals are kept: in memory that the process shares, or in a file that outlives it. */
export interface StoreOptions {
  /** A file, made where there is none; one process at a time can have it open. `WORKER_STORE_PATH`. */
  path?: string;
  /** What was used least recently goes beyond it. `WORKER_STORE_MAX_BYTES`; 128 MiB in memory, 1 GiB in a file. */
  maxBytes?: number;
  /** Milliseconds after its last use that an original is kept. `WORKER_STORE_TTL_MS`; 4 hours in memory, 7 days in a file. */
  ttlMs?: number;
}

/** Milliseconds. */
export interface Quantiles {
  p50: number;
  p99: number;
  max: number;
}

export interface OperationStats {
  count: number;
  /** From the call until a thread took the task. */
  waitTime: Quantiles;
  /** On the thread. */
  runTime: Quantiles;
}

/** Counts since the pool's threads were made; the process-wide pool's are those of all threads that share it. */
/** Native memory that texts and results are written to. It is kept for reuse, and freed when nobody asks for it. */
export interface MemoryStats {
  /** Bytes of texts that are being read, and of Documents. */
  inUse: number;
  /** Bytes kept for reuse; after a second or two without use they go back to the system. */
  kept: number;
  /** Bytes that are kept at most. */
  limit: number;
  /** Times that memory was asked for and there was some to reuse. */
  hits: number;
  /** Times that there was none. */
  misses: number;
  /** Bytes given back to the system since nobody asked for them. */
  trimmed: number;
}

export interface PoolStats {
  /** Operations that succeeded, offloaded or inline. */
  tasksProcessed: number;
  /** Tasks that found every thread busy and had to wait. */
  tasksQueued: number;
  /** Operations that failed, panics among them. */
  tasksFailed: number;
  tasksTimedOut: number;
  tasksAborted: number;
  tasksPanicked: number;
  /** Calls refused with `ERR_QUEUE_FULL`. */
  tasksRejected: number;
  /** Tasks given up at a shutdown. */
  tasksClosed: number;
  /** Threads that died and were replaced. */
  workersRestarted: number;
  /** Milliseconds on a thread, the mean over all tasks that ran. */
  avgProcessingTime: number;
  /** Threads at most. */
  poolSize: number;
  /** Threads started so far. */
  threads: number;
  /** Threads at work. */
  activeWorkers: number;
  /** Tasks waiting for a thread. */
  queueLength: number;
  /** Tasks waiting or running. */
  pendingTasks: number;
  /** Bytes that waiting and running tasks hold. */
  queueBytes: number;
  /** Operations that this pool object ran on the calling thread. */
  inlined: number;
  /** Tasks given to the threads. */
  offloaded: number;
  /** Documents alive that were loaded through this pool object, and the bytes of native memory they hold. */
  documents: { count: number; bytes: number };
  /** Native memory for texts and results, of all pools of the process. */
  memory: MemoryStats;
  /** How often tokens were counted for models whose encoding is not known, as `o200k_base`; by name. */
  unknownModels: Record<string, number>;
  operations: Record<string, OperationStats>;
}

/** What became of a message. */
export interface MessageReport {
  index: number;
  /** What was done to one of its texts; of several, what changes most. */
  action: 'kept' | 'lossless' | 'lossy' | 'repeated';
  /** What was done, or why nothing was: `json_table`, `user text`, `short`, `deadline`, … */
  reason: string;
  tokens_before: number;
  tokens_after: number;
}

export interface CompressStats {
  skipped?: undefined;
  original_count: number;
  compressed_count: number;
  /** Of contents and tool calls. */
  tokens_before: number;
  tokens_after: number;
  tokens_saved: number;
  savings_percent: number;
  /** Tokens after by tokens before. */
  compression_ratio: number;
  /** Milliseconds. */
  latency_ms: number;
  transforms_applied: string[];
  /** One for each message. */
  messages: MessageReport[];
}

/** Nothing was done: there were no messages, or something failed. */
export interface CompressSkipped {
  skipped: true;
  reason: string;
}

/** What mode `truncate` did. */
export interface TruncateStats {
  skipped?: undefined;
  original_count: number;
  compressed_count: number;
  /** UTF-16 units of the texts that have a limit. */
  chars_before: number;
  chars_after: number;
  /** Milliseconds. */
  latency_ms: number;
  transforms_applied: string[];
  /** The messages that were cut. */
  messages: { index: number; action: 'truncated'; reason: string; chars_before: number; chars_after: number }[];
}

/** The stats of a mode. */
export type StatsOf<O> = O extends { mode: 'truncate' } ? TruncateStats : CompressStats | CompressSkipped;

/** `compressed` is false when nothing was shortened. */
export interface CompressResult<M = Message[], S = CompressStats | CompressSkipped> {
  messages: M;
  /** Those of the options. */
  tools?: object[];
  compressed: boolean;
  /** Missing in mode `truncate` where there were no messages. */
  stats?: S;
}

export interface TruncateOptions extends TokenOptions {
  /** What `maxLength` and `tail` count; `'characters'`, UTF-16 units, by default. Tokens are counted exactly. */
  unit?: 'characters' | 'tokens';
  /** How much of `maxLength` is kept from the end of the text; 0. */
  tail?: number;
  /**
   * Where the text may be cut: `'any'` (default) between any two characters, `'lines'` between lines, `'auto'` between the items and
   * properties of JSON, which stays JSON, and between lines of all else. A line that takes more than half is cut all the same.
   */
  at?: 'any' | 'lines' | 'auto';
}

/** Lengths are UTF-16 units. No surrogate pair is split. */
export interface TransformOptions extends TaskOptions {
  /** Longer assistant texts are cut and marked; 5000. */
  maxAssistantLength?: number;
  /** Longer tool results keep whole JSON items and properties, or lines, and a note of what went; 3000. */
  maxToolResultLength?: number;
  /** The same for single tools, by name. */
  toolLimits?: Record<string, number>;
  /** The share, 0 to 1, of a limit that is kept from the end of a result that is not JSON; 0. */
  toolResultTail?: number;
  /** Whether long fenced code blocks of users keep their beginning and last three lines only; true. */
  truncateCode?: boolean;
  /** From which length on; 2000. */
  maxCodeBlockLength?: number;
  /** Whether a result that was there before gives way to a reference to its tool call; true. */
  deduplicateToolResults?: boolean;
}

export interface TransformResult<M extends object = Message> {
  /** Those that stay as they are keep their identity. */
  messages: M[];
  /** Whether anything changed. */
  transformed: boolean;
  stats: {
    originalCount: number;
    transformedCount: number;
    /** Tokens fewer, in `o200k_base`: what was taken away is counted, or, by `syncTransform`, estimated. */
    tokensReduced: number;
  };
}

/** A tokenizer of OpenAI's models. */
export type TokenEncoding = 'o200k_base' | 'cl100k_base';

export interface TokenOptions extends TaskOptions {
  /**
   * The model whose tokenizer to use, as requests name it; otherwise a body's own `model` decides. One that is not known has
   * `o200k_base`, and is noted in {@link PoolStats.unknownModels}.
   */
  model?: string;
  /** The encoding itself; wins over `model`. */
  encoding?: TokenEncoding;
}

/** What tokens are counted of: a text, a list of messages, a request body of any of the formats, or a Document of one of these. */
export type TokenInput = string | readonly object[] | object | Document;

export interface EmbedOptions extends TaskOptions {
  /** `'hash'`, the only one there is: feature hashing of words, pairs of words and runs of characters; needs no files. */
  model?: 'hash' | (string & {});
  /** Values of a vector; 384. */
  dimensions?: number;
}

/** A row of a matrix and its cosine. */
export interface Match {
  index: number;
  score: number;
}

/** OpenAI's chat completions, Anthropic's messages, OpenAI's Responses. */
export type Format = 'openai' | 'anthropic' | 'responses';

export interface ConvertOptions extends TaskOptions {
  from: Format;
  to: Format;
  /** What the body is; a request by default. */
  kind?: 'request' | 'response';
}

/** What a conversion could not say in the other format, or had to say in another way: a line each. Not enumerable. */
export interface Converted {
  readonly warnings: string[];
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

export interface PoolEvents {
  /** There is room again after a call was refused with `ERR_QUEUE_FULL`. */
  drain: [];
  /** A thread died and was replaced. Nobody needs to listen. */
  error: [Error];
}

/** What a value is, as JSON has it. */
export type JsonType = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/**
 * Immutable JSON in native memory, made by {@link WorkerPool.load}. What is not asked for never becomes a JavaScript
 * value. Its memory is freed when it is collected, or at once by {@link Document.dispose}; after that its methods throw,
 * or reject, with `ERR_INVALID_STATE`. When its pool has been shut down, it can still be read and changed, but what runs on
 * the pool rejects with `ERR_POOL_CLOSED`.
 */
export class Document {
  private constructor();

  /** Bytes of its JSON text, as {@link toBuffer} gives it. */
  readonly byteLength: number;

  /**
   * The value at a JSON Pointer (RFC 6901), built at once: `JSON.parse`'s answer for that part; undefined where nothing is.
   * @throws {TypeError} `ERR_INVALID_ARG` for what is no pointer.
   */
  get<T = any>(pointer: string): T;

  /** What is at a JSON Pointer, without building it; undefined where nothing is. */
  type(pointer: string): JsonType | undefined;

  /**
   * A Document with changes, made in the order of the keys, each a JSON Pointer; this one stays as it is, and shares with
   * the result all that is not changed. undefined removes, `/messages/-` appends, the empty pointer replaces the whole;
   * other values are taken as `JSON.stringify` has them at the call, or shared if they are Documents.
   * @throws {TypeError} `ERR_INVALID_ARG`, naming the pointer, where there is no place for a change, or the value has no
   * JSON form.
   */
  with(changes: Record<string, unknown>): Document;

  /** The same JSON, to be disposed of by itself. Takes no time and no memory. */
  clone(): Document;

  /** The whole value. */
  value<T = any>(options?: TaskOptions): Promise<T>;

  /**
   * Its JSON text without white space. What was not changed is copied as it was written: numbers keep their digits,
   * strings their escapes.
   */
  toBuffer(options?: TaskOptions): Promise<Buffer>;

  /**
   * A Document with its messages shortened: its own items, or those at `/messages` or `/input`. Rejects with
   * `ERR_INVALID_ARG` where there is no such list.
   */
  compress<O extends CompressOptions>(options?: O): Promise<Document & { stats?: StatsOf<O> }>;

  /** {@link WorkerPool.convert} of the body that it has. */
  convert(options: ConvertOptions): Promise<Document & Converted>;

  /** {@link WorkerPool.countTokens} of what it has: a text, a list of messages or a request body. */
  countTokens(options?: TokenOptions): Promise<number>;

  /** Frees its memory at once; what it shares with other Documents goes with the last of them. */
  dispose(): void;
  [Symbol.dispose](): void;

  /** Throws, and explains {@link toBuffer}. */
  toString(): never;
  /** Throws, and explains {@link toBuffer}. */
  toJSON(): never;
}

/** A pool of native threads for CPU work. */
export class WorkerPool extends EventEmitter<PoolEvents> {
  /** @throws {TypeError} `ERR_INVALID_ARG`, naming the option or variable that is wrong. */
  constructor(options?: PoolOptions);

  /** Threads. */
  readonly size: number;
  readonly offloadThreshold: number;
  readonly maxBlockMs: number;

  /** Starts all threads now; otherwise they start as tasks need them. */
  initialize(): Promise<void>;

  /** Runs the operation called `type`. */
  exec<T extends TaskType>(type: T, payload?: TaskTypes[T]['payload'], options?: TaskOptions): Promise<TaskTypes[T]['result']>;

  /**
   * `JSON.parse`, with the text read off the calling thread. Bytes are read as `buffer.toString()` reads them; a list
   * of chunks is one text. Malformed JSON rejects with a {@link JsonSyntaxError}.
   */
  parse<T = any>(json: string | Uint8Array | readonly Uint8Array[], options?: TaskOptions): Promise<T>;

  /** Reads JSON as {@link parse} does, but keeps it in native memory, off the heap. */
  load(json: string | Uint8Array | readonly Uint8Array[], options?: TaskOptions): Promise<Document>;

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
   * files, thinking, stop reasons, usage. Texts are shared, the argument is not changed. What the other format has no place for is
   * named in `warnings`. Rejects with `ERR_INVALID_ARG` for a body that is not in the format it is said to be in.
   */
  convert(body: Document, options: ConvertOptions): Promise<Document & Converted>;
  convert<T extends object = any>(body: object, options: ConvertOptions): Promise<T & Converted>;

  /**
   * Texts as vectors of length one (of no length for a text without words), alike for texts that share words or forms of them.
   * They are the same everywhere and always. Rejects with `ERR_MODEL_NOT_FOUND` for other models than `'hash'`.
   */
  embed(texts: string | readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;

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
  formatLog(level: string, msg: string, data?: object): Promise<string>;

  getStats(): PoolStats;

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

/**
 * A stream that turns the server-sent events of one provider's streamed reply into another's; bytes in, bytes out, cut anywhere. What is
 * no event of JSON is an error with the code `ERR_JSON_SYNTAX`, an event over 16 MB one with `ERR_TOO_LARGE`.
 * @throws {TypeError} `ERR_INVALID_ARG`
 */
export function convertStream(options: { from: Format; to: Format }): Transform;

/** `getWorkerPool().transform(messages, options)`. */
export function asyncTransform<M extends object>(messages: readonly M[], options?: TransformOptions): Promise<TransformResult<M>>;

/** {@link WorkerPool.transform} on the spot; it estimates the tokens. */
export function syncTransform<M extends object>(messages: readonly M[], options?: TransformOptions): TransformResult<M>;

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

/** `getWorkerPool().compress(messages, { ...options, tools })`, which never rejects: the messages come back as they are. */
export function compressMessages<M extends Message>(
  messages: readonly M[],
  tools?: object[] | null,
  options?: CompressOptions,
): Promise<CompressResult<M[], CompressStats | CompressSkipped | TruncateStats>>;

/** `getWorkerPool().retrieve(hash, { query, maxResults })`, which never rejects. */
export function ccrRetrieve(hash: string, query?: string | null, maxResults?: number): Promise<RetrieveResult>;

/** Options of {@link json}: express.json's, and what a pool makes possible. */
export interface JsonOptions {
  /** Most bytes of a body, inflated: a number, or text such as `'50mb'`. `'100kb'`. */
  limit?: number | string;
  /** Content types to read: `'application/json'`; names (`'json'`), suffixes (`'+json'`), wildcards, or a function. */
  type?: string | readonly string[] | ((req: any) => unknown);
  /** Whether to take bodies that are compressed with gzip, deflate, br or (where Node has it) zstd. True. */
  inflate?: boolean;
  /** Whether only objects and arrays are taken. True. */
  strict?: boolean;
  /** Looks at the bytes before they are parsed; what it throws is answered with 403. Joins the chunks of the body. */
  verify?: (req: any, res: any, body: Buffer, encoding: string) => void;
  /** `JSON.parse`'s second argument, for which the body is parsed on the main thread. */
  reviver?: (this: any, key: string, value: any) => any;
  /** `'utf-8'`. */
  defaultCharset?: string;
  /** What becomes of `req.body`: a value, or a {@link Document}. `'value'`. */
  as?: 'value' | 'document';
  /** The process-wide pool. */
  pool?: WorkerPool;
}

/** An error that {@link json} calls `next` with: body-parser's. */
export interface BodyError extends Error {
  /** 400, 403, 413 or 415; 503 where the pool is full, too slow or closed. */
  status: number;
  statusCode: number;
  /** Whether the message may be shown to the client. */
  expose: boolean;
  type?:
    | 'charset.unsupported'
    | 'encoding.unsupported'
    | 'entity.parse.failed'
    | 'entity.too.large'
    | 'entity.verify.failed'
    | 'request.aborted'
    | 'request.size.invalid'
    | 'service.unavailable'
    | 'stream.encoding.set'
    | 'stream.not.readable'
    | (string & {});
  /** The text that could not be parsed, made when it is asked for. */
  readonly body?: string | Buffer;
}

/** Middleware of Express 4 and 5, and of others that call it so. */
export type Middleware = (req: IncomingMessage & { body?: any }, res: ServerResponse, next: (error?: any) => void) => void;

/**
 * In place of `express.json()`: reads bodies of JSON into `req.body`, parsed off the event loop. The chunks of a body are
 * never joined.
 * @throws {TypeError} `ERR_INVALID_ARG`, naming the option that is wrong.
 */
export function json(options?: JsonOptions): Middleware;

export interface SendOptions extends TaskOptions {
  /** The process-wide pool. */
  pool?: WorkerPool;
}

/**
 * In place of `res.json(value)`: the same status, headers, ETag and body, with the text made off the event loop. A Document
 * is sent as its bytes. Resolves when the answer is handed to the connection; rejects where the value has no JSON form.
 */
export function send(res: ServerResponse, value: unknown, options?: SendOptions): Promise<void>;

export interface SignalOptions {
  /** Milliseconds for everything, 9000; then requests that are left are cut off, and stderr says how many. */
  timeoutMs?: number;
  /** Milliseconds for which the service goes on as ever, until load balancers have noticed; 0. */
  delayMs?: number;
  /** Milliseconds for which a connection that is silent is still listened to, as a request may be under way; 1000. */
  idleMs?: number;
  /** `['SIGTERM', 'SIGINT']`. */
  signals?: NodeJS.Signals[];
  /** Runs when the last request is answered, before the pools are drained. */
  onShutdown?: () => unknown;
}

/**
 * Has a service end well: on the first signal the server accepts nothing new and answers what it has accepted; then this
 * process's pools are drained, and the process exits with 0, upon which logs are written out. A second signal exits at
 * once. In a cluster's primary, for which the server may be left out, the workers are told to do the same, and waited for.
 * @returns a function that takes the handlers away.
 */
export function installSignalHandlers(server?: NetServer | null, options?: SignalOptions): () => void;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** When to begin a new log file: by size, by time, or both. */
export interface RotateOptions {
  /** Bytes that a file may have: a number, or one with a unit, such as `'10m'`. A longer line has a file of its own. */
  size?: number | string;
  /** `'hourly'`, `'daily'`, a time such as `'12h'`, or milliseconds. Files end at whole multiples of it, UTC. */
  interval?: number | string;
  /** Old files that stay; all of them by default. */
  keep?: number;
  /** What an old file has behind its name: a number that goes up, the default, or the date. */
  names?: 'number' | 'date';
  /** Whether to pack old files. */
  gzip?: boolean;
  /** The name of a link to the file that is written, in its folder. */
  current?: string;
}

/** Where lines go, and how. */
export interface LogFileOptions {
  /** A path, whose folder is made, or a file descriptor. `WORKER_LOG_FILE`, `logs/app.log`. */
  logFile?: string | URL | number;
  /** Lines that are written together. `WORKER_LOG_BUFFER_SIZE`, 100. */
  bufferSize?: number;
  /** Milliseconds that a line may wait for others. `WORKER_LOG_FLUSH_INTERVAL_MS`, 1000. */
  flushInterval?: number;
  /** Whether lines outlive the process, however it ends: the ring is a file, and the next start writes what was left. */
  durable?: boolean;
  /**
   * What happens when lines come faster than they can be written. `'block'`: the call waits, at most `blockTimeout`.
   * `'drop'`: lines are dropped, lower levels first. Either way a line in the log says how many were lost.
   */
  onOverflow?: 'block' | 'drop';
  /** Milliseconds. `WORKER_LOG_BLOCK_TIMEOUT_MS`, 1000. It is waited once; then lines are dropped until there is room. */
  blockTimeout?: number;
  /** Bytes that may wait to be written, a power of two: `'8m'`. */
  ringSize?: number | string;
  rotate?: RotateOptions;
}

export interface LoggerOptions extends LogFileOptions {
  /** Lines below it are not written. `WORKER_LOG_LEVEL`, `'info'`. */
  level?: LogLevel | 'silent';
  /** The fields' names and order: `{"level":"info","time":…,"msg":…}`, or as pino has them. `WORKER_LOG_FORMAT`. */
  format?: 'plain' | 'pino';
  /** ISO 8601, the default of `'plain'`, or milliseconds since 1970. */
  timestamp?: 'iso' | 'epoch';
  /** Fields that every line has; in `'pino'` format pid and hostname by default, null for none. */
  base?: object | null;
  /** Paths in `data` whose values are hidden: `'password'`, `'user.token'`, `'items[*].key'`. */
  redact?: readonly string[];
}

/** Counts since the log was opened. */
export interface LogStats {
  /** Lines taken, and lines not taken as the ring was full. */
  accepted: number;
  dropped: number;
  /** Lines in the file, and their bytes. */
  lines: number;
  bytes: number;
  batches: number;
  /** Attempts to write that failed. */
  failures: number;
  /** Damaged records, and ring files that were set aside. */
  torn: number;
  /** Lines that a killed process had left. */
  recovered: number;
  rotations: number;
  /** Bytes that wait to be written. */
  waiting: number;
}

export interface LogEvents {
  /** Lines cannot be written, told once until they can. They wait; nobody needs to listen. */
  error: [Error & { code: string }];
  /** They can be written again. */
  recovered: [];
  /** The ring is full, and lines are dropped. */
  drop: [];
}

/**
 * JSON lines to a file. A line is safe from everything but the death of the process when the call returns, and from that
 * too if the logger is `durable`; a thread of its own writes it, also while the event loop is blocked.
 *
 * The promise is fulfilled when the line is accepted, which is at once or never: it rejects with `ERR_QUEUE_FULL` when the
 * line was dropped, with `ERR_LOG_CLOSED` after {@link AsyncLogger.shutdown}. Nobody needs to wait for it.
 */
export class AsyncLogger extends EventEmitter<LogEvents> {
  /**
   * @throws {TypeError} `ERR_INVALID_ARG`, naming the option or variable that is wrong.
   * @throws {Error} with the system's code, where the file cannot be opened.
   */
  constructor(options?: LoggerOptions);

  get level(): LogLevel | 'silent';
  set level(level: LogLevel | 'silent');
  isLevelEnabled(level: LogLevel): boolean;

  /** `data` is read at the call; errors in it are described, and what has no JSON form leaves words that say so. */
  trace(msg: string, data?: object): Promise<void>;
  debug(msg: string, data?: object): Promise<void>;
  info(msg: string, data?: object): Promise<void>;
  warn(msg: string, data?: object): Promise<void>;
  error(msg: string, data?: object): Promise<void>;
  fatal(msg: string, data?: object): Promise<void>;
  log(level: LogLevel, msg: string, data?: object): Promise<void>;

  /** A logger for the same file whose lines have these fields, too. Events are its parent's. */
  child(bindings: object): AsyncLogger;

  /** Writes out all lines so far; rejects with the system's error where that fails, and goes on trying. */
  flush(): Promise<void>;
  flushSync(): void;
  /** Opens the file's path anew: after somebody has moved the file away. */
  reopen(): void;
  /** Writes out all lines so far and closes the file; a child only does the former. */
  shutdown(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;

  getStats(): LogStats;
}

export interface DestinationEvents extends LogEvents {
  finish: [];
  close: [];
}

/** Where pino, pino-http, pino.multistream, morgan and others that only call `write` send their lines. */
export interface Destination extends EventEmitter<DestinationEvents> {
  readonly writable: boolean;
  /** Takes a line, with its newline; whether it was accepted, which is not a matter of waiting. */
  write(line: string | Uint8Array): boolean;
  flush(callback: (error?: Error) => void): void;
  flush(): Promise<void>;
  flushSync(): void;
  reopen(): void;
  /** Writes out all lines so far and closes the file. */
  end(line: string | Uint8Array | undefined, callback: (error?: Error) => void): void;
  end(callback: (error?: Error) => void): void;
  end(line?: string | Uint8Array): Promise<void>;
  destroy(): void;
  getStats(): LogStats;
}

/** The same as a stream, for winston and others that look for one. */
export interface WritableDestination extends Writable {
  flush(callback: (error?: Error) => void): void;
  flush(): Promise<void>;
  flushSync(): void;
  reopen(): void;
  getStats(): LogStats;
}

/**
 * A log file for other loggers, as safe as {@link AsyncLogger}'s.
 * @throws {TypeError} `ERR_INVALID_ARG`, naming the option or variable that is wrong.
 * @throws {Error} with the system's code, where the file cannot be opened.
 */
export function destination(options: LogFileOptions & { writable: true }): WritableDestination;
export function destination(options?: LogFileOptions & { writable?: false }): Destination;
