'use strict';

const fs = require('node:fs');

const BLOCK = 1 << 20;
const NEWLINE = 10;

/**
 * The lines of a file, which may be larger than any buffer. One is good until the next is asked for.
 *
 * @param {string} file
 * @returns {Generator<Buffer, void>}
 */
function* lines(file) {
  const descriptor = fs.openSync(file, 'r');
  try {
    let block = Buffer.allocUnsafe(BLOCK);
    let kept = 0;
    for (;;) {
      // A line that fills the block needs a larger one.
      if (kept === block.length) block = Buffer.concat([block], 2 * block.length);
      const length = kept + fs.readSync(descriptor, block, kept, block.length - kept, null);
      if (length === kept) break;
      let from = 0;
      for (let end = block.indexOf(NEWLINE, kept); end !== -1 && end < length; end = block.indexOf(NEWLINE, from)) {
        yield block.subarray(from, end);
        from = end + 1;
      }
      block.copyWithin(0, from, length);
      kept = length - from;
    }
    if (kept > 0) yield block.subarray(0, kept);
  } finally {
    fs.closeSync(descriptor);
  }
}

module.exports = { lines };
