'use strict';

const assert = require('node:assert');
const os = require('node:os');
const { describe, it, afterEach } = require('node:test');

const { WorkerPool } = require('..');
const { resolveConfig } = require('../lib/config');
const { runScript } = require('./faults');

const DEFAULTS = {
  size: 0,
  processes: 1,
  taskTimeout: 5000,
  offloadThreshold: 10_000,
  maxQueue: 100_000,
  maxQueueBytes: 512 * 1024 * 1024,
  maxBlockMs: 4,
  slowMs: 50,
};

const VARIABLES = {
  size: 'WORKER_POOL_SIZE',
  processes: 'WORKER_PROCESSES',
  taskTimeout: 'WORKER_TASK_TIMEOUT_MS',
  offloadThreshold: 'WORKER_OFFLOAD_THRESHOLD_BYTES',
  maxQueue: 'WORKER_MAX_QUEUE',
  maxQueueBytes: 'WORKER_MAX_QUEUE_BYTES',
  maxBlockMs: 'WORKER_MAX_BLOCK_MS',
  slowMs: 'WORKER_SLOW_MS',
};

describe('options', () => {
  const made = [];
  afterEach(() => Promise.all(made.splice(0).map((pool) => pool.shutdown())));
  function make(options) {
    made.push(new WorkerPool(options));
    return made.at(-1);
  }

  it('have defaults', () => {
    assert.deepEqual(resolveConfig({}, {}), DEFAULTS);
    assert.deepEqual(resolveConfig(undefined, {}), DEFAULTS);
    const pool = make();
    assert.strictEqual(pool.size, Math.max(2, os.availableParallelism() - 1));
    assert.strictEqual(pool.offloadThreshold, 10_000);
  });

  it('give each of several processes its share', () => {
    const cpus = os.availableParallelism();
    assert.strictEqual(make({ processes: 2 }).size, Math.max(1, Math.floor(cpus / 2) - 1));
    assert.strictEqual(make({ processes: 1000 }).size, 1);
    assert.strictEqual(make({ processes: 1000, size: 3 }).size, 3);
  });

  it('come from the environment', () => {
    const env = Object.fromEntries(Object.values(VARIABLES).map((variable, index) => [variable, String(index + 1)]));
    const expected = Object.fromEntries(Object.keys(VARIABLES).map((name, index) => [name, index + 1]));
    assert.deepEqual(resolveConfig({}, env), expected);
  });

  it('win over the environment', () => {
    const env = Object.fromEntries(Object.values(VARIABLES).map((variable) => [variable, '1']));
    const options = { size: 5, processes: 6, taskTimeout: 0, offloadThreshold: 0, maxQueue: 7, maxQueueBytes: 8, maxBlockMs: 9.5, slowMs: 0 };
    assert.deepEqual(resolveConfig(options, env), options);
    assert.strictEqual(make({ size: 5 }).size, 5);
  });

  it('treat unset and empty variables alike', () => {
    const env = Object.fromEntries(Object.values(VARIABLES).map((variable) => [variable, ' ']));
    assert.deepEqual(resolveConfig({}, env), DEFAULTS);
  });

  it('that are bad are errors naming the option', () => {
    const bad = {
      size: [-1, 1.5, NaN, 1025, '4', null, 4n, {}],
      processes: [0, 1.5, NaN, '2'],
      taskTimeout: [-1, NaN, Infinity, 2 ** 31, '1'],
      offloadThreshold: [-1, 0.5, NaN, Infinity, '10'],
      maxQueue: [-1, 1.5, NaN, '1'],
      maxQueueBytes: [0, 1.5, NaN, '1'],
      maxBlockMs: [0, -1, NaN, Infinity, '4'],
      slowMs: [-1, NaN, Infinity, '50'],
      traceFile: [1, '', 'a\0b', null],
      performanceEntries: ['true', 1, null],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        const message = new RegExp(`^options\\.${name} must be a .*, not `);
        assert.throws(() => new WorkerPool({ [name]: value }), { name: 'TypeError', code: 'ERR_INVALID_ARG', message });
      }
    }
    for (const options of [null, 1, 'x', true]) {
      assert.throws(() => new WorkerPool(options), { code: 'ERR_INVALID_ARG', message: /^options must be an object/ });
    }
  });

  it('that are bad in the environment are errors naming the variable', () => {
    for (const [name, variable] of Object.entries(VARIABLES)) {
      for (const text of ['-1', 'many', '1e3', '0x10', '1 2', 'NaN', 'Infinity', '99999999999999999999999']) {
        const message = new RegExp(`^the environment variable ${variable} must be .*, not '${text}'$`);
        assert.throws(() => resolveConfig({}, { [variable]: text }), { name: 'TypeError', code: 'ERR_INVALID_ARG', message });
        assert.doesNotThrow(() => resolveConfig({ [name]: 1 }, { [variable]: text }), 'the option wins');
      }
    }
  });

  it('reject the calls of functions that are asynchronous', async () => {
    const result = await runScript(
      `
      const calls = [offloop.asyncClone([1]), offloop.asyncParse('[1]'), offloop.asyncStringify([1]), offloop.asyncTransform([])];
      Promise.allSettled(calls).then((ends) => process.stdout.write(ends.map(({ reason }) => reason.code).join(' ')));
    `,
      { env: { WORKER_POOL_SIZE: 'many' } },
    );
    assert.strictEqual(result.stdout, Array(4).fill('ERR_INVALID_ARG').join(' '), result.stderr);
  });

  it('do not keep the package from being loaded', async () => {
    const result = await runScript(
      `
      try { new offloop.WorkerPool(); } catch ({ code, message }) { process.stdout.write(code + ' ' + message); }
      process.stdout.write(' ' + offloop.OFFLOAD_THRESHOLD + ' ' + new offloop.WorkerPool({ offloadThreshold: 5 }).size);
    `,
      { env: { WORKER_OFFLOAD_THRESHOLD_BYTES: 'lots', WORKER_POOL_SIZE: '3' } },
    );
    assert.match(result.stdout, /^ERR_INVALID_ARG .*WORKER_OFFLOAD_THRESHOLD_BYTES.* 10000 3$/);
  });
});

