'use strict';

const { UsageError, parseArguments, usage } = require('./args');
const { progress } = require('./report');

/** Thrown by a contender that cannot run here: it is left out and the reason reported. */
class Unavailable extends Error {}

/**
 * Runs a script's main function with its arguments; a usage error is one line and exit code 2.
 *
 * @param {{ name: string, about: string }} script
 * @param {(args: import('./args').Arguments) => Promise<void>} main
 */
function runScript({ name, about }, main) {
  const start = async () => {
    const args = parseArguments(process.argv.slice(2));
    if (args.help) process.stdout.write(usage(name, about));
    else await main(args);
  };
  start().catch((error) => {
    process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  });
}

/**
 * Opens those asked for; one that cannot run here is left out, with its reason.
 *
 * @template {{ name: string, open?: () => void | Promise<void> }} T
 * @param {readonly T[]} all
 * @param {readonly string[]} names
 */
async function openContenders(all, names) {
  /** @type {T[]} */
  const contenders = [];
  const skipped = [];
  for (const contender of all) {
    if (!names.includes(contender.name)) continue;
    try {
      await contender.open?.();
      contenders.push(contender);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      progress(`${contender.name} is left out: ${error.message}`);
      skipped.push({ candidate: contender.name, reason: error.message });
    }
  }
  return { contenders, skipped };
}

module.exports = { Unavailable, openContenders, runScript };
