'use strict';

const { testDocuments, textsOf } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { VERSION, closeWordLlama, openWordLlama, wordllamaEmbed, wordllamaTime } = require('./competitors/wordllama');
const { openContenders, runScript } = require('./harness');
const { select } = require('./harness/args');
const { atMost, printFigures } = require('./harness/figures');
const { clock, collectGarbage } = require('./harness/measure');
const { formatRatio, formatTable, formatUs, progress, report } = require('./harness/report');
const { median, significant } = require('./harness/statistics');

const ABOUT = `Texts per second as vectors, on one thread, by the model in wordllama ${VERSION}: its own Python, which is installed on the
first run into an environment under node_modules/.cache, and pool.embed. Inputs are named by the characters of a text.`;

const METHOD =
  `The model of wordllama ${VERSION} (32,000 tokens, 256 dimensions), one thread each, texts that were not there before each round; ` +
  "medians of rounds in turns; Python's time is taken inside its process.";

/** Characters of a text, and how many make a round. @type {Record<string, { length: number, count: number }>} */
const INPUTS = {
  'chars-200': { length: 200, count: 4000 },
  'chars-1000': { length: 1000, count: 800 },
  'chars-10000': { length: 10_000, count: 80 },
};
const BASELINE = 'wordllama';

let model = '';

/** @param {object} options of pool.embed, with the folder of the model when it is known */
async function timeOffloop(/** @type {string[]} */ texts, options) {
  collectGarbage();
  const mainBefore = clock.mainCpuUs();
  const start = performance.now();
  await offloopPool().embed(texts, options);
  const ms = performance.now() - start;
  return { ms, mainCpuUs: (clock.mainCpuUs() - mainBefore) / texts.length };
}

/** @type {{ name: string, open: () => void | Promise<void>, close: () => Promise<void>, time: (texts: string[]) => Promise<{ ms: number, mainCpuUs?: number }> }[]} */
const CONTENDERS = [
  {
    name: BASELINE,
    open: async () => {
      model = await openWordLlama();
    },
    close: closeWordLlama,
    time: async (texts) => ({ ms: (await wordllamaTime(texts, 1))[0] }),
  },
  { name: 'offloop', open: () => openOffloop('embed', { size: 1 }), close: closeOffloop, time: (texts) => timeOffloop(texts, { model }) },
  { name: 'offloop-hash', open: () => openOffloop('embed', { size: 1 }), close: closeOffloop, time: (texts) => timeOffloop(texts, {}) },
];

runScript({ name: 'embed', about: ABOUT }, async (args) => {
  const chosen = select(args.only, Object.keys(INPUTS), CONTENDERS.map(({ name }) => name), BASELINE);
  const { contenders, skipped } = await openContenders(CONTENDERS, chosen.candidates);
  try {
    // Without the package there is no model either.
    const runnable = contenders.filter(({ name }) => model !== '' || name === 'offloop-hash');
    await compareAnswers(runnable.map(({ name }) => name));
    const rows = [];
    for (const input of chosen.files) rows.push(...(await measureInput(input, runnable, args.quick ? 3 : 15)));
    const summary = summarise(rows);
    if (args.json !== '-') print(rows, summary, skipped);
    const result = { name: 'embed', title: 'Embedding texts by a static model', method: METHOD, packages: [] };
    report({ ...result, rows, summary, skipped, charts: [chart(rows)] }, args);
  } finally {
    for (const contender of contenders) await contender.close();
  }
});

/** Pieces of the requests' texts, others in each round. */
class Pieces {
  constructor() {
    const requests = testDocuments().filter(({ file }) => !file.startsWith('json/'));
    this.text = requests.map(({ read }) => textsOf(JSON.parse(read().toString())).join('\n')).join('\n');
    this.at = 0;
  }

  /** @param {{ length: number, count: number }} input */
  next({ length, count }) {
    return Array.from({ length: count }, () => {
      if (this.at + length > this.text.length) this.at = (this.at + 7) % length;
      const from = this.at;
      this.at += length;
      // Halves of surrogate pairs, which UTF-8 has not, become U+FFFD.
      return Buffer.from(this.text.slice(from, this.at)).toString();
    });
  }
}

