'use strict';

// headroom-ai, the Python library that the compressor takes the place of, in one long-lived process.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { root } = require('../harness/machine');
const { progress } = require('../harness/report');
const { Unavailable } = require('../harness/script');

const VERSION = '0.42.0';
const ENVIRONMENT = path.join(root, 'node_modules', '.cache', `headroom-${VERSION}`);
const isWindows = process.platform === 'win32';
const PYTHON = path.join(ENVIRONMENT, isWindows ? 'Scripts' : 'bin', isWindows ? 'python.exe' : 'python');
const OLDEST_PYTHON = [3, 10];

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {{ ok: boolean, output: string }}
 */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 900_000 });
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}`.trim() };
}

function findPython() {
  const program = 'import sys; print(*sys.version_info[:2])';
  for (const command of ['python3', 'python']) {
    const { ok, output } = run(command, ['-c', program]);
    const [major, minor] = output.split(' ').map(Number);
    if (ok && (major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]))) return command;
  }
  throw new Unavailable(`Python ${OLDEST_PYTHON.join('.')} or later is not on this machine`);
}

/** Makes the environment, unless it is there: some 430 MB, and the network is needed once. */
function ensureEnvironment() {
  // The mark is written last: an environment that was interrupted in the making is made again.
  const mark = path.join(ENVIRONMENT, 'complete');
  if (fs.existsSync(mark) && fs.existsSync(PYTHON)) return;
  const python = findPython();
  progress(`headroom-ai ${VERSION}: making a Python environment in ${path.relative(root, ENVIRONMENT)} (once)`);
  fs.rmSync(ENVIRONMENT, { recursive: true, force: true });
  fs.mkdirSync(path.dirname(ENVIRONMENT), { recursive: true });
  const venv = run(python, ['-m', 'venv', ENVIRONMENT]);
  if (!venv.ok) throw new Unavailable(`Python makes no environment (venv): ${lastLine(venv.output)}`);
  const install = run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `headroom-ai==${VERSION}`]);
  if (!install.ok) throw new Unavailable(`pip does not install headroom-ai ${VERSION}: ${lastLine(install.output)}`);
  fs.writeFileSync(mark, '');
}

/** @param {string} text */
function lastLine(text) {
  return text.slice(text.lastIndexOf('\n') + 1);
}

/** @type {{ child: import('node:child_process').ChildProcessWithoutNullStreams, lines: AsyncIterator<string> } | undefined} */
let running;

/** @throws {Unavailable} where there is no Python, or no network the first time */
async function openHeadroom() {
  if (running !== undefined) return;
  ensureEnvironment();
  const child = spawn(PYTHON, [path.join(__dirname, 'serve-headroom.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints = `${complaints}${chunk}`.slice(-2_000)));
  const lines = readline.createInterface({ input: child.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
  const greeting = await lines.next();
  if (greeting.done) throw new Unavailable(`headroom-ai does not start: ${lastLine(complaints.trim())}`);
  running = { child, lines };
}

/**
 * @param {readonly object[]} messages
 * @param {object} [options]  of headroom
 * @param {number} [times]    that it is done, for the time
 * @returns {Promise<{ messages: any[], ms: number[] }>}
 */
async function headroomCompress(messages, options = {}, times = 1) {
  if (running === undefined) throw new Error('headroom is not open');
  const { child, lines } = running;
  child.stdin.write(`${JSON.stringify({ messages, options, times })}\n`);
  const answer = await lines.next();
  if (answer.done) throw new Error('headroom has ended');
  const result = JSON.parse(answer.value);
  if (result.error !== undefined) throw new Error(`headroom: ${result.error}`);
  return result;
}

async function closeHeadroom() {
  if (running === undefined) return;
  const { child } = running;
  running = undefined;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end();
  await ended;
}

module.exports = { VERSION, closeHeadroom, headroomCompress, openHeadroom };
