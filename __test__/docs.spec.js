'use strict';

// The snippets of the README and the docs: they are JavaScript, and what they call is there.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const vm = require('node:vm');

const offloop = require('..');

const root = path.join(__dirname, '..');
const FILES = ['README.md', 'CONTRIBUTING.md', ...list('docs'), ...list('examples').map((name) => path.join(name, 'README.md'))];

/** @param {string} folder */
function list(folder) {
  return fs.readdirSync(path.join(root, folder)).map((name) => path.join(folder, name));
}

/** @param {string} file @returns {{ line: number, code: string }[]} */
function snippets(file) {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/^```js\n([^]*?)^```$/gm)].map((found) => ({ line: text.slice(0, found.index).split('\n').length + 1, code: found[1] }));
}

/** Names that a snippet takes from the package. @param {string} code */
function imported(code) {
  const lists = [...code.matchAll(/\{([^}]*)\}\s*(?:=\s*require\(|from\s+)'offloop'/g)].map(([, names]) => names);
  return lists.flatMap((names) => names.split(',').map((name) => name.trim().split(/\s*:\s*|\s+as\s+/)[0])).filter(Boolean);
}

let count = 0;
for (const file of FILES) {
  for (const { line, code } of snippets(file)) {
    count++;
    test(`${file}:${line}`, () => {
      // Imports stand at the top of a module; in a function they would be none.
      const body = code.replace(/^import [^;]*;/gm, (text) => text.replace(/[^\n]/g, ' '));
      new vm.Script(`(async () => {\n${body}\n})`, { filename: file, lineOffset: line - 2 });
      for (const name of imported(code)) assert.ok(name in offloop, `${name} of offloop`);
      for (const [, name] of code.matchAll(/\b(?:pool|getWorkerPool\(\))\.(\w+)\(/g)) {
        assert.ok(name in offloop.WorkerPool.prototype, `pool.${name}()`);
      }
    });
  }
}

test('there are snippets', () => assert.ok(count >= 10, `${count}`));
