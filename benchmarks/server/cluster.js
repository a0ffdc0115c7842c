'use strict';

// The example service as a cluster: forked in the place of service.js, it answers as one service does, with the figures of
// its workers summed up.

const cluster = /** @type {import('node:cluster').Cluster} */ (/** @type {any} */ (require('node:cluster')));
const { once } = require('node:events');
const path = require('node:path');

/**
 * @typedef {import('./service').ServiceOptions & { processes: number }} ClusterOptions
 * @typedef {import('./service').ServiceReport & { perProcess: number[], poolSize: number }} ClusterReport perProcess: requests
 */

/**
 * @param {import('node:cluster').Worker[]} workers
 * @param {string} message
 * @returns {Promise<any[]>}
 */
function ask(workers, message) {
  return Promise.all(workers.map(async (worker) => {
    const answer = once(worker, 'message');
    worker.send(message);
    return (await answer)[0];
  }));
}

/**
 * @param {import('./service').ServiceReport[]} reports
 * @returns {ClusterReport}
 */
function sum(reports) {
  const total = (/** @type {(report: import('./service').ServiceReport) => number} */ figure) => reports.reduce((all, report) => all + figure(report), 0);
  const most = (/** @type {(report: import('./service').ServiceReport) => number} */ figure) => Math.max(...reports.map(figure));
  return {
    requests: total((report) => report.requests),
    mainCpuMs: total((report) => report.mainCpuMs),
    mainCpuSource: reports[0].mainCpuSource,
    totalCpuMs: total((report) => report.totalCpuMs),
    eventLoopDelayMs: { p99: most((report) => report.eventLoopDelayMs.p99), max: most((report) => report.eventLoopDelayMs.max) },
    rssMb: total((report) => report.rssMb),
    peakRssMb: total((report) => report.peakRssMb),
    perProcess: reports.map((report) => report.requests),
    poolSize: most((report) => report.poolSize),
  };
}

/** @param {ClusterOptions} options */
async function main(options) {
  cluster.setupPrimary({ exec: path.join(__dirname, 'service.js'), args: [JSON.stringify(options)] });
  const workers = Array.from({ length: options.processes }, () => cluster.fork());
  const [[{ port }]] = await Promise.all(workers.map((worker) => once(worker, 'message')));
  process.on('message', async (message) => {
    if (message === 'reset') {
      await ask(workers, 'reset');
      process.send?.({ reset: true });
    } else if (message === 'report') {
      process.send?.(sum(await ask(workers, 'report')));
    } else if (message === 'stop') {
      process.exit(0);
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port });
}

main(JSON.parse(process.argv[2]));
