'use strict';

// What the scripts that test with more than `cargo test` ask about the machine, and where things are.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const rootFolder = path.join(__dirname, '..');

/** Built with fault injection; the tests load it in place of the addon that users get. */
const FAULTS_FOLDER = path.join(rootFolder, 'target', 'faults-addon');
const FAULTS_ADDON = { script: 'build:faults', folder: FAULTS_FOLDER, loader: path.join(FAULTS_FOLDER, 'native.js') };

/** @param {string} command @param {...string} args */
function succeeds(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** @param {string} command @param {...string} args @returns {string} what it prints; '' where it fails */
function read(command, ...args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

/** Whether cargo can be told to use a nightly toolchain. */
const hasNightly = () => succeeds('cargo', '+nightly', '--version');

/** The triple that this machine builds for. */
const hostTarget = () => /^host: (.*)$/m.exec(read('rustc', '-vV'))?.[1] ?? '';

module.exports = { FAULTS_ADDON, hasNightly, hostTarget, read, rootFolder, succeeds };
