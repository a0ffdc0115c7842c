'use strict';

// npm run coverage -- [--least N] [--only node|rust] [SPEC…]: the lines of lib/ and of src/ outside of bindings that tests run.
//
// The Node tests run with an addon that rustc has instrumented, so that what they do in Rust counts as much as what the Rust tests do. It
// takes the toolchain's llvm-tools (`rustup component add llvm-tools`); without them lib/ alone is measured. Tests do not count as lines:
// files of tests, and what stands below `#[cfg(test)]` at the end of a file. Nor does what has no code in it.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { SetupError, ensureDependencies, setUp } = require('./setup');
const { FAULTS_ADDON, hostTarget, read, rootFolder } = require('./toolchain');

const TARGET = path.join(rootFolder, 'target', 'coverage');
const PROFILES = path.join(TARGET, 'profiles');
const ADDON = path.join(TARGET, 'addon');

/** Where each process of Node leaves what it ran. */
const RUNS = path.join(TARGET, 'runs');

/** What measures memory and time would measure the instruments. */
const MEASURING = ['memory.spec.js', 'server-bench.spec.js', 'harness.spec.js'];

/** Each binary has a few profiles, which its processes add to in turns: there are thousands of processes. */
const INSTRUMENTED = { RUSTFLAGS: '-Cinstrument-coverage', CARGO_TARGET_DIR: TARGET, LLVM_PROFILE_FILE: path.join(PROFILES, '%4m.profraw') };

/** @typedef {{ file: string, lines: number, missed: number[] }} Row */

/** @returns {string | undefined} the folder of the toolchain's llvm tools */
function llvmTools() {
  const folder = path.join(read('rustc', '--print', 'sysroot'), 'lib', 'rustlib', hostTarget(), 'bin');
  return fs.existsSync(path.join(folder, process.platform === 'win32' ? 'llvm-cov.exe' : 'llvm-cov')) ? folder : undefined;
}

/** @param {string} file @returns {number} the last line that is no test */
function lastLine(file) {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const tests = lines.findLastIndex((line, index) => line.startsWith('#[cfg(') && line.includes('test') && /^mod \w+ \{/.test(lines[index + 1] ?? ''));
  return tests < 0 ? lines.length : tests;
}

/** @param {string} lcov @param {(file: string) => boolean} counts @returns {Row[]} */
function rows(lcov, counts) {
  const list = [];
  for (const record of lcov.split('end_of_record')) {
    const file = path.resolve(rootFolder, /^SF:(.*)$/m.exec(record)?.[1] ?? '');
    const name = path.relative(rootFolder, file).split(path.sep).join('/');
    if (!counts(name)) continue;
    const last = lastLine(file);
    const text = fs.readFileSync(file, 'utf8').split('\n');
    const isCode = (/** @type {number} */ line) => line <= last && /^\s*(?!\/\/|\/?\*)[^\s}\])]/.test(text[line - 1] ?? '');
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(([, line, count]) => ({ line: Number(line), count })).filter(({ line }) => isCode(line));
    const missed = lines.filter(({ count }) => count === '0').map(({ line }) => line);
    list.push({ file: name, lines: lines.length, missed });
  }
  return list;
}

