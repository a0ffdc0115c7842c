'use strict';

// `offloop doctor`: what a machine and its environment make of offloop. The addon is loaded late, as whether it can be is
// the first thing to know.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { performance } = require('node:perf_hooks');

const { version } = require('../package.json');
const { checkEnvironment } = require('./environment');
const { libc } = require('./platform');

/**
 * @typedef {{ operation: string, inlineMs: number, offloopMs: number, ratio: number }} Measured main-thread milliseconds of one
 *
 * @typedef {object} Report
 * @property {string} version
 * @property {{ node: string, system: string, libc: string | undefined, cpu: string, cpus: number, available: number, memoryBytes: number }} platform
 * @property {{ isLoaded: boolean, path: string | undefined, bytes: number | undefined }} binary
 * @property {{ threads: number } | undefined} pool
 * @property {ReturnType<typeof checkEnvironment>} environment
 * @property {{ name: string, bytes: number }[]} vocabularies
 * @property {{ clock: string, bodyBytes: number, results: Measured[] } | undefined} selfTest
 * @property {string[]} problems
 */

/** For each operation, and for both ways together. */
const BUDGET_MS = 450;

/** A body as services for language models have them. */
function sampleBody() {
  const messages = Array.from({ length: 120 }, (_, index) => {
    if (index % 4 === 3) {
      const rows = Array.from({ length: 12 }, (_, row) => ({ id: index * 100 + row, path: `src/part-${row}.js`, ok: row % 3 > 0 }));
      return { role: 'tool', tool_call_id: `call_${index}`, content: JSON.stringify(rows) };
    }
    const text = `Message ${index} says "what it says",\nover lines, and goes on for a while. `.repeat(28);
    return { role: index % 2 === 0 ? 'user' : 'assistant', content: text };
  });
  return { model: 'sample', stream: true, temperature: 0.2, messages };
}

/** This thread's processor time in ms, as exactly as it can be had. @returns {{ name: string, now: () => number }} */
function clock() {
  const file = `/proc/self/task/${process.pid}/schedstat`;
  if (process.platform === 'linux' && fs.existsSync(file)) {
    return { name: 'processor time', now: () => Number(fs.readFileSync(file, 'latin1').split(' ', 1)[0]) / 1e6 };
  }
  return { name: 'active time of the event loop', now: () => performance.eventLoopUtilization().active };
}

/**
 * @param {() => unknown} once
 * @param {() => number} now
 * @returns {Promise<number>} main-thread ms of one
 */
async function measure(once, now) {
  // The clock may tick in steps of several ms: in batches.
  const end = performance.now() + BUDGET_MS / 2;
  const start = now();
  let count = 0;
  do {
    for (let i = 0; i < 8; i++) await once();
    count += 8;
    // A turn, without which the loop's clock stands still.
    await new Promise((resolve) => setImmediate(resolve));
  } while (performance.now() < end);
  return (now() - start) / count;
}

/** @param {import('./pool').WorkerPool} pool */
async function selfTest(pool) {
  const value = sampleBody();
  const bytes = Buffer.from(JSON.stringify(value));
  /** @type {[string, () => unknown, () => unknown][]} */
  const operations = [
    ['parse', () => JSON.parse(bytes.toString()), () => pool.parse(bytes)],
    ['stringify', () => Buffer.from(JSON.stringify(value)), () => pool.stringify(value, { as: 'buffer' })],
    ['clone', () => structuredClone(value), () => pool.clone(value)],
    [
      'change a field',
      () => Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), model: 'other' })),
      async () => {
        const document = await pool.load(bytes);
        const changed = document.with({ '/model': 'other' });
        await changed.toBuffer();
        document.dispose();
        changed.dispose();
      },
    ],
  ];
  const { name, now } = clock();
  const results = [];
  for (const [operation, here, there] of operations) {
    for (let i = 0; i < 3; i++) {
      here();
      await there();
    }
    const inlineMs = await measure(here, now);
    const offloopMs = await measure(there, now);
    results.push({ operation, inlineMs, offloopMs, ratio: inlineMs / offloopMs });
  }
  return { clock: name, bodyBytes: bytes.length, results };
}

