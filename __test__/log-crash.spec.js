'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');

const { AsyncLogger } = require('..');
const { assertCounts, folder, lines, records, run, start, until } = require('./log-files');

/** How many processes are killed, or exit, at random moments. */
const ROUNDS = Number(process.env.OFFLOOP_KILLS ?? 12);

/** Logs numbers as fast as it can, in lines of all lengths, and says now and then how far it has come. */
const LOAD = `
const [file, round, ack] = [process.env.FILE, Number(process.env.ROUND), fs.openSync(process.env.ACK, 'w')];
const logger = new AsyncLogger({ logFile: file, durable: true });
let n = 0;
const text = 'x'.repeat(20000);
function burst() {
  for (let i = 0; i < 200; i++) {
    logger.info('line', { round, n: n++, text: text.slice(0, n % 97 === 0 ? 20000 : (n * 7) % 300) });
    if (n % 50 === 0) fs.writeSync(ack, String(n).padEnd(12), 0);
  }
  setImmediate(burst);
}
burst();
`;

describe('a durable log', () => {
  it(`loses, doubles and tears nothing over ${ROUNDS} kill -9`, async (t) => {
    const file = path.join(folder(t), 'app.log');
    const acks = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ack = `${file}.ack`;
      const { child, ended } = start(LOAD, { env: { FILE: file, ROUND: String(round), ACK: ack } });
      await until(() => fs.existsSync(ack) && fs.readFileSync(ack, 'utf8') !== '', 'the first lines');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      child.kill('SIGKILL');
      assert.strictEqual((await ended).signal, 'SIGKILL');
      acks.push(Number(fs.readFileSync(ack, 'utf8')));
      fs.rmSync(ack);
    }
    const logger = new AsyncLogger({ logFile: file, durable: true });
    logger.info('end');
    await logger.shutdown();
    const all = records(file);
    assert.strictEqual(all.pop().msg, 'end');
    for (let round = 0; round < ROUNDS; round++) {
      const numbers = all.filter((record) => record.round === round).map(({ n }) => n);
      assertCounts(numbers, `round ${round}`);
      assert.ok(numbers.length >= acks[round], `round ${round}: ${numbers.length} lines of at least ${acks[round]}`);
    }
    const rounds = all.map(({ round }) => round);
    assert.deepStrictEqual(rounds, [...rounds].sort((a, b) => a - b), 'in order');
    assert.deepStrictEqual(fs.readdirSync(path.dirname(file)), ['app.log'], 'no ring is left');
    assert.strictEqual(logger.getStats().torn, 0);
  });

  const hasLimits = spawnSync('prlimit', ['--version']).status === 0;

  // A ring made room for a part of a line before the file had it: of a line in parts, what had been read was lost.
  it('has lines of several records until they are written', { skip: hasLimits ? false : 'no prlimit' }, async (t) => {
    const file = path.join(folder(t), 'app.log');
    const { signal, stdout, stderr } = await run(`
      const logger = new AsyncLogger({ logFile: process.env.FILE, durable: true, ringSize: 65536 });
      logger.on('error', ({ code }) => {
        console.log(code);
        process.kill(process.pid, 'SIGKILL');
      });
      require('node:child_process').execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=0']);
      logger.info('x'.repeat(30_000), { n: 0 });
      logger.info('é'.repeat(9000), { n: 1 });
      setTimeout(() => {}, 60_000);
    `, { env: { FILE: file } });
    assert.deepStrictEqual([signal, stdout], ['SIGKILL', 'EFBIG\n'], stderr);
    assert.strictEqual(fs.readFileSync(file, 'utf8'), '');
    const logger = new AsyncLogger({ logFile: file, durable: true });
    logger.info('after', { n: 2 });
    await logger.shutdown();
    const all = records(file);
    assertCounts(all.map(({ n }) => n), 'lines');
    assert.deepStrictEqual(all.map(({ msg }) => msg.length), [30_000, 9000, 5]);
  });

  it('writes a line that is longer than its ring before the call returns', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const { signal, stderr } = await run(`
      const logger = new AsyncLogger({ logFile: process.env.FILE, durable: true, ringSize: 65536, flushInterval: 60_000, bufferSize: 1e6 });
      logger.info('before', { n: 0 });
      logger.info('x'.repeat(500_000), { n: 1 });
      process.kill(process.pid, 'SIGKILL');
    `, { env: { FILE: file } });
    assert.strictEqual(signal, 'SIGKILL', stderr);
    assertCounts(records(file).map(({ n }) => n), 'lines');
    assert.strictEqual(records(file).length, 2);
  });

  it('gives others what a killed process left in a file that they share', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const script = `
      const logger = new AsyncLogger({ logFile: process.env.FILE, durable: true, flushInterval: 60000, bufferSize: 1e6 });
      for (let n = 0; n < 1000; n++) logger.info('line', { n, pid: process.pid });
      process.kill(process.pid, 'SIGKILL');
    `;
    // They take over from each other, as far as they get.
    const results = await Promise.all([0, 1, 2].map(() => run(script, { env: { FILE: file } })));
    assert.deepStrictEqual(results.map(({ signal }) => signal), ['SIGKILL', 'SIGKILL', 'SIGKILL']);
    const logger = new AsyncLogger({ logFile: file, durable: true });
    logger.info('end');
    await logger.shutdown();
    const all = records(file);
    assert.strictEqual(all.length, 3001);
    const pids = new Set(all.slice(0, -1).map(({ pid }) => pid));
    assert.strictEqual(pids.size, 3);
    for (const pid of pids) assertCounts(all.filter((record) => record.pid === pid).map(({ n }) => n), 'a process');
  });

  it('counts a damaged record, and writes those around it', async (t) => {
    const file = path.join(folder(t), 'app.log');
    await run(`
      const logger = new AsyncLogger({ logFile: process.env.FILE, durable: true, flushInterval: 60000 });
      for (let n = 0; n < 9; n++) logger.info('line', { n, marker: 'marker-' + n });
      process.kill(process.pid, 'SIGKILL');
    `, { env: { FILE: file } });
    const ring = fs.readdirSync(path.dirname(file)).find((name) => name.endsWith('.ring'));
    const bytes = fs.readFileSync(path.join(path.dirname(file), ring));
    bytes[bytes.indexOf('marker-4') + 3] ^= 1;
    fs.writeFileSync(path.join(path.dirname(file), ring), bytes);
    const logger = new AsyncLogger({ logFile: file, durable: true });
    await logger.shutdown();
    assert.deepStrictEqual(records(file).map(({ n }) => n), [0, 1, 2, 3, 5, 6, 7, 8]);
    assert.strictEqual(logger.getStats().torn, 1);
  });

  it('completes a line that was being written when the process died', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const script = `
      const logger = new AsyncLogger({ logFile: process.env.FILE, durable: true, flushInterval: 60000 });
      for (let n = 0; n < 5; n++) logger.info('line', { n });
      process.kill(process.pid, 'SIGKILL');
    `;
    // What the writer notes before it writes, and what it had written by then: none, some, half a line, all.
    const whole = await (async () => {
      await run(script, { env: { FILE: file } });
      const logger = new AsyncLogger({ logFile: file, durable: true });
      await logger.shutdown();
      return fs.readFileSync(file);
    })();
    for (const written of [0, 1, 70, whole.indexOf('\n') + 1, whole.length - 1, whole.length]) {
      fs.rmSync(file);
      await run(script, { env: { FILE: file } });
      const name = path.join(path.dirname(file), fs.readdirSync(path.dirname(file)).find((one) => one.endsWith('.ring')));
      const ring = fs.readFileSync(name);
      // As the ring's lines have other times, its own text is what was being written.
      const text = Buffer.from(textOf(ring));
      fs.writeFileSync(file, text.subarray(0, written));
      const { dev, ino } = fs.statSync(file, { bigint: true });
      const at = 256;
      ring.writeUInt32LE(ring.readUInt32LE(128), at + 4);
      ring.writeUInt32LE(ring.readUInt32LE(64), at + 8);
      ring.writeBigUInt64LE(dev, at + 16);
      ring.writeBigUInt64LE(ino, at + 24);
      ring.writeBigUInt64LE(0n, at + 32);
      ring.writeBigUInt64LE(BigInt(text.length), at + 40);
      ring.writeUInt32LE(1, at);
      fs.writeFileSync(name, ring);
      const logger = new AsyncLogger({ logFile: file, durable: true });
      logger.info('after', { n: 5 });
      await logger.shutdown();
      assertCounts(records(file).map(({ n }) => n), `${written} bytes were written`);
      assert.strictEqual(records(file).length, 6);
    }
  });

  it('sets aside what is no ring of its version', async (t) => {
    const where = folder(t);
    const file = path.join(where, 'app.log');
    const version = Buffer.alloc(4096 + 65536);
    version.write('OFFLRING');
    version.writeUInt32LE(99, 8);
    const junk = Buffer.from(Array.from({ length: 80_000 }, (_, index) => (index * 7919) & 255));
    fs.writeFileSync(`${file}.1.ring`, version);
    fs.writeFileSync(`${file}.2.ring`, junk);
    fs.writeFileSync(`${file}.3.ring`, '');
    const logger = new AsyncLogger({ logFile: file, durable: true });
    const errors = [];
    logger.on('error', (error) => errors.push(error));
    logger.info('fine');
    await logger.flush();
    await until(() => errors.length === 3, 'three errors');
    assert.ok(errors.every(({ code, message }) => code === 'ERR_LOG_WRITE' && message.includes('set aside')));
    assert.ok(errors.some(({ message }) => message.includes('version 99')));
    await logger.shutdown();
    assert.strictEqual(records(file).length, 1);
    assert.deepStrictEqual(fs.readFileSync(`${file}.2.ring.bad`), junk);
  });
});

