'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { UsageError, parseArguments, select } = require('../benchmarks/harness/args');
const { drawChart } = require('../benchmarks/harness/chart');
const { QUICK, measure } = require('../benchmarks/harness/measure');
const { Watch } = require('../benchmarks/block/run');
const { intervals } = require('../benchmarks/server/pace');
const { summarise } = require('../benchmarks/server/summary');
const { geometricMean, median, quantile, significant } = require('../benchmarks/harness/statistics');

describe('statistics', () => {
  it('takes the middle sample, or the mean of the two in the middle', () => {
    assert.equal(median([5, 1, 9]), 5);
    assert.equal(median([10, 2, 1, 4]), 3);
    assert.equal(median([7]), 7);
  });

  it('orders by value, not by text, and leaves the samples alone', () => {
    const samples = [100, 9, 20];
    assert.equal(median(samples), 20);
    assert.deepEqual(samples, [100, 9, 20]);
  });

  it('interpolates between ranks', () => {
    assert.equal(quantile([0, 10, 20, 30, 40], 0.25), 10);
    assert.equal(quantile([0, 10], 0.99), 9.9);
    assert.equal(quantile([3, 1, 2], 0), 1);
    assert.equal(quantile([3, 1, 2], 1), 3);
  });

  it('gives a geometric mean that inverts with its ratios', () => {
    assert.ok(Math.abs(geometricMean([2, 8]) - 4) < 1e-12);
    const ratios = [1.5, 3, 0.25, 12];
    const inverse = ratios.map((ratio) => 1 / ratio);
    assert.ok(Math.abs(geometricMean(ratios) * geometricMean(inverse) - 1) < 1e-12);
  });

  it('refuses what has no answer', () => {
    assert.throws(() => median([]), RangeError);
    assert.throws(() => geometricMean([]), RangeError);
    assert.throws(() => geometricMean([1, 0]), RangeError);
    assert.throws(() => geometricMean([1, Number.NaN]), RangeError);
  });

  it('rounds to significant digits', () => {
    assert.equal(significant(12_345.678), 12_350);
    assert.equal(significant(0.001_234_56), 0.001_235);
    assert.equal(significant(Infinity), Infinity);
  });
});

describe('arguments', () => {
  const files = ['requests/chat-1m', 'requests/chat-20k', 'json/canada'];
  const candidates = ['inline', 'offloop', 'piscina'];

  it('has a full run as the default', () => {
    assert.deepEqual(parseArguments([]), { quick: false, only: [], json: undefined, help: false });
  });

  it('reads every flag', () => {
    const args = parseArguments(['--quick', '--only', 'chat-1m', '--only=inline,offloop', '--json', 'out.json', '-h']);
    assert.deepEqual(args, { quick: true, only: ['chat-1m', 'inline', 'offloop'], json: 'out.json', help: true });
  });

  it('rejects what it does not know', () => {
    for (const argv of [['--fast'], ['chat-1m'], ['--only'], ['--only', ''], ['--json', ''], ['--quick=yes']]) {
      assert.throws(() => parseArguments(argv), UsageError, argv.join(' '));
    }
  });

  it('keeps everything where nothing is chosen', () => {
    assert.deepEqual(select([], files, candidates, 'inline'), { files, candidates });
  });

  it('knows a file by its last part and keeps the order', () => {
    assert.deepEqual(select(['json/canada', 'chat-1m.json'], files, candidates).files, [
      'requests/chat-1m',
      'json/canada',
    ]);
  });

  it('keeps the baseline beside a chosen candidate', () => {
    assert.deepEqual(select(['offloop'], files, candidates, 'inline'), { files, candidates: ['inline', 'offloop'] });
    assert.deepEqual(select(['offloop'], files, candidates).candidates, ['offloop']);
  });

  it('says which names there are when one is wrong', () => {
    assert.throws(
      () => select(['chat'], files, candidates),
      (error) => error instanceof UsageError && /requests\/chat-1m.*\n.*piscina/.test(error.message),
    );
  });
});

