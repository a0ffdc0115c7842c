'use strict';

const { CANDIDATES } = require('./compress/candidates');
const { TURNS, measureGrowth } = require('./compress/growth');
const { checkLogs, measureRecall } = require('./compress/recall');
const { measureSpeed } = require('./compress/speed');
const { charts, format, summarise } = require('./compress/summary');
const { VERSION } = require('./competitors/headroom');
const { testDocuments } = require('./corpus');
const { select } = require('./harness/args');
const { formatTable, report } = require('./harness/report');
const { openContenders, runScript } = require('./harness/script');
const { names: generators } = require('./recall');

const ABOUT = `What pool.compress costs, saves and keeps, beside headroom-ai ${VERSION}, which is installed on the first run into a
Python environment under node_modules/.cache (left out where Python or the network is missing).

Parts, which --only takes as well: speed (each conversation of the corpus), conversation (one that grows by ${TURNS} turns),
recall (evidence planted in generated tool results) and logs (the corpus's), or one input or generator by its name.`;

const METHOD =
  'Default options, pool of one thread, nothing remembered from the call before; medians of calls in turns; tokens counted ' +
  `by gpt-tokenizer (o200k); headroom-ai ${VERSION} in one Python process, offline, without its model, with OpenAI's vocabulary.`;

/** Conversations of the corpus, or made-up ones. */
function inputs() {
  return testDocuments()
    .map(({ file, read }) => ({ name: file.slice(file.indexOf('/') + 1), file, messages: JSON.parse(read().toString()).messages }))
    .filter(({ messages }) => Array.isArray(messages));
}

/** @param {string[]} only @param {string[]} inputNames */
function expand(only, inputNames) {
  /** @type {Record<string, string[]>} */
  const groups = { speed: inputNames, recall: generators };
  return only.flatMap((name) => groups[name] ?? [name]);
}

runScript({ name: 'compress', about: ABOUT }, async (args) => {
  const all = inputs();
  const inputNames = all.map(({ name }) => name);
  const chosen = select(
    expand(args.only, inputNames),
    [...inputNames, ...generators, 'conversation', 'logs'],
    CANDIDATES.map(({ name }) => name),
  );
  const { contenders, skipped } = await openContenders(CANDIDATES, chosen.candidates);
  const keepers = contenders.filter(({ name }) => name === 'offloop' || name === 'headroom');
  const chosenOf = (/** @type {string[]} */ names) => names.filter((name) => chosen.files.includes(name));
  try {
    const chosenInputs = all.filter(({ name }) => chosen.files.includes(name));
    const growth = chosen.files.includes('conversation') && contenders.some(({ name }) => name === 'offloop');
    const rows = {
      speed: await measureSpeed(chosenInputs, contenders, args.quick),
      growth: growth ? await measureGrowth(args.quick) : [],
      recall: await measureRecall(chosenOf(generators), keepers, args.quick ? 2 : 20),
      logs: chosen.files.includes('logs') ? await checkLogs(keepers) : [],
    };
    const summary = summarise(rows);
    if (args.json !== '-') print(rows, summary, skipped);
    const result = { name: 'compress', title: 'Compressing a conversation', method: METHOD, packages: ['gpt-tokenizer'] };
    report({ ...result, rows: Object.values(rows).flat(), summary, skipped, charts: charts(rows) }, args);
  } finally {
    for (const contender of contenders) await contender.close();
  }
});

/**
 * @param {import('./compress/summary').Rows} rows
 * @param {ReturnType<typeof summarise>} summary
 * @param {{ candidate: string, reason: string }[]} skipped
 */
function print(rows, summary, skipped) {
  process.stdout.write(format(rows));
  const lines = summary.map(({ figure, wanted, measured, met }) => [figure, wanted, String(measured), met]);
  if (lines.length > 0) process.stdout.write(`\n${formatTable(['figure', 'wanted', 'measured', 'met'], lines)}`);
  for (const { candidate, reason } of skipped) process.stdout.write(`\nleft out: ${candidate} (${reason})\n`);
}
