'use strict';

/** Hides what stands at given paths of log data, in a copy: `password`, `user.token`, `items[*].key`, `headers["x-key"]`. */

const { invalidArgument } = require('./errors');
const { define } = require('./graph');

const CENSOR = '[Redacted]';

/**
 * @param {unknown} paths
 * @returns {((fields: any) => any) | undefined} undefined: nothing to hide
 * @throws {TypeError} ERR_INVALID_ARG
 */
function compileRedact(paths) {
  if (paths === undefined) return undefined;
  if (!Array.isArray(paths)) throw invalidArgument('options.redact', 'a list of paths', paths);
  const parsed = paths.map(parsePath);
  if (parsed.length === 0) return undefined;
  return (fields) => parsed.reduce((value, path) => hide(value, path, 0), fields);
}

/** @param {unknown} path @returns {string[]} */
function parsePath(path) {
  const bad = () => invalidArgument('options.redact', "a list of paths such as 'user.token' or 'items[*].key'", path);
  if (typeof path !== 'string' || path === '') throw bad();
  const steps = [];
  // A name, a number or star in brackets, or a quoted name in brackets; dots between.
  const step = /(?:^|\.)([^.[\]"']+)|\[(\d+|\*)\]|\["([^"]+)"\]|\['([^']+)'\]/y;
  while (step.lastIndex < path.length) {
    const match = step.exec(path);
    if (match === null) throw bad();
    steps.push(match[1] ?? match[2] ?? match[3] ?? match[4]);
  }
  return steps;
}

/**
 * The value, or a copy with what is at the path hidden. What is not on the path is shared.
 * @param {any} value
 * @param {string[]} path
 * @param {number} at
 * @returns {any}
 */
function hide(value, path, at) {
  if (at === path.length) return CENSOR;
  if (typeof value !== 'object' || value === null) return value;
  const keys = path[at] === '*' ? Object.keys(value) : Object.hasOwn(value, path[at]) ? [path[at]] : [];
  let copy = value;
  for (const key of keys) {
    const hidden = hide(value[key], path, at + 1);
    if (Object.is(hidden, value[key])) continue;
    if (copy === value) copy = Array.isArray(value) ? value.slice() : { ...value };
    define(copy, key, hidden);
  }
  return copy;
}

module.exports = { compileRedact };
