'use strict';

/**
 * Whether it is worth having a value written off the main thread, for the main thread. There are three decisions,
 * each with what is known by then:
 *
 * - Before the walk: by how long the text was for values of the same layout before, and by what a character of it took
 *   on either way. Both are measured as they are gone; the way not taken is tried now and then where the text is short
 *   enough. Expectations come down slowly, as walking for nothing costs less than not handing over.
 * - After a few hundred values, and now and then later: whether walking what was seen took longer than JSON.stringify
 *   would have taken for it. Then the rest will hardly be different.
 * - At the end of the walk, which is spent: whether the hand-over costs less than JSON.stringify.
 *
 * Where nothing was measured yet, costs come from the figures below: nanoseconds of main thread, found with
 * benchmarks/stringify.js. V8 13.8 made JSON.stringify two to six times as fast, most of all for long strings.
 */

const [major, minor] = process.versions.v8.split('.').map(Number);
const IS_FAST = major > 13 || (major === 13 && minor >= 8);

/** JSON.stringify: per value or bracket, per number that takes printing, per character of text. */
const HERE = IS_FAST ? { word: 16, number: 40, unit: 0.3 } : { word: 34, number: 70, unit: 0.95 };
/** The walk, and the copy of the text. */
const WALK = { word: 20, number: 12, unit: 0.035 };
/** Submitting and settling, the wake-ups of both threads included. */
const HAND_OVER = 25_000;
/** Making the result, per character: a string, which is copied or burdens the collector, or a buffer. */
const RESULT = { string: 0.1, buffer: 0.02 };
/** Characters of JSON text from which handing over pays for usual values. */
const PAYS_FROM = IS_FAST ? 96_000 : 32_000;

/** Words after which the walk is looked at first; further looks come at eight times the words each. */
const FIRST_LOOK = 400;

/** Of so many calls a few in a row go the other way. */
const TRY_EVERY = 256;
const TRIES = 4;
/** Walks before the measured rates count, and before the first trial: by then the code for the layout is compiled. */
const WARM_UP = 32;
/** Nanoseconds that a trial may take. */
const TRIAL = 500_000;
/** What one measurement more counts for. It may have been disturbed: more than double is taken for double. */
const NEWS = 1 / 8;

/**
 * What is known about values of one layout that become strings, or of those that become buffers.
 * @typedef {SiteCosts} Site
 */
class SiteCosts {
  constructor() {
    /** Characters of JSON text; negative: nothing is known. */
    this.expected = -1;
    /** Nanoseconds per character, 0 where they are not known: of the walk, and of JSON.stringify. */
    this.walk = 0;
    this.here = 0;
    this.calls = 0;
    this.walks = 0;
  }

  /** Notes how long a text was, or about how long it will be. @param {number} length */
  learn(length) {
    this.expected = Math.max(length, this.expected * 0.75);
  }

  /** @param {number} length @param {number} ns */
  walked(length, ns) {
    this.learn(length);
    // The first ones take ten times as long.
    this.walk = ++this.walks <= WARM_UP ? ns / length : blend(this.walk, ns / length);
  }

  /** @param {number} length @param {number} ns */
  wroteHere(length, ns) {
    this.learn(length);
    this.here = blend(this.here, ns / length);
  }

  /**
   * Whether to walk.
   * @param {number} threshold characters from which the pool is to be used; 0: whenever it can be
   * @param {boolean} asBuffer
   */
  isPromising(threshold, asBuffer) {
    const { expected, walk, here } = this;
    if (threshold === 0 || expected < 0) return true;
    if (expected < threshold) return false;
    const pays =
      this.walks < WARM_UP || here === 0
        ? expected >= PAYS_FROM
        : (here - walk - resultOf(asBuffer)) * expected > HAND_OVER;
    const turn = ++this.calls % TRY_EVERY;
    const isTrial = turn >= WARM_UP && turn < WARM_UP + TRIES;
    return isTrial && expected * (pays ? here || 2 * HERE.unit : walk) < TRIAL ? !pays : pays;
  }

  /**
   * Whether to hand over what was walked.
   * @param {number} words values
   * @param {number} numbers of which are numbers that take printing
   * @param {number} units of text
   * @param {boolean} asBuffer
   */
  isWorth(words, numbers, units, asBuffer) {
    const length = estimate(words, numbers, units);
    const here = this.here === 0 ? cost(HERE, words, numbers, units) : this.here * length;
    return here > HAND_OVER + resultOf(asBuffer) * length;
  }
}

/**
 * What is thought after one measurement more. A mean, as the collector's share belongs to it.
 * @param {number} before 0: nothing yet
 * @param {number} now
 */
function blend(before, now) {
  return before === 0 ? now : before + (Math.min(now, 2 * before) - before) * NEWS;
}

/** @param {boolean} asBuffer */
function resultOf(asBuffer) {
  return asBuffer ? RESULT.buffer : RESULT.string;
}

/**
 * @param {{ word: number, number: number, unit: number }} costs
 * @param {number} words
 * @param {number} numbers
 * @param {number} units
 */
function cost(costs, words, numbers, units) {
  return words * costs.word + numbers * costs.number + units * costs.unit;
}

/**
 * Whether to go on with a walk.
 * @param {number} words values so far
 * @param {number} numbers
 * @param {number} units
 */
function isWinning(words, numbers, units) {
  return cost(HERE, words, numbers, units) > cost(WALK, words, numbers, units);
}

/**
 * About how long the JSON text will be.
 * @param {number} words
 * @param {number} numbers
 * @param {number} units
 */
function estimate(words, numbers, units) {
  return units + 5 * words + 12 * numbers;
}

module.exports = { FIRST_LOOK, SiteCosts, estimate, isWinning };
