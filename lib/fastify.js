'use strict';

/**
 * `offloop/fastify`: Fastify's JSON parser and serialiser, off the event loop. Errors are Fastify's own.
 */

const { Document } = require('./document');
const { invalidArgument } = require('./errors');
const { encodingOf, readBody, readStream } = require('./http/body');
const { ofPool, withStatus } = require('./http/errors');
const { withoutMark } = require('./http/json-body');
const native = require('./native');
const { getWorkerPool } = require('./pool');

/**
 * @typedef {import('./pool').WorkerPool} WorkerPool
 *
 * @typedef {object} FastifyOptions
 * @property {string | string[]} [types] 'application/json'
 * @property {'value' | 'document'} [as] 'value'
 * @property {boolean} [inflate] false, as in Fastify
 * @property {boolean} [serialize] true
 * @property {number} [bodyLimit] the route's, or Fastify's
 * @property {'error' | 'remove' | 'ignore'} [onProtoPoisoning] Fastify's
 * @property {'error' | 'remove' | 'ignore'} [onConstructorPoisoning] Fastify's
 * @property {WorkerPool} [pool]
 */

/** @type {Record<string, [status: number, message: string]>} */
const ERRORS = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'Request body is too large'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'Request body size did not match Content-Length'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, "Body cannot be empty when content-type is set to 'application/json'"],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, "Body is not valid JSON but content-type is set to 'application/json'"],
};

/** What body-parser's types of errors are called here. @type {Record<string, string>} */
const CODES = {
  'entity.too.large': 'FST_ERR_CTP_BODY_TOO_LARGE',
  'request.size.invalid': 'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
  'entity.parse.failed': 'FST_ERR_CTP_INVALID_JSON_BODY',
};

const ACTIONS = new Set(['error', 'remove', 'ignore']);

/**
 * @param {string} code
 * @param {unknown} [cause]
 */
function fastifyError(code, cause) {
  const [statusCode, message] = ERRORS[code];
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { name: 'FastifyError', code, statusCode });
}

/** @param {any} error */
function translated(error) {
  const code = CODES[error?.type];
  return code === undefined ? error : fastifyError(code, error);
}

/**
 * @param {any} fastify
 * @param {FastifyOptions} options
 */
function checkOptions(fastify, options) {
  const { initialConfig = {} } = fastify;
  const {
    types = 'application/json',
    as = 'value',
    inflate = false,
    serialize = true,
    bodyLimit,
    onProtoPoisoning = initialConfig.onProtoPoisoning ?? 'error',
    onConstructorPoisoning = initialConfig.onConstructorPoisoning ?? 'error',
    pool,
  } = options;
  if (as !== 'value' && as !== 'document') throw invalidArgument('options.as', "'value' or 'document'", as);
  if (typeof inflate !== 'boolean') throw invalidArgument('options.inflate', 'a boolean', inflate);
  if (typeof serialize !== 'boolean') throw invalidArgument('options.serialize', 'a boolean', serialize);
  if (bodyLimit !== undefined && !(Number.isSafeInteger(bodyLimit) && bodyLimit > 0)) {
    throw invalidArgument('options.bodyLimit', 'a whole number of bytes, at least 1', bodyLimit);
  }
  for (const [name, action] of Object.entries({ onProtoPoisoning, onConstructorPoisoning })) {
    if (!ACTIONS.has(action)) throw invalidArgument(`options.${name}`, "'error', 'remove' or 'ignore'", action);
  }
  if (pool !== undefined && typeof pool?.parse !== 'function') throw invalidArgument('options.pool', 'a WorkerPool', pool);
  return { types, asDocument: as === 'document', inflate, serialize, bodyLimit, onProtoPoisoning, onConstructorPoisoning, pool };
}

/**
 * Takes away, or complains about, keys that would reach prototypes where a value is copied carelessly.
 *
 * @param {any} root
 * @param {string} proto what to do about `__proto__`
 * @param {string} constructor what to do about `constructor.prototype`
 */
