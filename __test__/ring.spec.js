'use strict';

const assert = require('node:assert');
const path = require('node:path');
const { it } = require('node:test');

const { destination } = require('..');
const native = require('../lib/native');
const layout = require('../lib/ring-layout');
const { check, fc } = require('./values');
const { folder, lines } = require('./log-files');

it('a ring has one layout in Rust and JavaScript', () => {
  assert.deepStrictEqual({ ...layout }, { ...native.ringLayout() });
});

it('check sums made here are those that native code expects', async (t) => {
  const file = path.join(folder(t), 'a.log');
  const dest = destination({ logFile: file, durable: true, ringSize: 65536, flushInterval: 1 });
  const expected = [];
  for (let length = 1; length < 1500; length++) {
    const line = `${String.fromCharCode(33 + (length % 90)).repeat(length)}é\n`;
    expected.push(line.slice(0, -1));
    assert.strictEqual(dest.write(line), true);
  }
  await dest.end();
  assert.deepStrictEqual(lines(file), expected);
  assert.strictEqual(dest.getStats().torn, 0);
});

it('lines of any length and content come out as they went in', async (t) => {
  const where = folder(t);
  let number = 0;
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.nat(30_000).map((length) => 'x'.repeat(length)), fc.nat(9000).map((length) => 'é😀'.repeat(length)));
  await check(t, fc.asyncProperty(fc.array(text, { maxLength: 40 }), fc.boolean(), async (texts, durable) => {
    const file = path.join(where, `${number++}.log`);
    const dest = destination({ logFile: file, ringSize: 65536, durable, flushInterval: 0 });
    const expected = texts.map((one) => one.replaceAll('\n', ' '));
    for (const [index, line] of expected.entries()) {
      assert.ok(dest.write(index % 3 === 0 ? Buffer.from(`${line}\n`) : `${line}\n`));
    }
    await dest.end();
    assert.deepStrictEqual(lines(file), expected.map((line) => Buffer.from(line).toString()));
  }));
});

it('lines longer than the ring are written whole', async (t) => {
  const file = path.join(folder(t), 'a.log');
  for (const durable of [false, true]) {
    const dest = destination({ logFile: file, ringSize: 65536, durable });
    for (const length of [10, 20_000, 70_000, 1_000_000, 10]) assert.ok(dest.write(`${'x'.repeat(length)}\n`));
    await dest.end();
  }
  const lengths = [10, 20_000, 70_000, 1_000_000, 10];
  assert.deepStrictEqual(lines(file).map((line) => line.length), [...lengths, ...lengths]);
});

it('the writer wakes up for a line after a long rest', async (t) => {
  const file = path.join(folder(t), 'a.log');
  const dest = destination({ logFile: file, flushInterval: 1 });
  for (let n = 0; n < 4; n++) {
    dest.write('line\n');
    const deadline = Date.now() + 30_000;
    while (lines(file).length <= n) {
      assert.ok(Date.now() < deadline, 'the line is written without a flush');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // Longer than the writer looks about by itself.
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  await dest.end();
});
