'use strict';

const os = require('node:os');

/** Requests that are still not answered by then are cut off. */
const GRACE_MS = 30_000;

/**
 * On SIGTERM and SIGINT: accept nothing new, let the requests in flight finish, then end the pool
 * and exit with 0. A second signal exits at once.
 *
 * @param {import('node:http').Server} server
 * @param {{ close(): Promise<void> }} service
 */
function installShutdown(server, service) {
  let closing = false;

  server.prependListener('request', (req, res) => {
    // Else a kept-alive client would hold its connection open, and the server with it.
    if (closing) res.setHeader('connection', 'close');
    res.on('finish', () => {
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
  });

  /** @param {NodeJS.Signals} signal */
  async function onSignal(signal) {
    if (closing) process.exit(128 + os.constants.signals[signal]);
    closing = true;
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    console.log(`${signal}: finishing the requests in flight`);
    await closed;
    await service.close();
    process.exit(0);
  }

  for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGTERM', 'SIGINT'])) {
    process.on(signal, () => {
      onSignal(signal).catch((error) => {
        console.error(error);
        process.exit(1);
      });
    });
  }
}

module.exports = { installShutdown };
