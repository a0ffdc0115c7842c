'use strict';

// One way to a first count, in a process of its own: run by benchmarks/tokens-cold.js with the candidate's name, the
// encoding and a file of text; writes what it found to stdout, as JSON.

const fs = require('node:fs');
const path = require('node:path');

/**
 * @typedef {object} FirstCount
 * @property {number} count
 * @property {string} countedAtNs    on the clock that all processes share
 * @property {number} fromRequireMs  from before the package is loaded
 * @property {number} totalCpuMs     of the process, Node's own start included
 */

/** @type {Record<string, (text: string, encoding: any) => number | Promise<number>>} */
const CANDIDATES = {
  'js-tiktoken': (text, encoding) => require('js-tiktoken').getEncoding(encoding).encode(text, [], []).length,
  // Without the other encodings, which the package's entry loads.
  'js-tiktoken/lite': (text, encoding) => {
    const { Tiktoken } = require('js-tiktoken/lite');
    return new Tiktoken(require(`js-tiktoken/ranks/${encoding}`)).encode(text, [], []).length;
  },
  tiktoken: (text, encoding) => require('tiktoken').get_encoding(encoding).encode(text, [], []).length,
  'gpt-tokenizer': (text, encoding) => require(`gpt-tokenizer/encoding/${encoding}`).encode(text).length,
  offloop: (text, encoding) => {
    const { WorkerPool } = require(path.join(__dirname, '..', '..'));
    return new WorkerPool().countTokens(text, { encoding });
  },
};

/** @param {string[]} argv */
async function main([name, encoding, file]) {
  const text = fs.readFileSync(file, 'utf8');
  const requiredAt = process.hrtime.bigint();
  const count = await CANDIDATES[name](text, encoding);
  const countedAt = process.hrtime.bigint();
  const { user, system } = process.cpuUsage();
  /** @type {FirstCount} */
  const found = {
    count,
    countedAtNs: String(countedAt),
    fromRequireMs: Number(countedAt - requiredAt) / 1e6,
    totalCpuMs: (user + system) / 1e3,
  };
  fs.writeSync(1, JSON.stringify(found));
  process.exit(0);
}

if (require.main === module) main(process.argv.slice(2));

module.exports = { CANDIDATES };
