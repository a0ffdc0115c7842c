'use strict';

/** Numbers from a seed: xorshift, the same everywhere. */
class Random {
  /** @param {number} seed */
  constructor(seed) {
    this.state = (seed >>> 0) || 1;
  }

  /** @param {number} bound @returns {number} a whole number below it */
  below(bound) {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % bound;
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** @param {number} one @returns {boolean} true once in so many times */
  once(one) {
    return this.below(one) === 0;
  }
}

/**
 * Runs rounds until the time is over; a round that fails says its seed. Each has a seed of its own, so that one can be repeated alone.
 * @param {(random: Random) => Promise<void>} round
 */
async function drive(round) {
  const [seconds, first] = process.argv.slice(2).map(Number);
  const end = Date.now() + seconds * 1000;
  let seed = first;
  let rounds = 0;
  process.stderr.write(`fuzz: seed ${seed}\n`);
  do {
    try {
      await round(new Random(seed * 2654435761));
    } catch (error) {
      process.stderr.write(`fuzz: failed with --seed ${seed}\n`);
      throw error;
    }
    rounds += 1;
    seed += 1;
  } while (Date.now() < end);
  process.stderr.write(`fuzz: ${rounds} rounds\n`);
}

module.exports = { Random, drive };
