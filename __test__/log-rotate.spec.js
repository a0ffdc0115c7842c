'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');

const { AsyncLogger } = require('..');
const { assertCounts, family, folder, lines, records, run, until } = require('./log-files');

/** What the log and its old files have, in order. */
const numbersOf = (file) => family(file).flatMap((one) => records(one).map(({ n }) => n));

describe('rotation', () => {
  it('loses and doubles nothing over 50 files under load', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const logger = new AsyncLogger({ logFile: file, flushInterval: 1, rotate: { size: '64k' } });
    let n = 0;
    while (logger.getStats().rotations < 50) {
      for (let i = 0; i < 500; i++) logger.info('x'.repeat(n % 200), { n: n++ });
      await new Promise(setImmediate);
    }
    await logger.shutdown();
    const numbers = numbersOf(file);
    assertCounts(numbers, 'all files');
    assert.strictEqual(numbers.length, n);
    assert.ok(family(file).length > 50);
    for (const one of family(file)) assert.ok(fs.statSync(one).size <= 65536, `${one} is not larger than it may be`);
  });

  it('packs old files, and keeps so many', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const logger = new AsyncLogger({ logFile: file, bufferSize: 1, flushInterval: 0, rotate: { size: 10_000, keep: 3, gzip: true, current: 'now.log' } });
    let n = 0;
    while (logger.getStats().rotations < 9) {
      logger.info('line', { n: n++ });
      if (n % 50 === 0) await logger.flush();
    }
    await logger.shutdown();
    assert.strictEqual(fs.readlinkSync(path.join(path.dirname(file), 'now.log')), 'app.log');
    const old = family(file).slice(0, -1);
    assert.strictEqual(old.length, 3, old.join(' '));
    assert.ok(old.every((one) => one.endsWith('.gz')), old.join(' '));
    const numbers = numbersOf(file);
    assertCounts(numbers.map((number) => number - numbers[0]), 'the last files');
    assert.strictEqual(numbers.at(-1), n - 1);
  });

  it('keeps no old file where none is wanted', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const logger = new AsyncLogger({ logFile: file, rotate: { size: 1000, keep: 0 } });
    for (let n = 0; n < 100; n++) logger.info('line', { n });
    await logger.shutdown();
    assert.deepStrictEqual(fs.readdirSync(path.dirname(file)), ['app.log']);
  });

  it('goes by time', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const logger = new AsyncLogger({ logFile: file, flushInterval: 1, rotate: { interval: '200ms', names: 'date' } });
    let n = 0;
    await until(async () => {
      logger.info('line', { n: n++ });
      await logger.flush();
      return logger.getStats().rotations >= 3;
    }, 'three rotations');
    await logger.shutdown();
    const names = fs.readdirSync(path.dirname(file)).sort();
    assert.strictEqual(names[0], 'app.log');
    for (const name of names.slice(1)) assert.match(name, /^app\.log\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}$/);
    const numbers = [...names.slice(1), 'app.log'].flatMap((name) => records(path.join(path.dirname(file), name)).map((record) => record.n));
    assertCounts(numbers, 'all files');
    assert.strictEqual(numbers.length, n);
  });

  it('ends the file of an earlier day at the start', async (t) => {
    const file = path.join(folder(t), 'app.log');
    fs.writeFileSync(file, '{"n":0}\n');
    fs.utimesSync(file, new Date(Date.now() - 3 * 86400e3), new Date(Date.now() - 3 * 86400e3));
    const logger = new AsyncLogger({ logFile: file, rotate: { interval: 'daily' } });
    logger.info('line', { n: 1 });
    await logger.shutdown();
    assert.deepStrictEqual(family(file).map((one) => records(one).map(({ n }) => n)), [[0], [1]]);
  });

  it('gives a line that is longer than a file one of its own', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const logger = new AsyncLogger({ logFile: file, rotate: { size: 1000 } });
    for (let n = 0; n < 5; n++) logger.info('x'.repeat(n % 2 ? 5000 : 10), { n });
    await logger.shutdown();
    assert.deepStrictEqual(family(file).map((one) => records(one).length), [1, 1, 1, 1, 1]);
    assertCounts(numbersOf(file), 'all files');
  });

  it('by several processes of one file loses nothing', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const script = (options) => `
      const logger = new AsyncLogger({ logFile: process.env.FILE, bufferSize: 10, flushInterval: 1, ...${options} });
      let n = 0;
      const burst = () => {
        for (let i = 0; i < 50; i++) logger.info('x'.repeat(n % 300), { pid: process.pid, n: n++ });
        if (n < 4000) setTimeout(burst, 1); else logger.shutdown().then(() => console.log(process.pid));
      };
      burst();
    `;
    const options = ["{ rotate: { size: '50k', gzip: true } }", "{ rotate: { size: '50k', gzip: true } }", '{ durable: true }'];
    const results = await Promise.all(options.map((one) => run(script(one), { env: { FILE: file } })));
    assert.deepStrictEqual(results.map(({ code }) => code), [0, 0, 0], results.map(({ stderr }) => stderr).join());
    const all = family(file).flatMap(records);
    for (const { stdout } of results) {
      const own = all.filter(({ pid }) => pid === Number(stdout)).map(({ n }) => n);
      assertCounts(own, 'a process');
      assert.strictEqual(own.length, 4000);
    }
  });

  it('is followed by tail -F', { skip: process.platform === 'win32' }, async (t) => {
    const file = path.join(folder(t), 'app.log');
    fs.writeFileSync(file, '');
    const tail = spawn('tail', ['-F', '-s', '0.02', '-n', '+1', file], { stdio: ['ignore', 'pipe', 'ignore'] });
    t.after(() => tail.kill());
    let seen = '';
    tail.stdout.on('data', (text) => (seen += text));
    const logger = new AsyncLogger({ logFile: file, flushInterval: 1, rotate: { size: 3000 } });
    for (let n = 0; n < 200; n++) {
      logger.info('line', { n });
      // tail sees a file that is there for as long as it takes to look.
      if (n % 20 === 19) {
        await logger.flush();
        await until(() => seen.includes(`"n":${n}}`), `line ${n} in tail`);
      }
    }
    await logger.shutdown();
    assertCounts(seen.split('\n').slice(0, -1).map((line) => JSON.parse(line).n), 'what tail has seen');
  });
});

describe('a file that is moved', () => {
  it('is written until reopen', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const logger = new AsyncLogger({ logFile: file });
    logger.info('one');
    await logger.flush();
    fs.renameSync(file, `${file}.moved`);
    logger.info('two');
    await logger.flush();
    assert.strictEqual(lines(`${file}.moved`).length, 2);
    logger.reopen();
    logger.info('three');
    await logger.shutdown();
    assert.deepStrictEqual([lines(`${file}.moved`).length, lines(file).length], [2, 1]);
  });

  it('is followed by lines in a new one that somebody made', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const logger = new AsyncLogger({ logFile: file });
    logger.info('one');
    await logger.flush();
    fs.renameSync(file, `${file}.moved`);
    fs.writeFileSync(file, '');
    logger.info('two');
    await logger.shutdown();
    assert.deepStrictEqual([lines(`${file}.moved`).length, lines(file).length], [1, 1]);
  });
});
