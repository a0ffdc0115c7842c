'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');

const { AsyncLogger, destination } = require('..');
const { assertCounts, folder, lines, records, run, start, until } = require('./log-files');

const onUnix = { skip: process.platform === 'win32' };

describe('a path that cannot be written', onUnix, () => {
  it('is an error at construction, with its code', (t) => {
    const where = folder(t);
    fs.writeFileSync(path.join(where, 'file'), '');
    const bad = { [path.join(where, 'file', 'app.log')]: /^(ENOTDIR|EEXIST)$/, [where]: /^EISDIR$/, '/proc/no/such/app.log': /^(ENOENT|EACCES)$/, 4000: /^EBADF$/ };
    for (const [target, code] of Object.entries(bad)) {
      const logFile = /^\d+$/.test(target) ? Number(target) : target;
      for (const make of [() => new AsyncLogger({ logFile }), () => destination({ logFile }), () => destination({ logFile, writable: true })]) {
        assert.throws(make, (error) => code.test(error.code) && error.message.includes(target), target);
      }
    }
    assert.throws(() => new AsyncLogger({ logFile: '/dev/shm/x/y', rotate: {} }), { code: 'ERR_INVALID_ARG' });
  });
});

describe('a folder that vanishes', onUnix, () => {
  it('is made again, and said', async (t) => {
    const where = path.join(folder(t), 'logs');
    const file = path.join(where, 'app.log');
    const logger = new AsyncLogger({ logFile: file });
    const events = [];
    logger.on('error', (error) => events.push(error.message));
    logger.on('recovered', () => events.push('recovered'));
    logger.info('one');
    await logger.flush();
    fs.rmSync(where, { recursive: true });
    logger.info('two');
    await logger.flush();
    assert.strictEqual(lines(file).length, 1);
    await until(() => events.length === 2);
    assert.match(events[0], /removed/);
    assert.strictEqual(events[1], 'recovered');
    await logger.shutdown();
  });

  it('and cannot be made holds lines back until it can', async (t) => {
    const where = path.join(folder(t), 'logs');
    const file = path.join(where, 'app.log');
    const logger = new AsyncLogger({ logFile: file, bufferSize: 1, flushInterval: 1 });
    const events = [];
    logger.on('error', (error) => events.push(error.code));
    logger.on('recovered', () => events.push('recovered'));
    fs.rmSync(where, { recursive: true });
    fs.writeFileSync(where, 'a file in its place');
    for (let n = 0; n < 100; n++) logger.info('line', { n });
    await assert.rejects(logger.flush(), { code: /EEXIST|ENOTDIR/ });
    assert.throws(() => logger.flushSync(), { code: /EEXIST|ENOTDIR/ });
    assert.ok(logger.getStats().failures >= 2);
    fs.rmSync(where);
    await until(() => fs.existsSync(file) && lines(file).length === 100, 'the lines');
    await until(() => events.length === 2, 'both events');
    assert.match(events[0], /EEXIST|ENOTDIR/);
    assert.strictEqual(events[1], 'recovered');
    await logger.shutdown();
    assertCounts(records(file).map(({ n }) => n), 'lines');
  });
});

describe('a full disk', onUnix, () => {
  const hasLimits = spawnSync('prlimit', ['--version']).status === 0;

  // A file-size limit that is lifted later stands for a disk that has room again.
  for (const durable of [false, true]) {
    it(`holds lines back, whole, until there is room${durable ? ' (durable)' : ''}`, { skip: hasLimits ? false : 'no prlimit' }, async (t) => {
      const file = path.join(folder(t), 'app.log');
      // The ring file is no part of the limit.
      const { child, ended, output } = start(`
        const logger = new AsyncLogger({ logFile: process.env.FILE, bufferSize: 10, flushInterval: 1, durable: ${durable} });
        logger.on('error', (error) => console.log(error.code));
        logger.on('recovered', () => logger.shutdown().then(() => console.log(JSON.stringify(logger.getStats()))));
        require('node:child_process').execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=100000:unlimited']);
        for (let n = 0; n < 5000; n++) logger.info('line', { n, text: 'x'.repeat(n % 100) });
        const alive = setInterval(() => {}, 1000);
        logger.on('recovered', () => clearInterval(alive));
      `, { env: { FILE: file } });
      await until(() => output.stdout.includes('EFBIG'), 'the error');
      spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']);
      const { code, stdout, stderr } = await ended;
      assert.strictEqual(code, 0, stderr);
      assert.strictEqual(stdout.match(/EFBIG/g).length, 1, 'one error for the episode');
      assertCounts(records(file).map(({ n }) => n), 'lines');
      assert.strictEqual(records(file).length, 5000);
    });
  }

  it('on a file system of its own', async (t) => {
    const where = folder(t);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', where]);
    if (mounted.status !== 0) return t.skip('no tmpfs can be mounted here');
    try {
      const file = path.join(where, 'app.log');
      fs.writeFileSync(path.join(where, 'ballast'), Buffer.alloc(150_000));
      const logger = new AsyncLogger({ logFile: file, bufferSize: 10, flushInterval: 1 });
      const codes = [];
      logger.on('error', ({ code }) => codes.push(code));
      for (let n = 0; n < 3000; n++) logger.info('line', { n });
      await until(() => codes.length > 0, 'the error');
      assert.throws(() => new AsyncLogger({ logFile: path.join(where, 'other.log'), durable: true }), { code: 'ENOSPC' });
      fs.rmSync(path.join(where, 'ballast'));
      await logger.shutdown();
      assert.deepStrictEqual(codes, ['ENOSPC']);
      assert.strictEqual(records(file).length, 3000);
      assertCounts(records(file).map(({ n }) => n), 'lines');
    } finally {
      spawnSync('umount', [where]);
    }
  });

  it('that stays full is told at shutdown, and on stderr at the exit', { skip: !fs.existsSync('/dev/full') }, async () => {
    const { code, stdout, stderr } = await run(`
      const logger = new AsyncLogger({ logFile: '/dev/full' });
      logger.info('line');
      const other = new AsyncLogger({ logFile: '/dev/full' });
      other.info('line');
      other.shutdown().catch((error) => console.log(error.code, error.message));
    `);
    assert.strictEqual(code, 0);
    assert.match(stdout, /^ERR_LOG_WRITE .* are lost/);
    assert.match(stderr, /ENOSPC/);
  });
});