function purge(root, proto, constructor) {
  const waiting = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (proto !== 'ignore' && Object.hasOwn(value, '__proto__')) {
      if (proto === 'error') throw fastifyError('FST_ERR_CTP_INVALID_JSON_BODY');
      delete value.__proto__;
    }
    if (constructor !== 'ignore' && Object.hasOwn(value, 'constructor')) {
      const made = value.constructor;
      if (typeof made === 'object' && made !== null && Object.hasOwn(made, 'prototype')) {
        if (constructor === 'error') throw fastifyError('FST_ERR_CTP_INVALID_JSON_BODY');
        delete value.constructor;
      }
    }
    for (const key of Object.keys(value)) {
      const item = value[key];
      if (typeof item === 'object' && item !== null) waiting.push(item);
    }
  }
  return root;
}

/**
 * @param {ReturnType<typeof checkOptions>} options
 */
function parserOf({ asDocument, inflate, bodyLimit, onProtoPoisoning, onConstructorPoisoning, pool }) {
  const looks = !asDocument && (onProtoPoisoning !== 'ignore' || onConstructorPoisoning !== 'ignore');

  /** @param {any} request @param {any} payload */
  return async function parse(request, payload) {
    const { raw } = request;
    const limit = bodyLimit ?? request.routeOptions.bodyLimit;
    let body;
    try {
      // A hook may have put another stream in the place of the request.
      const encoding = inflate && payload === raw ? encodingOf(raw, true) : 'identity';
      body = await (payload === raw ? readBody(raw, encoding, limit, true) : readStream(payload, raw, limit));
    } catch (error) {
      throw translated(error);
    }
    if (body.length === 0) throw fastifyError('FST_ERR_CTP_EMPTY_JSON_BODY');
    const { chunks } = withoutMark(body);
    const on = pool ?? getWorkerPool();
    const isSuspect = looks && native.hasPoison(chunks);
    try {
      const value = await (asDocument ? on.load(chunks) : on.parse(chunks));
      return isSuspect && typeof value === 'object' && value !== null ? purge(value, onProtoPoisoning, onConstructorPoisoning) : value;
    } catch (error) {
      if (error instanceof SyntaxError) throw fastifyError('FST_ERR_CTP_INVALID_JSON_BODY', error);
      if (/** @type {any} */ (error).code in ERRORS) throw error;
      throw withStatus(ofPool(error, body.length), 500);
    }
  };
}

/** Fastify's place for a serialiser that a handler has set. @type {symbol | undefined} */
let serializerKey;

/** @param {any} reply */
function hasSerializer(reply) {
  serializerKey ??= Object.getOwnPropertySymbols(reply).find(({ description }) => description === 'fastify.reply.serializer');
  return serializerKey !== undefined && reply[serializerKey] !== null;
}

/** @param {unknown} payload */
function asIs(payload) {
  return payload;
}

/** @param {ReturnType<typeof checkOptions>} options */
function serializerOf({ pool }) {
  /** @param {any} request @param {any} reply @param {any} payload */
  return async function serialize(request, reply, payload) {
    // A schema's serialiser writes what the schema says, and a handler's own what it says.
    if (request.routeOptions?.schema?.response || hasSerializer(reply)) return payload;
    const bytes = payload instanceof Document ? await payload.toBuffer() : await (pool ?? getWorkerPool()).stringify(payload, { as: 'buffer' });
    if (bytes === undefined) return payload;
    reply.serializer(asIs);
    return bytes;
  };
}

/**
 * @param {any} fastify
 * @param {FastifyOptions} given
 * @param {(error?: Error) => void} done
 */
function plugin(fastify, given, done) {
  try {
    const options = checkOptions(fastify, given);
    fastify.addContentTypeParser(options.types, parserOf(options));
    if (options.serialize) fastify.addHook('preSerialization', serializerOf(options));
    done();
  } catch (error) {
    done(/** @type {Error} */ (error));
  }
}

module.exports = Object.assign(plugin, {
  // What fastify-plugin would do: the parser is for the instance that registers it, not for a child of it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'offloop',
  [Symbol.for('plugin-meta')]: { name: 'offloop', fastify: '>=4' },
  default: plugin,
});
