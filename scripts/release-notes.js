'use strict';

// Prints what CHANGELOG.md says of a release: `node scripts/release-notes.js v0.1.0`. Fails where it says nothing, or where the version is
// another one somewhere.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

/** @param {string} file */
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

/** @returns {[string, string][]} files and the versions that they have */
function versions() {
  const manifests = ['package.json', ...fs.readdirSync(path.join(root, 'npm')).map((name) => path.join('npm', name, 'package.json'))];
  const crate = /^version = "(.*)"$/m.exec(read('Cargo.toml'))?.[1] ?? 'none';
  return [['Cargo.toml', crate], ...manifests.map((file) => /** @type {[string, string]} */ ([file, JSON.parse(read(file)).version]))];
}

/** @param {string} version @returns {string | undefined} the section of the changelog */
function notesOf(version) {
  const section = read('CHANGELOG.md').split(/^(?=## )/m).find((text) => text.startsWith(`## ${version}`));
  return section?.split('\n').slice(1).join('\n').trim();
}

function main() {
  const version = (process.argv[2] ?? '').replace(/^v/, '');
  const others = versions().filter(([, other]) => other !== version);
  const notes = notesOf(version);
  for (const [file, other] of others) console.error(`release-notes: ${file} has ${other}, not ${version}`);
  if (!notes) console.error(`release-notes: CHANGELOG.md has nothing of ${version}`);
  if (!notes || others.length > 0) process.exitCode = 1;
  else console.log(notes);
}

main();
