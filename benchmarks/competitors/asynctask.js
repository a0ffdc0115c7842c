'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Unavailable } = require('../harness/script');
const { root } = require('../harness/machine');

const PACKAGE = 'offloop-bench-asynctask';

/**
 * @typedef {{ noop(): Promise<void>, parse(json: Buffer): Promise<number> }} AsyncTaskAddon
 *
 * @type {AsyncTaskAddon | undefined}
 */
let addon;

/**
 * Builds the competitor crate where it is missing or older than its source, and loads it.
 *
 * @returns {AsyncTaskAddon}
 */
function openAsyncTask() {
  if (addon === undefined) {
    const target = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
    const node = path.join(target, `${PACKAGE}.node`);
    if (isStale(node)) build(target, node);
    addon = /** @type {AsyncTaskAddon} */ (require(node));
  }
  return addon;
}

/** @param {string} node */
function isStale(node) {
  if (!fs.existsSync(node)) return true;
  const built = fs.statSync(node).mtimeMs;
  return ['Cargo.toml', path.join('src', 'lib.rs')].some(
    (file) => fs.statSync(path.join(__dirname, '..', 'asynctask', file)).mtimeMs > built,
  );
}

/**
 * @param {string} target
 * @param {string} node
 */
function build(target, node) {
  process.stderr.write('Building benchmarks/asynctask (once) …\n');
  // Cargo shows its progress on stderr, and so it goes to the reader's.
  const { status, error } = spawnSync('cargo', ['build', '--release', '-p', PACKAGE], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (error !== undefined) throw new Unavailable(`cargo does not run: ${/** @type {any} */ (error).code}`);
  if (status !== 0) throw new Unavailable(`benchmarks/asynctask does not build: cargo exited with ${status}`);
  const stem = PACKAGE.replace(/-/g, '_');
  const library =
    { win32: `${stem}.dll`, darwin: `lib${stem}.dylib` }[/** @type {string} */ (process.platform)] ?? `lib${stem}.so`;
  fs.copyFileSync(path.join(target, 'release', library), node);
}

module.exports = { openAsyncTask };
