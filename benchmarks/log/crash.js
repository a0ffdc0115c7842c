'use strict';

// What becomes of lines when a process is killed, ends, blocks, or rotates its file.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { AsyncLogger } = require('../..');
const { CONTENDERS } = require('./contenders');
const { lines } = require('./lines');

const script = path.join(__dirname, 'child.js');

/**
 * @param {string[]} args
 * @param {(child: import('node:child_process').ChildProcess) => void} [started]
 * @returns {Promise<string>} what it wrote to stdout
 */
function runChild(args, started) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.on('error', reject);
    child.on('close', () => resolve(text));
    started?.(child);
  });
}

/**
 * The lines of a file, which may be longer than a string can be: the number of each, and its round; torn ones counted.
 * @param {string[]} files
 * @returns {{ torn: number, rounds: Map<number | undefined, Numbers> }}
 */
function read(files) {
  /** @type {Map<number | undefined, Numbers>} */
  const rounds = new Map();
  let torn = 0;
  for (const file of files.filter((one) => fs.existsSync(one))) {
    for (const line of lines(file)) {
      try {
        const { n, round } = JSON.parse(line.toString());
        const numbers = rounds.get(round) ?? new Numbers();
        rounds.set(round, numbers);
        numbers.add(n);
      } catch {
        torn++;
      }
    }
  }
  return { torn, rounds };
}

/** Numbers that should be 0, 1, 2, … */
class Numbers {
  constructor() {
    this.seen = new Set();
    this.doubled = 0;
    this.count = 0;
  }

  /** @param {number} number */
  add(number) {
    if (this.seen.has(number)) this.doubled++;
    this.seen.add(number);
    this.count = Math.max(this.count, number + 1);
  }

  /** @param {number} least how many there should be */
  lost(least) {
    return Math.max(least, this.count) - this.seen.size;
  }
}

/**
 * Kills processes at random moments; the last start writes what they left.
 * @param {string} name
 * @param {string} folder
 * @param {number} rounds
 */
async function kill(name, folder, rounds) {
  const file = path.join(folder, `kill-${name}.log`);
  const sum = { test: 'kill -9', candidate: name, rounds, accepted: 0, lost: 0, doubled: 0, torn: 0 };
  const acks = [];
  for (let round = 0; round < rounds; round++) {
    const ack = `${file}.ack`;
    fs.rmSync(ack, { force: true });
    await runChild(['kill', name, file, String(round), ack], (child) => {
      const look = setInterval(() => {
        if (!fs.existsSync(ack) || fs.statSync(ack).size === 0) return;
        clearInterval(look);
        setTimeout(() => child.kill('SIGKILL'), 20 + Math.random() * 100);
      }, 2);
    });
    acks.push(Number(fs.readFileSync(ack, 'utf8')));
  }
  await CONTENDERS[name](file).close();
  const found = read([file]);
  sum.torn = found.torn;
  for (let round = 0; round < rounds; round++) {
    const numbers = found.rounds.get(round) ?? new Numbers();
    sum.accepted += Math.max(acks[round], numbers.count);
    sum.lost += numbers.lost(acks[round]);
    sum.doubled += numbers.doubled;
  }
  fs.rmSync(file);
  return sum;
}

/** @param {string} name @param {string} folder @param {number} rounds */
async function exit(name, folder, rounds) {
  const sum = { test: 'process.exit()', candidate: name, rounds, accepted: rounds * 1000, lost: 0, doubled: 0, torn: 0 };
  for (let round = 0; round < rounds; round++) {
    const file = path.join(folder, `exit-${name}.log`);
    await runChild(['exit', name, file]);
    const found = read([file]);
    const numbers = found.rounds.get(undefined) ?? new Numbers();
    sum.lost += numbers.lost(1000);
    sum.doubled += numbers.doubled;
    sum.torn += found.torn;
    fs.rmSync(file, { force: true });
  }
  return sum;
}

/** @param {string} name @param {string} folder @param {number} forMs */
async function blocked(name, folder, forMs) {
  const silence = Number(await runChild(['blocked', name, path.join(folder, `blocked-${name}.log`), String(forMs)]));
  return { test: 'blocked', candidate: name, blockedMs: forMs, latestMs: Math.round(silence) };
}

/** @param {string} name @param {string} folder @param {number} forMs */
async function sustained(name, folder, forMs) {
  const file = path.join(folder, `sustained-${name}.log`);
  const { n, lines, ms } = JSON.parse(await runChild(['sustained', name, file, String(forMs)]));
  fs.rmSync(file);
  return { test: 'sustained', candidate: name, logged: n, inFile: lines, seconds: ms / 1e3, linesPerSecond: Math.round((lines * 1e3) / ms) };
}

/** @param {string} folder @param {number} rotations */
async function rotation(folder, rotations) {
  const file = path.join(folder, 'rotated', 'app.log');
  const logger = new AsyncLogger({ logFile: file, rotate: { size: '1m', gzip: false } });
  let n = 0;
  while (logger.getStats().rotations < rotations) {
    for (let i = 0; i < 1000; i++) logger.info('x'.repeat(n % 300), { n: n++ });
    await new Promise(setImmediate);
  }
  await logger.shutdown();
  const found = read(fs.readdirSync(path.dirname(file)).map((name) => path.join(path.dirname(file), name)));
  const numbers = found.rounds.get(undefined) ?? new Numbers();
  const { rotations: done } = logger.getStats();
  return { test: 'rotation', candidate: 'offloop', rotations: done, accepted: n, lost: numbers.lost(n), doubled: numbers.doubled, torn: found.torn };
}

module.exports = { blocked, exit, kill, rotation, sustained };
