import type { CompressOptions, StatsOf } from './compress.js';
import type { ConvertOptions, Converted } from './convert.js';
import type { WorkerPool } from './pool.js';
import type { TaskOptions } from './task.js';
import type { TokenOptions } from './tokens.js';

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
