'use strict';

// Documents: JSON that stays in native memory (src/json/document/). What is here is the handle: it counts who holds
// the native one, writes down changes, and builds what is asked for.

const { types } = require('node:util');

const native = require('./native');
const { packOptions, wrongOption } = require('./compress/options');
const { Lateness, reasonFor, skippedStats, statsOf } = require('./compress/report');
const { DocumentTally } = require('./compress/tally');
const { reasonOf } = require('./compress/truncate');
const { codeError, invalidArgument } = require('./errors');
const { MAX_LENGTH, completeNow, completion, isGone, own } = require('./parse');
const { inline, submit } = require('./submit');

/**
 * What a Document and its clones share.
 * @typedef {object} Core
 * @property {import('./submit').Pool} pool The pool that loaded it.
 * @property {import('../native').NativeDocument} native
 * @property {number} holders Documents that have not been disposed of.
 */

const TEXT = 'a string, a Uint8Array or a list of them';

const KINDS = /** @type {const} */ (['object', 'array', 'string', 'number', 'boolean', 'null']);

/** What toString() and toJSON() say. */
const NOT_TEXT = 'a Document is not text: `await document.toBuffer()` gives its JSON, `await document.value()` its value';

/** Immutable JSON, held in native memory and read in place. */
class Document {
  /** @type {Core | undefined} */
  #core;

  /** @param {Core} core */
  constructor(core) {
    this.#core = core;
  }

  /** @returns {Core} */
  #live() {
    if (this.#core === undefined) throw disposed();
    return this.#core;
  }

  /** Bytes of its JSON text, as toBuffer() gives it. */
  get byteLength() {
    return this.#live().native.byteLength;
  }

  /**
   * The value at a JSON Pointer; undefined where nothing is.
   * @param {string} pointer
   * @returns {any}
   */
  get(pointer) {
    const core = this.#live();
    if (typeof pointer !== 'string') throw invalidArgument('pointer', 'a JSON Pointer', pointer);
    return completeNow(core.native.get(pointer));
  }

  /**
   * What is at a JSON Pointer, without building it.
   * @param {string} pointer
   * @returns {'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | undefined}
   */
  type(pointer) {
    const core = this.#live();
    if (typeof pointer !== 'string') throw invalidArgument('pointer', 'a JSON Pointer', pointer);
    const kind = core.native.kind(pointer);
    return kind === undefined ? undefined : KINDS[kind];
  }

  /**
   * A Document with changes, made in order; this one stays as it is.
   * @param {Record<string, unknown>} changes Values by JSON Pointer: undefined removes, a Document is shared.
   * @returns {Document}
   */
  with(changes) {
    const core = this.#live();
    if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) {
      throw invalidArgument('changes', 'an object of values by JSON Pointer', changes);
    }
    /** @type {import('../native').NativeDocument[]} */
    const documents = [];
    let text = '';
    for (const pointer of Object.keys(changes)) {
      const value = changes[pointer];
      if (text !== '') text += ',';
      if (value === undefined) {
        text += `[${JSON.stringify(pointer)}]`;
      } else if (isDocument(value)) {
        text += `[[${JSON.stringify(pointer)}],${documents.push(value.#live().native) - 1}]`;
      } else {
        text += `[${JSON.stringify(pointer)},${textOf(pointer, value)}]`;
      }
    }
    return new Document(coreOf(core.pool, core.native.with(`[${text}]`, text.length + 2, documents)));
  }

  /** The same JSON, to be disposed of by itself. */
  clone() {
    const core = this.#live();
    core.holders++;
    return new Document(core);
  }

  /**
   * The whole value, built in slices.
   * @param {import('./submit').TaskOptions} [options]
   * @returns {Promise<any>}
   */
  value(options) {
    const core = this.#core;
    if (core === undefined) return Promise.reject(disposed());
    const { pool } = core;
    if (core.native.byteLength < pool.offloadThreshold) {
      return inline(pool, options, 'value', () => completeNow(core.native.get('')), this);
    }
    const finish = completion(pool.maxBlockMs, options?.signal);
    return submit(pool, options, 'value', (handle, control) => core.native.value(handle, control), 0, finish);
  }

  /**
   * Its JSON text, without white space.
   * @param {import('./submit').TaskOptions} [options]
   * @returns {Promise<Buffer>}
   */
  toBuffer(options) {
    const core = this.#core;
    if (core === undefined) return Promise.reject(disposed());
    const { pool } = core;
    if (core.native.byteLength < pool.offloadThreshold) {
      return inline(pool, options, 'toBuffer', () => core.native.toBufferNow(), this);
    }
    return submit(pool, options, 'toBuffer', (handle, control) => core.native.toBuffer(handle, control));
  }

  /**
   * A Document whose messages, the Document itself or what it has at /messages or /input, are shortened.
   * @param {import('./compress').CompressOptions} [options]
   * @returns {Promise<Document & { stats?: import('./compress').CompressStats }>} without `stats` where there were no
   * messages
   */
  compress(options) {
    const core = this.#core;
    const wrong = core === undefined ? disposed() : wrongOption(options);
    if (core === undefined || wrong !== undefined) return Promise.reject(wrong);
    const { pool } = core;
    if (options?.mode !== 'truncate') return shorten(core, options ?? {});
    const started = performance.now();
    if (core.native.byteLength < pool.offloadThreshold) {
      return inline(pool, options, 'compress', () => truncated(pool, core.native.truncateNow(), started), this);
    }
    const result = submit(pool, options, 'compress', (handle, control) => core.native.truncate(handle, control));
    return result.then((document) => truncated(pool, document, started));
  }

  /**
   * The number of tokens of what it has: a text, a list of messages or a request body.
   * @param {import('./tokens').TokenOptions} [options]
   * @returns {Promise<number>}
   */
  countTokens(options) {
    const core = this.#core;
    if (core === undefined) return Promise.reject(disposed());
    return require('./tokens').countTokens(core.pool, this, options);
  }

  /**
   * A Document of a body in one provider's format as another's.
   * @param {import('./convert').ConvertOptions} options
   * @returns {Promise<Document & { warnings: string[] }>}
   */
  convert(options) {
    const core = this.#core;
    if (core === undefined) return Promise.reject(disposed());
    return require('./convert').convert(core.pool, this, options);
  }

  /** Frees its memory at once, unless other Documents share it. */
  dispose() {
    const core = this.#core;
    if (core === undefined) return;
    this.#core = undefined;
    core.holders--;
    if (core.holders === 0) core.native.dispose();
  }

  /** @returns {never} */
  toString() {
    throw codeError('ERR_INVALID_STATE', NOT_TEXT);
  }

  /** @returns {never} */
  toJSON() {
    throw codeError('ERR_INVALID_STATE', NOT_TEXT);
  }

  /** The native document. @param {Document} document @returns {import('../native').NativeDocument} */
  static nativeOf(document) {
    return document.#live().native;
  }

  /** @param {unknown} value @returns {value is Document} */
  static isDocument(value) {
    return typeof value === 'object' && value !== null && #core in value;
  }
}