/** The lines that a ring of plain records has, made as the writer makes them. */
function textOf(ring) {
  const [tail, head] = [ring.readUInt32LE(64), ring.readUInt32LE(128)];
  let text = '';
  for (let at = head; at < tail; ) {
    const record = 4096 + at * 8;
    const length = ring.readUInt32LE(record) & 0xfffffff;
    const payload = ring.subarray(record + 8, record + 8 + length);
    const [count, bytes] = [payload.readUInt32LE(0), payload.readUInt32LE(4)];
    const source = payload.toString('latin1', 8, 8 + bytes);
    let from = 0;
    for (let i = 0, entry = 8 + Math.ceil(bytes / 4) * 4; i < count; i++, entry += 8) {
      const [plain, string] = [payload.readUInt32LE(entry), payload.readUInt32LE(entry + 4)];
      text += source.slice(from, from + plain) + JSON.stringify(source.slice(from + plain, from + plain + string));
      from += plain + string;
    }
    text += source.slice(from);
    at += 1 + Math.ceil(length / 8);
  }
  return text;
}

describe('the end of the process', () => {
  const BURST = `const logger = new AsyncLogger({ logFile: process.env.FILE });
    for (let n = 0; n < 5000; n++) logger.info('line', { n });\n`;

  const ends = {
    'process.exit()': ['process.exit(7)', { code: 7 }],
    'an uncaught exception': ["throw new Error('uncaught')", { code: 1 }],
    'an unhandled rejection': ["Promise.reject(new Error('unhandled'))", { code: 1 }],
    'nothing left to do': ['', { code: 0 }],
    SIGTERM: ["process.kill(process.pid, 'SIGTERM'); for (;;);", { signal: 'SIGTERM' }],
    SIGINT: ["process.kill(process.pid, 'SIGINT'); for (;;);", { signal: 'SIGINT' }],
    SIGHUP: ["process.kill(process.pid, 'SIGHUP'); for (;;);", { signal: 'SIGHUP' }],
    'process.abort()': ['process.abort()', { signal: 'SIGABRT' }],
    SIGSEGV: ["process.kill(process.pid, 'SIGSEGV'); for (;;);", { signal: 'SIGSEGV' }],
  };
  for (const [name, [script, expected]] of Object.entries(ends)) {
    it(`loses nothing: ${name}`, async (t) => {
      const file = path.join(folder(t), 'app.log');
      const { code, signal, stderr } = await run(BURST + script, { env: { FILE: file } });
      assert.deepStrictEqual({ code, signal }, { code: null, signal: null, ...expected }, stderr);
      const numbers = records(file).map(({ n }) => n);
      assertCounts(numbers, name);
      assert.strictEqual(numbers.length, 5000);
    });
  }

  it(`loses nothing over ${ROUNDS} process.exit() right after a burst`, async (t) => {
    const file = path.join(folder(t), 'app.log');
    for (let round = 1; round <= ROUNDS; round++) {
      const { code, stderr } = await run(`${BURST}process.exit(0)`, { env: { FILE: file } });
      assert.strictEqual(code, 0, stderr);
      assert.strictEqual(lines(file).length, round * 5000);
    }
  });

  it('writes what listeners of exit log', async (t) => {
    const file = path.join(folder(t), 'app.log');
    await run(`${BURST}process.on('exit', () => logger.info('line', { n: 5000 }));`, { env: { FILE: file } });
    assert.strictEqual(records(file).at(-1).n, 5000);
  });

  it("leaves signals to the program's own listeners", async (t) => {
    const file = path.join(folder(t), 'app.log');
    const before = "process.on('SIGTERM', () => { console.log('heard'); process.exit(3); });";
    for (const script of [before + BURST, BURST + before]) {
      const { code, stdout } = await run(`${script} process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60000);`, { env: { FILE: file } });
      assert.deepStrictEqual([code, stdout], [3, 'heard\n']);
    }
    assert.strictEqual(lines(file).length, 10_000);
  });

  it('writes what a terminated worker thread had logged', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const script = `
      const { Worker, isMainThread } = require('node:worker_threads');
      const worker = new Worker(\`
        const { AsyncLogger } = require(${JSON.stringify(path.join(__dirname, '..'))});
        const logger = new AsyncLogger({ logFile: process.env.FILE, flushInterval: 60000, bufferSize: 1e6 });
        for (let n = 0; n < 1000; n++) logger.info('line', { n });
        require('node:worker_threads').parentPort.postMessage('done');
        setTimeout(() => {}, 60000);
      \`, { eval: true });
      worker.on('message', () => worker.terminate().then(() => console.log('ended')));
    `;
    const { stdout, stderr } = await run(script, { env: { FILE: file } });
    assert.strictEqual(stdout, 'ended\n', stderr);
    assert.strictEqual(lines(file).length, 1000);
  });
});

