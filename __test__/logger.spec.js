'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');

const { AsyncLogger, WorkerPool } = require('..');
const { folder, lines, records, run } = require('./log-files');
const { anything, check, fc } = require('./values');

/** A logger, and a function that gives its lines so far, without their times. */
function make(t, options) {
  const logFile = path.join(folder(t), 'logs', 'app.log');
  const logger = new AsyncLogger({ logFile, ...options });
  t.after(() => logger.shutdown());
  const file = fs.openSync(logFile, 'r');
  t.after(() => fs.closeSync(file));
  const take = () => {
    logger.flushSync();
    // From where the last one ended.
    const text = fs.readFileSync(file, 'utf8');
    return text.split('\n').slice(0, -1).map((line) => {
      const { time, ...fields } = JSON.parse(line);
      return fields;
    });
  };
  return { logger, logFile, take };
}

describe('a line', () => {
  it('in the plain format', (t) => {
    const { logger, logFile } = make(t);
    logger.info('hello', { a: 1 });
    logger.flushSync();
    assert.match(lines(logFile)[0], /^\{"level":"info","time":"\d{4}-\d\d-\d\dT[\d:.]+Z","msg":"hello","a":1\}$/);
  });

  it('in the format of pino', (t) => {
    const { logger, logFile } = make(t, { format: 'pino' });
    logger.warn('hello', { a: 1 });
    logger.flushSync();
    const base = JSON.stringify({ pid: process.pid, hostname: os.hostname() }).slice(1, -1);
    assert.match(lines(logFile)[0].replace(base, 'BASE'), /^\{"level":40,"time":\d{13},BASE,"a":1,"msg":"hello"\}$/);
  });

  it('has the time that is asked for', (t) => {
    const before = Date.now();
    const plain = make(t, { timestamp: 'epoch' });
    const ofPino = make(t, { format: 'pino', timestamp: 'iso' });
    for (const { logger } of [plain, ofPino]) {
      logger.info('hello');
      logger.flushSync();
    }
    assert.ok(records(plain.logFile)[0].time >= before);
    assert.ok(Date.parse(records(ofPino.logFile)[0].time) >= before);
  });

  it('of each level', (t) => {
    const { logger, take } = make(t, { level: 'trace' });
    const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
    for (const level of levels) {
      logger[level]('method');
      logger.log(level, 'log');
    }
    assert.deepStrictEqual(take().map(({ level }) => level), levels.flatMap((level) => [level, level]));
    logger.level = 'error';
    for (const level of levels) logger[level]('again');
    assert.deepStrictEqual(take().map(({ level }) => level), ['error', 'fatal']);
    assert.deepStrictEqual([logger.level, logger.isLevelEnabled('warn'), logger.isLevelEnabled('error')], ['error', false, true]);
    logger.level = 'silent';
    logger.fatal('nothing');
    assert.deepStrictEqual(take(), []);
    assert.throws(() => (logger.level = 'loud'), { code: 'ERR_INVALID_ARG' });
  });

  it('has what children and base add', (t) => {
    const { logger, take } = make(t, { base: { service: 'x' }, redact: ['token'] });
    const child = logger.child({ request: 1, token: 'secret' });
    const grandchild = child.child({ user: 'u', request: 2 });
    child.info('one', { a: 1 });
    grandchild.info('two');
    logger.info('three');
    assert.deepStrictEqual(take(), [
      { level: 'info', msg: 'one', service: 'x', request: 1, token: '[Redacted]', a: 1 },
      { level: 'info', msg: 'two', service: 'x', request: 2, token: '[Redacted]', user: 'u' },
      { level: 'info', msg: 'three', service: 'x' },
    ]);
    assert.throws(() => logger.child('text'), { code: 'ERR_INVALID_ARG' });
  });

  it('hides what is to be hidden', (t) => {
    const { logger, take } = make(t, { redact: ['password', 'user.token', 'items[*].key', 'headers["x-key"]', 'deep.*.secret', 'list[1]'] });
    const data = {
      password: 'p', user: { token: 't', name: 'n' }, items: [{ key: 1, other: 2 }, {}, 'text'], headers: { 'x-key': 'k', accept: '*' },
      deep: { a: { secret: 1 }, b: { secret: 2, open: 3 } }, list: [1, 2, 3],
    };
    const copy = structuredClone(data);
    logger.info('m', data);
    assert.deepStrictEqual(data, copy, 'the data stays as it is');
    const hidden = '[Redacted]';
    const expected = {
      password: hidden, user: { token: hidden, name: 'n' }, items: [{ key: hidden, other: 2 }, {}, 'text'], headers: { 'x-key': hidden, accept: '*' },
      deep: { a: { secret: hidden }, b: { secret: hidden, open: 3 } }, list: [1, hidden, 3],
    };
    assert.deepStrictEqual(take(), [{ level: 'info', msg: 'm', ...expected }]);
    const cycle = { ...data };
    cycle.self = cycle;
    logger.info('m', cycle);
    const [line] = take();
    assert.match(line.self, /^\[not serialisable/);
    assert.deepStrictEqual([line.password, line.user.token], [hidden, hidden], 'also where something cannot be written');
  });

  it('describes errors', (t) => {
    const { logger, take } = make(t);
    const cause = new RangeError('inner');
    const error = Object.assign(new TypeError('outer', { cause }), { code: 'E' });
    const described = { type: 'TypeError', message: 'outer', stack: error.stack, code: 'E', cause: { type: 'RangeError', message: 'inner', stack: cause.stack } };
    logger.error('m', error);
    logger.error('m', { err: error });
    logger.error('m', { list: [{ error }] });
    logger.error(error);
    const rows = Array.from({ length: 300 }, (_, id) => ({ id }));
    rows[200].error = error;
    logger.error('m', { rows });
    const [first, second, third, fourth, fifth] = take();
    assert.deepStrictEqual([first.err, second.err, third.list[0].error, fourth.err, fifth.rows[200].error], Array(5).fill(described));
    assert.strictEqual(fourth.msg, 'outer');
  });

  it('says what has no JSON form', (t) => {
    const { logger, take } = make(t, { base: { service: 'x' } });
    const cycle = {};
    cycle.self = cycle;
    const bad = [cycle, 1n, { get broken() { throw new Error('getter'); } }, { toJSON() { throw new Error('toJSON'); } }, new Proxy({}, { ownKeys() { throw new Error('trap'); } })];
    for (const value of bad) logger.info('m', { before: 1, value, after: 2 });
    for (const line of take()) {
      assert.match(line.value, /^\[not serialisable: /);
      assert.deepStrictEqual([line.msg, line.service, line.before, line.after], ['m', 'x', 1, 2]);
    }
  });

  it('may be logged while another one is made', (t) => {
    const { logger, take } = make(t);
    for (const text of ['short', 'x'.repeat(5000)]) {
      logger.info('outer', { text, get value() { logger.info('inner'); return 1; }, more: text });
      const all = take();
      const outer = all.filter(({ msg }) => msg === 'outer');
      assert.strictEqual(outer.length, 1);
      assert.deepStrictEqual([outer[0].text, outer[0].value, outer[0].more], [text, 1, text]);
      assert.ok(all.filter(({ msg }) => msg === 'inner').length >= 1);
    }
  });

  it('takes what is not quite a message', (t) => {
    const { logger, take } = make(t);
    logger.info({ a: 1 });
    logger.info(5);
    logger.info(undefined, { a: 2 });
    logger.info('m', 'text');
    logger.info('m', null);
    assert.deepStrictEqual(take(), [
      { level: 'info', msg: '', a: 1 }, { level: 'info', msg: '5' }, { level: 'info', msg: 'undefined', a: 2 },
      { level: 'info', msg: 'm', data: 'text' }, { level: 'info', msg: 'm' },
    ]);
  });
});

describe('any data', () => {
  // formatLog is made of JSON.stringify, and has its own tests.
  const pool = new WorkerPool({ size: 1 });
  const expected = async (msg, data) => {
    const { time, ...fields } = JSON.parse(await pool.formatLog('info', msg, data));
    return fields;
  };

  it('gives the line that formatLog gives', async (t) => {
    const { logger, take } = make(t);
    await check(t, fc.asyncProperty(fc.string({ unit: 'binary' }), anything, fc.dictionary(fc.string(), anything), async (msg, value, more) => {
      // Two times in one line differ.
      delete more.time;
      const all = [{ value }, more, { list: [value, more] }];
      for (const data of all) logger.info(msg, data);
      assert.deepStrictEqual(take(), await Promise.all(all.map((data) => expected(msg, data))));
    }));
  });

  it('of any size', async (t) => {
    const { logger, take } = make(t, { ringSize: 65536 });
    for (const length of [10, 399, 400, 401, 5000, 15_000, 100_000, 1_000_000]) {
      for (const unit of ['x', '"', 'é', '漢', '😀', '\ud83d', '\u0001']) {
        const text = unit.repeat(length);
        const rows = Array.from({ length: Math.min(length, 3000) }, (_, id) => ({ id, name: `row ${id}` }));
        for (const data of [{ text }, { texts: [text, 'short', text] }, { rows }, { wrapped: { text, rows } }]) {
          if (length === 1_000_000 && !('text' in data)) continue;
          logger.info('m', data);
          assert.deepStrictEqual(take(), [{ level: 'info', msg: 'm', ...JSON.parse(JSON.stringify(data)) }]);
        }
      }
    }
  });

  it('is what it was at the call', (t) => {
    const { logger, take } = make(t);
    const data = { text: 'x'.repeat(10_000), nested: { a: 1 } };
    logger.info('m', data);
    data.text = 'changed';
    data.nested.a = 2;
    const [line] = take();
    assert.deepStrictEqual([line.text.length, line.nested.a], [10_000, 1]);
  });

  it('ends', () => pool.shutdown());
});

describe('a logger', () => {
  it('batches lines, by count and by time', async (t) => {
    const byCount = make(t, { bufferSize: 10, flushInterval: 1e6 });
    for (let n = 0; n < 10; n++) byCount.logger.info('m', { n });
    while (byCount.logger.getStats().lines < 10) await new Promise((resolve) => setTimeout(resolve, 5));
    byCount.logger.info('one more');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.strictEqual(byCount.logger.getStats().lines, 10);
    const byTime = make(t, { bufferSize: 1000, flushInterval: 20 });
    byTime.logger.info('m');
    while (byTime.logger.getStats().lines < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('can be closed once, and takes nothing afterwards', async (t) => {
    const { logger, logFile } = make(t);
    const child = logger.child({ a: 1 });
    logger.info('one');
    await child.shutdown();
    child.info('two');
    await Promise.all([logger.shutdown(), logger.shutdown()]);
    await assert.rejects(logger.info('three'), { code: 'ERR_LOG_CLOSED' });
    await assert.rejects(child.info('four'), { code: 'ERR_LOG_CLOSED' });
    await logger.flush();
    logger.flushSync();
    logger.reopen();
    assert.strictEqual(lines(logFile).length, 2);
    assert.strictEqual(logger.getStats().lines, 2);
    await assert.rejects(logger.log('loud', 'm'), { code: 'ERR_INVALID_ARG' });
  });

  it('neither keeps the process alive nor ends it by a line that is refused', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const { code, stderr } = await run(`
      const logger = new AsyncLogger({ logFile: process.env.FILE });
      logger.info('m');
      logger.shutdown().then(() => { logger.info('late'); logger.log('loud', 'm'); });
    `, { env: { FILE: file } });
    assert.deepStrictEqual([code, stderr], [0, '']);
  });

  it('has its settings from the environment', async (t) => {
    const where = folder(t);
    const script = `
      const logger = new AsyncLogger();
      logger.debug('m');
      console.log(logger.level);
      logger.shutdown();
    `;
    const file = path.join(where, 'env.log');
    const env = { WORKER_LOG_FILE: file, WORKER_LOG_LEVEL: 'debug', WORKER_LOG_FORMAT: 'pino', WORKER_LOG_BUFFER_SIZE: '5', WORKER_LOG_FLUSH_INTERVAL_MS: '10' };
    assert.strictEqual((await run(script, { env })).stdout, 'debug\n');
    assert.strictEqual(records(file)[0].level, 20);
    for (const [name, value] of [['WORKER_LOG_BUFFER_SIZE', '0'], ['WORKER_LOG_FLUSH_INTERVAL_MS', 'soon'], ['WORKER_LOG_LEVEL', 'loud']]) {
      const { code, stderr } = await run(script, { env: { ...env, [name]: value } });
      assert.strictEqual(code, 1);
      assert.match(stderr, new RegExp(`ERR_INVALID_ARG`));
      assert.match(stderr, new RegExp(name));
    }
  });

  it('refuses options that are wrong, by name', (t) => {
    const logFile = path.join(folder(t), 'app.log');
    const bad = {
      logFile: ['', 5.5, -1, {}, 'a\0b'], level: ['loud', 5], bufferSize: [0, 1.5, '10'], flushInterval: [-1, NaN, '5'], format: ['json'],
      timestamp: ['now'], base: ['text'], redact: ['password', [5], ['a..b'], ['']], durable: ['yes'], onOverflow: ['wait'],
      ringSize: [100, '1t', 2 ** 31], blockTimeout: [-1],
      rotate: [5, {}, { size: 0 }, { size: 'big' }, { interval: 'never' }, { interval: 0 }, { size: 1, keep: -1 }, { size: 1, keep: 1.5 }, { size: 1, names: 'x' }, { size: 1, gzip: 1 }, { size: 1, current: 'a/b' }],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        assert.throws(() => new AsyncLogger({ logFile, [name]: value }), (error) => error.code === 'ERR_INVALID_ARG' && error.message.includes(`options.${name}`), `${name} ${JSON.stringify(value)}`);
      }
    }
    assert.throws(() => new AsyncLogger(null), { code: 'ERR_INVALID_ARG' });
    assert.throws(() => new AsyncLogger({ logFile: 1, durable: true }), { code: 'ERR_INVALID_ARG' });
  });
});
