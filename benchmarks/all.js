'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

// Each script in a process of its own: none inherits another's heap, compiled code or threads.
const scripts = [
  'parse', 'clone', 'stringify', 'document', 'convert', 'block', 'log', 'pool', 'compress', 'tokens', 'tokens-cold',
  'tokens-conversation', 'embed', 'tracing', 'server',
];
const args = process.argv.slice(2);

if (args.includes('--json')) {
  process.stderr.write('--json names one file, and this runs several scripts: run them one by one.\n');
  process.exit(2);
}
for (const script of scripts) {
  const file = path.join(__dirname, `${script}.js`);
  if (!fs.existsSync(file)) continue;
  process.stderr.write(`\n== ${script}\n`);
  const { status } = spawnSync(process.execPath, [file, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
