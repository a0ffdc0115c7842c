'use strict';

// node examples/bullmq/worker.js --port 6379 --queue archive --out results.ndjson
//
// A worker for bulk jobs: each result of a list is a line of the file, in order. Start as many as there are machines; kill one, and
// another takes its job and goes on.

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { Worker } = require('bullmq');

const { installSignalHandlers } = require('../..');
const { createProcessor } = require('../../lib/bullmq');

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '6379' },
    queue: { type: 'string', default: 'archive' },
    out: { type: 'string', default: 'results.ndjson' },
  },
});

/** How long a job is another worker's once this one is gone. */
const LOCK_MS = 3_000;

const worker = new Worker(
  values.queue,
  createProcessor({
    // The next result waits until this one is written.
    onResult: (result, index, job) => fs.promises.appendFile(values.out, `${JSON.stringify({ job: job.id, index, result })}\n`),
  }),
  { connection: { host: '127.0.0.1', port: Number(values.port) }, lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 2, maxStalledCount: 5 },
);
worker.on('error', (error) => console.error(error.message));

// Lets the running jobs finish.
installSignalHandlers(undefined, { timeoutMs: 60_000, onShutdown: () => worker.close() });
