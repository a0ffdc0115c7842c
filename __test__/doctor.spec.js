'use strict';

// The environment's variables in one place, and `offloop doctor`, which shows them.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { checkEnvironment, VARIABLES } = require('../lib/environment');

const ROOT = path.join(__dirname, '..');
const SCRIPT = path.join(ROOT, 'bin', 'offloop.js');
const names = VARIABLES.map(({ name }) => name);

/** @param {string[]} args @param {object} [env] */
function offloop(args, env) {
  return spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
}

test('every variable that is read is known, and documented', () => {
  const lib = path.join(ROOT, 'lib');
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  const read = new Set(files.flatMap((name) => readFileSync(path.join(lib, name), 'utf8').match(/\b(WORKER|OFFLOOP)_[A-Z_]+\b/g) ?? []));
  // The code of an error.
  read.delete('WORKER_DIED');
  assert.ok(read.size >= 7);
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  for (const name of read) {
    assert.ok(names.includes(name), `${name} belongs into lib/environment.js`);
    assert.ok(readme.includes(`| \`${name}\` |`), `${name} belongs into README's table`);
  }
  assert.deepEqual(names.filter((name) => !read.has(name)), [], 'nobody reads them');
});

test('README has the defaults that the code has', () => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  for (const { name, fallback } of VARIABLES) {
    if (/^\d+$/.test(fallback)) assert.ok(readme.includes(`| \`${name}\` | ${fallback} |`), name);
  }
});

test('each variable is checked by itself', () => {
  const wrong = checkEnvironment({ WORKER_POOL_SIZE: 'many', WORKER_STORE_TTL_MS: '-1', WORKER_MAX_QUEUE: '5', WORKER_MAX_BLOCK_MS: ' ', WORKER_PERFORMANCE_ENTRIES: 'yes' });
  const problems = wrong.filter(({ problem }) => problem !== undefined);
  assert.deepEqual(problems.map(({ name, value }) => [name, value]), [['WORKER_POOL_SIZE', 'many'], ['WORKER_STORE_TTL_MS', '-1'], ['WORKER_PERFORMANCE_ENTRIES', 'yes']]);
  for (const { name, problem } of problems) assert.match(String(problem), new RegExp(`^the environment variable ${name} must be`));
});

test('doctor shows the machine, and what is saved on it', () => {
  const { stdout, stderr, status } = offloop(['doctor', '--json'], { WORKER_POOL_SIZE: '3' });
  assert.equal(status, 0, stderr + stdout);
  const report = JSON.parse(stdout);
  assert.equal(report.version, require('../package.json').version);
  assert.equal(report.platform.node, process.version);
  assert.equal(report.pool.threads, 3);
  assert.ok(report.binary.isLoaded);
  assert.ok(report.binary.bytes > 100_000);
  assert.deepEqual(report.environment.map((/** @type {any} */ { name }) => name), names);
  assert.deepEqual(report.selfTest.results.map((/** @type {any} */ { operation }) => operation), ['parse', 'stringify', 'clone', 'change a field']);
  for (const { inlineMs, offloopMs } of report.selfTest.results) assert.ok(inlineMs > 0 && offloopMs > 0);
  assert.deepEqual(report.problems, []);
});

test('doctor says what is wrong, once', () => {
  const { stdout, status } = offloop(['doctor'], { WORKER_MAX_QUEUE: 'x' });
  assert.equal(status, 1);
  assert.match(stdout, /WORKER_MAX_QUEUE +x +<- wrong/);
  assert.equal(stdout.match(/WORKER_MAX_QUEUE must be a whole number/g)?.length, 1);
});

test('doctor says why there is no addon', () => {
  const { stdout, status } = offloop(['doctor'], { OFFLOOP_NATIVE_PATH: path.join(ROOT, 'nothing.js') });
  assert.equal(status, 1);
  assert.match(stdout, /binary +not loaded/);
  assert.match(stdout, /the addon cannot be loaded: Cannot find module/);
});

test('the command says how it is used', () => {
  assert.match(offloop(['--help']).stdout, /^Usage: offloop doctor/);
  for (const args of [[], ['operate'], ['doctor', '--loud']]) {
    const { status, stderr } = offloop(args);
    assert.equal(status, 2);
    assert.match(stderr, /^Usage/);
  }
});
