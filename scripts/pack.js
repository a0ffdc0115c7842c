'use strict';

// The two packages that a user of this platform installs, as npm packs them.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

/**
 * @param {string} folder
 * @returns {{ addon: string, platform: string } | undefined} the addon's file in it, and which platform's it is
 */
function addonIn(folder) {
  const addon = fs.readdirSync(folder).find((name) => /^offloop\..*\.node$/.test(name));
  return addon === undefined ? undefined : { addon, platform: addon.split('.')[1] };
}

/**
 * @param {string} built where the addon and its loader are, which need not be the root's
 * @param {string} folder where the tarballs go
 * @returns {string[]} the tarballs
 */
function pack(built, folder) {
  const found = addonIn(built);
  if (found === undefined) throw new Error(`there is no addon in ${built}`);
  const { addon, platform } = found;
  const copies = fs.mkdtempSync(path.join(folder, 'packages-'));
  const main = path.join(copies, 'offloop');
  for (const name of ['package.json', 'README.md', 'LICENSE', ...require('../package.json').files]) {
    fs.cpSync(path.join(name.startsWith('native.') ? built : root, name), path.join(main, name), { recursive: true });
  }
  const binary = path.join(copies, platform);
  fs.cpSync(path.join(root, 'npm', platform), binary, { recursive: true });
  fs.copyFileSync(path.join(built, addon), path.join(binary, addon));

  const args = ['pack', '--json', '--pack-destination', folder, main, binary];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`npm pack: ${stderr}`);
  fs.rmSync(copies, { recursive: true });
  const packed = JSON.parse(stdout);
  return (Array.isArray(packed) ? packed : Object.values(packed)).map(({ filename }) => path.join(folder, filename));
}

module.exports = { addonIn, pack };