function platform() {
  return {
    node: process.version,
    system: `${process.platform}-${process.arch}`,
    libc: libc(),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cpus: os.cpus().length,
    available: os.availableParallelism(),
    memoryBytes: os.totalmem(),
  };
}

/** The addon among the modules that are loaded. */
function binary() {
  const file = Object.keys(require.cache).find((name) => name.endsWith('.node') && path.basename(name).startsWith('offloop'));
  return { isLoaded: true, path: file, bytes: file === undefined ? undefined : fs.statSync(file).size };
}

function vocabularies() {
  const folder = path.join(__dirname, '..', 'vocabularies');
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.bin')) : [];
  return names.map((name) => ({ name: path.basename(name, '.bin'), bytes: fs.statSync(path.join(folder, name)).size }));
}

/** @returns {Promise<Report>} */
async function examine() {
  /** @type {Report} */
  const report = {
    version,
    platform: platform(),
    binary: { isLoaded: false, path: undefined, bytes: undefined },
    pool: undefined,
    environment: [],
    vocabularies: vocabularies(),
    selfTest: undefined,
    problems: [],
  };
  const { problems } = report;
  let WorkerPool;
  try {
    ({ WorkerPool } = require('./pool'));
    report.binary = binary();
  } catch (error) {
    problems.push(`the addon cannot be loaded: ${/** @type {Error} */ (error).message}`);
    return report;
  }
  report.environment = checkEnvironment();
  for (const { problem } of report.environment) if (problem !== undefined) problems.push(problem);
  if (report.vocabularies.length === 0) problems.push('there are no vocabularies: tokens can only be estimated');
  try {
    const pool = new WorkerPool();
    report.pool = { threads: pool.size };
    report.selfTest = await selfTest(pool);
    await pool.shutdown();
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    // A wrong variable is one already.
    if (!problems.includes(message)) problems.push(message);
  }
  return report;
}

/** @param {number | undefined} bytes */
function megabytes(bytes) {
  return bytes === undefined ? '?' : `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * @param {Report} report
 * @returns {string}
 */
function format({ version, platform, binary, pool, environment, vocabularies, selfTest, problems }) {
  /** @type {[string, string][]} */
  const facts = [
    ['offloop', version],
    ['node', `${platform.node}, ${platform.system}${platform.libc ? `, ${platform.libc}` : ''}`],
    ['processors', `${platform.available} available of ${platform.cpus} (${platform.cpu})`],
    ['memory', `${(platform.memoryBytes / 1e9).toFixed(1)} GB`],
    ['binary', binary.isLoaded ? `${binary.path ?? 'loaded'}, ${megabytes(binary.bytes)}` : 'not loaded'],
    ['threads', pool === undefined ? '?' : String(pool.threads)],
    ['vocabularies', vocabularies.map(({ name, bytes }) => `${name} (${megabytes(bytes)})`).join(', ') || 'none'],
  ];
  const lines = facts.map(([name, fact]) => `${name.padEnd(13)} ${fact}`);
  lines.push('', 'environment');
  for (const { name, value, fallback, problem } of environment) {
    lines.push(`  ${name.padEnd(32)} ${value ?? `not set: ${fallback}`}${problem === undefined ? '' : '   <- wrong'}`);
  }
  if (selfTest !== undefined) {
    lines.push('', `main-thread ms for a body of ${Math.round(selfTest.bodyBytes / 1e3)} KB (${selfTest.clock})`);
    lines.push(`  ${''.padEnd(16)} ${'inline'.padStart(8)} ${'offloop'.padStart(8)} ${'ratio'.padStart(7)}`);
    for (const { operation, inlineMs, offloopMs, ratio } of selfTest.results) {
      lines.push(`  ${operation.padEnd(16)} ${inlineMs.toFixed(3).padStart(8)} ${offloopMs.toFixed(3).padStart(8)} ${ratio.toFixed(1).padStart(7)}`);
    }
  }
  lines.push('', problems.length === 0 ? 'all is well' : 'problems');
  for (const problem of problems) lines.push(`  ${problem}`);
  return `${lines.join('\n')}\n`;
}

module.exports = { examine, format };
