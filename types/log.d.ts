import type { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';

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
