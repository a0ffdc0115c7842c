'use strict';

const v8 = require('node:v8');
const vm = require('node:vm');
const { openClock, totalCpuUs } = require('./clock');
const { median, quantile } = require('./statistics');

/**
 * @typedef {object} Candidate
 * @property {string} name
 * @property {() => unknown} run     one call; a promise it returns is awaited, and the await counts
 * @property {number} [tasksPerCall] what one call does many of; CPU is given per task (default 1)
 *
 * @typedef {object} Plan
 * @property {number} rounds     batches per candidate
 * @property {number} batchMs    least wall time of a batch
 * @property {number} warmUpMs   least wall time of the warm-up
 * @property {number} minCalls   least calls of a batch, however long they take
 *
 * @typedef {object} Sample one batch; CPU per task
 * @property {number} mainCpuUs
 * @property {number} totalCpuUs
 * @property {number} latencyUs  median time of one call in the batch
 *
 * @typedef {object} Measurement medians over the batches; CPU per task
 * @property {string} name
 * @property {number} mainCpuUs
 * @property {number} mainCpuUsP25
 * @property {number} mainCpuUsP75
 * @property {number} totalCpuUs
 * @property {number} latencyUs
 * @property {number} batches
 * @property {number} callsPerBatch
 */

/** @type {Plan} */
const FULL = { rounds: 9, batchMs: 200, warmUpMs: 150, minCalls: 10 };
/** @type {Plan} */
const QUICK = { rounds: 3, batchMs: 20, warmUpMs: 80, minCalls: 3 };

const clock = openClock();

v8.setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collectGarbage = vm.runInNewContext('gc');

/** What the last call returned: alive until the next one is done, as in a service, and never optimised away. */
let result;

/**
 * Measures candidates against each other: round after round, each does one batch of calls, starting with another one
 * each round, so that what drifts (heat, neighbours, heap) meets all alike.
 *
 * @param {readonly Candidate[]} candidates
 * @param {Plan} plan
 * @returns {Promise<Measurement[]>} in the candidates' order
 */
async function measure(candidates, plan) {
  /** @type {number[]} */
  const calls = [];
  for (const candidate of candidates) calls.push(await calibrate(candidate, plan));

  /** @type {Sample[][]} */
  const samples = candidates.map(() => []);
  for (let round = 0; round < plan.rounds; round += 1) {
    for (let step = 0; step < candidates.length; step += 1) {
      const index = (round + step) % candidates.length;
      samples[index].push(await batch(candidates[index], calls[index]));
    }
  }
  result = undefined;
  return candidates.map((candidate, index) => summarise(candidate, samples[index], calls[index]));
}

/**
 * Warms a candidate up and finds how many calls fill a batch.
 *
 * @param {Candidate} candidate
 * @param {Plan} plan
 */
async function calibrate(candidate, plan) {
  let calls = 0;
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < plan.warmUpMs || calls < plan.minCalls) {
    result = candidate.run();
    if (result instanceof Promise) result = await result;
    calls += 1;
    elapsed = performance.now() - start;
  }
  return Math.max(plan.minCalls, Math.ceil((plan.batchMs * calls) / elapsed));
}

/**
 * One batch. Garbage of the candidate before is collected first, outside the measured time; garbage of this one is
 * this one's to pay, as its batch is long enough to fill the young generation many times over.
 *
 * @param {Candidate} candidate
 * @param {number} calls
 * @returns {Promise<Sample>}
 */
async function batch(candidate, calls) {
  const { run, tasksPerCall = 1 } = candidate;
  const latencies = new Array(calls).fill(0);
  result = undefined;
  collectGarbage();

  const mainBefore = clock.mainCpuUs();
  const totalBefore = totalCpuUs();
  for (let call = 0; call < calls; call += 1) {
    const start = performance.now();
    result = run();
    if (result instanceof Promise) result = await result;
    latencies[call] = performance.now() - start;
  }
  const totalAfter = totalCpuUs();
  const mainAfter = clock.mainCpuUs();

  const tasks = calls * tasksPerCall;
  return {
    mainCpuUs: (mainAfter - mainBefore) / tasks,
    totalCpuUs: (totalAfter - totalBefore) / tasks,
    latencyUs: median(latencies) * 1e3,
  };
}

/**
 * @param {Candidate} candidate
 * @param {readonly Sample[]} samples
 * @param {number} callsPerBatch
 * @returns {Measurement}
 */
function summarise(candidate, samples, callsPerBatch) {
  const main = samples.map((sample) => sample.mainCpuUs);
  return {
    name: candidate.name,
    mainCpuUs: median(main),
    mainCpuUsP25: quantile(main, 0.25),
    mainCpuUsP75: quantile(main, 0.75),
    totalCpuUs: median(samples.map((sample) => sample.totalCpuUs)),
    latencyUs: median(samples.map((sample) => sample.latencyUs)),
    batches: samples.length,
    callsPerBatch,
  };
}

module.exports = { FULL, QUICK, clock, collectGarbage, measure };
