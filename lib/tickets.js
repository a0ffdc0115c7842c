'use strict';

// The promises of native tasks. Native code knows one by its ticket, a small number that is used again once the promise
// is settled, and settles many in one call.

const native = require('./native');

/**
 * By twice the ticket the function that resolves its promise, behind it the one that rejects it. All copies of this
 * module in one environment share it, as native code calls the `settle` of the last one.
 */
const settlers = /** @type {(((value: any) => void) | undefined)[]} */ (native.shareSettlers([]));

/**
 * @param {number} ticket Of a task that was started a moment ago.
 * @returns {Promise<any>}
 */
function promiseOf(ticket) {
  return new Promise((resolve, reject) => {
    settlers[ticket * 2] = resolve;
    settlers[ticket * 2 + 1] = reject;
  });
}

/** @param {any[]} pairs Places in `settlers`, each with what the promise is settled with. */
function settle(...pairs) {
  for (let i = 0; i < pairs.length; i += 2) {
    const place = pairs[i];
    const settler = settlers[place];
    settlers[place] = undefined;
    settlers[place ^ 1] = undefined;
    // There is none where the stack overflowed before there was a promise.
    if (settler !== undefined) settler(pairs[i + 1]);
  }
}

native.install({ settle });

module.exports = { promiseOf };
