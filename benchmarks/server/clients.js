'use strict';

// Clients that live through a restart, in a process of their own: each has a connection, sends its next request as soon as it
// has its answer, and tries again where nobody listens. Forked by restart.js: the first message starts them; 'count' says how
// many answers there are, 'report' ends them and says what became of every request.

const fs = require('node:fs');
const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');

/**
 * @typedef {object} ClientsPlan
 * @property {string} url
 * @property {string[]} bodyFiles
 * @property {number} connections
 *
 * @typedef {object} ClientsReport
 * @property {number} answered with 2xx
 * @property {number} refused connections that nobody accepted
 * @property {number} otherAnswers
 * @property {{ port: number | undefined, code: string }[]} failed requests that were sent and got no answer; the client's port
 */

const RETRY_MS = 20;

/** @type {ClientsReport} */
const seen = { answered: 0, refused: 0, otherAnswers: 0, failed: [] };
let isOver = false;

/**
 * @param {string} url
 * @param {Buffer} body
 * @param {http.Agent} agent
 * @returns {Promise<boolean>} whether a service was there
 */
function send(url, body, agent) {
  return new Promise((resolve) => {
    /** @type {number | undefined} */
    let port;
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const request = http.request(url, { agent, method: 'POST', headers }, (answer) => {
      answer.resume();
      answer.on('error', onError);
      answer.on('end', () => {
        if (answer.statusCode === 200) seen.answered += 1;
        else seen.otherAnswers += 1;
        resolve(true);
      });
    });
    const onError = (/** @type {any} */ error) => {
      const isRefused = error.code === 'ECONNREFUSED';
      if (isRefused) seen.refused += 1;
      else seen.failed.push({ port, code: error.code });
      resolve(!isRefused);
    };
    request.on('socket', (socket) => {
      const look = () => (port = socket.localPort);
      if (socket.connecting) socket.once('connect', look);
      else look();
    });
    request.on('error', onError);
    request.end(body);
  });
}

/** @param {ClientsPlan} plan */
function start({ url, bodyFiles, connections }) {
  const bodies = bodyFiles.map((file) => fs.readFileSync(file));
  const ends = Array.from({ length: connections }, async (_, client) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let sent = client; !isOver; sent += 1) {
      if (!(await send(url, bodies[sent % bodies.length], agent))) await sleep(RETRY_MS);
    }
    agent.destroy();
  });
  process.on('message', async (message) => {
    if (message === 'count') process.send?.({ answers: seen.answered });
    if (message !== 'report') return;
    isOver = true;
    await Promise.all(ends);
    process.send?.(seen);
  });
}

process.once('message', (plan) => start(/** @type {ClientsPlan} */ (plan)));
process.on('disconnect', () => process.exit(0));
