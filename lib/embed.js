'use strict';

/**
 * `embed` and `similar`: texts as vectors (src/embed/), and the rows of a matrix that are most like one.
 *
 * By a model, nothing is embedded on the spot: a short text takes longer than handing it over.
 *
 * `similar` runs where it is called, in slices of at most maxBlockMs: reading a matrix costs what copying it would, which handing it
 * over takes.
 */

const path = require('node:path');
const { types } = require('node:util');

const native = require('./native');
const { abortError, invalidArgument } = require('./errors');
const { inline, submit } = require('./submit');

/**
 * @typedef {import('./submit').TaskOptions & { model?: string, dimensions?: number }} EmbedOptions
 * @typedef {{ index: number, score: number }} Match
 * @typedef {{ text: string, lengths: Uint32Array }} Batch
 */

/** The model that needs no files. */
const HASH = 'hash';
const DIMENSIONS = 384;
const MAX_DIMENSIONS = 65_536;
/** Characters up to which embedding here takes the event loop less than handing over. */
const INLINE = 400;
/** Characters of a task at most, so that several threads share a large batch. */
const BATCH = 1 << 16;
/** Values of a matrix that are read in a millisecond, about. */
const PER_MS = 2_000_000;

/**
 * @param {import('./submit').Pool} pool
 * @param {string | readonly string[]} texts
 * @param {EmbedOptions} [options]
 * @returns {Promise<Float32Array[]>} one for each text
 */
function embed(pool, texts, options) {
  const list = typeof texts === 'string' ? [texts] : texts;
  if (!Array.isArray(list)) return Promise.reject(invalidArgument('texts', 'a string or a list of strings', texts));
  const wrong = list.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) return Promise.reject(invalidArgument(`texts[${wrong}]`, 'a string', list[wrong]));
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    return Promise.reject(invalidArgument('options', 'an object', options));
  }
  const { model = HASH, dimensions = model === HASH ? DIMENSIONS : undefined } = options ?? {};
  if (typeof model !== 'string' || model === '') {
    return Promise.reject(invalidArgument('options.model', "'hash' or the path of a folder", model));
  }
  if (dimensions !== undefined && (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS)) {
    return Promise.reject(invalidArgument('options.dimensions', `an integer from 1 to ${MAX_DIMENSIONS}`, dimensions));
  }
  return model === HASH
    ? embedByHash(pool, list, /** @type {number} */ (dimensions), options)
    : embedByModel(pool, list, path.resolve(model), dimensions, options);
}

/**
 * @param {import('./submit').Pool} pool
 * @param {readonly string[]} texts
 * @param {number} dimensions
 * @param {EmbedOptions} [options]
 */
function embedByHash(pool, texts, dimensions, options) {
  const batches = batchesOf(texts);
  if (batches.length === 1 && batches[0].text.length < INLINE && batches[0].text.length < pool.offloadThreshold) {
    const [{ text, lengths }] = batches;
    return inline(pool, options, 'embed', () => split(native.embedTextsNow(text, text.length, lengths, dimensions), lengths.length), text);
  }
  return submitAll(pool, batches, options, (handle, control, { text, lengths }) =>
    native.embedTexts(handle, control, text, text.length, lengths, dimensions),
  );
}

/**
 * @param {import('./submit').Pool} pool
 * @param {readonly string[]} texts
 * @param {string} folder
 * @param {number | undefined} dimensions
 * @param {EmbedOptions} [options]
 */
function embedByModel(pool, texts, folder, dimensions, options) {
  return submitAll(pool, batchesOf(texts), options, (handle, control, { text, lengths }) =>
    native.embedWithModel(handle, control, text, text.length, lengths, folder, dimensions),
  );
}

/**
 * @param {import('./submit').Pool} pool
 * @param {Batch[]} batches
 * @param {EmbedOptions | undefined} options
 * @param {(handle: number, control: number, batch: Batch) => import('../native').Ticket<Float32Array>} start
 */
