'use strict';

// npm test: sets up what is missing, then runs every check, the Node tests last. Names narrow it down to some steps
// (`npm test -- node`), and what follows `--` goes to the last one (`npm test -- node -- __test__/parse.spec.js`).

const { spawnSync } = require('node:child_process');
const { readdirSync } = require('node:fs');
const path = require('node:path');

const { SetupError, setUp } = require('./setup');
const { FAULTS_ADDON, rootFolder: root } = require('./toolchain');

/** Each with its command, and with variables of its environment. @type {Record<string, (rest: string[]) => [string, string[], NodeJS.ProcessEnv?]>} */
const STEPS = {
  format: () => ['cargo', ['fmt', '--all', '--check']],
  clippy: () => ['cargo', ['clippy', '--all-targets', '--features', 'faults', '--quiet', '--', '-D', 'warnings']],
  rust: (rest) => ['cargo', ['test', '--no-default-features', '--quiet', ...rest]],
  fuzz: () => ['cargo', ['test', '--quiet', '-p', 'offloop-fuzz']],
  models: () => ['cargo', ['test', '--no-default-features', '--lib', '--quiet', 'models'], MODELS],
  types: () => [process.execPath, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root]],
  node: (rest) => [process.execPath, ['--test', '--test-timeout=600000', ...(rest.length > 0 ? rest : specs())]],
};

/** loom in place of the atomics; everything is built anew for it, so it is built apart, and only when asked for. */
const MODELS = { RUSTFLAGS: '--cfg loom', CARGO_TARGET_DIR: path.join(root, 'target', 'models') };
const ON_DEMAND = ['models'];

function specs() {
  const folder = path.join(root, '__test__');
  return readdirSync(folder).filter((name) => name.endsWith('.spec.js')).map((name) => path.join('__test__', name));
}

/** @param {string} name */
function isInstalled(name) {
  return spawnSync('cargo', [name, '--version'], { stdio: 'ignore' }).status === 0;
}

/** Steps that a Rust toolchain may lack. @type {Record<string, string>} */
const OPTIONAL = { format: 'fmt', clippy: 'clippy' };

/** @param {string} name @param {string[]} rest */
function step(name, rest) {
  if (name in OPTIONAL && !isInstalled(OPTIONAL[name])) {
    console.error(`test: ${name} skipped, as cargo ${OPTIONAL[name]} is not installed`);
    return true;
  }
  const [command, args, variables] = STEPS[name](rest);
  console.error(`test: ${name}`);
  const env = { ...process.env, OFFLOOP_NATIVE_PATH: FAULTS_ADDON.loader, ...variables };
  return spawnSync(command, args, { cwd: root, env, stdio: 'inherit' }).status === 0;
}

function main() {
  const separator = process.argv.indexOf('--', 2);
  const names = process.argv.slice(2, separator < 0 ? undefined : separator);
  const rest = separator < 0 ? [] : process.argv.slice(separator + 1);
  const unknown = names.filter((name) => !(name in STEPS));
  if (unknown.length > 0) {
    throw new SetupError(`no such step: ${unknown.join(', ')}; there are ${Object.keys(STEPS).join(', ')}`);
  }
  const steps = names.length > 0 ? names : Object.keys(STEPS).filter((name) => !ON_DEMAND.includes(name));
  if (steps.some((name) => !ON_DEMAND.includes(name))) setUp(FAULTS_ADDON);
  const failed = steps.filter((name) => !step(name, rest));
  if (failed.length > 0) throw new SetupError(`failed: ${failed.join(', ')}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`test: ${error.message}`);
  process.exitCode = 1;
}
