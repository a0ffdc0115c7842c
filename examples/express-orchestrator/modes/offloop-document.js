'use strict';

// The body as one offloop Document: it comes as bytes, goes as bytes, and is never a JavaScript value in between.

const { WorkerPool } = require('../../..');
const { InvalidRequestError } = require('../pipeline');
const { selectRoute } = require('../route');

/**
 * @param {import('../../..').WorkerPool} pool
 * @returns {import('../pipeline').Prepare}
 */
function pipeline(pool) {
  return (chunks, { signal }) => pool.load(chunks, { signal }).then((document) => forward(document, signal));
}

/**
 * @param {import('../../..').Document} document
 * @param {AbortSignal} signal
 * @returns {Promise<import('../pipeline').Prepared>}
 */
async function forward(document, signal) {
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
    // Here a service would put the upstream's name of the model. The original stays as it is, for the log and for
    // retries: no clone needed.
    routed = model === undefined ? document.clone() : document.with({ '/model': model });
    compressed = await routed.compress({ mode: 'truncate', signal });
    return { route: selectRoute({ model, stream }), body: await compressed.toBuffer({ signal }) };
  } finally {
    document.dispose();
    routed?.dispose();
    compressed?.dispose();
  }
}

/**
 * @param {{ size?: number }} [options] size 0: as many threads as the machine suggests
 * @returns {import('../pipeline').Mode}
 */
function create({ size = 0 } = {}) {
  const pool = new WorkerPool({ size });
  return {
    prepare: pipeline(pool),
    stats: () => pool.getStats(),
    close: () => pool.shutdown(),
  };
}

module.exports = { create };
