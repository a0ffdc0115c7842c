'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { progress } = require('../harness/report');
const { significant } = require('../harness/statistics');
const { conversationOf, missesOf, sampleOf, visible } = require('../recall');
const { errorTemplates, isVisible } = require('../recall/error-lines');
const { countText } = require('./tokens');

/**
 * @typedef {import('./candidates').Candidate} Candidate
 *
 * @typedef {object} RecallRow
 * @property {'recall'} part
 * @property {string} generator
 * @property {string} candidate
 * @property {number} samples
 * @property {number} planted
 * @property {number} found
 * @property {number} recallPercent
 * @property {number} savedPercent      o200k tokens of the tool's results
 * @property {string} byKind            `errors 8/8, …`
 * @property {string[]} missed          seed, kind and needle
 * @property {number} errorTemplates    of lines of a log that tell of an error or an exception
 * @property {number} errorTemplatesVisible
 */

/**
 * @param {readonly string[]} generators
 * @param {readonly Candidate[]} candidates
 * @param {number} samples for each
 * @returns {Promise<RecallRow[]>}
 */
async function measureRecall(generators, candidates, samples) {
  const rows = [];
  for (const generator of generators) {
    progress(`compress: recall, ${generator}`);
    for (const candidate of candidates) {
      const tally = new Tally(generator, candidate.name);
      for (let seed = 1; seed <= samples; seed += 1) {
        const sample = sampleOf(generator, seed);
        const output = visible(await candidate.compress(conversationOf(sample)));
        tally.add(sample, output, seed);
      }
      rows.push(tally.row());
    }
  }
  return rows;
}

/** What came of the samples of a generator. */
class Tally {
  /** @param {string} generator @param {string} candidate */
  constructor(generator, candidate) {
    this.generator = generator;
    this.candidate = candidate;
    this.samples = 0;
    /** @type {Map<string, { planted: number, found: number }>} */
    this.kinds = new Map();
    /** @type {string[]} */
    this.missed = [];
    this.before = 0;
    this.after = 0;
    this.errors = { all: 0, visible: 0 };
  }

  /** @param {import('../recall').Sample} sample @param {string} output @param {number} seed */
  add(sample, output, seed) {
    this.samples += 1;
    this.before += countText(sample.text);
    this.after += countText(output);
    const misses = new Set(missesOf(sample, output));
    for (const item of sample.planted) {
      const kind = this.kinds.get(item.kind) ?? { planted: 0, found: 0 };
      this.kinds.set(item.kind, kind);
      kind.planted += 1;
      if (misses.has(item)) this.missed.push(`seed ${seed}: ${item.kind} ${item.needle}`);
      else kind.found += 1;
    }
    if (!this.generator.startsWith('log-')) return;
    for (const lines of errorTemplates(sample.text)) {
      this.errors.all += 1;
      if (isVisible(lines, output)) this.errors.visible += 1;
    }
  }

  /** @returns {RecallRow} */
  row() {
    const kinds = [...this.kinds];
    const planted = kinds.reduce((sum, [, kind]) => sum + kind.planted, 0);
    const found = kinds.reduce((sum, [, kind]) => sum + kind.found, 0);
    return {
      part: 'recall',
      generator: this.generator,
      candidate: this.candidate,
      samples: this.samples,
      planted,
      found,
      recallPercent: significant((100 * found) / planted, 4),
      savedPercent: significant(100 * (1 - this.after / this.before), 3),
      byKind: kinds.map(([kind, tally]) => `${kind} ${tally.found}/${tally.planted}`).join(', '),
      missed: this.missed,
      errorTemplates: this.errors.all,
      errorTemplatesVisible: this.errors.visible,
    };
  }
}

/**
 * The logs of the corpus: is there a template of an error that is not to be seen?
 *
 * @param {readonly Candidate[]} candidates
 */
async function checkLogs(candidates) {
  const folder = path.join(process.env.OFFLOOP_CORPUS || path.join(__dirname, '..', '..', '..', 'shared', 'corpus'), 'logs');
  if (!fs.existsSync(folder)) return [];
  const rows = [];
  for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.log'))) {
    const text = fs.readFileSync(path.join(folder, name), 'utf8');
    for (const candidate of candidates) {
      const sample = { text, question: 'What went wrong?', tool: 'run_command', arguments: { path: '.' }, planted: [] };
      const output = visible(await candidate.compress(conversationOf(sample)));
      const templates = errorTemplates(text);
      const hidden = templates.filter((lines) => !isVisible(lines, output));
      rows.push({
        part: /** @type {const} */ ('error lines'),
        log: name,
        candidate: candidate.name,
        savedPercent: significant(100 * (1 - countText(output) / countText(text)), 3),
        errorTemplates: templates.length,
        errorTemplatesVisible: templates.length - hidden.length,
        hidden: hidden.map((lines) => lines[0]),
      });
    }
  }
  return rows;
}

module.exports = { Tally, checkLogs, measureRecall };
