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

  CURSOR: 0,
  DEPTH: 1,
  STRINGS: 2,
  BLOCKS: 3,
  BLOCKS_AT: 4,
  ENTRIES_AT: 5,
  SHAPES: 6,
  SHAPES_AT: 7,
  NUMBERS_AT: 8,
  HEADER: 10,

  SHAPE_SLOTS: 1024,
};
