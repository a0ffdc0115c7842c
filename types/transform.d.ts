import type { Message } from './compress.js';
import type { WorkerPool } from './pool.js';
import type { TaskOptions } from './task.js';
import type { TokenOptions } from './tokens.js';

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

/** `getWorkerPool().transform(messages, options)`. */
export function asyncTransform<M extends object>(messages: readonly M[], options?: TransformOptions): Promise<TransformResult<M>>;

/** {@link WorkerPool.transform} on the spot; it estimates the tokens. */
export function syncTransform<M extends object>(messages: readonly M[], options?: TransformOptions): TransformResult<M>;
