'use strict';

const assert = require('node:assert');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');

const { WorkerPool } = require('../lib/pool');
const { runScript } = require('./faults');

const pool = new WorkerPool({ size: 1 });
test.after(() => pool.shutdown());

const folder = mkdtempSync(path.join(os.tmpdir(), 'offloop-store-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const lines = (count, name = 'é😀') => Array.from({ length: count }, (_, i) => `line ${i} of ${name}: nothing to see${i === 77 ? ', but TKT-4711 is here' : ''}`).join('\n');
const hashOf = (text) => /\[offloop:([0-9a-f]{16})/.exec(text)[1];
const shorten = async (from, content, options) => (await from.compress([{ role: 'tool', content }], options)).messages[0].content;

test('the original comes back to the last character', async () => {
  for (const content of [lines(3000), `${lines(2000, 'a')}\r\n  \n`, JSON.stringify(Array.from({ length: 3000 }, (_, i) => ({ id: i, name: `ü${i}`, odd: [i, { deep: null }] })), null, 1)]) {
    const hash = hashOf(await shorten(pool, content));
    const found = await pool.retrieve(hash);
    assert.deepStrictEqual({ ...found, content: undefined, itemsRetrieved: 0 }, { success: true, content: undefined, itemsRetrieved: 0, wasSearch: false });
    assert.ok(found.content === content);
    assert.ok(found.itemsRetrieved >= 2000);
    assert.deepStrictEqual(await pool.exec('retrieve', { hash }), found);
  }
});

test('a query finds its best matches, items of lists as they were written', async () => {
  const hash = hashOf(await shorten(pool, lines(3000)));
  const found = await pool.retrieve(hash, { query: 'where is TKT-4711?', maxResults: 1 });
  assert.deepStrictEqual(found, { success: true, content: 'line 77 of é😀: nothing to see, but TKT-4711 is here', itemsRetrieved: 1, wasSearch: true });
  assert.strictEqual((await pool.retrieve(hash, { query: 'nothing' })).itemsRetrieved, 20);
  assert.deepStrictEqual(await pool.retrieve(hash, { query: 'unheard of' }), { success: true, content: '', itemsRetrieved: 0, wasSearch: true });
  assert.strictEqual((await pool.retrieve(hash, { query: '  ' })).wasSearch, false);
  const rows = JSON.stringify({ rows: Array.from({ length: 3000 }, (_, i) => ({ id: `R-${i}`, v: i % 3 })) });
  const match = await pool.retrieve(hashOf(await shorten(pool, rows)), { query: 'R-1234' });
  assert.deepStrictEqual([match.content, match.itemsRetrieved], ['{"id":"R-1234","v":1}', 1]);
});

test('all pools of a process share what is kept in memory', async () => {
  const other = new WorkerPool({ size: 1 });
  const hash = hashOf(await shorten(pool, lines(2500, 'shared')));
  assert.ok((await other.retrieve(hash)).success);
  await other.shutdown();
  await assert.rejects(other.retrieve(hash), { code: 'ERR_POOL_CLOSED' });
});

test('what is not there, and wrong arguments', async () => {
  const unknown = await pool.retrieve('0123456789abcdef', { query: 'x' });
  assert.deepStrictEqual({ ...unknown, error: undefined }, { success: false, itemsRetrieved: 0, wasSearch: true, error: undefined });
  assert.match(unknown.error, /expired/);
  for (const hash of ['', 'x', '0123456789ABCDEF', '0123456789abcdef0']) assert.match((await pool.retrieve(hash)).error, /16 hexadecimal/);
  for (const hash of [undefined, null, 5]) await assert.rejects(pool.retrieve(/** @type {any} */ (hash)), { code: 'ERR_INVALID_ARG', message: /hash/ });
  for (const options of [{ query: 5 }, { maxResults: 0 }, { maxResults: 1.5 }, null, 'x']) {
    await assert.rejects(pool.retrieve('0123456789abcdef', /** @type {any} */ (options)), { code: 'ERR_INVALID_ARG' });
  }
});

test('the store in memory is bounded in bytes', async () => {
  const script = `
    const pool = new offloop.WorkerPool({ size: 1, store: { maxBytes: 200000 } });
    const text = (name) => Array.from({ length: 3000 }, (_, i) => 'line ' + i + ' of ' + name + ' says little').join('\\n');
    (async () => {
      const hashes = [];
      for (const name of ['a', 'b', 'c', 'd']) {
        const { messages } = await pool.compress([{ role: 'tool', content: text(name) }]);
        hashes.push(/\\[offloop:([0-9a-f]{16})/.exec(messages[0].content)[1]);
      }
      const found = [];
      for (const hash of hashes) found.push((await pool.retrieve(hash)).success);
      console.log(JSON.stringify(found));
      await pool.shutdown();
    })();`;
  const { stdout, stderr } = await runScript(script);
  assert.strictEqual(stdout.trim(), '[false,false,true,true]', stderr);
});

test('a store in a file outlives its process', async () => {
  const file = path.join(folder, 'new', 'originals.redb');
  const content = lines(2000, 'lasting');
  const script = (body) => `
    const pool = new offloop.WorkerPool({ size: 1, store: { path: ${JSON.stringify(file)} } });
    (async () => { ${body}; await pool.shutdown(); })();`;
  const written = await runScript(script(`
    const { messages, stats } = await pool.compress([{ role: 'tool', content: ${JSON.stringify(content)} }]);
    process.stdout.write(/\\[offloop:([0-9a-f]{16})/.exec(messages[0].content)[1]);`));
  assert.match(written.stdout, /^[0-9a-f]{16}$/, written.stderr);
  const read = await runScript(script(`process.stdout.write((await pool.retrieve('${written.stdout}')).content ?? 'nothing')`));
  assert.ok(read.stdout === content, read.stdout.slice(0, 200) + read.stderr);
  const byEnvironment = await runScript(`
    const pool = new offloop.WorkerPool({ size: 1 });
    pool.retrieve('${written.stdout}').then(async ({ success }) => { process.stdout.write(String(success)); await pool.shutdown(); });`, { env: { WORKER_STORE_PATH: file } });
  assert.strictEqual(byEnvironment.stdout, 'true', byEnvironment.stderr);
});

test('a file that is damaged, no store, or in use is a clear error', async () => {
  const file = path.join(folder, 'damaged.redb');
  for (const contents of ['no store at all', Buffer.alloc(100_000, 0xff)]) {
    writeFileSync(file, contents);
    assert.throws(() => new WorkerPool({ size: 1, store: { path: file } }), (error) => error.code === 'ERR_STORE' && error.message.includes(file) && /damaged, or no store/.test(error.message));
  }
  assert.throws(() => new WorkerPool({ store: { path: folder } }), { code: 'ERR_STORE' });
  const used = path.join(folder, 'used.redb');
  const first = new WorkerPool({ size: 1, store: { path: used } });
  const second = new WorkerPool({ size: 1, store: { path: used } });
  const hash = hashOf(await shorten(first, lines(2000, 'file')));
  assert.ok((await second.retrieve(hash)).success);
  assert.ok(!(await pool.retrieve(hash)).success);
  const other = await runScript(`try { new offloop.WorkerPool({ store: { path: ${JSON.stringify(used)} } }); } catch (error) { console.log(error.code, error.message); }`);
  assert.match(other.stdout, /ERR_STORE .*another process has it open/, other.stderr);
  await Promise.all([first.shutdown(), second.shutdown()]);
});

test('wrong settings of the store', () => {
  for (const store of [null, 5, { path: 5 }, { path: 'a\0b' }, { maxBytes: 0 }, { ttlMs: -1 }, { ttlMs: 'long' }]) {
    assert.throws(() => new WorkerPool({ store: /** @type {any} */ (store) }), { code: 'ERR_INVALID_ARG', message: /options\.store/ });
  }
  process.env.WORKER_STORE_TTL_MS = 'long';
  try {
    assert.throws(() => new WorkerPool(), { code: 'ERR_INVALID_ARG', message: /WORKER_STORE_TTL_MS/ });
  } finally {
    delete process.env.WORKER_STORE_TTL_MS;
  }
});
