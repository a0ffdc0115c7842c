'use strict';

// npm run audit: known vulnerabilities among npm's packages and crates, and the crates' licences and sources (deny.toml). What a machine
// lacks, or cannot reach, is skipped with a word; `--strict` takes that for a failure.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..');

/** @typedef {'passed' | 'failed' | { skipped: string }} Outcome */

/** @param {string} command @param {string[]} args @param {import('node:child_process').StdioOptions} stdio */
function run(command, args, stdio) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio, shell: process.platform === 'win32' });
}

/** @returns {Outcome} */
function npmAudit() {
  const { stdout } = run('npm', ['audit', '--json', '--fetch-retries=0'], ['ignore', 'pipe', 'ignore']);
  const report = JSON.parse(stdout || '{}');
  if (report.metadata === undefined) return { skipped: report.message ?? 'the registry has no answer' };
  const found = Object.values(report.vulnerabilities).map(({ name, severity, range }) => `${name} ${range}: ${severity}`);
  if (found.length > 0) console.log(found.join('\n'));
  return found.length === 0 ? 'passed' : 'failed';
}

/** @param {string[]} checks @returns {Outcome} */
function cargoDeny(checks) {
  if (run('cargo', ['deny', '--version'], 'ignore').status !== 0) return { skipped: 'cargo deny is not installed: cargo install cargo-deny' };
  const isOnline = !checks.includes('advisories') || run('cargo', ['deny', 'fetch', 'db'], 'ignore').status === 0;
  if (!isOnline) return { skipped: 'the database of advisories cannot be reached' };
  return run('cargo', ['deny', '--all-features', 'check', '--hide-inclusion-graph', ...checks], 'inherit').status === 0 ? 'passed' : 'failed';
}

/** @type {[string, () => Outcome][]} */
const CHECKS = [
  ['npm packages, vulnerabilities', npmAudit],
  ['crates, vulnerabilities', () => cargoDeny(['advisories'])],
  ['crates, licences and sources', () => cargoDeny(['bans', 'licenses', 'sources'])],
];

const isStrict = process.argv.includes('--strict');
for (const [name, check] of CHECKS) {
  const outcome = check();
  console.log(`audit: ${name}: ${typeof outcome === 'string' ? outcome : `skipped (${outcome.skipped})`}`);
  if (outcome === 'failed' || (isStrict && outcome !== 'passed')) process.exitCode = 1;
}