describe('measure', () => {
  /** Works for so much CPU time: on a crowded machine the clock goes on while the thread waits for its turn.
   * @param {number} us
   */
  const work = (us) => {
    const start = process.cpuUsage();
    for (;;) {
      const { user, system } = process.cpuUsage(start);
      if (user + system >= us) return;
    }
  };

  it('charges the work to the main thread, and waiting to nobody', async () => {
    const wait = () => new Promise((resolve) => setTimeout(resolve, 4));
    const [busy, idle] = await measure(
      [
        { name: 'busy', run: () => work(4_000) },
        { name: 'idle', run: wait },
      ],
      QUICK,
    );
    assert.equal(busy.name, 'busy');
    assert.ok(busy.mainCpuUs > 3_000 && busy.mainCpuUs < 8_000, `busy: ${busy.mainCpuUs} us`);
    assert.ok(idle.mainCpuUs < busy.mainCpuUs / 2, `idle: ${idle.mainCpuUs} us`);
    assert.ok(idle.latencyUs > 3_000, `latency: ${idle.latencyUs} us`);
    assert.equal(busy.batches, QUICK.rounds);
  });

  it('runs the candidates in turn, each one first in some round', async () => {
    /** @type {string[]} */
    const order = [];
    const candidate = (/** @type {string} */ name) => ({
      name,
      run: () => {
        if (order.at(-1) !== name) order.push(name);
      },
    });
    const plan = { rounds: 3, batchMs: 0, warmUpMs: 0, minCalls: 2 };
    await measure([candidate('a'), candidate('b'), candidate('c')], plan);
    // The warm-up, then rounds beginning with a, b and c; a repeated name shows once.
    assert.equal(order.join(''), `abc${'abc'}${'bca'}${'cab'}`.replace(/(.)\1+/g, '$1'));
  });

  it('lets a failing candidate fail the run', async () => {
    await assert.rejects(measure([{ name: 'bad', run: () => Promise.reject(new Error('no')) }], QUICK), /no/);
  });
});

describe('chart', () => {
  it('escapes what it is given and cuts long bars', () => {
    const svg = drawChart({
      title: 'a < b & "c"',
      unit: 'unit',
      groups: [
        {
          label: '<file>',
          bars: [
            { series: 'offloop', value: 1, text: '1' },
            { series: 'x', value: 1_000, text: '1000' },
          ],
        },
      ],
      limit: 10,
      notes: ['note'],
    });
    assert.match(svg, /a &lt; b &amp; &quot;c&quot;/);
    assert.match(svg, /&lt;file&gt;/);
    assert.match(svg, /class="cut" d=/);
    const widths = [...svg.matchAll(/<rect class="s\d" x="170"[^>]* width="([\d.]+)"/g)].map((match) =>
      Number(match[1]),
    );
    assert.equal(widths.length, 2);
    assert.ok(Math.abs(widths[1] / widths[0] - 10) < 0.1, widths.join(' '));
  });
});

describe('the block bench', () => {
  it('sees how long the event loop did not turn', async () => {
    const watch = new Watch();
    await new Promise((resolve) => setImmediate(resolve));
    const end = performance.now() + 40;
    while (performance.now() < end);
    await new Promise((resolve) => setImmediate(resolve));
    watch.look();
    watch.on = false;
    const round = watch.round(true);
    assert.ok(round.longestBlockMs >= 40 && round.longestBlockMs <= round.totalMs, JSON.stringify(round));
    assert.ok(round.longestBlockCpuMs > 0 && round.longestBlockCpuMs <= round.mainCpuMs + 1, JSON.stringify(round));
  });
});

describe('the server bench', () => {
  it('has random arrivals at the rate asked for, the same in every run', () => {
    const [first, second] = [intervals(8), intervals(8)];
    const times = Array.from({ length: 20_000 }, first);
    assert.deepEqual(times.slice(0, 100), Array.from({ length: 100 }, second));
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    assert.ok(Math.abs(mean - 8) < 0.3, String(mean));
    assert.ok(Math.min(...times) >= 0 && Math.max(...times) < 8 * 25);
  });

  it('compares what both rows have', () => {
    const row = (/** @type {string} */ mode, /** @type {number} */ times) => ({
      mode, body: 'chat-1m', connections: 100, requestsPerSecond: 100 / times, latencyMs: { p50: times, p99: 2 * times },
      eventLoopDelayMs: { p99: times, max: times }, mainCpuMsPerRequest: times, totalCpuMsPerRequest: times, rssMb: 100, errors: 0,
    });
    const paced = (/** @type {number} */ delay) => ({
      requestsPerSecond: 8, answersPerSecond: 8, latencyMs: { p50: 1, p99: delay }, eventLoopDelayMs: { p99: delay, max: delay }, errors: 0,
    });
    const [line] = summarise([row('inline', 10), row('pass', 2)]);
    assert.equal(line.requestsPerSecondRatio, 5);
    assert.equal(line.eventLoopDelayP99Ratio, 5);
    assert.equal(line.pacedEventLoopDelayP99Ratio, undefined);
    const [both] = summarise([{ ...row('inline', 10), paced: paced(30) }, { ...row('pass', 2), paced: paced(1.5) }]);
    assert.equal(both.pacedEventLoopDelayP99Ratio, 20);
  });
});
