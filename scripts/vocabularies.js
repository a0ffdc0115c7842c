#!/usr/bin/env node
'use strict';

// Writes vocabularies/NAME.bin, which src/tokens/vocabulary.rs reads, from the ranks that js-tiktoken publishes.
//
// The file is one zlib stream. In it, for n tokens in the order of their bytes: n (u32, little-endian); n lengths of what a token shares with
// the one before; n lengths of what follows; n splits; the low, middle and high bytes of n ranks; all that follows, one after the other. The
// split is the length of the left half of the merge that makes the token; 0 for single bytes and for tokens that no merges lead to.

const { writeFileSync } = require('node:fs');
const path = require('node:path');
const { constants, deflateSync } = require('node:zlib');

const NAMES = ['o200k_base', 'cl100k_base'];

/** @param {string} text @returns {Map<string, number>} Ranks by token, a character per byte. */
function ranksOf(text) {
  const ranks = new Map();
  for (const line of text.split('\n')) {
    const [, first, ...tokens] = line.split(' ');
    tokens.forEach((token, index) => ranks.set(Buffer.from(token, 'base64').toString('latin1'), Number(first) + index));
  }
  return ranks;
}

/** The length of the left half of the last merge. @param {string} token @param {Map<string, number>} ranks */
function splitOf(token, ranks) {
  const own = /** @type {number} */ (ranks.get(token));
  const parts = [...token];
  while (parts.length > 2) {
    let best = own;
    let at = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(parts[i] + parts[i + 1]);
      if (rank !== undefined && rank < best) [best, at] = [rank, i];
    }
    if (at < 0) return 0;
    parts.splice(at, 2, parts[at] + parts[at + 1]);
  }
  return parts.length === 2 ? parts[0].length : 0;
}

/** @param {string} a @param {string} b */
function shared(a, b) {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** @param {Map<string, number>} ranks */
function fileOf(ranks) {
  const tokens = [...ranks.keys()].sort((a, b) => (a < b ? -1 : 1));
  const column = (/** @type {(token: string, index: number) => number} */ figure) => Buffer.from(tokens.map(figure));
  const prefix = (/** @type {string} */ token, /** @type {number} */ index) => (index === 0 ? 0 : shared(tokens[index - 1], token));
  const rank = (/** @type {string} */ token) => /** @type {number} */ (ranks.get(token));
  const count = Buffer.alloc(4);
  count.writeUInt32LE(tokens.length);
  const raw = Buffer.concat([
    count,
    column(prefix),
    column((token, index) => token.length - prefix(token, index)),
    column((token) => splitOf(token, ranks)),
    column((token) => rank(token) & 255),
    column((token) => (rank(token) >> 8) & 255),
    column((token) => rank(token) >> 16),
    Buffer.from(tokens.map((token, index) => token.slice(prefix(token, index))).join(''), 'latin1'),
  ]);
  return deflateSync(raw, { level: 9, memLevel: 9, strategy: constants.Z_DEFAULT_STRATEGY });
}

for (const name of NAMES) {
  const { bpe_ranks: text } = require(`js-tiktoken/ranks/${name}`);
  const ranks = ranksOf(text);
  const file = fileOf(ranks);
  writeFileSync(path.join(__dirname, '..', 'vocabularies', `${name}.bin`), file);
  const lost = [...ranks.keys()].filter((token) => token.length > 1 && splitOf(token, ranks) === 0);
  console.log(`${name}: ${ranks.size} tokens, ${lost.length} that no merges lead to, ${file.length} bytes`);
}
