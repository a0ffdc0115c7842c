'use strict';

// The tape's layout: the same figures as src/json/layout.rs, which explains them. __test__/layout.spec.js compares.
// Literals, so that the decoder is compiled with them as constants.

module.exports = {
  TAG_BITS: 3,

  STRING: 0,
  INTEGER: 1,
  OBJECT: 2,
  ARRAY: 3,
  NUMBER: 4,
  LITERAL: 5,
  NUMBERS: 6,
  OPEN: 7,

  OPEN_OBJECT: 1,
  OPEN_LAST: 2,
  OPEN_FLAG_BITS: 2,

  CURSOR: 0,
  DEPTH: 1,
  STRINGS: 2,
  BLOCKS_AT: 3,
  ENTRIES_AT: 4,
  SHAPES: 5,
  SHAPES_AT: 6,
  NUMBERS_AT: 4,

  MAX_SLICE_WORDS: 262144,
  SHAPE_SLOTS: 1024,
};