describe('more lines than can be written', onUnix, () => {
  /** A pipe that nobody reads, yet. */
  function pipe(t) {
    const file = path.join(folder(t), 'pipe');
    assert.strictEqual(spawnSync('mkfifo', [file]).status, 0);
    return file;
  }

  /** Reads a pipe until the logger has closed it. */
  async function drain(file, logger, stream = fs.createReadStream(file)) {
    let text = '';
    stream.on('data', (chunk) => (text += chunk));
    await logger.shutdown();
    await new Promise((resolve) => stream.on('close', resolve));
    return text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  }

  it('make the call wait, for a time', async (t) => {
    const file = pipe(t);
    const logger = new AsyncLogger({ logFile: file, ringSize: 65536, bufferSize: 1, flushInterval: 1, blockTimeout: 50 });
    let drops = 0;
    logger.on('drop', () => drops++);
    const outcomes = await Promise.allSettled(Array.from({ length: 2000 }, (_, n) => logger.info('line', { n, text: 'x'.repeat(100) })));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    assert.ok(refused.length > 100);
    assert.ok(refused.every(({ reason }) => reason.code === 'ERR_QUEUE_FULL'));
    assert.strictEqual(logger.getStats().dropped, refused.length);
    assert.strictEqual(logger.getStats().accepted, 2000 - refused.length);
    const all = await drain(file, logger);
    const expected = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
    const notices = all.filter(({ msg }) => msg === 'log lines were dropped');
    assert.deepStrictEqual(all.filter(({ msg }) => msg === 'line').map(({ n }) => n), expected);
    assert.strictEqual(notices.reduce((sum, { dropped }) => sum + dropped, 0), refused.length);
    assert.strictEqual(drops, 1);
  });

  it('wait no longer than it takes to make room', async (t) => {
    const file = pipe(t);
    const { ended, output } = start(`
      const logger = new AsyncLogger({ logFile: process.env.FILE, ringSize: 65536, blockTimeout: 30000 });
      for (let n = 0; n < 5000; n++) logger.info('line', { n });
      console.log(logger.getStats().dropped);
      logger.shutdown();
    `, { env: { FILE: file } });
    const stream = fs.createReadStream(file);
    let text = '';
    stream.on('data', (chunk) => (text += chunk));
    const { code, stderr } = await ended;
    assert.strictEqual(code, 0, stderr);
    await until(() => text.split('\n').length === 5001, 'all lines');
    stream.destroy();
    assertCounts(text.split('\n').slice(0, -1).map((line) => JSON.parse(line).n), 'lines');
    assert.strictEqual(output.stdout, '0\n');
  });

  it('drop the lowest levels first', async (t) => {
    const file = pipe(t);
    const logger = new AsyncLogger({ logFile: file, level: 'trace', ringSize: 65536, onOverflow: 'drop', format: 'pino' });
    const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
    const refused = Object.fromEntries(levels.map((level) => [level, 0]));
    for (let n = 0; n < 600; n++) {
      for (const level of levels) await logger.log(level, 'line', { n, text: 'x'.repeat(20) }).catch(() => refused[level]++);
    }
    const counts = levels.map((level) => refused[level]);
    assert.deepStrictEqual(counts, [...counts].sort((a, b) => b - a), 'a higher level loses less');
    assert.ok(counts[0] > counts[5]);
    const all = await drain(file, logger);
    const dropped = all.filter(({ msg }) => msg === 'log lines were dropped').reduce((sum, record) => sum + record.dropped, 0);
    assert.strictEqual(dropped, counts.reduce((a, b) => a + b));
    assert.strictEqual(all.filter(({ msg }) => msg === 'line').length, 3600 - dropped);
  });

  // The line that says how many were dropped was itself left out where the ring had no room for it at the end.
  it('say how many were dropped, also where the ring is full at the end', async (t) => {
    const file = pipe(t);
    const logger = new AsyncLogger({ logFile: file, ringSize: 65536, onOverflow: 'drop', format: 'pino' });
    // Without a reader, all of a ring fits into the pipe and goes with it.
    const stream = fs.createReadStream(file);
    await logger.fatal('first');
    await once(stream, 'open');
    const count = { accepted: 1, refused: 0 };
    /** @param {string} text */
    const fill = async (text) => {
      for (let inARow = 0; inARow < 100; ) {
        const isTaken = await logger.fatal(text).then(() => true, () => false);
        count[isTaken ? 'accepted' : 'refused']++;
        inARow = isTaken ? 0 : inARow + 1;
      }
    };
    await fill('x'.repeat(1000));
    // A line shorter than the one that reports leaves no room for that.
    await fill('');
    const all = await drain(file, logger, stream);
    const reports = all.filter(({ msg }) => msg === 'log lines were dropped');
    assert.strictEqual(reports.reduce((sum, { dropped }) => sum + dropped, 0), count.refused);
    assert.strictEqual(all.length - reports.length, count.accepted);
  });
});
