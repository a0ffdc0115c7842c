'use strict';

// The server bench: what its page and tables say, what it sends, and that a restart under load loses nothing.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { inTurn, renewing } = require('../benchmarks/server/bodies');
const { drawPage } = require('../benchmarks/server/page');
const { replaceBetween } = require('../benchmarks/server/readme');
const { measureRestart } = require('../benchmarks/server/restart');
const { charts, judge, tables } = require('../benchmarks/server/summary');
const { loadWorkload } = require('../benchmarks/server/workload');

/** @param {string} mode @param {number} times better than inline @param {string} [body] */
function row(mode, times, body = 'chat-250k') {
  return {
    mode, body, countsTokens: false, connections: 100, requestsPerSecond: 10 * times, latencyMs: { p50: 100 / times, p99: 200 / times },
    eventLoopDelayMs: { p99: 400 / times, max: 500 / times }, mainCpuMsPerRequest: 50 / times, totalCpuMsPerRequest: 100 / times, rssMb: 100, errors: 0,
    paced: { requestsPerSecond: 8, answersPerSecond: 8, latencyMs: { p50: 1, p99: 2 }, eventLoopDelayMs: { p99: 300 / times, max: 1 }, errors: 0 },
  };
}

/** @type {import('../benchmarks/server/summary').Rows} */
const ROWS = {
  load: [row('inline', 1), row('offloop', 5), row('offloop-document', 25), row('pass', 50), row('inline', 1, 'mix'), row('offloop', 3, 'mix')],
  tokens: [row('inline', 1), row('offloop-document', 20)],
  overload: [{ part: 'overload', mode: 'offloop', body: 'chat-1m', connections: 2000, seconds: 15, answersPerSecond: 50, refusedPerSecond: 60, errors: 3, kinds: {}, peakRssMb: 300, allowedRssMb: 428 }],
  restart: [{ part: 'restart', mode: 'offloop', body: 'chat-250k', connections: 100, seconds: 30, restarts: 2, answered: 1234567, acceptedNotAnswered: 0, refused: 5, reset: 0, otherAnswers: 0, exitCode: 0 }],
  cluster: [{ part: 'cluster', body: 'chat-250k', processes: 2, threadsFor: 'own share', threads: 1, requestsPerSecond: 99, totalCpuMsPerRequest: 1, eventLoopDelayP99Ms: 3, leastShare: 0.98, rssMb: 200, errors: 0 }],
};
const ABOUT = { title: 'A <title>', method: 'method & more', machine: 'machine', summary: judge(ROWS), charts: charts(ROWS) };

test('what was wanted is compared with what was measured', () => {
  const lines = new Map(judge(ROWS).map(({ figure, wanted, measured, met }) => [figure, [wanted, measured, met]]));
  assert.deepEqual(lines.get('requests per second, offloop ÷ inline, chat-250k'), ['≥ 4', '5', 'yes']);
  assert.deepEqual(lines.get('requests per second, offloop ÷ inline, mix'), ['≥ 4', '3', 'no']);
  assert.deepEqual(lines.get('requests per second, offloop-document ÷ pass, chat-250k'), ['≥ 0.6', '0.5', 'no']);
  assert.deepEqual(lines.get('event-loop delay p99, paced, inline ÷ offloop-document, chat-250k'), ['≥ 20', '25', 'yes']);
  assert.deepEqual(lines.get('requests per second with token counting, offloop-document ÷ inline, chat-250k'), ['≥ 15', '20', 'yes']);
  assert.deepEqual(lines.get('errors but 503 and 413 under overload, offloop'), ['0', '3', 'no']);
  assert.deepEqual(lines.get('requests accepted and not answered across SIGTERM'), ['0', '0', 'yes']);
  assert.equal([...lines.keys()].some((name) => name.includes('chat-1m')), false, 'nothing is said of what was not measured');
});

