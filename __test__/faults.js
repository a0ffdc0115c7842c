'use strict';

// Operations that misbehave on purpose; the addon must have been built with them (npm run build:faults, loaded
// through OFFLOOP_NATIVE_PATH).

const { spawn } = require('node:child_process');
const path = require('node:path');

const native = require('../lib/native');
const { submit } = require('../lib/submit');

/** Pass as a test's or suite's options: skips it, and says why, where the addon has no faults. */
const needsFaults = { skip: native.fault ? false : 'the addon was built without faults' };

/**
 * Runs a fault on the pool: echo, error, syntax, panic, die, resolve, spin, ignore, hold.
 * @param {import('..').WorkerPool} pool
 * @param {string} kind
 * @param {{ tag?: number, argument?: number, bytes?: number }} [task]
 * @param {import('../lib/submit').TaskOptions} [options]
 * @returns {Promise<number>} Resolves with the tag.
 */
function fault(pool, kind, { tag = 0, argument = 0, bytes = 0 } = {}, options) {
  return submit(pool, options, 'fault', (handle, control) => native.fault(handle, control, kind, tag, argument, bytes));
}

let gates = 0;

/** A gate, shut: tasks that `hold` it wait until it is opened, whatever anybody says. */
class Gate {
  constructor() {
    // Of this process and thread alone: all threads share the addon.
    this.number = require('node:worker_threads').threadId * 100_000 + gates++;
  }

  hold(pool, task, options) {
    return fault(pool, 'hold', { ...task, argument: this.number }, options);
  }

  /** Occupies every thread of the pool; resolves once they are. */
  async occupy(pool, options) {
    const held = Array.from({ length: pool.size }, () => this.hold(pool, {}, options));
    // Held tasks must not be left without a handler while we wait.
    for (const promise of held) promise.catch(() => {});
    await until(() => pool.getStats().activeWorkers === pool.size);
    return held;
  }

  open() {
    native.faultGate(this.number, true);
  }
}

/** Waits for a state that the pool reaches by itself. */
async function until(holds, what = 'the awaited state') {
  const deadline = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise(setImmediate);
  }
}

/** Runs a script in a Node process of its own, with offloop and the faults in scope unless it is `bare`. */
function runScript(script, { args = [], env = {}, bare = false } = {}) {
  const prelude = `
    const offloop = require(${JSON.stringify(path.join(__dirname, '..'))});
    const { Gate, fault, until } = require(${JSON.stringify(__filename)});
  `;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args, '-e', bare ? script : prelude + script], { env: { ...process.env, ...env } });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (text) => (output.stdout += text));
    child.stderr.on('data', (text) => (output.stderr += text));
    child.on('error', reject);
    const killer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.on('close', (code, signal) => {
      clearTimeout(killer);
      resolve({ code, signal, ...output });
    });
  });
}

module.exports = { Gate, fault, native, needsFaults, runScript, until };
