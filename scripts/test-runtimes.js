'use strict';

// npm run test:runtimes: the Node tests on Bun and Deno, which are installed into target/runtimes. Names narrow it down
// (`npm run test:runtimes -- bun parse stringify`). What is left out, and why, is said by docs/runtimes.md.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { SetupError, setUp } = require('./setup');

const root = path.join(__dirname, '..');
const FOLDER = path.join(root, 'target', 'runtimes');
const ADDON = { script: 'build:faults', folder: path.join(root, 'target', 'faults-addon') };
const MOST_MS = 180_000;

/**
 * @typedef {object} Runtime
 * @property {string} manifest its package, for linux-x64
 * @property {string} version
 * @property {string} program in the package
 * @property {(spec: string, except: string[]) => string[]} args
 * @property {Record<string, string[] | true>} except by spec: the names of tests that fail there, or all of them
 */

/** @param {string[]} names @returns {string} matches all names but these, or such as begin with them */
function others(names) {
  return `^(?!.*(${names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')}))`;
}

/** @type {Record<string, Runtime>} */
const RUNTIMES = {
  bun: {
    manifest: '@oven/bun-linux-x64',
    version: '1.4.5',
    program: 'bin/bun',
    args: (spec, except) => ['test', '--timeout', '120000', ...(except.length > 0 ? ['--test-name-pattern', others(except)] : []), `./${spec}`],
    except: {
      clone: ['without code generation from strings'],
      document: ['documents that are dropped are freed'],
      'express-json': ['slow bodies in tiny pieces'],
      harness: true,
      'log-crash': ['loses nothing: process.abort()', 'loses nothing: SIGSEGV'],
      parse: ['a text that no JS string could hold', 'without code generation'],
      recall: true,
      signals: true,
      stringify: ['cycles are refused', 'long texts are offloaded', 'text longer than a string can be', 'without code generation'],
    },
  },
  deno: {
    manifest: '@deno/linux-x64-glibc',
    version: '2.9.6',
    program: 'deno',
    args: (spec, except) => ['test', '-A', '--no-lock', '--no-check', '--unstable-detect-cjs', ...(except.length > 0 ? ['--filter', `/${others(except)}/`] : []), spec],
    except: {
      abort: true,
      example: ['SIGTERM', 'a second signal'],
      harness: true,
      'log-crash': ['the end of the process'],
      'log-failure': ['more lines than can be written'],
      logger: true,
      memory: ['parse, 100 bodies'],
      package: true,
      parse: ['without code generation'],
      platform: ['require says it'],
      signals: true,
      stringify: ['long texts are offloaded'],
    },
  },
};

/** @param {Runtime} runtime @returns {string | undefined} its program, if it can be had */
function install({ manifest, version, program }) {
  const file = path.join(FOLDER, 'node_modules', manifest, program);
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(FOLDER, { recursive: true });
  fs.writeFileSync(path.join(FOLDER, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--silent', '--fetch-retries=0', `${manifest}@${version}`];
  const { status } = spawnSync('npm', args, { cwd: FOLDER, stdio: 'ignore', timeout: MOST_MS, shell: process.platform === 'win32' });
  return status === 0 && fs.existsSync(file) ? file : undefined;
}

/**
 * @param {string} name
 * @param {string[]} specs
 * @returns {string[]} the specs that failed
 */
function test(name, specs) {
  const runtime = RUNTIMES[name];
  const program = install(runtime);
  if (program === undefined) {
    console.log(`test:runtimes: ${name} skipped, as ${runtime.manifest} cannot be installed here`);
    return [];
  }
  const env = { ...process.env, NO_COLOR: '1', OFFLOOP_NATIVE_PATH: path.join(ADDON.folder, 'native.js') };
  return specs.filter((spec) => {
    const except = runtime.except[spec] ?? [];
    if (except === true) {
      console.log(`${name} ${spec}: left out`);
      return false;
    }
    const { status, stdout, stderr } = spawnSync(program, runtime.args(`__test__/${spec}.spec.js`, except), { cwd: root, env, encoding: 'utf8', timeout: MOST_MS, maxBuffer: 2 ** 28 });
    console.log(`${name} ${spec}: ${status === 0 ? 'passed' : 'FAILED'}${except.length > 0 ? `, without ${except.length}` : ''}`);
    if (status !== 0) console.log(`${stdout}${stderr}`);
    return status !== 0;
  });
}

function main() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('test:runtimes: skipped, as it knows the packages of Bun and Deno for linux-x64 only');
    return;
  }
  const words = process.argv.slice(2);
  const names = Object.keys(RUNTIMES).filter((name) => words.includes(name));
  const all = fs.readdirSync(path.join(root, '__test__')).filter((name) => name.endsWith('.spec.js')).map((name) => name.slice(0, -8));
  const chosen = words.filter((word) => !names.includes(word));
  const unknown = chosen.filter((word) => !all.includes(word));
  if (unknown.length > 0) throw new SetupError(`no such runtime or spec: ${unknown.join(', ')}`);
  setUp(ADDON);
  const failed = (names.length > 0 ? names : Object.keys(RUNTIMES)).flatMap((name) => test(name, chosen.length > 0 ? chosen : all).map((spec) => `${name} ${spec}`));
  if (failed.length > 0) throw new SetupError(`failed: ${failed.join(', ')}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`test:runtimes: ${error.message}`);
  process.exitCode = 1;
}
