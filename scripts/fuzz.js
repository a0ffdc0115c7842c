'use strict';

// npm run fuzz -- TARGET [--seconds N] [--seed N]: one target, or `all` of them one after the other.
//
// Targets in Rust (fuzz/) run under libFuzzer, which follows the coverage. What it takes for that are settings of rustc that a stable
// toolchain has, and a C++ compiler. AddressSanitizer is on where there is a nightly toolchain. Targets in JavaScript
// (fuzz/js/) are drivers of our own, whose seed is printed.

const { spawnSync } = require('node:child_process');
const { mkdirSync, readdirSync } = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { SetupError, setUp } = require('./setup');
const { FAULTS_ADDON, hasNightly, hostTarget, rootFolder, succeeds } = require('./toolchain');

const FUZZ = path.join(rootFolder, 'fuzz');
const names = (/** @type {string} */ folder, /** @type {string} */ extension) =>
  readdirSync(path.join(FUZZ, folder)).filter((name) => name.endsWith(extension)).map((name) => path.basename(name, extension));
const RUST = names('fuzz_targets', '.rs');
const JAVASCRIPT = names('js', '.fuzz.js');

/** What tells libFuzzer where a run has been, and what it compared. */
const COVERAGE = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
];

/** Longest input, bytes: some targets repeat what they are given. */
const MAX_LENGTH = 1 << 16;
/** Memory of a target, MB, and how long one input may take, seconds. */
const LIMITS = ['-rss_limit_mb=4096', '-timeout=60'];

/** @param {string} target @param {boolean} sanitized @returns {string} the target's binary */
function build(target, sanitized) {
  if (!succeeds('c++', '--version')) throw new SetupError(`the target ${target} needs a C++ compiler for libFuzzer; there is none called c++`);
  const folder = path.join(rootFolder, 'target', sanitized ? 'fuzz-asan' : 'fuzz');
  const host = hostTarget();
  const flags = [...COVERAGE, '--cfg', 'fuzzing', ...(sanitized ? ['-Zsanitizer=address'] : [])];
  const args = [...(sanitized ? ['+nightly'] : []), 'build', '--profile', 'fuzz', '-p', 'offloop-fuzz', '--features', 'libfuzzer', '--bin', target, '--target', host];
  const env = { ...process.env, RUSTFLAGS: flags.join(' '), CARGO_TARGET_DIR: folder };
  const { status } = spawnSync('cargo', args, { cwd: rootFolder, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new SetupError(`the target ${target} could not be built`);
  return path.join(folder, host, 'fuzz', target);
}

/** @param {string} target @param {{ seconds: number, seed?: string, sanitized: boolean }} run */
function runRust(target, { seconds, seed, sanitized }) {
  const binary = build(target, sanitized);
  // What is found goes to the first folder; the seeds stay as they are.
  const found = path.join(rootFolder, 'target', 'fuzz-found', target);
  mkdirSync(found, { recursive: true });
  const args = [
    found,
    path.join(FUZZ, 'seeds', target),
    `-max_total_time=${seconds}`,
    `-max_len=${MAX_LENGTH}`,
    `-artifact_prefix=${path.join(found, '..', `${target}-`)}`,
    '-print_final_stats=1',
    ...LIMITS,
    ...(seed === undefined ? [] : [`-seed=${seed}`]),
  ];
  return spawnSync(binary, args, { stdio: 'inherit' }).status === 0;
}

/** @param {string} target @param {{ seconds: number, seed?: string }} run */
function runJavaScript(target, { seconds, seed = String(Date.now() % 2 ** 31) }) {
  setUp(FAULTS_ADDON);
  const env = { ...process.env, OFFLOOP_NATIVE_PATH: process.env.OFFLOOP_NATIVE_PATH ?? FAULTS_ADDON.loader };
  const script = path.join(FUZZ, 'js', `${target}.fuzz.js`);
  return spawnSync(process.execPath, ['--expose-gc', script, String(seconds), seed], { env, stdio: 'inherit' }).status === 0;
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, 'no-asan': { type: 'boolean', default: false } },
  });
  const [name] = positionals;
  const all = [...RUST, ...JAVASCRIPT];
  const targets = name === 'all' ? all : all.filter((target) => target === name);
  const seconds = Number(values.seconds);
  if (targets.length === 0 || !(seconds > 0)) throw new SetupError(`usage: npm run fuzz -- TARGET [--seconds N] [--seed N] [--no-asan]; targets: all, ${all.join(', ')}`);
  const sanitized = !values['no-asan'] && hasNightly();
  const failed = targets.filter((target) => {
    const isRust = RUST.includes(target);
    process.stderr.write(`fuzz: ${target} for ${seconds} s${isRust && !sanitized ? ', without AddressSanitizer' : ''}\n`);
    return !(isRust ? runRust(target, { seconds, seed: values.seed, sanitized }) : runJavaScript(target, { seconds, seed: values.seed }));
  });
  if (failed.length > 0) throw new SetupError(`failed: ${failed.join(', ')}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`fuzz: ${error.message}\n`);
  process.exitCode = 1;
}
