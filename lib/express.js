'use strict';

/**
 * For Express 4 and 5, and whatever else calls middleware with (req, res, next): `json`, the place of express.json, and
 * `send`, the place of res.json.
 */

const { Document } = require('./document');
const { invalidArgument } = require('./errors');
const { encodingOf, hasBody, isRead, readBody } = require('./http/body');
const { isSupported } = require('./http/charset');
const { unsupportedCharset, withStatus } = require('./http/errors');
const { entityTag } = require('./http/etag');
const { join, parseBody } = require('./http/json-body');
const { parseContentType, typeMatcher } = require('./http/media-type');
const { parseSize } = require('./http/size');
const { getWorkerPool } = require('./pool');

/**
 * @typedef {import('./pool').WorkerPool} WorkerPool
 * @typedef {import('node:http').IncomingMessage & { body?: any, _body?: boolean, app?: any }} Request
 * @typedef {import('node:http').ServerResponse & { [key: string]: any }} Response
 *
 * @typedef {object} JsonOptions
 * @property {string | number} [limit] bytes, inflated; '100kb'
 * @property {string | readonly string[] | ((req: any) => unknown)} [type] 'application/json'
 * @property {boolean} [inflate] true
 * @property {boolean} [strict] true
 * @property {(req: any, res: any, body: Buffer, encoding: string) => void} [verify]
 * @property {(key: string, value: any) => any} [reviver]
 * @property {string} [defaultCharset] 'utf-8'
 * @property {'value' | 'document'} [as] 'value'
 * @property {WorkerPool} [pool]
 */

/** What express.json takes. */
const DEFAULT_LIMIT = 100 * 1024;

/**
 * @param {JsonOptions} options
 */
function checkOptions(options) {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { inflate = true, strict = true, verify, reviver, defaultCharset = 'utf-8', as = 'value', pool } = options;
  const limit = options.limit === undefined || options.limit === null ? DEFAULT_LIMIT : parseSize(options.limit);
  if (limit === undefined || limit < 0) throw invalidArgument('options.limit', "bytes, such as 1000000 or '50mb'", options.limit);
  const type = options.type || 'application/json';
  const isType = typeof type === 'string' || typeof type === 'function' || Array.isArray(type);
  if (!isType) throw invalidArgument('options.type', 'a string, a list of them or a function', type);
  if (verify && typeof verify !== 'function') throw invalidArgument('options.verify', 'a function', verify);
  if (reviver && typeof reviver !== 'function') throw invalidArgument('options.reviver', 'a function', reviver);
  if (as !== 'value' && as !== 'document') throw invalidArgument('options.as', "'value' or 'document'", as);
  if (reviver && as === 'document') throw invalidArgument('options.reviver', 'left out for documents', reviver);
  if (typeof defaultCharset !== 'string' || !isSupported(defaultCharset.toLowerCase())) {
    throw invalidArgument('options.defaultCharset', 'a charset that JSON comes in', defaultCharset);
  }
  if (pool !== undefined && typeof pool?.parse !== 'function') throw invalidArgument('options.pool', 'a WorkerPool', pool);
  const matches = typeof type === 'function' ? undefined : typeMatcher(type);
  return {
    limit,
    wants: typeof type === 'function' ? type : undefined,
    matches,
    inflate: inflate !== false,
    strict: strict !== false,
    verify: verify || undefined,
    reviver: reviver || undefined,
    defaultCharset: defaultCharset.toLowerCase(),
    asDocument: as === 'document',
    pool,
  };
}

/**
 * Middleware that reads JSON bodies into `req.body`, parsed off the event loop.
 *
 * @param {JsonOptions} [options]
 * @returns {(req: any, res: any, next: (error?: any) => void) => void}
 */