/** @type {(value: unknown) => value is Document} */
const isDocument = Document.isDocument;
const { nativeOf } = Document;
// For us alone.
Reflect.deleteProperty(Document, 'isDocument');
Reflect.deleteProperty(Document, 'nativeOf');

if (Symbol.dispose) {
  Object.defineProperty(Document.prototype, Symbol.dispose, {
    value: Document.prototype.dispose,
    writable: true,
    configurable: true,
  });
}

function disposed() {
  return codeError('ERR_INVALID_STATE', 'the Document was disposed of');
}

/**
 * @param {import('./submit').Pool} pool
 * @param {import('../native').NativeDocument} document
 * @returns {Core}
 */
function coreOf(pool, document) {
  return { pool, native: document, holders: 1 };
}

/**
 * A Document with its messages shortened, or the same one where that fails.
 * @param {Core} core
 * @param {import('./compress').CompressOptions} options
 * @returns {Promise<Document & { stats: import('./compress').CompressStats }>}
 */
function shorten({ pool, native: original }, options) {
  const started = performance.now();
  const numbers = Float64Array.of(...packOptions(options, pool), options.preserveRecentTurns ?? 0);
  const late = new Lateness(options);
  const result = submit(pool, late.options, 'compress', (handle, control) =>
    original.compress(handle, control, numbers, options.queryContext ?? ''),
  );
  return result.then(
    (native) => {
      late.over();
      const [figures, names, transforms] = native.whatWasDone();
      const tally = new DocumentTally(figures, names);
      const stats = tally.length === 0 ? skippedStats('no messages') : statsOf(tally, transforms, started);
      return Object.assign(new Document(coreOf(pool, native)), { stats });
    },
    (error) => {
      late.over();
      const stats = skippedStats(reasonFor(error, late));
      return Object.assign(new Document(coreOf(pool, original.with('[]', 2, []))), { stats });
    },
  );
}

/**
 * A Document with the stats that compress() gives for values.
 *
 * @param {import('./submit').Pool} pool
 * @param {import('../native').NativeDocument} native
 * @param {number} started
 * @returns {Document & { stats?: import('./compress').CompressStats }}
 */