function submitAll(pool, batches, options, start) {
  const tasks = batches.map((batch) => submit(pool, options, 'embed', (handle, control) => start(handle, control, batch)));
  return Promise.all(tasks).then((all) => all.flatMap((vectors, index) => split(vectors, batches[index].lengths.length)));
}

/**
 * Lets go of the model in a folder.
 * @param {import('./submit').Pool} pool
 * @param {string} model
 * @returns {Promise<boolean>} whether it was loaded
 */
function unloadModel(pool, model) {
  if (typeof model !== 'string') return Promise.reject(invalidArgument('model', 'the path of a folder', model));
  return submit(pool, undefined, 'unloadModel', (handle, control) => native.unloadModel(handle, control, path.resolve(model)));
}

/**
 * The texts as tasks take them: one behind the other.
 * @param {readonly string[]} texts
 * @returns {Batch[]}
 */
function batchesOf(texts) {
  const batches = [];
  for (let from = 0; from < texts.length || batches.length === 0; ) {
    let to = from;
    let text = '';
    while (to < texts.length && (to === from || text.length + texts[to].length <= BATCH)) text += texts[to++];
    batches.push({ text, lengths: Uint32Array.from(texts.slice(from, to), ({ length }) => length) });
    from = to;
    if (texts.length === 0) break;
  }
  return batches;
}

/** Views on one memory. @param {Float32Array} vectors @param {number} count */
function split(vectors, count) {
  const dimensions = vectors.length / count;
  return Array.from({ length: count }, (_, index) => vectors.subarray(index * dimensions, (index + 1) * dimensions));
}

/**
 * @param {import('./submit').Pool} pool
 * @param {Float32Array} query
 * @param {Float32Array} matrix Rows as long as the query, one after the other; not to be changed before the promise is settled.
 * @param {number} k
 * @param {import('./submit').TaskOptions} [options]
 * @returns {Promise<Match[]>} best first
 */
function similar(pool, query, matrix, k, options) {
  if (!types.isFloat32Array(query) || query.length === 0) return Promise.reject(invalidArgument('query', 'a Float32Array that is not empty', query));
  if (!types.isFloat32Array(matrix) || matrix.length % query.length !== 0) {
    return Promise.reject(invalidArgument('matrix', `a Float32Array of rows of ${query.length} values`, matrix));
  }
  if (!Number.isInteger(k) || k < 0) return Promise.reject(invalidArgument('k', 'an integer from 0', k));
  const rows = Math.max(1, Math.floor((pool.maxBlockMs * PER_MS) / query.length)) * query.length;
  const first = () => matchesOf(native.similarRows(query, matrix.subarray(0, rows), k), 0);
  const started = inline(pool, options, 'similar', first, query);
  return matrix.length <= rows ? started : started.then((best) => goOn(query, matrix, k, rows, best, options?.signal));
}

/**
 * The slices after the first.
 * @param {Float32Array} query
 * @param {Float32Array} matrix
 * @param {number} k
 * @param {number} size of a slice
 * @param {Match[]} best
 * @param {AbortSignal} [signal]
 */
async function goOn(query, matrix, k, size, best, signal) {
  for (let from = size; from < matrix.length; from += size) {
    await new Promise(setImmediate);
    if (signal?.aborted) throw abortError(signal.reason);
    const found = matchesOf(native.similarRows(query, matrix.subarray(from, from + size), k), from / query.length);
    best = [...best, ...found].sort((a, b) => b.score - a.score || a.index - b.index).slice(0, k);
  }
  return best;
}

/** @param {Float64Array} figures @param {number} first the slice's first row */
function matchesOf(figures, first) {
  /** @type {Match[]} */
  const matches = [];
  for (let at = 0; at < figures.length; at += 2) matches.push({ index: first + figures[at], score: figures[at + 1] });
  return matches;
}

module.exports = { embed, similar, unloadModel };
