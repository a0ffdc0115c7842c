'use strict';

const { parseArgs } = require('node:util');

/**
 * @typedef {object} Arguments
 * @property {boolean} quick    few and short rounds: shows that it runs, its figures are rough
 * @property {string[]} only    names of files, candidates or groups to keep; empty keeps all
 * @property {string} [json]    where to write the JSON document, `-` for stdout
 * @property {boolean} help
 */

/** A mistake in how a script was called: reported as one line, without a stack. */
class UsageError extends Error {}

/**
 * @param {readonly string[]} argv the words after the script's name
 * @returns {Arguments}
 */
function parseArguments(argv) {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const only = values.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  if (values.only.length > 0 && only.length === 0) throw new UsageError('--only needs a name');
  if (values.json === '') throw new UsageError('--json needs a file name');
  return { quick: values.quick, only, json: values.json, help: values.help };
}

/**
 * Splits the names given to `--only` into files and candidates and applies them: names of one kind widen the choice,
 * the two kinds narrow each other. A file is named in full (`requests/chat-1m`) or by its last part (`chat-1m`).
 *
 * @param {readonly string[]} only
 * @param {readonly string[]} files
 * @param {readonly string[]} candidates
 * @param {string} [baseline] kept whatever is chosen, as every ratio needs it
 * @returns {{ files: string[], candidates: string[] }}
 */
function select(only, files, candidates, baseline) {
  const chosenFiles = new Set();
  const chosenCandidates = new Set();
  for (const name of only) {
    const matchingFiles = files.filter((file) => file === name || lastPart(file) === lastPart(name));
    const matchingCandidates = candidates.filter((candidate) => candidate === name);
    if (matchingFiles.length + matchingCandidates.length === 0) {
      throw new UsageError(
        `--only ${name}: no such file or candidate.\n  files: ${files.join(', ')}\n  candidates: ${candidates.join(', ')}`,
      );
    }
    for (const file of matchingFiles) chosenFiles.add(file);
    for (const candidate of matchingCandidates) chosenCandidates.add(candidate);
  }
  if (chosenCandidates.size > 0 && baseline !== undefined) chosenCandidates.add(baseline);
  return {
    files: files.filter((file) => chosenFiles.size === 0 || chosenFiles.has(file)),
    candidates: candidates.filter((name) => chosenCandidates.size === 0 || chosenCandidates.has(name)),
  };
}

/** @param {string} name */
function lastPart(name) {
  return name.slice(name.lastIndexOf('/') + 1).replace(/\.json$/, '');
}

/**
 * @param {string} script
 * @param {string} about
 * @returns {string}
 */
function usage(script, about) {
  return `${about}

usage: node benchmarks/${script}.js [--quick] [--only NAME]... [--json FILE]

  --quick      few and short rounds; nothing is written to benchmarks/results
  --only NAME  only this file or candidate (repeat, or separate by commas)
  --json FILE  write the JSON document to FILE ('-' for stdout) instead of benchmarks/results
  --help       this text

OFFLOOP_CORPUS names the folder of the test documents (default: ../shared/corpus beside the project); without it
generated documents are used. benchmarks/README.md explains the method and every figure.
`;
}

module.exports = { UsageError, parseArguments, select, usage };
