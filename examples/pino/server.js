'use strict';

// An HTTP service that logs through pino-http to a file of offloop's: durable, rotated, and written while the event loop is
// blocked. npm run example:pino

const http = require('node:http');
const path = require('node:path');

const pino = require('pino');
const pinoHttp = require('pino-http');

const { destination } = require('../..');

const logFile = process.env.WORKER_LOG_FILE ?? path.join('logs', 'pino.log');
const stream = destination({ logFile, durable: true, rotate: { size: '10m', interval: 'daily', keep: 14, gzip: true } });
stream.on('error', (error) => process.stderr.write(`logging: ${error.message}\n`));

const logger = pino({ level: 'info' }, stream);
const logRequest = pinoHttp({ logger });

const server = http.createServer((request, response) => {
  logRequest(request, response);
  response.end('hello\n');
});

// logrotate and others move the file and send this.
process.on('SIGHUP', () => stream.reopen());

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    logger.info('shutting down');
    server.close(() => stream.end());
    server.closeAllConnections();
  });
}

server.listen(Number(process.env.PORT ?? 8082), '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  logger.info({ port }, 'listening');
  process.stdout.write(`http://127.0.0.1:${port}, logging to ${logFile}\n`);
});
