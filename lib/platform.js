'use strict';

// Which of the addon's packages a machine needs, and what to say where it is not there.

const { codeError } = require('./errors');
const { napi, repository, version } = require('../package.json');

/** @typedef {{ platform: string, arch: string, libc?: string }} Machine */

/** Where the release workflow builds packages for, by the ends of their names; npm/ has a folder for each. */
const PLATFORMS = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-arm64-msvc',
  'win32-x64-msvc',
];

/** @returns {string | undefined} the C library with its version, on Linux */
function libc() {
  if (process.platform !== 'linux') return undefined;
  const glibc = /** @type {any} */ (process.report?.getReport?.())?.header?.glibcVersionRuntime;
  return glibc ? `glibc ${glibc}` : 'musl';
}

/** @param {Machine} machine */
function suffixOf({ platform, arch, libc }) {
  if (platform === 'linux') return `linux-${arch}-${libc?.startsWith('glibc') ? 'gnu' : 'musl'}`;
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`;
}

/** @param {any} error The generated loader's, whose causes are what became of each place it looked at. */
function whyNotLoaded(error) {
  for (let cause = error; cause !== undefined && cause !== null; cause = cause.cause) {
    if (cause.code === 'ERR_DLOPEN_FAILED') return cause.message;
  }
  return undefined;
}

/**
 * @param {unknown} error why the addon was not loaded
 * @param {Machine} [machine]
 */
function missingBinary(error, machine = { platform: process.platform, arch: process.arch, libc: libc() }) {
  const suffix = suffixOf(machine);
  const name = `${napi.packageName}-${suffix}`;
  const isMade = PLATFORMS.includes(suffix);
  const broken = whyNotLoaded(error);
  const lines = [];
  if (broken !== undefined) lines.push(`The binary of offloop for ${suffix} cannot be loaded: ${broken}.`);
  else if (isMade) lines.push(`offloop's binary for ${suffix} is missing: its package, ${name}, is not installed.`);
  else lines.push(`offloop has no binary for ${suffix}.`);
  if (broken === undefined && isMade) {
    lines.push(
      'It is an optional dependency: install on the platform that it is to run on, and without --omit=optional, or by name:',
      `  npm install ${name}@${version}`,
    );
  }
  lines.push(
    'To build it, with Rust and in a folder of its own:',
    `  git clone ${repository.url.replace(/^git\+/, '')} && cd offloop && npm install && npm run build`,
    'and run with OFFLOOP_NATIVE_PATH=/the/folder/offloop/native.js',
  );
  return Object.assign(codeError('ERR_NO_BINARY', lines.join('\n')), { cause: error });
}

module.exports = { PLATFORMS, libc, missingBinary };