describe('task options', () => {
  it('that are bad reject, naming the option', async () => {
    const pool = new WorkerPool({ size: 1 });
    const bad = [
      [null, /^options must be an object, not null/],
      ['x', /^options must be an object/],
      [{ timeout: -1 }, /^options\.timeout must be a number of ms from 0 to 2147483647, not -1/],
      [{ timeout: NaN }, /^options\.timeout/],
      [{ timeout: '5' }, /^options\.timeout/],
      [{ timeout: 2 ** 31 }, /^options\.timeout/],
      [{ priority: 'high' }, /^options\.priority must be 'interactive' or 'bulk', not 'high'/],
      [{ priority: 1 }, /^options\.priority/],
      [{ signal: {} }, /^options\.signal must be an AbortSignal/],
      [{ signal: null }, /^options\.signal/],
      [{ traceparent: 7 }, /^options\.traceparent must be a string, not 7/],
    ];
    const large = JSON.stringify('x'.repeat(20_000));
    for (const [options, message] of bad) {
      const expected = { name: 'TypeError', code: 'ERR_INVALID_ARG', message };
      await assert.rejects(pool.exec('noop', undefined, options), expected);
      await assert.rejects(pool.parse('{}', options), expected, 'inline');
      await assert.rejects(pool.parse(large, options), expected, 'offloaded');
    }
    assert.strictEqual(pool.getStats().offloaded, 0);
    const all = { timeout: 2 ** 31 - 1, priority: 'bulk', signal: new AbortController().signal };
    assert.strictEqual(await pool.exec('noop', undefined, all), undefined);
    assert.strictEqual(await pool.exec('noop', undefined, { timeout: 0.5, priority: 'interactive' }), undefined);
    await pool.shutdown();
  });
});
