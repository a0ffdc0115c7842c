'use strict';

/**
 * Numbers, words and names from a seed: the same on every machine.
 *
 * The generator is mulberry32 (Tommy Ettinger, 2017, public domain).
 */
class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
    // Seeds that follow one another start far apart.
    for (let step = 0; step < 4; step += 1) this.next();
  }

  /** @returns {number} from 0 up to 1 */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} bound */
  below(bound) {
    return Math.floor(this.next() * bound);
  }

  /** A whole number, both ends included. @param {number} low @param {number} high */
  between(low, high) {
    return low + this.below(high - low + 1);
  }

  /** @param {number} share */
  chance(share) {
    return this.next() < share;
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return list[this.below(list.length)];
  }

  /** The early ones far more often than the late ones, as in real logs. @template T @param {readonly T[]} list @returns {T} */
  skewed(list) {
    return list[Math.floor(this.next() ** 2.2 * list.length)];
  }

  /** @template T @param {readonly T[]} list @param {number} count @returns {T[]} */
  sample(list, count) {
    const rest = [...list];
    const taken = [];
    while (taken.length < count && rest.length > 0) taken.push(...rest.splice(this.below(rest.length), 1));
    return taken;
  }

  /** Around 0, mostly between -2 and 2. */
  gauss() {
    let sum = -6;
    for (let term = 0; term < 12; term += 1) sum += this.next();
    return sum;
  }

  /** @param {number} length */
  hex(length) {
    return Array.from({ length }, () => this.below(16).toString(16)).join('');
  }

  /** @param {number} length */
  digits(length) {
    return Array.from({ length }, (_, at) => (at === 0 ? 1 + this.below(9) : this.below(10))).join('');
  }

  /** @param {number} length */
  letters(length) {
    return Array.from({ length }, () => String.fromCharCode(65 + this.below(26))).join('');
  }

  uuid() {
    return [8, 4, 4, 4, 12].map((length) => this.hex(length)).join('-');
  }

  ip() {
    return `10.${this.below(40)}.${this.below(255)}.${1 + this.below(254)}`;
  }
}

module.exports = { Random };
