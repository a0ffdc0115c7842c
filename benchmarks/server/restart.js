'use strict';

// Load across SIGTERM: the service is told to end while all connections are busy, another takes its place, and nothing that
// was accepted may be left without an answer.

const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { Child, Stage, withFiles } = require('./stage');

const CLIENTS = path.join(__dirname, 'clients.js');

/**
 * @typedef {object} RestartRow
 * @property {'restart'} part
 * @property {string} mode
 * @property {string} body
 * @property {number} connections
 * @property {number} seconds
 * @property {number} restarts
 * @property {number} answered
 * @property {number} acceptedNotAnswered requests that a service had taken, or whose connection it had accepted
 * @property {number} refused attempts to connect while there was no service
 * @property {number} reset connections that no service had accepted
 * @property {number} otherAnswers
 * @property {number} exitCode the highest
 */

/**
 * @param {string} mode
 * @param {import('./workload').Workload} workload
 * @param {{ connections: number, seconds: number, restarts: number }} plan
 * @returns {Promise<RestartRow>}
 */
function measureRestart(mode, workload, { connections, seconds, restarts }) {
  return withFiles(workload, async (bodyFiles) => {
    const clients = new Child(CLIENTS);
    let stage = await Stage.open({ mode, endsBySignal: true });
    const { url } = stage;
    const port = Number(new URL(url).port);
    /** @type {Set<number>} */
    const accepted = new Set();
    let unanswered = 0;
    let exitCode = 0;
    try {
      clients.send({ url, bodyFiles, connections });
      for (let times = 0; times < restarts; times += 1) {
        await sleep((seconds * 1e3) / (restarts + 1));
        const { last, code } = await endService(stage);
        for (const client of last.accepted) accepted.add(client);
        unanswered += last.requests - last.answered;
        exitCode = Math.max(exitCode, code);
        stage = await Stage.open({ mode, endsBySignal: true, port });
      }
      await sleep((seconds * 1e3) / (restarts + 1));
      /** @type {import('./clients').ClientsReport} */
      const { answered, refused, otherAnswers, failed } = await clients.ask('report');
      const lost = failed.filter(({ port: from }) => from !== undefined && accepted.has(from)).length;
      const reset = failed.length - lost;
      const acceptedNotAnswered = Math.max(lost, unanswered);
      return { part: 'restart', mode, body: workload.name, connections, seconds, restarts, answered, acceptedNotAnswered, refused, reset, otherAnswers, exitCode };
    } finally {
      await clients.stop();
      await stage.close();
    }
  });
}

/**
 * @param {Stage} stage
 * @returns {Promise<{ last: import('./service').LastReport, code: number }>}
 */
async function endService(stage) {
  const service = /** @type {Child} */ (stage.service);
  const report = service.receive();
  service.process.kill('SIGTERM');
  const last = await report;
  await service.gone;
  await stage.upstream?.stop();
  return { last, code: service.process.exitCode ?? 255 };
}

module.exports = { measureRestart };
