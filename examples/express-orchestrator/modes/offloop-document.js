'use strict';

// The body as one offloop Document: it comes as bytes, goes as bytes, and is never a JavaScript value in between.

const { WorkerPool } = require('../../..');
const { InvalidRequestError } = require('../pipeline');
const { selectRoute } = require('../route');

/**
 * @param {import('../../..').WorkerPool} pool
 * @param {boolean} countsTokens
 * @returns {import('../pipeline').Prepare}
 */
function pipeline(pool, countsTokens) {
  return (chunks, { signal }) => pool.load(chunks, { signal, transfer: true }).then((document) => forward(document, countsTokens, signal));
}

/**
 * @param {import('../../..').Document} document
 * @param {boolean} countsTokens
 * @param {AbortSignal} signal
 * @returns {Promise<import('../pipeline').Prepared>}
 */
async function forward(document, countsTokens, signal) {
  /** @type {import('../../..').Document | undefined} */
  let routed;
  /** @type {import('../../..').Document | undefined} */
  let compressed;
  try {
    if (document.type('/messages') !== 'array') {
      throw new InvalidRequestError('The body must be an object with a list of messages');
    }
    const model = document.get('/model');
    const stream = document.get('/stream');
    const tokens = countsTokens ? await document.countTokens({ encoding: 'o200k_base', signal }) : undefined;
    // Here a service would put the upstream's name of the model. The original stays as it is, for the log and for
    // retries: no clone needed.
    routed = model === undefined ? document.clone() : document.with({ '/model': model });
    compressed = await routed.compress({ mode: 'truncate', signal });
    return { route: selectRoute({ model, stream }), tokens, body: await compressed.toBuffer({ signal }) };
  } finally {
    document.dispose();
    routed?.dispose();
    compressed?.dispose();
  }
}

/**
 * @param {import('../pipeline').ModeOptions} [options]
 * @returns {import('../pipeline').Mode}
 */
function create({ size = 0, maxQueueBytes, processes, countsTokens = false } = {}) {
  const pool = new WorkerPool({ size, maxQueueBytes, processes });
  return {
    prepare: pipeline(pool, countsTokens),
    stats: () => pool.getStats(),
    close: () => pool.shutdown(),
  };
}

module.exports = { create };
