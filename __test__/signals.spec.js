'use strict';

// installSignalHandlers in processes of their own: nothing that was accepted is left without an answer.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { installSignalHandlers } = require('..');
const { until } = require('./faults');

const ROOT = JSON.stringify(path.join(__dirname, '..'));

/** A service: /slow answers when told to by a GET of /release, others after a few ms and some work of the pool. */
const SERVICE = `
  const http = require('node:http');
  const offloop = require(${ROOT});
  const held = [];
  const server = http.createServer(async (req, res) => {
    if (req.url === '/slow') { held.push(res); process.send?.('held'); return; }
    if (req.url === '/release') { for (const other of held) other.end('slow answer'); res.end('released'); return; }
    const rows = await offloop.asyncParse(JSON.stringify(Array.from({ length: 2000 }, (_, index) => ({ index }))));
    setTimeout(() => res.end(String(rows.length)), 5);
  });
  function start(options) {
    offloop.installSignalHandlers(server, { idleMs: 300, onShutdown: () => process.stdout.write('last ' + offloop.isWorkerPoolReady() + '\\n'), ...options });
    server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => process.stdout.write('port ' + server.address().port + '\\n'));
  }
`;

/**
 * @param {import('node:test').TestContext} t
 * @param {string} script
 * @param {{ command?: [string, ...string[]], detached?: boolean, env?: object, isIpc?: boolean }} [how]
 */
async function run(t, script, { command = [process.execPath], detached = false, env, isIpc = false } = {}) {
  const [name, ...args] = command;
  // A file: a cluster forks it.
  const folder = mkdtempSync(path.join(os.tmpdir(), 'offloop-signals-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'service.js');
  writeFileSync(file, script);
  const child = spawn(name, [...args, file], { stdio: isIpc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'], detached, env: { ...process.env, ...env } });
  t.after(() => child.kill('SIGKILL'));
  const output = { text: '', errors: '' };
  /** @type {any} */ (child.stdout).on('data', (/** @type {Buffer} */ text) => (output.text += text));
  /** @type {any} */ (child.stderr).on('data', (/** @type {Buffer} */ text) => (output.errors += text));
  const end = once(child, 'close');
  await until(() => /port \d+/.test(output.text) || child.exitCode !== null, `the service: ${output.errors}`);
  const port = Number(/port (\d+)/.exec(output.text)?.[1]);
  assert.ok(port > 0, output.errors);
  return { child, port, output, end };
}

/**
 * @param {number} port
 * @param {string} url
 * @param {http.Agent} agent
 * @returns {Promise<{ text: string, isLast: boolean }>}
 */
function get(port, url, agent) {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: url, agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => (text += part));
      answer.on('end', () => resolve({ text, isLast: answer.headers.connection === 'close' }));
      answer.on('error', reject);
    });
    request.on('error', reject);
  });
}

/**
 * Clients on kept-alive connections that ask until they are told that an answer is the last.
 * @param {number} port
 * @param {number} clients
 */
