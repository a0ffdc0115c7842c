'use strict';

const assert = require('node:assert');
const http = require('node:http');
const path = require('node:path');
const { it } = require('node:test');

const morgan = require('morgan');
const pino = require('pino');
const pinoHttp = require('pino-http');
const winston = require('winston');

const { destination } = require('..');
const { assertCounts, folder, lines, records } = require('./log-files');

it('takes the lines of pino', async (t) => {
  const file = path.join(folder(t), 'a.log');
  const dest = destination({ logFile: file });
  const logger = pino({ level: 'debug' }, dest);
  logger.info({ n: 0 }, 'hello');
  assert.strictEqual(dest.lastLevel, 30);
  logger.child({ request: 1 }).error(new Error('failed'));
  assert.strictEqual(dest.lastLevel, 50);
  await new Promise((resolve, reject) => logger.flush((error) => (error ? reject(error) : resolve())));
  const [first, second] = records(file);
  assert.deepStrictEqual([first.n, first.msg, first.level], [0, 'hello', 30]);
  assert.deepStrictEqual([second.request, second.err.message, second.level], [1, 'failed', 50]);
  assert.strictEqual(dest[Symbol.for('pino.metadata')], true);
  await dest.end();
});

it('takes the lines of pino.multistream, each of its levels', async (t) => {
  const where = folder(t);
  const [all, errors] = ['all.log', 'errors.log'].map((name) => destination({ logFile: path.join(where, name) }));
  const logger = pino({ level: 'info' }, pino.multistream([{ stream: all }, { level: 'error', stream: errors }]));
  logger.info('one');
  logger.error('two');
  await Promise.all([all.end(), errors.end()]);
  assert.deepStrictEqual(records(path.join(where, 'all.log')).map(({ msg }) => msg), ['one', 'two']);
  assert.deepStrictEqual(records(path.join(where, 'errors.log')).map(({ msg }) => msg), ['two']);
});

it('takes the lines of pino-http and morgan', async (t) => {
  const where = folder(t);
  const [ofPino, ofMorgan] = ['pino.log', 'morgan.log'].map((name) => destination({ logFile: path.join(where, name) }));
  const logPino = pinoHttp({}, ofPino);
  const logMorgan = morgan('tiny', { stream: ofMorgan });
  const server = http.createServer((request, response) => {
    logPino(request, response);
    logMorgan(request, response, () => response.end('hello'));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  for (let n = 0; n < 3; n++) await (await fetch(`http://127.0.0.1:${server.address().port}/path-${n}`)).text();
  await new Promise((resolve) => server.close(resolve));
  await Promise.all([ofPino.end(), ofMorgan.end()]);
  assert.deepStrictEqual(records(path.join(where, 'pino.log')).map(({ req }) => req.url), ['/path-0', '/path-1', '/path-2']);
  assert.match(lines(path.join(where, 'morgan.log'))[2], /^GET \/path-2 200/);
});

it('is a stream for winston', async (t) => {
  const file = path.join(folder(t), 'a.log');
  const stream = destination({ logFile: file, writable: true });
  const logger = winston.createLogger({ transports: [new winston.transports.Stream({ stream })] });
  for (let n = 0; n < 100; n++) logger.info('hello', { n });
  await new Promise((resolve) => stream.end(resolve));
  assertCounts(records(file).map(({ n }) => n), 'lines');
  assert.strictEqual(records(file).length, 100);
});

it('is a stream as others are', async (t) => {
  const file = path.join(folder(t), 'a.log');
  const stream = destination({ logFile: file, writable: true });
  stream.cork();
  stream.write('text\n');
  stream.write(Buffer.from('bytes\n'));
  stream.write('bGF0aW4K', 'base64');
  stream.uncork();
  await stream.flush();
  assert.deepStrictEqual(lines(file), ['text', 'bytes', 'latin']);
  stream.destroy();
  await new Promise((resolve) => stream.on('close', resolve));
});

it('ends once, and says so', async (t) => {
  const file = path.join(folder(t), 'a.log');
  const dest = destination({ logFile: file });
  const events = [];
  for (const event of ['finish', 'close']) dest.on(event, () => events.push(event));
  await new Promise((resolve) => dest.end('last\n', resolve));
  await dest.end();
  dest.destroy();
  await dest.flush();
  dest.flushSync();
  assert.deepStrictEqual(events, ['finish', 'close']);
  assert.throws(() => dest.write('later\n'), { code: 'ERR_LOG_CLOSED' });
  assert.deepStrictEqual(lines(file), ['last']);
});

it('writes to a descriptor', async (t) => {
  const fs = require('node:fs');
  const file = path.join(folder(t), 'a.log');
  const descriptor = fs.openSync(file, 'a');
  const dest = destination({ logFile: descriptor });
  fs.closeSync(descriptor);
  dest.write('line\n');
  dest.flushSync();
  assert.deepStrictEqual(lines(file), ['line']);
  await dest.end();
});

it('refuses what is no line', async (t) => {
  const dest = destination({ logFile: path.join(folder(t), 'a.log') });
  assert.throws(() => dest.write(5), { code: 'ERR_INVALID_ARG' });
  assert.throws(() => destination({ writable: 'yes' }), { code: 'ERR_INVALID_ARG' });
  await dest.end();
});
