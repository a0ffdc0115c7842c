'use strict';

// Many more clients than a service can serve: it refuses, in bounded memory, and fails nobody otherwise.

const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { Child, Stage, withFiles } = require('./stage');

const LOAD = path.join(__dirname, 'load.js');

/** What the service may hold: bodies without an answer, and what the pool has of them. */
const MAX_IN_FLIGHT_MB = 64;
const MAX_QUEUE_MB = 64;
/** What it may need beyond that. */
const ALLOWANCE_MB = 300;

/**
 * @typedef {object} OverloadRow
 * @property {'overload'} part
 * @property {string} mode
 * @property {string} body
 * @property {number} connections
 * @property {number} seconds
 * @property {number} answersPerSecond
 * @property {number} refusedPerSecond 503 and 413
 * @property {number} errors
 * @property {Record<string, number>} kinds how many of each status but 2xx, or code of an error
 * @property {number} peakRssMb
 * @property {number} allowedRssMb
 */

/**
 * @param {string} mode
 * @param {import('./workload').Workload} workload
 * @param {{ connections: number, seconds: number }} plan
 * @returns {Promise<OverloadRow>}
 */
function measureOverload(mode, workload, { connections, seconds }) {
  const bounds = { maxInFlightBytes: MAX_IN_FLIGHT_MB * 2 ** 20, maxQueueBytes: MAX_QUEUE_MB * 2 ** 20 };
  return withFiles(workload, async (bodyFiles) => {
    const stage = await Stage.open({ mode, ...bounds });
    const load = new Child(LOAD);
    try {
      load.send({ url: stage.url, bodyFiles, connections, seconds: seconds * 4 });
      await sleep(seconds * 1e3);
      const [served, loaded] = await Promise.all([/** @type {Child} */ (stage.service).ask('report'), load.ask('report')]);
      return {
        part: 'overload',
        mode,
        body: workload.name,
        connections,
        seconds,
        answersPerSecond: loaded.latenciesMs.length / loaded.seconds,
        refusedPerSecond: loaded.refused / loaded.seconds,
        errors: loaded.errors,
        kinds: loaded.kinds,
        peakRssMb: served.peakRssMb,
        allowedRssMb: MAX_IN_FLIGHT_MB + MAX_QUEUE_MB + ALLOWANCE_MB,
      };
    } finally {
      await load.stop();
      await stage.close();
    }
  });
}

module.exports = { measureOverload };
