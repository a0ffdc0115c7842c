'use strict';

const { parseArgs } = require('node:util');
const { MODES } = require('../../examples/express-orchestrator/app');
const { UsageError } = require('../harness/args');

/** What the bench is made of. */
const PARTS = ['load', 'tokens', 'overload', 'restart', 'cluster'];

const BODIES = ['chat-20k', 'chat-250k', 'chat-1m', 'chat-4m', 'mix'];
const QUICK_BODIES = ['chat-250k'];

const USAGE = `The example service under load, in each of its modes.

usage: node benchmarks/server.js [options]

  --quick          one short round; nothing is written to benchmarks/results
  --only NAME      only this part or mode
                     load      each mode with as many requests as it takes, and at a fixed rate
                     tokens    the same with token counting
                     overload  2,000 connections, bodies of 1 MB, bounds on
                     restart   SIGTERM under load
                     cluster   several processes
                     modes     ${MODES.join(', ')}
  --body NAME      request body of the part load: a file of the corpus's requests/, chat-SIZE, or mix
                   (default: ${BODIES.join(', ')}; with --quick ${QUICK_BODIES.join(', ')})
  --connections N  kept busy by the load generator (default: 100)
  --duration S     seconds of each measured window, more where answers are slow (default: 2, with --quick 1)
  --rounds N       windows per mode, medians taken (default: 3, with --quick 1); the slow modes get one
  --json FILE      write the JSON document to FILE ('-' for stdout) instead of benchmarks/results
  --html FILE      write the page to FILE, too
  --cpu-prof DIR   write V8 profiles of the service to DIR (the profiler slows it down)
  --help           this text

--only and --body may be repeated, or take a list separated by commas. OFFLOOP_CORPUS names the
folder of the test documents (default: ../shared/corpus beside the project); without it
conversations of the size in the body's name are made up. A full run takes a quarter of an hour, a quick one two minutes.
`;

/**
 * @typedef {object} Arguments
 * @property {boolean} quick
 * @property {boolean} help
 * @property {string[]} only as given
 * @property {string[]} parts
 * @property {string[]} modes
 * @property {string[]} bodies names
 * @property {string} [json]
 * @property {string} [html]
 * @property {number} rounds
 * @property {import('./measure').Plan} plan
 */

/** @param {string[]} words */
const list = (words) => words.flatMap((word) => word.split(',')).filter((word) => word !== '');

/**
 * @param {string | undefined} text
 * @param {number} fallback
 * @param {string} name
 */
function toCount(text, fallback, name) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new UsageError(`${name} needs a number above zero`);
  return value;
}

/** @param {string[]} argv */
function parseOptions(argv) {
  try {
    return parseArgs({
      args: argv,
      options: {
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        only: { type: 'string', multiple: true, default: [] },
        body: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        html: { type: 'string' },
        connections: { type: 'string' },
        duration: { type: 'string' },
        rounds: { type: 'string' },
        'cpu-prof': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Names of parts and of modes narrow each other; modes alone mean the part that has them all.
 *
 * @param {string[]} only
 */
function choose(only) {
  const wrong = only.find((name) => !PARTS.includes(name) && !MODES.includes(name));
  if (wrong !== undefined) {
    throw new UsageError(`--only ${wrong}: no such part or mode.\n  parts: ${PARTS.join(', ')}\n  modes: ${MODES.join(', ')}`);
  }
  const parts = PARTS.filter((name) => only.includes(name));
  const modes = MODES.filter((name) => only.includes(name));
  return {
    parts: parts.length > 0 ? parts : modes.length > 0 ? ['load'] : PARTS,
    modes: modes.length > 0 ? modes : MODES,
  };
}

/**
 * @param {string[]} argv
 * @returns {Arguments}
 */
function readArguments(argv) {
  const { quick, help, json, html, ...values } = parseOptions(argv);
  const only = list(values.only);
  const bodies = list(values.body);
  return {
    quick,
    help,
    json,
    html,
    // A part of the bodies is a part of the bench, too.
    only: [...only, ...bodies],
    ...choose(only),
    bodies: bodies.length > 0 ? bodies : quick ? QUICK_BODIES : BODIES,
    rounds: toCount(values.rounds, quick ? 1 : 3, '--rounds'),
    plan: {
      connections: toCount(values.connections, 100, '--connections'),
      seconds: toCount(values.duration, quick ? 1 : 2, '--duration'),
      warmUpSeconds: quick ? 0.6 : 1.2,
      profileFolder: values['cpu-prof'],
    },
  };
}

module.exports = { USAGE, readArguments };