describe('while the event loop is blocked', () => {
  it('lines reach the file within the flush interval', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const { ended, output } = start(`
      const logger = new AsyncLogger({ logFile: process.env.FILE, flushInterval: 100, bufferSize: 1e6 });
      logger.info('first');
      logger.flush().then(() => {
        logger.info('line');
        const start = process.hrtime.bigint();
        let found = 0;
        while (process.hrtime.bigint() - start < 1000000000n) {
          if (!found && fs.readFileSync(process.env.FILE, 'utf8').includes('"line"')) found = Number(process.hrtime.bigint() - start) / 1e6;
        }
        console.log(found);
        return logger.shutdown();
      });
    `, { env: { FILE: file } });
    const { code } = await ended;
    assert.strictEqual(code, 0);
    const ms = Number(output.stdout);
    // The machine may be busy; without a writer it would be the whole second.
    assert.ok(ms > 0 && ms < 700, `${ms} ms`);
  });
});

describe('several processes', () => {
  it('append to one file without tearing a line', async (t) => {
    const file = path.join(folder(t), 'app.log');
    const script = (durable) => `
      const logger = new AsyncLogger({ logFile: process.env.FILE, bufferSize: 5, flushInterval: 1, durable: ${durable} });
      let n = 0;
      const burst = () => {
        for (let i = 0; i < 50; i++) logger.info('x'.repeat(n % 500), { pid: process.pid, n: n++ });
        if (n < 5000) setTimeout(burst, 1); else logger.shutdown();
      };
      burst();
    `;
    const results = await Promise.all([false, true, false].map((durable) => run(script(durable), { env: { FILE: file } })));
    assert.deepStrictEqual(results.map(({ code }) => code), [0, 0, 0], results[0].stderr);
    const all = records(file);
    const pids = new Set(all.map(({ pid }) => pid));
    assert.strictEqual(pids.size, 3);
    for (const pid of pids) {
      const own = all.filter((record) => record.pid === pid).map(({ n }) => n);
      assertCounts(own, 'a process');
      assert.strictEqual(own.length, 5000);
    }
  });
});
