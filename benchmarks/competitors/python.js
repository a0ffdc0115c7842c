'use strict';

// Python packages, each in an environment of its own under node_modules/.cache, in one long-lived process that answers a line with a line.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { root } = require('../harness/machine');
const { progress } = require('../harness/report');
const { Unavailable } = require('../harness/script');

const isWindows = process.platform === 'win32';
const OLDEST_PYTHON = [3, 10];

/** @typedef {{ name: string, version: string, serve: string, env?: NodeJS.ProcessEnv }} Package `serve`: the script that answers */

/** @param {Package} wanted */
function environmentOf({ name, version }) {
  return path.join(root, 'node_modules', '.cache', `${name}-${version}`);
}

/** @param {Package} wanted */
function pythonOf(wanted) {
  return path.join(environmentOf(wanted), isWindows ? 'Scripts' : 'bin', isWindows ? 'python.exe' : 'python');
}

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

/**
 * Makes the environment, unless it is there: the network is needed once.
 *
 * @param {Package} wanted
 * @throws {Unavailable}
 */
function ensureEnvironment(wanted) {
  const { name, version } = wanted;
  const environment = environmentOf(wanted);
  // The mark is written last: an environment that was interrupted in the making is made again.
  const mark = path.join(environment, 'complete');
  if (fs.existsSync(mark) && fs.existsSync(pythonOf(wanted))) return;
  const python = findPython();
  progress(`${name} ${version}: making a Python environment in ${path.relative(root, environment)} (once)`);
  fs.rmSync(environment, { recursive: true, force: true });
  fs.mkdirSync(path.dirname(environment), { recursive: true });
  const venv = run(python, ['-m', 'venv', environment]);
  if (!venv.ok) throw new Unavailable(`Python makes no environment (venv): ${lastLine(venv.output)}`);
  const install = run(pythonOf(wanted), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${name}==${version}`]);
  if (!install.ok) throw new Unavailable(`pip does not install ${name} ${version}: ${lastLine(install.output)}`);
  fs.writeFileSync(mark, '');
}

/** @param {string} text */
function lastLine(text) {
  return text.slice(text.lastIndexOf('\n') + 1);
}

/** A process with a package. */
class PythonProcess {
  /** @param {Package} wanted */
  constructor(wanted) {
    this.wanted = wanted;
    /** @type {{ child: import('node:child_process').ChildProcessWithoutNullStreams, lines: AsyncIterator<string> } | undefined} */
    this.running = undefined;
  }

  /** @returns {Promise<any>} its greeting @throws {Unavailable} where there is no Python, or no network the first time */
  async open() {
    if (this.running !== undefined) return undefined;
    ensureEnvironment(this.wanted);
    const env = { ...process.env, ...this.wanted.env };
    const child = spawn(pythonOf(this.wanted), [path.join(__dirname, this.wanted.serve)], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (chunk) => (complaints = `${complaints}${chunk}`.slice(-2_000)));
    const lines = readline.createInterface({ input: child.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
    const greeting = await lines.next();
    if (greeting.done) throw new Unavailable(`${this.wanted.name} does not start: ${lastLine(complaints.trim())}`);
    this.running = { child, lines };
    return JSON.parse(greeting.value);
  }

  /** @param {object} request @returns {Promise<any>} */
  async ask(request) {
    if (this.running === undefined) throw new Error(`${this.wanted.name} is not open`);
    this.running.child.stdin.write(`${JSON.stringify(request)}\n`);
    const answer = await this.running.lines.next();
    if (answer.done) throw new Error(`${this.wanted.name} has ended`);
    const result = JSON.parse(answer.value);
    if (result.error !== undefined) throw new Error(`${this.wanted.name}: ${result.error}`);
    return result;
  }

  async close() {
    if (this.running === undefined) return;
    const { child } = this.running;
    this.running = undefined;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end();
    await ended;
  }
}

module.exports = { PythonProcess };
