import type { WorkerPool } from './pool.js';
import type { TaskOptions } from './task.js';

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

/** `getWorkerPool().compress(messages, { ...options, tools })`, which never rejects: the messages come back as they are. */
export function compressMessages<M extends Message>(
  messages: readonly M[],
  tools?: object[] | null,
  options?: CompressOptions,
): Promise<CompressResult<M[], CompressStats | CompressSkipped | TruncateStats>>;

/** `getWorkerPool().retrieve(hash, { query, maxResults })`, which never rejects. */
export function ccrRetrieve(hash: string, query?: string | null, maxResults?: number): Promise<RetrieveResult>;
