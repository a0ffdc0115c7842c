'use strict';

// One way to parse a large text, in a process of its own: how long it keeps the event loop from turning. Forked by
// benchmarks/block.js with the candidate's name, the file and the number of rounds; sends a message per round, and one a
// second on the way, so that it can be given up on.

const fs = require('node:fs');
const { clock, collectGarbage } = require('../harness/measure');
const { root } = require('../harness/machine');

/**
 * @typedef {object} Round
 * @property {number} longestBlockMs the longest time between two turns of the event loop
 * @property {number} longestBlockCpuMs main-thread CPU in one turn of the event loop, the most
 * @property {number} totalMs
 * @property {number} mainCpuMs
 * @property {boolean} finished
 */

/** @type {Record<string, () => Promise<(bytes: Buffer) => unknown>>} */
const CANDIDATES = {
  'JSON.parse': async () => (bytes) => JSON.parse(bytes.toString()),
  offloop: async () => {
    const { WorkerPool } = require(root);
    const pool = new WorkerPool({ taskTimeout: 0 });
    await pool.initialize();
    return (bytes) => pool.parse(bytes);
  },
  'yieldable-json': async () => {
    // @ts-ignore it has no types
    const { parseAsync } = require('yieldable-json');
    return (bytes) =>
      new Promise((resolve, reject) => {
        parseAsync(bytes.toString(), (/** @type {any} */ error, /** @type {any} */ value) => (error ? reject(error) : resolve(value)));
      });
  },
};

/** Watches the event loop: it turns as often as it can. */
class Watch {
  constructor() {
    this.on = true;
    this.blockMs = 0;
    this.blockCpuUs = 0;
    this.startedAt = this.lastAt = performance.now();
    this.startedCpuUs = this.lastCpuUs = clock.mainCpuUs();
    this.tick = () => {
      this.look();
      if (this.on) setImmediate(this.tick);
    };
    setImmediate(this.tick);
  }

  look() {
    this.blockMs = Math.max(this.blockMs, performance.now() - this.lastAt);
    this.blockCpuUs = Math.max(this.blockCpuUs, clock.mainCpuUs() - this.lastCpuUs);
    // Reading the clock takes time, which is nobody's.
    this.lastAt = performance.now();
    this.lastCpuUs = clock.mainCpuUs();
  }

  /** @param {boolean} finished @returns {Round} */
  round(finished) {
    return {
      longestBlockMs: this.blockMs,
      longestBlockCpuMs: this.blockCpuUs / 1e3,
      totalMs: performance.now() - this.startedAt,
      mainCpuMs: (clock.mainCpuUs() - this.startedCpuUs) / 1e3,
      finished,
    };
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * @param {(bytes: Buffer) => unknown} parse
 * @param {Buffer} bytes
 */
async function measure(parse, bytes) {
  collectGarbage();
  await turn();
  const watch = new Watch();
  const timer = setInterval(() => process.send?.(watch.round(false)), 1000);
  await turn();
  let value = await parse(bytes);
  // The turn that it ended in counts.
  await turn();
  watch.look();
  watch.on = false;
  const round = watch.round(true);
  clearInterval(timer);
  if (value === undefined) throw new Error('no value');
  value = undefined;
  process.send?.(round);
}

/** @param {string[]} argv */
async function main([name, file, rounds]) {
  const parse = await CANDIDATES[name]();
  const bytes = fs.readFileSync(file);
  for (let round = 0; round < Number(rounds); round += 1) await measure(parse, bytes);
  process.exit(0);
}

if (require.main === module) main(process.argv.slice(2));

module.exports = { CANDIDATES, Watch };
