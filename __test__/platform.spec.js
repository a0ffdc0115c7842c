'use strict';

// The packages of platforms, and what a machine is told for which there is none.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { PLATFORMS, missingBinary } = require('../lib/platform');
const { scripts, version } = require('../package.json');

const ROOT = path.join(__dirname, '..');

test('there is a package for each platform, of the same version', () => {
  assert.deepEqual(fs.readdirSync(path.join(ROOT, 'npm')).sort(), PLATFORMS);
  assert.equal(require('../package.json').napi.targets.length, PLATFORMS.length);
  for (const name of PLATFORMS) {
    const manifest = require(`../npm/${name}/package.json`);
    const [system, cpu, abi] = name.split('-');
    const libc = system === 'linux' ? [abi === 'gnu' ? 'glibc' : 'musl'] : undefined;
    assert.deepEqual([manifest.name, manifest.version, manifest.os, manifest.cpu, manifest.libc], [`offloop-${name}`, version, [system], [cpu], libc]);
    assert.deepEqual(manifest.files, [`offloop.${name}.node`]);
  }
});

const absent = Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });

test('a package that is not installed is named, with what installs it', () => {
  const error = missingBinary(absent, { platform: 'linux', arch: 'x64', libc: 'musl' });
  assert.equal(error.code, 'ERR_NO_BINARY');
  assert.equal(error.cause, absent);
  assert.match(error.message, /^offloop's binary for linux-x64-musl is missing/);
  assert.ok(error.message.includes(`npm install offloop-linux-x64-musl@${version}\n`));
});

test('a platform that has no package is told how to build one', () => {
  for (const [machine, suffix] of /** @type {[any, string][]} */ ([
    [{ platform: 'freebsd', arch: 'x64' }, 'freebsd-x64'],
    [{ platform: 'linux', arch: 's390x', libc: 'glibc 2.39' }, 'linux-s390x-gnu'],
    [{ platform: 'win32', arch: 'ia32' }, 'win32-ia32-msvc'],
  ])) {
    const { message } = missingBinary(absent, machine);
    assert.ok(message.startsWith(`offloop has no binary for ${suffix}.\n`), message);
    assert.match(message, /git clone \S+ && cd offloop && npm install && npm run build\n.*OFFLOOP_NATIVE_PATH=/);
    assert.doesNotMatch(message, /npm install offloop-/);
  }
  assert.ok(scripts.build, 'the message names it');
});

test('a binary that cannot be loaded says why', () => {
  const broken = Object.assign(new Error("version `GLIBC_2.99' not found"), { code: 'ERR_DLOPEN_FAILED' });
  const causes = new Error('no binding', { cause: new Error('not beside the loader', { cause: broken }) });
  const { message } = missingBinary(causes, { platform: 'linux', arch: 'x64', libc: 'glibc 2.17' });
  assert.ok(message.startsWith("The binary of offloop for linux-x64-gnu cannot be loaded: version `GLIBC_2.99' not found.\n"));
  assert.doesNotMatch(message, /npm install offloop-/);
});

test('require says it where the binary is not there', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-platform-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const loader = path.dirname(process.env.OFFLOOP_NATIVE_PATH ? path.resolve(process.env.OFFLOOP_NATIVE_PATH) : path.join(ROOT, 'native.js'));
  for (const name of ['index.js', 'package.json', 'lib']) fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  fs.copyFileSync(path.join(loader, 'native.js'), path.join(folder, 'native.js'));
  const { OFFLOOP_NATIVE_PATH: _, ...env } = process.env;
  const script = path.join(folder, 'script.cjs');
  fs.writeFileSync(script, "try { require('.'); } catch (error) { console.log(error.code, error.message); }");
  const { stdout } = spawnSync(process.execPath, [script], { cwd: folder, env, encoding: 'utf8' });
  assert.match(stdout, /^ERR_NO_BINARY offloop's binary for \S+ is missing: its package, offloop-\S+, is not installed/);
});

test('the changelog has a section for this version, which is the same everywhere', () => {
  const notes = (/** @type {string} */ tag) => spawnSync(process.execPath, [path.join(ROOT, 'scripts', 'release-notes.js'), tag], { encoding: 'utf8' });
  const { status, stdout, stderr } = notes(`v${version}`);
  assert.equal(status, 0, stderr);
  assert.ok(stdout.trim().length > 0);
  assert.equal(notes('v99.0.0').status, 1);
});
