#!/usr/bin/env node
'use strict';

const USAGE = `Usage: offloop doctor [--json]

  doctor   what this machine and its environment make of offloop: platform, binary, threads, settings, vocabularies,
           and how much main-thread time it saves here (takes two seconds); exits with 1 where something is wrong
`;

async function main() {
  const args = process.argv.slice(2);
  const unknown = args.filter((arg) => arg !== 'doctor' && arg !== '--json');
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(USAGE);
  if (!args.includes('doctor') || unknown.length > 0) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const { examine, format } = require('../lib/doctor');
  const report = await examine();
  process.stdout.write(args.includes('--json') ? `${JSON.stringify(report, null, 2)}\n` : format(report));
  if (report.problems.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  process.stderr.write(`offloop: ${error.stack}\n`);
  process.exitCode = 1;
});
