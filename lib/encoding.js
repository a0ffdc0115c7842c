'use strict';

// Layout of an encoded value: the same figures as src/json/encoding.rs, which explains them. __test__/encoding.spec.js
// compares. Literals, so that the encoder is compiled with them as constants.

module.exports = {
  TAG_BITS: 3,

  STRING: 0,
  INTEGER: 1,
  OBJECT: 2,
  ARRAY: 3,
  LONG: 4,
  LITERAL: 5,
  NUMBERS: 6,
  AGAIN: 7,
  LENGTH_BITS: 6,

  NULL: 0,
  TRUE: 1,
  FALSE: 2,
  UNDEFINED: 3,
  NUMBER: 4,
  KEYED: 5,
  END: 6,
  SHAPE: 7,

  WORDS_AT: 0,
  NUMBERS_AT: 1,
  LONG_AT: 2,
  SHORT_AT: 3,
  SHORT_FROM: 4,
  HEADER: 5,

  TEXT_HEADER: 16,
};