/** @returns {string} the addon, instrumented */
function buildAddon() {
  const napi = path.join(rootFolder, 'node_modules', '.bin', process.platform === 'win32' ? 'napi.cmd' : 'napi');
  const args = ['build', '--platform', '--profile', 'faults', '--features', 'faults', '--output-dir', ADDON, '--target-dir', TARGET, '--js', 'native.js', '--dts', 'native.d.ts'];
  const { status } = spawnSync(napi, args, { cwd: rootFolder, env: { ...process.env, ...INSTRUMENTED }, shell: process.platform === 'win32', stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new SetupError('the addon could not be built');
  return path.join(ADDON, fs.readdirSync(ADDON).find((name) => name.endsWith('.node')) ?? '');
}

/** @returns {string[]} */
function allSpecs() {
  const names = fs.readdirSync(path.join(rootFolder, '__test__')).filter((name) => name.endsWith('.spec.js') && !MEASURING.includes(name));
  return names.map((name) => path.join('__test__', name));
}

/** Runs the Node tests. @param {string[]} specs @param {string} loader of the addon @returns {string} what they ran of JavaScript, as lcov */
function runSpecs(specs, loader) {
  const env = { ...process.env, LLVM_PROFILE_FILE: INSTRUMENTED.LLVM_PROFILE_FILE, OFFLOOP_NATIVE_PATH: loader, OFFLOOP_CASES: process.env.OFFLOOP_CASES ?? '100' };
  const args = ['--test', '--test-timeout=600000', '--test-reporter=dot', ...specs];
  const { status } = spawnSync(process.execPath, args, { cwd: rootFolder, env: { ...env, NODE_V8_COVERAGE: RUNS }, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.stderr.write('coverage: some Node tests failed\n');
  // c8, and not the test runner's own report, which there is none of once a process was killed as it wrote down what it had run.
  const c8 = path.join(rootFolder, 'node_modules', 'c8', 'bin', 'c8.js');
  const report = ['report', `--temp-directory=${RUNS}`, '--include=lib/**', '--reporter=lcovonly', `--reports-dir=${TARGET}`];
  if (spawnSync(process.execPath, [c8, ...report], { cwd: rootFolder, stdio: ['ignore', 2, 2] }).status !== 0) throw new SetupError('c8 could not report');
  return fs.readFileSync(path.join(TARGET, 'lcov.info'), 'utf8');
}

/** Runs the Rust tests. @returns {string[]} their binaries */
function runCargo() {
  const env = { ...process.env, ...INSTRUMENTED };
  const args = ['test', '--no-default-features', '--features', 'inverse', '--tests', '--no-fail-fast', '-p', 'offloop', '-p', 'offloop-fuzz'];
  const built = spawnSync('cargo', [...args, '--no-run', '--message-format=json'], { cwd: rootFolder, env, stdio: ['ignore', 'pipe', 2], encoding: 'utf8', maxBuffer: 1 << 28 });
  if (built.status !== 0) throw new SetupError('the Rust tests could not be built');
  if (spawnSync('cargo', args, { cwd: rootFolder, env, stdio: ['ignore', 2, 2] }).status !== 0) process.stderr.write('coverage: some Rust tests failed\n');
  return built.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line).executable).filter(Boolean);
}

/** @param {string} tools @param {string[]} binaries @returns {string} what all of them ran, as lcov */
function merged(tools, binaries) {
  const profile = path.join(TARGET, 'merged.profdata');
  const raw = fs.readdirSync(PROFILES).map((name) => path.join(PROFILES, name));
  // A process that was killed as it wrote leaves a profile that cannot be read.
  spawnSync(path.join(tools, 'llvm-profdata'), ['merge', '-sparse', '-failure-mode=all', ...raw, '-o', profile], { stdio: ['ignore', 2, 2] });
  const objects = binaries.flatMap((file, index) => (index === 0 ? [file] : ['-object', file]));
  const exported = spawnSync(path.join(tools, 'llvm-cov'), ['export', '-format=lcov', `-instr-profile=${profile}`, ...objects], { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (exported.status !== 0) throw new SetupError(`llvm-cov: ${exported.stderr}`);
  return exported.stdout;
}

/** @param {string} name */
const isTest = (name) => /(^|\/)tests(\/|\.rs$)|\/models\.rs$|\/inverse\.rs$/.test(name);

/** @param {number[]} lines @returns {string} such as 3-5, 9 */
function ranges(lines) {
  /** @type {number[][]} */
  const list = [];
  for (const line of lines) {
    const latest = list.at(-1);
    if (latest !== undefined && line - latest[1] <= 2) latest[1] = line;
    else list.push([line, line]);
  }
  return list.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** @param {string} title @param {Row[]} list @param {number} least @returns {boolean} whether there is enough */
function print(title, list, least) {
  const percent = (/** @type {number} */ lines, /** @type {number} */ missed) => (1 - missed / Math.max(lines, 1)) * 100;
  const total = list.reduce((sum, { lines }) => sum + lines, 0);
  if (total === 0) throw new SetupError(`${title}: nothing was measured`);
  const all = percent(total, list.reduce((sum, { missed }) => sum + missed.length, 0));
  console.log(`${title}: ${all.toFixed(1)} % of ${total} lines`);
  const below = list.filter(({ lines, missed }) => percent(lines, missed.length) < least).sort((a, b) => b.missed.length - a.missed.length);
  for (const { file, lines, missed } of below) console.log(`  ${file}: ${percent(lines, missed.length).toFixed(0)} %, without ${ranges(missed)}`);
  return all >= least;
}

function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { least: { type: 'string', default: '90' }, only: { type: 'string' } } });
  const least = Number(values.least);
  const tools = llvmTools();
  if (tools === undefined) console.error('coverage: Rust is not measured, as the toolchain has no llvm-tools: rustup component add llvm-tools');
  if (tools === undefined) setUp(FAULTS_ADDON);
  else ensureDependencies();
  for (const folder of [PROFILES, RUNS]) {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
  }
  const binaries = [];
  const results = [];
  if (values.only !== 'rust') {
    if (tools !== undefined) binaries.push(buildAddon());
    const lcov = runSpecs(positionals.length > 0 ? positionals : allSpecs(), tools === undefined ? FAULTS_ADDON.loader : path.join(ADDON, 'native.js'));
    results.push(print('lib/', rows(lcov, (name) => name.startsWith('lib/')), least));
  }
  if (tools !== undefined) {
    if (values.only !== 'node') binaries.push(...runCargo());
    const lcov = merged(tools, binaries);
    results.push(print('src/ outside of bindings', rows(lcov, (name) => name.startsWith('src/') && !name.startsWith('src/bindings/') && !isTest(name)), least));
  }
  if (results.includes(false)) throw new SetupError(`less than ${least} %`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`coverage: ${error.message}\n`);
  process.exitCode = 1;
}
