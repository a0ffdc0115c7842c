'use strict';

// What becomes of lines when a process is killed, ends, blocks, or rotates its file.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { AsyncLogger } = require('../..');
const { CONTENDERS } = require('./contenders');

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

/** @param {string} file @returns {any[]} its lines; null for one that is no JSON */
function read(file) {
  if (!fs.existsSync(file)) return [];
  const text = fs.readFileSync(file, 'utf8');
  const lines = text.split('\n');
  const last = lines.pop();
  if (last !== '') lines.push(/** @type {string} */ (last));
  return lines.map((line) => {
    try {
      return JSON.parse(line);
    } catch {
      return null;
    }
  });
}

/**
 * @param {any[]} records with numbers from 0 on
 * @param {number} least how many there should be
 */
function compare(records, least) {
  const torn = records.filter((record) => record === null).length;
  const numbers = records.filter((record) => record !== null).map(({ n }) => n);
  const distinct = new Set(numbers);
  const count = Math.max(least, ...numbers.map((n) => n + 1));
  return { torn, doubled: numbers.length - distinct.size, lost: count - distinct.size };
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
  const records = read(file);
  for (let round = 0; round < rounds; round++) {
    const { lost, doubled } = compare(records.filter((record) => record?.round === round), acks[round]);
    sum.accepted += acks[round];
    sum.lost += lost;
    sum.doubled += doubled;
  }
  sum.torn = records.filter((record) => record === null).length;
  fs.rmSync(file);
  return sum;
}

/** @param {string} name @param {string} folder @param {number} rounds */
async function exit(name, folder, rounds) {
  const sum = { test: 'process.exit()', candidate: name, rounds, accepted: rounds * 1000, lost: 0, doubled: 0, torn: 0 };
  for (let round = 0; round < rounds; round++) {
    const file = path.join(folder, `exit-${name}.log`);
    await runChild(['exit', name, file]);
    const { lost, doubled, torn } = compare(read(file), 1000);
    sum.lost += lost;
    sum.doubled += doubled;
    sum.torn += torn;
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
  const names = fs.readdirSync(path.dirname(file));
  const records = names.flatMap((name) => read(path.join(path.dirname(file), name)));
  return { test: 'rotation', candidate: 'offloop', rotations: logger.getStats().rotations, accepted: n, ...compare(records, n) };
}

module.exports = { blocked, exit, kill, rotation, sustained };
