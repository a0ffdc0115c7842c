'use strict';

const assert = require('node:assert');
const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const source = path.join(__dirname, '..', 'src');

/** What a module may import, besides itself and what is outside the crate. */
const MAY_IMPORT = {
  cancel: [],
  error: ['cancel', 'memory'],
  memory: [],
  json: ['cancel', 'error', 'memory'],
  embed: ['cancel', 'error'],
  tokens: ['cancel', 'error', 'memory', 'json'],
  compress: ['cancel', 'error', 'memory', 'json', 'tokens'],
  convert: ['cancel', 'error', 'memory', 'json'],
  log: ['json', 'memory'],
  pool: ['cancel', 'error'],
  bindings: ['cancel', 'error', 'memory', 'json', 'compress', 'convert', 'embed', 'log', 'pool', 'tokens'],
};

/** The Rust files under `folder`, each with the module of `src/` it belongs to. */
function files(folder = source) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return files(file);
    const [module] = path.relative(source, file).replace(/\.rs$/, '').split(path.sep);
    return [{ file, module, text: readFileSync(file, 'utf8') }];
  });
}

test('modules import downwards only', () => {
  const rust = files().filter(({ module }) => module !== 'lib');
  assert.ok(rust.length > 10);
  for (const { file, module, text } of rust) {
    assert.ok(module in MAY_IMPORT, `${module} has a place among the layers`);
    for (const [, imported] of text.matchAll(/\bcrate::(\w+)/g)) {
      assert.ok(imported === module || MAY_IMPORT[module].includes(imported), `${file} imports ${imported}`);
    }
  }
});

test('only the bindings know napi', () => {
  for (const { file, module, text } of files()) {
    if (module !== 'bindings') assert.doesNotMatch(text, /\bnapi(_derive|_sys)?::/, file);
  }
});
