'use strict';

// The package as users get it: packed, installed offline into a service of its own, and used as CommonJS, ESM, from
// TypeScript and in a bundle.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { addonIn, pack } = require('../scripts/pack');

const ROOT = path.join(__dirname, '..');
/** Where the addon was built that the tests run on. */
const BUILT = path.dirname(process.env.OFFLOOP_NATIVE_PATH ? path.resolve(process.env.OFFLOOP_NATIVE_PATH) : path.join(ROOT, 'native.js'));
const { addon, platform } = addonIn(BUILT) ?? {};

/** The environment of a user: no addon but the package's. */
const env = { ...process.env };
delete env.OFFLOOP_NATIVE_PATH;

/**
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 */
function run(cwd, command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8', shell: process.platform === 'win32' });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error ?? ''}${stderr}${stdout}`);
  return stdout;
}

/** What a service does with the package, whichever way it got it. */
const USE = `
  const pool = new WorkerPool({ size: 1, offloadThreshold: 0 });
  const bytes = Buffer.from(JSON.stringify({ text: 'x'.repeat(20000) }));
  const document = await pool.load(bytes);
  const value = await pool.clone(await pool.parse(bytes));
  const text = await pool.stringify(value);
  const messages = await compressMessages([{ role: 'user', content: 'hello' }]);
  console.log(JSON.stringify([text.length, document.byteLength, typeof json, typeof plugin, messages.messages.length, pool.getStats().offloaded > 0]));
  await pool.shutdown();
`;
const USED = JSON.stringify([20011, 20011, 'function', 'function', 1, true]);

describe('the packed package', { skip: platform === undefined ? 'no addon is built' : false }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-package-'));
  const service = path.join(folder, 'service');
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** @param {string} name @param {string} text */
  function write(name, text) {
    fs.writeFileSync(path.join(service, name), text);
    return name;
  }

  before(() => {
    fs.mkdirSync(service);
    write('package.json', '{ "name": "service", "private": true }');
    const tarballs = pack(BUILT, folder);
    run(service, 'npm', ['install', '--offline', '--no-audit', '--no-fund', '--silent', ...tarballs]);
  });

  test('has what it needs, and nothing of how it is made', () => {
    const installed = path.join(service, 'node_modules', 'offloop');
    assert.deepEqual(fs.readdirSync(installed).sort(), ['package.json', 'README.md', 'LICENSE', ...require('../package.json').files].sort());
    assert.ok(fs.existsSync(path.join(installed, '..', `offloop-${platform}`, addon)));
  });

  test('is required', () => {
    const script = `const { WorkerPool, compressMessages, json } = require('offloop'); const plugin = require('offloop/fastify'); (async () => {${USE}})();`;
    assert.equal(run(service, process.execPath, [write('service.js', script)]).trim(), USED);
  });

  test('is imported', () => {
    const script = `import offloop, { WorkerPool, compressMessages, json } from 'offloop'; import plugin from 'offloop/fastify'; if (offloop.WorkerPool !== WorkerPool) throw new Error('two'); ${USE}`;
    assert.equal(run(service, process.execPath, [write('service.mjs', script)]).trim(), USED);
  });

  test('exports the same names both ways', () => {
    const script = `import { createRequire } from 'node:module'; import * as all from 'offloop'; const names = Object.keys(createRequire(import.meta.url)('offloop')).sort(); console.log(JSON.stringify([names, Object.keys(all).filter((name) => name !== 'default' && name !== 'module.exports').sort()]));`;
    const [required, imported] = JSON.parse(run(service, process.execPath, [write('names.mjs', script)]));
    assert.deepEqual(imported, required);
  });

  for (const [name, external] of /** @type {[string, string[]][]} */ ([['the package', ['offloop', 'offloop/*']], ['the addon', ['*.node', 'offloop-*']]])) {
    test(`is bundled, with ${name} left outside`, () => {
      const entry = write('entry.mjs', `import { WorkerPool, compressMessages, json } from 'offloop'; import plugin from 'offloop/fastify'; async function main() {${USE}} main();`);
      const outfile = `bundle-${name.replaceAll(' ', '-')}.cjs`;
      require('esbuild').buildSync({ absWorkingDir: service, entryPoints: [entry], bundle: true, platform: 'node', format: 'cjs', outfile, external, logLevel: 'silent' });
      assert.equal(run(service, process.execPath, [outfile]).trim(), USED);
    });
  }

  for (const [module, moduleResolution] of [['node16', 'node16'], ['nodenext', 'nodenext'], ['esnext', 'bundler']]) {
    test(`has types, for the module resolution ${moduleResolution}`, () => {
      const modules = path.join(service, 'node_modules');
      for (const name of ['@types', 'fastify']) {
        if (!fs.existsSync(path.join(modules, name))) fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name), 'junction');
      }
      const source = `
        import offloop, { WorkerPool, json, type Document, type PoolStats } from 'offloop';
        import plugin from 'offloop/fastify';
        import Fastify from 'fastify';
        import { createProcessor } from 'offloop/bullmq';
        export const processor = createProcessor({ concurrency: 4 });
        const pool: offloop.WorkerPool = new WorkerPool({ size: 1 });
        export const document: Promise<Document> = pool.load('{}');
        export const stats: PoolStats = pool.getStats();
        export const middleware = json({ limit: '1mb' });
        export const app = Fastify().register(plugin, { as: 'value' });
        // @ts-expect-error: no such option
        new WorkerPool({ threads: 4 });
      `;
      const isBundler = moduleResolution === 'bundler';
      const files = [write('types.mts', source)];
      if (!isBundler) files.push(write('types.cts', source.replaceAll(/import (\w+) from '([^']+)'/g, "import $1 = require('$2')").replace("import offloop, {", "import offloop = require('offloop');\nimport {")));
      const options = { module, moduleResolution, strict: true, noEmit: true, target: 'es2022', lib: ['es2023', 'esnext.disposable'], types: ['node'], skipLibCheck: false, exactOptionalPropertyTypes: false };
      write('tsconfig.json', JSON.stringify({ compilerOptions: options, files }));
      run(service, process.execPath, [path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
    });
  }

  test('has its command', () => {
    const report = JSON.parse(run(service, process.execPath, [path.join('node_modules', 'offloop', 'bin', 'offloop.js'), 'doctor', '--json']));
    assert.ok(report.binary.path.includes(`offloop-${platform}`));
    assert.deepEqual(report.problems, []);
    assert.ok(fs.existsSync(path.join(service, 'node_modules', '.bin', process.platform === 'win32' ? 'offloop.cmd' : 'offloop')));
  });
});
