'use strict';

// npm run test:package: the packages of this platform packed, installed offline with an empty cache and no Rust on the path, and used: how
// long the first result takes, how large it is, and the demo on what was installed.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { performance } = require('node:perf_hooks');

const { pack } = require('./pack');
const { SetupError, setUp } = require('./setup');

const root = path.join(__dirname, '..');
const MOST_SECONDS = 10;
/** Megabytes of the packages, and of the binary in them. */
const MOST_INSTALLED = 20;
const MOST_BINARY = 12;

const FIRST_RESULT = `
  const { getWorkerPool } = require('offloop');
  const text = JSON.stringify({ messages: Array.from({ length: 2000 }, (_, index) => ({ role: 'user', content: 'message ' + index })) });
  getWorkerPool().parse(Buffer.from(text)).then(({ messages }) => console.log(messages.length));
`;

/** What the demo has in a checkout: the folders it is made of, and an index.js, which here is the package. */
const DEMO = ['benchmarks', 'examples', 'scripts'];

/** @param {string} folder that npm may use as its cache */
function environment(folder) {
  const { PATH = '', OFFLOOP_NATIVE_PATH: _, ...env } = process.env;
  const isToolchain = (/** @type {string} */ place) => ['cargo', 'rustc', 'cargo.exe'].some((name) => fs.existsSync(path.join(place, name)));
  const places = PATH.split(path.delimiter).filter((place) => !isToolchain(place));
  return { ...env, PATH: [...places, path.dirname(process.execPath)].join(path.delimiter), npm_config_cache: path.join(folder, 'cache') };
}

/** @param {string} folder */
function runner(folder) {
  const service = path.join(folder, 'service');
  const env = environment(folder);
  fs.mkdirSync(service);
  return {
    service,
    /** @param {string} command @param {string[]} args */
    run(command, args) {
      const options = { cwd: service, env, encoding: /** @type {const} */ ('utf8'), shell: process.platform === 'win32' && command === 'npm' };
      const { status, stdout, stderr, error } = spawnSync(command, args, options);
      assert.equal(status, 0, `${command} ${args.join(' ')}: ${error ?? ''}${stderr}${stdout}`);
      return stdout;
    },
  };
}

/** What was installed is small. @param {string} service */
function checkSizes(service) {
  const files = fs.readdirSync(path.join(service, 'node_modules'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sizes = files.map(({ name, parentPath, path: folder }) => ({ name, megabytes: fs.statSync(path.join(parentPath ?? folder, name)).size / 1e6 }));
  const installed = sizes.reduce((sum, { megabytes }) => sum + megabytes, 0);
  const binary = Math.max(...sizes.filter(({ name }) => name.endsWith('.node')).map(({ megabytes }) => megabytes));
  console.log(`installed: ${installed.toFixed(1)} MB, of which the binary: ${binary.toFixed(1)} MB`);
  assert.ok(installed <= MOST_INSTALLED, `more than ${MOST_INSTALLED} MB`);
  assert.ok(binary <= MOST_BINARY, `a binary of more than ${MOST_BINARY} MB`);
}

/** @param {string} service */
function layOutDemo(service) {
  for (const name of DEMO) fs.cpSync(path.join(root, name), path.join(service, name), { recursive: true });
  fs.writeFileSync(path.join(service, 'index.js'), "module.exports = require('offloop');\n");
  // What the service itself is made with, and what loads it.
  for (const name of ['autocannon', 'express', 'js-tiktoken', 'piscina']) {
    fs.symlinkSync(path.join(root, 'node_modules', name), path.join(service, 'node_modules', name), 'junction');
  }
}

function main() {
  setUp();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-test-package-'));
  try {
    const tarballs = pack(root, folder);
    for (const file of tarballs) console.log(`${path.basename(file)}: ${(fs.statSync(file).size / 1e6).toFixed(1)} MB`);
    const { service, run } = runner(folder);
    fs.writeFileSync(path.join(service, 'package.json'), '{ "name": "service", "private": true }\n');

    const start = performance.now();
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--silent', ...tarballs]);
    const installed = performance.now();
    assert.equal(run(process.execPath, ['-e', FIRST_RESULT]).trim(), '2000');
    const seconds = (performance.now() - start) / 1e3;
    console.log(`npm install: ${((installed - start) / 1e3).toFixed(1)} s; to the first result: ${seconds.toFixed(1)} s`);
    assert.ok(seconds < MOST_SECONDS, `more than ${MOST_SECONDS} s`);

    checkSizes(service);
    layOutDemo(service);
    console.log(run(process.execPath, ['-e', "require('./scripts/demo').demo()"]));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

try {
  main();
} catch (error) {
  console.error(`test:package: ${error instanceof SetupError ? error.message : /** @type {Error} */ (error).stack}`);
  process.exitCode = 1;
}