function load(port, clients) {
  const counts = { answered: 0, told: 0, /** @type {string[]} */ lost: [] };
  const agents = Array.from({ length: clients }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  const ends = agents.map(async (agent) => {
    for (;;) {
      try {
        const { text, isLast } = await get(port, '/', agent);
        assert.equal(text, '2000');
        counts.answered++;
        if (!isLast) continue;
        counts.told++;
      } catch (error) {
        counts.lost.push(/** @type {any} */ (error).code);
      }
      agent.destroy();
      return;
    }
  });
  return { counts, end: Promise.all(ends) };
}

test('under load, every request that was accepted is answered', async (t) => {
  const { child, port, output, end } = await run(t, `${SERVICE} start();`);
  const { counts, end: quiet } = load(port, 30);
  await until(() => counts.answered > 200);
  child.kill('SIGTERM');
  assert.deepEqual(await end, [0, null], output.errors);
  await quiet;
  assert.deepEqual(counts.lost, []);
  assert.equal(counts.told, 30);
  assert.match(output.text, /last true\n$/, 'the pool is there until the last request is answered');
});

test('a running request is awaited, its answer is the last, and a silent connection is closed', async (t) => {
  const { child, port, end } = await run(t, `${SERVICE} start();`, { isIpc: true });
  const agents = Array.from({ length: 3 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  t.after(() => agents.forEach((agent) => agent.destroy()));
  const slow = get(port, '/slow', agents[0]);
  await once(child, 'message');
  // Two connections that are kept alive; the second stays silent.
  await get(port, '/', agents[1]);
  await get(port, '/', agents[2]);
  child.kill('SIGTERM');
  // Refused, or reset where the connection had not been accepted yet.
  await assert.rejects(async () => {
    for (;;) await get(port, '/', new http.Agent());
  });
  const release = await get(port, '/release', agents[1]);
  assert.deepEqual(release, { text: 'released', isLast: true });
  assert.deepEqual(await slow, { text: 'slow answer', isLast: true });
  assert.deepEqual(await end, [0, null]);
});

test('a second signal exits at once', async (t) => {
  for (const [first, second, code] of /** @type {[NodeJS.Signals, NodeJS.Signals, number][]} */ ([['SIGTERM', 'SIGTERM', 143], ['SIGINT', 'SIGINT', 130], ['SIGTERM', 'SIGINT', 130]])) {
    const { child, port, end } = await run(t, `${SERVICE} start({ timeoutMs: 60_000 });`, { isIpc: true });
    const slow = assert.rejects(get(port, '/slow', new http.Agent()));
    await once(child, 'message');
    child.kill(first);
    await assert.rejects(async () => {
      for (;;) await get(port, '/', new http.Agent());
    });
    child.kill(second);
    assert.deepEqual(await end, [code, null]);
    await slow;
  }
});

test('what takes too long is cut off, and said', async (t) => {
  const { child, port, output, end } = await run(t, `${SERVICE} start({ timeoutMs: 200 });`, { isIpc: true });
  const slow = assert.rejects(get(port, '/slow', new http.Agent()), { code: 'ECONNRESET' });
  await once(child, 'message');
  child.kill('SIGTERM');
  assert.deepEqual(await end, [0, null]);
  await slow;
  assert.match(output.errors, /1 requests were not answered within 200 ms/);
});

test('it goes on for a while where it is told to', async (t) => {
  const { child, port, end } = await run(t, `${SERVICE} start({ delayMs: 500 }); process.on('SIGTERM', () => process.send('signal'));`, { isIpc: true });
  child.kill('SIGTERM');
  await once(child, 'message');
  const agent = new http.Agent();
  assert.deepEqual((await get(port, '/', agent)).text, '2000');
  assert.deepEqual(await end, [0, null]);
});

test("PM2's message is a signal, too", async (t) => {
  const { child, end } = await run(t, `${SERVICE} start();`, { isIpc: true });
  child.send('shutdown');
  assert.deepEqual(await end, [0, null]);
});

test('a failure on the way out is exit code 1', async (t) => {
  const { child, output, end } = await run(t, `${SERVICE} start({ onShutdown() { throw new Error('no database'); } });`);
  child.kill('SIGTERM');
  assert.deepEqual(await end, [1, null]);
  assert.match(output.errors, /no database/);
});

const CLUSTER = `
  const cluster = require('node:cluster');
  if (cluster.isPrimary) {
    const offloop = require(${ROOT});
    offloop.installSignalHandlers();
    let ready = 0;
    for (let i = 0; i < 2; i++) cluster.fork();
    cluster.on('listening', (worker, { port }) => { if (++ready === 2) process.stdout.write('port ' + port + '\\n'); });
    cluster.on('exit', (worker, code, signal) => process.stdout.write('worker ' + code + ' ' + signal + '\\n'));
  } else {
    ${SERVICE.replaceAll('process.stdout.write', '(() => {})')}
    start();
  }
`;

for (const [name, signal, isGroup] of /** @type {[string, NodeJS.Signals, boolean][]} */ ([
  ['told by its primary', 'SIGTERM', false],
  ['told by a terminal, all at once', 'SIGINT', true],
])) {
  test(`a cluster ends well, ${name}`, async (t) => {
    const { child, port, output, end } = await run(t, CLUSTER, { detached: isGroup });
    const { counts, end: quiet } = load(port, 20);
    await until(() => counts.answered > 100);
    process.kill(isGroup ? -(/** @type {number} */ (child.pid)) : /** @type {number} */ (child.pid), signal);
    assert.deepEqual(await end, [0, null], output.errors);
    await quiet;
    assert.deepEqual(counts.lost, [], output.text + output.errors + JSON.stringify(counts));
    assert.equal(output.text.match(/worker 0 null/g)?.length, 2, output.text);
  });
}

const canUnshare = process.platform === 'linux' && spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

test('it works as process 1 of a container', { skip: canUnshare ? false : 'no right to make a PID namespace' }, async (t) => {
  const { child, port, end } = await run(t, `${SERVICE} if (process.pid !== 1) throw new Error('pid ' + process.pid); start();`, { command: ['unshare', '--pid', '--fork', '--kill-child', process.execPath] });
  const { counts, end: quiet } = load(port, 5);
  await until(() => counts.answered > 20);
  const [pid] = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.split('\n');
  process.kill(Number(pid), 'SIGTERM');
  assert.deepEqual(await end, [0, null]);
  await quiet;
  assert.deepEqual(counts.lost, []);
});

test('handlers can be taken away', () => {
  const server = http.createServer();
  const counts = () => [process.listenerCount('SIGTERM'), process.listenerCount('SIGINT'), process.listenerCount('SIGUSR2'), server.listenerCount('request'), server.listenerCount('connection')];
  const before = counts();
  const remove = installSignalHandlers(server, { signals: ['SIGTERM', 'SIGUSR2'] });
  assert.deepEqual(counts(), before.map((count, index) => (index === 1 ? count : count + 1)));
  remove();
  assert.deepEqual(counts(), before);
});

test('wrong arguments are errors that name them', () => {
  for (const server of [1, {}, 'x']) assert.throws(() => installSignalHandlers(/** @type {any} */ (server)), { code: 'ERR_INVALID_ARG', message: /^server must/ });
  const bad = { timeoutMs: [-1, NaN, '5'], delayMs: [-1], idleMs: [Infinity], signals: ['SIGTERM', ['SIGNOPE']], onShutdown: [1] };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      assert.throws(() => installSignalHandlers(undefined, /** @type {any} */ ({ [name]: value })), { code: 'ERR_INVALID_ARG', message: new RegExp(`^options\\.${name} must be`) });
    }
  }
});
