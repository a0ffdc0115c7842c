'use strict';

const { FULL, QUICK, measure } = require('../harness/measure');
const { progress } = require('../harness/report');
const { median, significant } = require('../harness/statistics');
const { countMessages } = require('./tokens');

/**
 * @typedef {import('./candidates').Candidate} Candidate
 *
 * @typedef {object} Input
 * @property {string} name
 * @property {any[]} messages
 *
 * @typedef {object} SpeedRow
 * @property {'speed'} part
 * @property {string} input
 * @property {number} bytes             of the messages as JSON
 * @property {string} candidate
 * @property {number} ms                median of a call, one thread, nothing remembered
 * @property {number} megabytesPerSecond
 * @property {number} [timesHeadroom]   headroom's time divided by this one's
 * @property {number} tokensBefore      o200k
 * @property {number} tokensAfter
 * @property {number} savedPercent      of the o200k tokens
 * @property {number} savedPercentCl100k
 * @property {number} [mainCpuUs]
 * @property {number} [stringifyCpuUs]  main-thread CPU of JSON.stringify(messages)
 * @property {number} [mainCpuShare]    of the two
 */

/**
 * Each candidate on each input: time in turns, tokens once.
 *
 * @param {readonly Input[]} inputs
 * @param {readonly Candidate[]} candidates
 * @param {boolean} quick
 * @returns {Promise<SpeedRow[]>}
 */
async function measureSpeed(inputs, candidates, quick) {
  const rows = [];
  for (const input of inputs) {
    progress(`compress: ${input.name}`);
    const times = await timeInTurns(input, candidates, quick ? 2 : 7);
    const cpu = await mainCpu(input, candidates, quick);
    const bytes = Buffer.byteLength(JSON.stringify(input.messages));
    for (const candidate of candidates) {
      rows.push({ ...(await savings(input, candidate)), ...speed(candidate.name, bytes, times), ...cpu.get(candidate.name) });
    }
  }
  return rows;
}

/**
 * @param {Input} input
 * @param {readonly Candidate[]} candidates
 * @param {number} rounds
 */
async function timeInTurns({ messages }, candidates, rounds) {
  /** @type {Map<string, number[]>} */
  const samples = new Map();
  // Compiled code, opened files and the like are there from the second call on.
  for (const candidate of candidates) await candidate.time(messages, 1);
  for (let round = 0; round < rounds; round += 1) {
    for (let step = 0; step < candidates.length; step += 1) {
      const candidate = candidates[(round + step) % candidates.length];
      const times = candidate.name === 'headroom' ? 1 : 5;
      samples.set(candidate.name, [...(samples.get(candidate.name) ?? []), median(await candidate.time(messages, times))]);
    }
  }
  return new Map([...samples].map(([name, times]) => [name, median(times)]));
}

/**
 * @param {Input} input
 * @param {readonly Candidate[]} candidates
 * @param {boolean} quick
 */
async function mainCpu({ messages }, candidates, quick) {
  const ours = candidates.filter(({ name }) => name.startsWith('offloop'));
  if (ours.length === 0) return new Map();
  const runs = [
    { name: 'stringify', run: () => JSON.stringify(messages) },
    ...ours.map(({ name, compress }) => ({ name, run: () => compress(messages) })),
  ];
  const [stringify, ...measured] = await measure(runs, quick ? QUICK : { ...FULL, rounds: 5 });
  return new Map(
    measured.map(({ name, mainCpuUs }) => [
      name,
      {
        mainCpuUs: significant(mainCpuUs),
        stringifyCpuUs: significant(stringify.mainCpuUs),
        mainCpuShare: significant(mainCpuUs / stringify.mainCpuUs, 3),
      },
    ]),
  );
}

/**
 * @param {Input} input
 * @param {Candidate} candidate
 */
async function savings({ name, messages }, candidate) {
  const after = await candidate.compress(messages);
  if (after.length !== messages.length) throw new Error(`${name}: ${candidate.name} gives another number of messages`);
  const [tokensBefore, tokensAfter] = [countMessages(messages), countMessages(after)];
  const cl100k = 1 - countMessages(after, 'cl100k') / countMessages(messages, 'cl100k');
  return {
    part: /** @type {const} */ ('speed'),
    input: name,
    candidate: candidate.name,
    tokensBefore,
    tokensAfter,
    savedPercent: significant(100 * (1 - tokensAfter / tokensBefore), 3),
    savedPercentCl100k: significant(100 * cl100k, 3),
  };
}

/**
 * @param {string} name
 * @param {number} bytes
 * @param {Map<string, number>} times
 */
function speed(name, bytes, times) {
  const ms = /** @type {number} */ (times.get(name));
  const headroom = name === 'headroom' ? undefined : times.get('headroom');
  return {
    bytes,
    ms: significant(ms),
    megabytesPerSecond: significant(bytes / ms / 1e3, 3),
    ...(headroom === undefined ? {} : { timesHeadroom: significant(headroom / ms, 3) }),
  };
}

module.exports = { measureSpeed };
