'use strict';

// Where things lie in a ring's memory: the figures of src/log/layout.rs, which explains them. A test compares the two.

module.exports = {
  HEADER: 4096,
  UNIT: 8,
  SMALLEST: 64 * 1024,
  LARGEST: 2 ** 30,
  TAIL: 64,
  HEAD: 128,
  SLEEPING: 192,
  RECORD_HEADER: 8,
  LENGTH_BITS: 28,
  CONTINUES: 2 ** 31,
  LONG: 512,
  LINE: 1,
  PIECES: 2,
  MORE: 3,
  LARGE: 4,
};