function truncated(pool, native, started) {
  const document = new Document(coreOf(pool, native));
  const figures = native.figures();
  const [count, before, after] = figures;
  if (count === 0) return document;
  /** @type {import('./compress/truncate').Action[]} */
  const messages = [];
  for (let at = 3; at < figures.length; at += 4) {
    const reason = reasonOf(figures[at + 1] === 1);
    const [index, , chars_before, chars_after] = figures.slice(at, at + 4);
    messages.push({ index, action: 'truncated', reason, chars_before, chars_after });
  }
  const stats = {
    original_count: count,
    compressed_count: count,
    chars_before: before,
    chars_after: after,
    latency_ms: performance.now() - started,
    transforms_applied: messages.length > 0 ? ['truncate'] : [],
    messages,
  };
  return Object.assign(document, { stats });
}

/**
 * @param {string} pointer
 * @param {unknown} value
 * @returns {string}
 */
function textOf(pointer, value) {
  let text;
  let cause;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  const error = invalidArgument(`changes['${pointer}']`, 'a value that JSON has a form for', value);
  if (cause !== undefined) {
    error.message += ` (${/** @type {any} */ (cause)?.message ?? cause})`;
    Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
  }
  throw error;
}

/**
 * A body in another format, and what could not be said there.
 * @param {import('./submit').Pool} pool
 * @param {Document} document
 * @param {number} conversion See lib/convert.js.
 * @param {import('./submit').TaskOptions} options
 * @returns {Promise<[Document, string[]]>}
 */
function convertDocument(pool, document, conversion, options) {
  const original = nativeOf(document);
  /** @type {(native: import('../native').NativeDocument) => [Document, string[]]} */
  const converted = (result) => [new Document(coreOf(pool, result)), result.warnings()];
  if (document.byteLength < pool.offloadThreshold) {
    return inline(pool, options, 'convert', () => converted(native.convertDocumentNow(original, conversion)), document);
  }
  return submit(pool, options, 'convert', (handle, control) => native.convertDocument(handle, control, original, conversion)).then(converted);
}

/**
 * @param {import('./submit').Pool} pool
 * @param {string | Uint8Array | readonly Uint8Array[]} json
 * @param {import('./parse').ReadOptions} [options]
 * @returns {Promise<Document>}
 */
function load(pool, json, options) {
  if (typeof json === 'string') {
    const { length } = json;
    return start(pool, options, json, length, (handle) => native.loadStringNow(handle, json, length), (handle, control) =>
      native.loadString(handle, control, json, length),
    );
  }
  if (types.isUint8Array(json)) return loadChunks(pool, [json], options, () => 'json');
  if (Array.isArray(json)) return loadChunks(pool, json, options, (index) => `json[${index}]`);
  return Promise.reject(invalidArgument('json', TEXT, json));
}

/**
 * @param {import('./submit').Pool} pool
 * @param {readonly unknown[]} chunks
 * @param {any} options
 * @param {(index: number) => string} nameOf
 * @returns {Promise<Document>}
 */
function loadChunks(pool, chunks, options, nameOf) {
  let total = 0;
  /** @type {Uint8Array[]} */
  const owned = [];
  for (let index = 0; index < chunks.length; index++) {
    const chunk = chunks[index];
    if (!types.isUint8Array(chunk) || (chunk.length === 0 && isGone(chunk))) {
      return Promise.reject(invalidArgument(nameOf(index), 'a Uint8Array with attached memory', chunk));
    }
    total += chunk.length;
    owned.push(own(chunk));
  }
  const document = start(pool, options, owned, total, (handle) => native.loadChunksNow(handle, owned, total), (handle, control) =>
    owned.length === 1
      ? native.loadBytes(handle, control, owned[0])
      : native.loadChunks(handle, control, owned, total),
  );
  if (options?.transfer && total >= pool.offloadThreshold) native.detach(owned);
  return document;
}

/**
 * @param {import('./submit').Pool} pool
 * @param {any} options
 * @param {string | Uint8Array[]} source
 * @param {number} length
 * @param {(handle: number) => import('../native').NativeDocument} now
 * @param {(handle: number, control: number) => import('../native').Ticket<import('../native').NativeDocument>} later
 */
function start(pool, options, source, length, now, later) {
  if (length < pool.offloadThreshold) {
    return inline(pool, options, 'load', () => new Document(coreOf(pool, now(pool._state.handle))), source);
  }
  if (length > MAX_LENGTH) {
    return Promise.reject(codeError('ERR_TOO_LARGE', `json is ${length} bytes long, the limit is ${MAX_LENGTH}`));
  }
  return submit(pool, options, 'load', later).then(makerOf(pool));
}

/**
 * Not an arrow function in `start`: it would share that one's scope, and keep the caller's chunks until the Document is
 * there.
 *
 * @param {import('./submit').Pool} pool
 */
function makerOf(pool) {
  return (/** @type {import('../native').NativeDocument} */ document) => new Document(coreOf(pool, document));
}

exports.Document = Document;
exports.convertDocument = convertDocument;
exports.isDocument = isDocument;
exports.load = load;
exports.nativeOf = nativeOf;
