import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import type { WorkerPool } from './index.js';

/** Fastify's JSON parser and serialiser, off the event loop. */
declare function plugin(fastify: FastifyInstance, options: plugin.Options, done: (error?: Error) => void): void;

declare namespace plugin {
  /** What to do about keys that reach for prototypes. */
  export type Action = 'error' | 'remove' | 'ignore';

  export interface Options {
    /** Content types of JSON: `'application/json'`. */
    types?: string | string[];
    /** What becomes of `request.body`: a value, or a Document. `'value'`. */
    as?: 'value' | 'document';
    /** Whether bodies may be compressed with gzip, deflate, br or (where Node has it) zstd. False, as in Fastify. */
    inflate?: boolean;
    /** Whether replies that have no serialiser of their own and no response schema are serialised off the event loop. True. */
    serialize?: boolean;
    /** Most bytes of a body, inflated; otherwise the route's limit. */
    bodyLimit?: number;
    /** As in Fastify's settings, which are the default. */
    onProtoPoisoning?: Action;
    /** As in Fastify's settings, which are the default. */
    onConstructorPoisoning?: Action;
    /** The process-wide pool. */
    pool?: WorkerPool;
  }

  /** For `import`. */
  const _default: FastifyPluginCallback<Options>;
  export { _default as default };
}

export = plugin;