/** Ends the run where the same model gives other vectors. @param {readonly string[]} names */
async function compareAnswers(names) {
  if (!names.includes(BASELINE) || !names.includes('offloop')) return;
  const texts = new Pieces().next({ length: 1000, count: 200 });
  const [theirs, ours] = [await wordllamaEmbed(texts), await offloopPool().embed(texts, { model })];
  for (const [index, vector] of ours.entries()) {
    const cosine = vector.reduce((/** @type {number} */ sum, /** @type {number} */ value, /** @type {number} */ at) => sum + value * theirs[index][at], 0);
    if (!(cosine >= 0.9999)) throw new Error(`the vectors of ${JSON.stringify(texts[index])} differ: ${cosine}`);
  }
}

/**
 * @param {string} input
 * @param {readonly typeof CONTENDERS[number][]} contenders
 * @param {number} rounds
 */
async function measureInput(input, contenders, rounds) {
  progress(`embed: ${input}`);
  const pieces = new Pieces();
  const samples = contenders.map(() => /** @type {{ ms: number, mainCpuUs?: number }[]} */ ([]));
  for (const { time } of contenders) await time(pieces.next(INPUTS[input]));
  for (let round = 0; round < rounds; round += 1) {
    const texts = pieces.next(INPUTS[input]);
    for (let step = 0; step < contenders.length; step += 1) {
      const index = (round + step) % contenders.length;
      samples[index].push(await contenders[index].time(texts));
    }
  }
  const rates = samples.map((all) => (INPUTS[input].count / median(all.map(({ ms }) => ms))) * 1e3);
  const baseline = contenders.findIndex(({ name }) => name === BASELINE);
  return contenders.map(({ name }, index) => ({
    input,
    candidate: name,
    textsPerSecond: significant(rates[index]),
    ...(baseline < 0 ? {} : { wordllamaShare: significant(rates[baseline] / rates[index], 3) }),
    ...(name === BASELINE ? {} : { mainCpuUsPerText: significant(median(samples[index].map(({ mainCpuUs }) => mainCpuUs ?? NaN)), 3) }),
    rounds,
  }));
}

/** @typedef {Awaited<ReturnType<typeof measureInput>>} Rows */

/** @param {Rows} rows */
function summarise(rows) {
  return rows
    .filter(({ candidate, wordllamaShare }) => candidate === 'offloop' && wordllamaShare !== undefined)
    .map(({ input, wordllamaShare }) => ({
      figure: `texts per second, wordllama's Python ÷ ours, ${input}`,
      ...atMost(Number(wordllamaShare), 1),
    }));
}

/** @param {Rows} rows @param {ReturnType<typeof summarise>} figures @param {readonly { candidate: string, reason: string }[]} skipped */
function print(rows, figures, skipped) {
  const lines = rows.map(({ input, candidate, textsPerSecond, wordllamaShare, mainCpuUsPerText }) => [
    `${input}, ${candidate}`,
    Math.round(textsPerSecond).toLocaleString('en-US'),
    formatRatio(wordllamaShare),
    mainCpuUsPerText === undefined ? '' : formatUs(mainCpuUsPerText),
  ]);
  process.stdout.write(formatTable(['input', 'texts/s', 'wordllama / this', 'main CPU us/text'], lines));
  printFigures(figures);
  for (const { candidate, reason } of skipped) process.stdout.write(`\nleft out: ${candidate} (${reason})\n`);
}

/** @param {Rows} rows */
function chart(rows) {
  return {
    title: 'Embedding texts by a static model',
    unit: 'characters embedded per second on one thread, millions',
    groups: [...new Set(rows.map(({ input }) => input))].map((input) => ({
      label: input,
      bars: rows
        .filter((row) => row.input === input)
        .map(({ candidate, textsPerSecond }) => ({
          series: candidate,
          value: (textsPerSecond * INPUTS[input].length) / 1e6,
          text: `${Math.round(textsPerSecond).toLocaleString('en-US')} texts/s`,
        })),
    })),
  };
}
