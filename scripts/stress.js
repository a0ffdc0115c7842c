'use strict';

// npm run test:stress -- [--nodes FOLDER,…] [SPEC…]: the Node tests with memory so short that it is collected all the time, and on every
// Node that is found: this one, and those of `--nodes` or OFFLOOP_NODES, paths of executables.

const { spawnSync } = require('node:child_process');
const { readdirSync } = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { SetupError, setUp } = require('./setup');
const { FAULTS_ADDON, read, rootFolder } = require('./toolchain');

/** Collections after few allocations, compacting, with objects moved. Node's builds have no `--stress-gc`. */
const SHORT_OF_MEMORY = ['--gc-interval=500', '--stress-compaction', '--min-semi-space-size=1', '--max-semi-space-size=1'];
/** What crosses the boundary, or holds memory of both sides. */
const CROSSING = ['parse', 'stringify', 'clone', 'document', 'abort', 'settle-once', 'threads', 'memory', 'panic', 'logger', 'compress', 'faults'];

/** @param {string} node @param {string[]} flags @param {string[]} specs */
function run(node, flags, specs) {
  const env = { ...process.env, OFFLOOP_NATIVE_PATH: FAULTS_ADDON.loader, OFFLOOP_CASES: process.env.OFFLOOP_CASES ?? '100' };
  // Flags reach the processes of the tests, not those that tests start.
  return spawnSync(node, [...flags, '--test', '--test-timeout=900000', '--test-reporter=dot', ...specs], { cwd: rootFolder, env, stdio: 'inherit' }).status === 0;
}

function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { nodes: { type: 'string', default: process.env.OFFLOOP_NODES ?? '' } } });
  setUp(FAULTS_ADDON);
  const folder = path.join(rootFolder, '__test__');
  const all = readdirSync(folder).filter((name) => name.endsWith('.spec.js')).map((name) => path.join(folder, name));
  const named = positionals.length > 0 ? positionals : undefined;
  const crossing = named ?? CROSSING.map((name) => path.join(folder, `${name}.spec.js`));
  const failed = [];
  for (const node of [process.execPath, ...values.nodes.split(',').filter(Boolean)]) {
    const version = read(node, '--version');
    if (version === '') throw new SetupError(`${node} does not run`);
    process.stderr.write(`\nstress: ${version}\n`);
    if (!run(node, [], named ?? all)) failed.push(version);
    process.stderr.write(`\nstress: ${version}, short of memory\n`);
    if (!run(node, SHORT_OF_MEMORY, crossing)) failed.push(`${version}, short of memory`);
  }
  if (failed.length > 0) throw new SetupError(`failed: ${failed.join('; ')}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`stress: ${error.message}\n`);
  process.exitCode = 1;
}
