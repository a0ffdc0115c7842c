'use strict';

// npm run coverage -- [--least N]: lines of lib/ that the Node tests run, and lines of src/ outside of bindings that the Rust tests run.
//
// Rust is measured by rustc's own instrumentation, which takes the toolchain's llvm-tools (`rustup component add llvm-tools`); what is
// missing is said. Tests do not count as lines: files of tests, and what stands below `#[cfg(test)]` at the end of a file.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { SetupError, setUp } = require('./setup');
const { FAULTS_ADDON, hostTarget, read, rootFolder } = require('./toolchain');

const TARGET = path.join(rootFolder, 'target', 'coverage');

/** @typedef {{ file: string, lines: number, hit: number }} Row */

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
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].filter(([, line]) => Number(line) <= last);
    list.push({ file: name, lines: lines.length, hit: lines.filter(([, , count]) => count !== '0').length });
  }
  return list;
}

/** @returns {Row[]} */
function javaScript() {
  setUp(FAULTS_ADDON);
  const specs = fs.readdirSync(path.join(rootFolder, '__test__')).filter((name) => name.endsWith('.spec.js')).map((name) => path.join('__test__', name));
  const report = path.join(TARGET, 'node.lcov');
  fs.mkdirSync(TARGET, { recursive: true });
  const reporters = ['--test-reporter=lcov', `--test-reporter-destination=${report}`, '--test-reporter=dot', '--test-reporter-destination=stderr'];
  const env = { ...process.env, OFFLOOP_NATIVE_PATH: FAULTS_ADDON.loader };
  const { status } = spawnSync(process.execPath, ['--test', '--experimental-test-coverage', '--test-timeout=600000', ...reporters, ...specs], { cwd: rootFolder, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.stderr.write('coverage: some Node tests failed\n');
  return rows(fs.readFileSync(report, 'utf8'), (name) => name.startsWith('lib/'));
}

/** @param {string} tools @returns {Row[]} */
function rust(tools) {
  const profiles = path.join(TARGET, 'profiles');
  fs.rmSync(profiles, { recursive: true, force: true });
  const env = { ...process.env, RUSTFLAGS: '-Cinstrument-coverage', CARGO_TARGET_DIR: TARGET, LLVM_PROFILE_FILE: path.join(profiles, '%p-%m.profraw') };
  const args = ['test', '--no-default-features', '--features', 'inverse', '--tests', '--no-fail-fast', '-p', 'offloop', '-p', 'offloop-fuzz'];
  const built = spawnSync('cargo', [...args, '--no-run', '--message-format=json'], { cwd: rootFolder, env, stdio: ['ignore', 'pipe', 2], encoding: 'utf8', maxBuffer: 1 << 28 });
  if (built.status !== 0) throw new SetupError('the Rust tests could not be built');
  const binaries = built.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line).executable).filter(Boolean);
  if (spawnSync('cargo', args, { cwd: rootFolder, env, stdio: ['ignore', 2, 2] }).status !== 0) process.stderr.write('coverage: some Rust tests failed\n');
  const merged = path.join(TARGET, 'merged.profdata');
  const raw = fs.readdirSync(profiles).map((name) => path.join(profiles, name));
  spawnSync(path.join(tools, 'llvm-profdata'), ['merge', '-sparse', ...raw, '-o', merged], { stdio: ['ignore', 2, 2] });
  const exported = spawnSync(path.join(tools, 'llvm-cov'), ['export', '-format=lcov', `-instr-profile=${merged}`, ...binaries.flatMap((/** @type {string} */ file, /** @type {number} */ index) => (index === 0 ? [file] : ['-object', file]))], { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (exported.status !== 0) throw new SetupError(`llvm-cov: ${exported.stderr}`);
  const isTest = (/** @type {string} */ name) => /(^|\/)tests(\/|\.rs$)|\/models\.rs$|\/decode\.rs$|\/inverse\.rs$/.test(name);
  return rows(exported.stdout, (name) => name.startsWith('src/') && !name.startsWith('src/bindings/') && !isTest(name));
}

/** @param {string} title @param {Row[]} list @param {number} least @returns {boolean} whether there is enough */
function print(title, list, least) {
  const total = list.reduce((sum, { lines }) => sum + lines, 0);
  const hit = list.reduce((sum, row) => sum + row.hit, 0);
  const percent = (hit / total) * 100;
  console.log(`${title}: ${percent.toFixed(1)} % of ${total} lines`);
  const missing = list.map((row) => ({ ...row, missed: row.lines - row.hit })).sort((a, b) => b.missed - a.missed);
  for (const { file, lines, missed } of missing.slice(0, 12)) {
    if (missed > 0) console.log(`  ${file}: ${missed} of ${lines} lines are not run`);
  }
  return percent >= least;
}

function main() {
  const { values } = parseArgs({ options: { least: { type: 'string', default: '90' }, only: { type: 'string' } } });
  const least = Number(values.least);
  const results = [];
  if (values.only !== 'rust') results.push(print('lib/', javaScript(), least));
  if (values.only !== 'lib') {
    const tools = llvmTools();
    if (tools === undefined) console.error('coverage: Rust is skipped, as the toolchain has no llvm-tools: rustup component add llvm-tools');
    else results.push(print('src/ outside of bindings', rust(tools), least));
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
