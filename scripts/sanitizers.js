'use strict';

// npm run test:sanitizers -- [asan] [tsan] [valgrind]: the Rust tests of the pool, the log, memory and JSON under tools that see what tests
// do not. All that this machine can run, unless some are named; what is missing is said.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const { SetupError } = require('./setup');
const { hasNightly, hostTarget, rootFolder, succeeds } = require('./toolchain');

/** Tests of what has threads, shared memory or unsafe code. Generated cases are fewer, as each takes ten times as long. */
const LIBRARY = ['pool', 'log', 'memory', 'json', 'cancel'];
const FEW = { OFFLOOP_CASES: '20', PROPTEST_CASES: '8' };

/** Mixed with a standard library that is not instrumented: TSan cannot see what goes on in there, such as the fence of an Arc. */
const ABI = '-Cunsafe-allow-abi-mismatch=sanitizer';

/** @param {string} flag @param {NodeJS.ProcessEnv} options */
function sanitized(flag, options) {
  if (!hasNightly()) return 'there is no nightly toolchain: rustup toolchain install nightly';
  const env = { ...process.env, ...FEW, ...options, RUSTFLAGS: `-Zsanitizer=${flag} ${ABI}`, CARGO_TARGET_DIR: path.join(rootFolder, 'target', flag) };
  return tests(['+nightly'], ['--target', hostTarget()], env);
}

/** @param {string[]} toolchain @param {string[]} options @param {NodeJS.ProcessEnv} env @returns {boolean} */
function tests(toolchain, options, env) {
  const cargo = [...toolchain, 'test', '--no-default-features', '--quiet', ...options];
  const run = (/** @type {string[]} */ args) => spawnSync('cargo', [...cargo, ...args], { cwd: rootFolder, env, stdio: 'inherit' }).status === 0;
  return run(['--lib', '--', ...LIBRARY]) && run(['--test', 'pool']);
}

/** Each gives whether the tests passed, or why they could not run. @type {Record<string, () => boolean | string>} */
const TOOLS = {
  asan: () => sanitized('address', { ASAN_OPTIONS: 'detect_leaks=1:allocator_may_return_null=1' }),
  tsan: () => sanitized('thread', { TSAN_OPTIONS: `allocator_may_return_null=1:suppressions=${path.join(__dirname, 'tsan-suppressions.txt')}` }),
  valgrind: () => {
    if (!succeeds('valgrind', '--version')) return 'valgrind is not installed';
    const runner = `CARGO_TARGET_${hostTarget().toUpperCase().replaceAll('-', '_')}_RUNNER`;
    const env = { ...process.env, ...FEW, [runner]: 'valgrind --quiet --error-exitcode=1 --leak-check=no', PROPTEST_CASES: '2' };
    return spawnSync('cargo', ['test', '--no-default-features', '--quiet', '--lib', '--', 'pool::', 'memory::', 'log::intent', 'log::render'], { cwd: rootFolder, env, stdio: 'inherit' }).status === 0;
  },
};

function main() {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !(name in TOOLS));
  if (unknown.length > 0) throw new SetupError(`no such tool: ${unknown.join(', ')}; there are ${Object.keys(TOOLS).join(', ')}`);
  const failed = [];
  for (const name of names.length > 0 ? names : Object.keys(TOOLS)) {
    process.stderr.write(`sanitizers: ${name}\n`);
    const result = TOOLS[name]();
    if (typeof result === 'string') process.stderr.write(`sanitizers: ${name} skipped: ${result}\n`);
    else if (!result) failed.push(name);
  }
  if (failed.length > 0) throw new SetupError(`failed: ${failed.join(', ')}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`sanitizers: ${error.message}\n`);
  process.exitCode = 1;
}
