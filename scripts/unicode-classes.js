#!/usr/bin/env node
'use strict';

// Writes src/tokens/classes.bin: what src/tokens/classes.rs knows of each code point, as this Node's regular expressions do.
//
// Two stages: for each block of 128 code points the number of its content (u8), then the contents, a byte of flags per code point.

const { writeFileSync } = require('node:fs');
const path = require('node:path');

const BLOCK = 128;
const FLAGS = [/[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]/u, /[\p{Ll}\p{Lm}\p{Lo}\p{M}]/u, /\p{L}/u, /\p{N}/u, /\s/u, /[\r\n]/, /\p{M}/u];

/** @param {number} point */
function flagsOf(point) {
  const character = String.fromCodePoint(point);
  return FLAGS.reduce((flags, pattern, bit) => flags | (Number(pattern.test(character)) << bit), 0);
}

/** @type {Map<string, number>} */
const contents = new Map();
const numbers = [];
for (let start = 0; start < 0x110000; start += BLOCK) {
  const content = String.fromCharCode(...Array.from({ length: BLOCK }, (_, index) => flagsOf(start + index)));
  if (!contents.has(content)) contents.set(content, contents.size);
  numbers.push(/** @type {number} */ (contents.get(content)));
}
if (contents.size > 256) throw new RangeError(`${contents.size} different blocks`);
const file = Buffer.concat([Buffer.from(numbers), ...[...contents.keys()].map((content) => Buffer.from(content, 'latin1'))]);
writeFileSync(path.join(__dirname, '..', 'src', 'tokens', 'classes.bin'), file);
console.log(`Unicode ${process.versions.unicode}: ${contents.size} blocks, ${file.length} bytes`);
