'use strict';

const path = require('node:path');
const { UsageError } = require('./harness/args');
const { report, writeFile } = require('./harness/report');
const { root } = require('./harness/machine');
const { USAGE, readArguments } = require('./server/arguments');
const { drawPage } = require('./server/page');
const { runParts } = require('./server/parts');
const { renewReadme } = require('./server/readme');
const { charts, formatAll, judge } = require('./server/summary');

const METHOD =
  'Service, mock upstream and load generator (autocannon, closed loop) in a process each, on the same machine; one mode ' +
  'at a time, interleaved, medians over the rounds; each window after a warm-up under the same load. Paced: the same ' +
  "random arrivals for every mode, at 80 % of inline's capacity. With token counting every text is new in each request.";

async function main() {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { rows, skipped } = await runParts(args);
  const summary = judge(rows);
  if (args.json !== '-') process.stdout.write(formatAll(rows, summary));
  const result = {
    name: 'server',
    title: 'The example service under load',
    method: METHOD,
    packages: ['express', 'piscina', 'autocannon', 'js-tiktoken'],
    rows: Object.values(rows).flat(),
    summary,
    skipped,
    charts: charts(rows),
  };
  const { isRecorded, machine } = report(result, args);
  const page = drawPage(rows, { ...result, machine });
  if (args.html !== undefined) writeFile(path.resolve(args.html), page);
  if (isRecorded) {
    writeFile(path.join(root, 'benchmarks', 'results', 'server.html'), page);
    renewReadme(path.join(root, 'README.md'), rows);
  }
}

main().catch((error) => {
  process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