test('the page has every figure, and needs nothing else', () => {
  const page = drawPage(ROWS, ABOUT);
  assert.doesNotMatch(page, /<script|<link|<iframe|<img|\bon\w+=|@import|url\(|(?:src|href)=/i);
  assert.match(page, /A &lt;title&gt;/);
  assert.equal(page.match(/<svg id="plot\d"/g)?.length, charts(ROWS).length);
  for (const { head, lines } of tables(ROWS)) {
    for (const cell of [...head, ...lines.flat()]) assert.ok(page.includes(`>${cell}</t`), cell);
  }
  // A plot's styles are its own.
  for (const [, style] of page.matchAll(/<svg[^>]*>\s*<style>([^]*?)<\/style>/g)) {
    const selectors = [...style.matchAll(/([^{}]+)\{/g)].flatMap(([, list]) => list.trim().split(',')).filter((name) => !name.startsWith('@media'));
    assert.ok(selectors.length > 10);
    for (const selector of selectors) assert.match(selector, /^#plot\d /, style);
  }
});

const chromium = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'].find((name) => spawnSync(name, ['--version']).status === 0);

test('a browser shows the page', { skip: chromium ? false : 'no Chromium is installed' }, (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-page-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const [file, picture] = ['page.html', 'page.png'].map((name) => path.join(folder, name));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}/profile`, '--window-size=1100,4000'];
  const shoot = (/** @type {string} */ html) => {
    fs.writeFileSync(file, html);
    const run = spawnSync(/** @type {string} */ (chromium), [...flags, `--screenshot=${picture}`, `file://${file}`], { encoding: 'utf8', timeout: 120_000 });
    assert.equal(run.status, 0, run.stderr);
    return fs.readFileSync(picture);
  };
  const whole = shoot(drawPage(ROWS, ABOUT));
  const withoutPlots = shoot(drawPage(ROWS, { ...ABOUT, charts: [] }));
  assert.deepEqual([whole.readUInt32BE(16), whole.readUInt32BE(20)], [1100, 4000]);
  assert.ok(whole.length > withoutPlots.length + 20_000, `${whole.length} and ${withoutPlots.length} bytes: the plots are there`);
});

test('README keeps what is around its tables', () => {
  const text = 'a\n<!-- bench:server x -->\nold\n<!-- end x -->\nb';
  const once = replaceBetween(text, 'x', '| new |');
  assert.equal(once, 'a\n<!-- bench:server x -->\n| new |\n<!-- end x -->\nb');
  assert.equal(replaceBetween(once, 'x', '| new |'), once);
  assert.throws(() => replaceBetween(text, 'y', ''), /lacks the marks/);
  const readme = fs.readFileSync(path.join(__dirname, '..', 'README.md'), 'utf8');
  for (const name of ['ratios', 'sizing', 'cluster']) replaceBetween(readme, name, '');
});

test('bodies are sent in another order by each client, or are new each time', () => {
  const turns = [0, 1, 2].map((client) => inTurn(['a', 'b', 'c', 'd'], client).join(''));
  assert.deepEqual(turns, ['abcd', 'dabc', 'cdab']);
  const inner = JSON.stringify([{ content: '100000 not this' }]);
  const request = { messages: [{ role: 'user', content: 'Hello' }, { role: 'assistant', content: null }, { role: 'tool', content: inner }], model: 'm' };
  const next = renewing(Buffer.from(JSON.stringify(request)));
  for (const number of ['100000', '100001', '100002']) {
    const messages = [{ role: 'user', content: `${number} Hello` }, request.messages[1], { role: 'tool', content: `${number} ${inner}` }];
    assert.deepEqual(JSON.parse(next().toString()), { messages, model: 'm' });
  }
});

test('SIGTERM under load: all that was accepted is answered, and the next service takes over', { timeout: 120_000 }, async () => {
  const workload = /** @type {import('../benchmarks/server/workload').Workload} */ (loadWorkload('chat-100k'));
  const { answered, acceptedNotAnswered, otherAnswers, exitCode } = await measureRestart('offloop-document', workload, { connections: 40, seconds: 3, restarts: 2 });
  assert.ok(answered > 40, String(answered));
  assert.deepEqual({ acceptedNotAnswered, otherAnswers, exitCode }, { acceptedNotAnswered: 0, otherAnswers: 0, exitCode: 0 });
});
