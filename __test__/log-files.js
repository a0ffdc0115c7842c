'use strict';

// Folders, lines and child processes for the tests of logs.

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');

const index = JSON.stringify(path.join(__dirname, '..'));

/** A folder that goes with the test. */
function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-log-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

/** The lines of a file, which must be whole. */
function lines(file) {
  const bytes = fs.readFileSync(file);
  const text = (file.endsWith('.gz') ? zlib.gunzipSync(bytes) : bytes).toString();
  assert.ok(text === '' || text.endsWith('\n'), `${file} ends with a whole line`);
  return text.split('\n').slice(0, -1);
}

/** The lines of a file as objects. */
const records = (file) => lines(file).map((line) => JSON.parse(line));

/** A log and its old files, in the order of their numbers. */
function family(file) {
  const base = path.basename(file);
  const age = (name) => (name === base ? Infinity : Number(/\.(\d+)(\.gz)?$/.exec(name)?.[1]));
  const names = fs.readdirSync(path.dirname(file)).filter((name) => name === base || /^\.\d+(\.gz)?$/.test(name.slice(base.length)));
  return names.sort((a, b) => age(a) - age(b)).map((name) => path.join(path.dirname(file), name));
}

/** Starts a script in a process of its own, with offloop in scope. */
function start(script, { args = [], env = {}, command = process.execPath, prefix = [] } = {}) {
  const source = `const offloop = require(${index}); const { AsyncLogger, destination } = offloop; const fs = require('node:fs');\n${script}`;
  const child = spawn(command, [...prefix, ...args, '-e', source], { env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (output.stdout += text));
  child.stderr.on('data', (text) => (output.stderr += text));
  const killer = setTimeout(() => child.kill('SIGKILL'), 120_000);
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(killer);
      resolve({ code, signal, ...output });
    });
  });
  return { child, ended, output };
}

/** Runs a script to its end. */
const run = (script, options) => start(script, options).ended;

/** Waits for a state that comes by itself. */
async function until(holds, what = 'the awaited state') {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Numbers as they should be: 0, 1, 2, … */
function assertCounts(numbers, what) {
  numbers.forEach((number, index) => {
    if (number !== index) assert.fail(`${what}: number ${number} in place of ${index}`);
  });
}

module.exports = { assertCounts, family, folder, lines, records, run, start, until };
