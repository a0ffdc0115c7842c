import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Document } from './document.js';
import type { WorkerPool } from './pool.js';
import type { TaskOptions } from './task.js';

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

export interface InFlightOptions {
  /** Bytes of all requests that have no answer yet: a number, or one with a unit. `'512mb'`. */
  maxBytes?: number | string;
  /** Requests without an answer. Any number. */
  maxRequests?: number;
  /** Milliseconds for which a request waits, its body unread, before it may be refused; 1000. */
  waitMs?: number;
  /** What a body counts that does not say its length. `'1mb'`. */
  chunkedBytes?: number | string;
}

/** What a service has taken on. */
export interface InFlight {
  bytes: number;
  requests: number;
  /** Requests that are neither taken nor refused yet. */
  waiting: number;
  /** Requests refused since the start. */
  refused: number;
}

/**
 * Middleware that bounds what a service takes on at a time: beyond it requests wait, and are then refused with 503 and `Retry-After`,
 * a few at a time, as a refused body must be read as well. A body counts as long as it says it is, from its headers until its answer is
 * out.
 * @throws {TypeError} `ERR_INVALID_ARG`, naming the option that is wrong.
 */
export function limitInFlight(options?: InFlightOptions): Middleware & { readonly inFlight: InFlight };

export interface SendOptions extends TaskOptions {
  /** The process-wide pool. */
  pool?: WorkerPool;
}

/**
 * In place of `res.json(value)`: the same status, headers, ETag and body, with the text made off the event loop. A Document
 * is sent as its bytes. Resolves when the answer is handed to the connection; rejects where the value has no JSON form.
 */
export function send(res: ServerResponse, value: unknown, options?: SendOptions): Promise<void>;
