'use strict';

// What a fresh clone needs before anything runs: the development dependencies and the built addon.
// Skips what is already there. Uses nothing but Node's own modules, since nothing else is there yet.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

/** What the addon is built from. */
const SOURCES = ['src', 'Cargo.toml', 'Cargo.lock', 'build.rs'];

const OLDEST_NODE = 20;

/** Something on this machine is missing or failed; its message says what to do. */
class SetupError extends Error {}

/** @param {string} line */
const say = (line) => process.stderr.write(`setup: ${line}\n`);

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  // On Windows npm is a script, which only a shell can start.
  const shell = process.platform === 'win32' && command !== process.execPath;
  // The children's output is progress: stdout is for results.
  const { status, error } = spawnSync(command, args, { cwd: root, shell, stdio: ['inherit', 2, 2] });
  if (error !== undefined || status !== 0) {
    const why = error === undefined ? `ended with ${status}` : error.message;
    throw new SetupError(`${path.basename(command)} ${args.join(' ')}: ${why}`);
  }
}

/** @param {string[]} args */
function npm(...args) {
  const script = process.env.npm_execpath;
  if (script !== undefined && /\.c?js$/.test(script)) run(process.execPath, [script, ...args]);
  else run('npm', args);
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_NODE) {
    throw new SetupError(`Node ${OLDEST_NODE} or later is needed; this is ${process.version}`);
  }
}

/** @returns {string[]} names of direct dependencies that are not there in the version that the lock file has */
function missingDependencies() {
  const lock = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const { dependencies = {}, devDependencies = {} } = lock.packages[''];
  return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => {
    const file = path.join(root, 'node_modules', name, 'package.json');
    if (!fs.existsSync(file)) return true;
    const { version } = JSON.parse(fs.readFileSync(file, 'utf8'));
    return version !== lock.packages[`node_modules/${name}`].version;
  });
}

function ensureDependencies() {
  const missing = missingDependencies();
  if (missing.length === 0) {
    say('dependencies are there');
    return;
  }
  say(`installing dependencies (missing: ${missing.join(', ')})`);
  // Not `ci`, which refuses a lock file that lacks another platform's optional packages; the lock file
  // is followed all the same, and left as it is.
  npm('install', '--no-save', '--no-audit', '--no-fund');
}

/**
 * @param {string} file or folder
 * @returns {number} when anything in it last changed; 0 where there is nothing
 */
function lastChange(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  const inside = fs.readdirSync(file).map((name) => lastChange(path.join(file, name)));
  return Math.max(stat.mtimeMs, ...inside);
}

/**
 * @param {string} folder
 * @returns {string | undefined} why the addon in it has to be built
 */
function whyBuild(folder) {
  const loader = path.join(folder, 'native.js');
  const addons = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.node')) : [];
  if (addons.length === 0 || !fs.existsSync(loader)) return 'it is not built yet';
  const built = Math.max(...addons.map((name) => lastChange(path.join(folder, name))));
  const changed = Math.max(...SOURCES.map((name) => lastChange(path.join(root, name))));
  return changed > built ? 'its sources have changed' : undefined;
}

function checkRust() {
  const { status } = spawnSync('cargo', ['--version'], { stdio: 'ignore' });
  if (status !== 0) {
    throw new SetupError('cargo is needed to build the addon: install Rust (https://rustup.rs) and try again');
  }
}

/**
 * @param {object} [options]
 * @param {string} [options.script] of package.json, which builds the addon
 * @param {string} [options.folder] where that script puts the addon and its loader
 */
function ensureAddon({ script = 'build', folder = root } = {}) {
  const reason = whyBuild(folder);
  if (reason === undefined) {
    say('the addon is built');
    return;
  }
  checkRust();
  say(`building the addon, as ${reason} (a few minutes the first time)`);
  const start = performance.now();
  npm('run', '--silent', script);
  // cargo leaves a result alone that its sources would not change.
  const now = new Date();
  for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.node'))) {
    fs.utimesSync(path.join(folder, name), now, now);
  }
  say(`built in ${Math.round((performance.now() - start) / 1e3)} s`);
}

/**
 * @param {{ script?: string, folder?: string }} [addon]
 */
function setUp(addon) {
  checkNode();
  ensureDependencies();
  ensureAddon(addon);
}

/** Runs `work` after the set-up; what a user can mend is reported without a stack. */
function main() {
  try {
    setUp();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

if (require.main === module) main();

module.exports = { SetupError, ensureDependencies, setUp };
