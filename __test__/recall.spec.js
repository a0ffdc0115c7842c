'use strict';

// What is planted in generated tool results is to be found in what pool.compress leaves of them.

const assert = require('node:assert/strict');
const { after, describe, it } = require('node:test');
const { Tally } = require('../benchmarks/compress/recall');
const { conversationOf, missesOf, names, sampleOf, visible } = require('../benchmarks/recall');
const { errorTemplates, isVisible } = require('../benchmarks/recall/error-lines');
const { WorkerPool } = require('..');

/** Samples of each generator; a nightly run sets it higher. */
const SAMPLES = Number(process.env.OFFLOOP_RECALL_SAMPLES ?? 2);
/** Where to start, for other samples than the usual ones. */
const SEED = Number(process.env.OFFLOOP_RECALL_SEED ?? 1);

/** Of each generator, in percent; of all of them together more has to be found than of one. */
const LEAST = { found: 95, foundOfAll: 99, saved: 25 };

describe('what is planted', () => {
  it('is the same for the same seed, and another for another', () => {
    for (const name of names) {
      assert.deepEqual(sampleOf(name, 3), sampleOf(name, 3), name);
      assert.notEqual(sampleOf(name, 3).text, sampleOf(name, 4).text, name);
    }
  });

  it('is in the text, and missed where it is cut out', () => {
    for (const name of names) {
      const sample = sampleOf(name, 5);
      assert.ok(sample.planted.length > 0, name);
      assert.deepEqual(missesOf(sample, sample.text), [], name);
      for (const item of sample.planted) {
        assert.ok(missesOf(sample, sample.text.replaceAll(item.needle, '')).includes(item), `${name}: ${item.needle}`);
      }
    }
  });
});

describe('lines of errors', () => {
  const log = [
    '2025-01-01 10:00:00 INFO started in 12 ms',
    '2025-01-01 10:00:01 ERROR connection to db-1 refused after 3 attempts',
    '2025-01-01 10:00:02 ERROR connection to db-2 refused after 5 attempts',
    'java.io.IOException: no space left on /data/17',
    '[Sun Dec 04 04:47:44 2005] [error] child 12 is gone',
    'level=error msg="cannot bind port 80"',
  ];

  it('are told by their level or exception, and put together by their words', () => {
    assert.deepEqual(errorTemplates(log.join('\n')).map((lines) => lines.length), [2, 1, 1, 1]);
  });

  it('are seen where one of a template stands, or its words do', () => {
    const [refused] = errorTemplates(log.join('\n'));
    assert.ok(isVisible(refused, `…\n${log[2]}\n…`));
    assert.ok(isVisible(refused, 'ERROR connection to {1} refused after {2} attempts ×2: db-1 3, db-2 5'));
    assert.ok(!isVisible(refused, '[… 2 lines left out: ERROR 2]'));
  });
});

describe('compress', () => {
  const pool = new WorkerPool({ size: 1 });
  after(() => pool.shutdown());

  const all = { planted: 0, found: 0 };

  for (const name of names) {
    it(`keeps what is planted in ${name}`, async (test) => {
      const tally = new Tally(name, 'offloop');
      for (let seed = SEED; seed < SEED + SAMPLES; seed += 1) {
        const sample = sampleOf(name, seed);
        const { messages } = await pool.compress(conversationOf(sample), { cache: false });
        tally.add(sample, visible(messages), seed);
      }
      const row = tally.row();
      all.planted += row.planted;
      all.found += row.found;
      for (const miss of row.missed) test.diagnostic(`missed: ${name}, ${miss}`);
      assert.ok(row.recallPercent >= LEAST.found, `finds ${row.recallPercent} % at ${row.savedPercent} % saved: ${row.missed.join('; ')}`);
      assert.equal(row.errorTemplatesVisible, row.errorTemplates, 'templates of error lines');
      assert.ok(row.savedPercent >= LEAST.saved, `saves ${row.savedPercent} %`);
    });
  }

  it('keeps nearly all of it', () => {
    assert.ok(100 * all.found >= LEAST.foundOfAll * all.planted, `${all.found} of ${all.planted} found`);
  });
});
