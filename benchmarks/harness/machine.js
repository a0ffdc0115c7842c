'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { clock } = require('./measure');

const root = path.join(__dirname, '..', '..');

/** What the figures were measured on. */
function describeMachine() {
  const cpus = os.cpus();
  return {
    cpu: cpus.length > 0 ? cpus[0].model.trim() : 'unknown',
    cpuCount: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    platform: process.platform,
    arch: process.arch,
    osRelease: os.release(),
    mainCpuSource: clock.source,
  };
}

/**
 * @param {readonly string[]} packages competitors
 * @returns {Record<string, string>}
 */
function describeVersions(packages) {
  /** @type {Record<string, string>} */
  const versions = { node: process.versions.node, v8: process.versions.v8, uv: process.versions.uv };
  versions.offloop = packageVersion(path.join(root, 'package.json'));
  for (const name of packages) versions[name] = packageVersion(path.join(root, 'node_modules', name, 'package.json'));
  return versions;
}

/** @param {string} file */
function packageVersion(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).version;
  } catch {
    return 'missing';
  }
}

/** The commit measured, with `+` where the sources differ from it; `unknown` outside a repository. */
function describeCommit() {
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    const changes = git('status', '--porcelain', '--', '.', ':!benchmarks/results');
    return changes === '' ? commit : `${commit}+`;
  } catch {
    return 'unknown';
  }
}

/** @param {...string} args */
function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

module.exports = { root, describeMachine, describeVersions, describeCommit };