function json(options = {}) {
  const { limit, wants, matches, inflate, verify, defaultCharset, ...how } = checkOptions(options);

  return function jsonParser(/** @type {Request} */ req, /** @type {Response} */ res, next) {
    if (req._body || isRead(req)) return void next();
    // As Express has it: 4 gives every request an object.
    if (req.app?.lazyrouter !== undefined) req.body ??= {};
    else if (!('body' in req)) req.body = undefined;
    if (!hasBody(req)) return void next();
    const { type, charset: given } = parseContentType(req.headers['content-type']);
    if (matches === undefined ? !(/** @type {Function} */ (wants)(req)) : !matches(type)) return void next();

    const charset = given || defaultCharset;
    if (!isSupported(charset)) return void next(unsupportedCharset(charset));
    let encoding;
    try {
      encoding = encodingOf(req, inflate);
    } catch (error) {
      return void next(error);
    }
    req._body = true;
    // What is chained here runs in the context of the caller (AsyncLocalStorage).
    readBody(req, encoding, limit)
      .then((body) => {
        if (verify !== undefined) check(verify, req, res, join(body), charset);
        return parseBody(body, { ...how, pool: how.pool ?? getWorkerPool(), charset });
      })
      .then((value) => {
        req.body = value;
        next();
      }, next);
  };
}

/**
 * @param {Function} verify
 * @param {Request} req
 * @param {Response} res
 * @param {Buffer} body
 * @param {string} charset
 */
function check(verify, req, res, body, charset) {
  try {
    verify(req, res, body, charset);
  } catch (error) {
    throw withStatus(error, 403, { body, type: /** @type {any} */ (error)?.type || 'entity.verify.failed' });
  }
}

/**
 * @typedef {object} SendOptions
 * @property {WorkerPool} [pool]
 * @property {AbortSignal} [signal]
 * @property {number} [timeout]
 * @property {'interactive' | 'bulk'} [priority]
 */

/**
 * Answers with JSON as `res.json(value)` does, with the text and its tag made off the event loop.
 *
 * @param {Response} res
 * @param {unknown} value anything that JSON has a form for, or a Document
 * @param {SendOptions} [options]
 * @returns {Promise<void>} fulfilled when the answer is handed to the connection
 */
async function send(res, value, options = {}) {
  if (typeof res?.setHeader !== 'function') throw invalidArgument('res', 'a response', res);
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { pool = getWorkerPool(), ...task } = options;
  const setting = (/** @type {string} */ name) => res.app?.get(name);
  // What a function replaces, or HTML escapes change, is Express's business.
  if (setting('json replacer') || setting('json escape')) {
    res.json(value instanceof Document ? await value.value(task) : value);
    return;
  }
  const body = value instanceof Document
    ? await value.toBuffer(task)
    : await pool.stringify(value, { ...task, as: 'buffer', space: setting('json spaces') });
  const tag = body === undefined || res.headersSent || res.getHeader('ETag') ? undefined : await entityTag(body, setting('etag'));
  // The client may be gone by now.
  if (res.destroyed || res.writableEnded) return;
  if (typeof res.send === 'function') sendExpress(res, body, tag);
  else sendPlain(res, body);
}

/**
 * @param {Response} res
 * @param {Buffer | undefined} body
 * @param {string | undefined} tag
 */
function sendExpress(res, body, tag) {
  const type = res.getHeader('Content-Type') || 'application/json';
  // As Express does for a string.
  if (typeof type === 'string' && !/;\s*charset=/i.test(type)) res.setHeader('Content-Type', `${type}; charset=utf-8`);
  if (tag !== undefined && !res.getHeader('ETag')) res.setHeader('ETag', tag);
  res.send(body);
}

/**
 * @param {Response} res
 * @param {Buffer | undefined} body
 */
function sendPlain(res, body) {
  if (!res.getHeader('Content-Type')) res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', body?.length ?? 0);
  res.end(/** @type {any} */ (res).req?.method === 'HEAD' ? undefined : body);
}

module.exports = { json, send };
