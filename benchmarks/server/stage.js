'use strict';

// Upstream and service, each in a process of its own.

const { fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const UPSTREAM = path.join(__dirname, '..', '..', 'examples', 'express-orchestrator', 'mock-upstream.js');
const SERVICE = path.join(__dirname, 'service.js');

/** @typedef {import('./service').ServiceOptions} ServiceOptions */

/** A forked process that answers each message with one. */
class Child {
  /**
   * @param {string} script
   * @param {string[]} [args]
   * @param {string[]} [execArgv]
   */
  constructor(script, args = [], execArgv = []) {
    this.name = path.basename(script);
    this.process = fork(script, args, { execArgv, stdio: ['ignore', 2, 2, 'ipc'] });
    /** @type {Promise<void>} */
    this.gone = new Promise((resolve) => {
      this.process.once('exit', () => resolve());
    });
  }

  /** @param {any} message */
  send(message) {
    if (this.process.connected) this.process.send(message);
  }

  /** @returns {Promise<any>} the next message */
  receive() {
    const answer = new Promise((resolve) => {
      this.process.once('message', resolve);
    });
    const failure = this.gone.then(() => {
      throw new Error(`${this.name} ended before it answered`);
    });
    // Whichever comes second must not count as an unhandled rejection.
    failure.catch(() => {});
    return Promise.race([answer, failure]);
  }

  /** @param {any} message */
  async ask(message) {
    const answer = this.receive();
    this.send(message);
    return answer;
  }

  async stop() {
    this.send('stop');
    // Whoever does not listen ends without a channel.
    if (this.process.connected) this.process.disconnect();
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await this.gone;
    clearTimeout(timer);
  }
}

/** Upstream and service, ready for requests. */
class Stage {
  /**
   * @param {Omit<ServiceOptions, 'upstreamUrl'>} options
   * @param {{ verify?: boolean, profileFolder?: string, script?: string }} [how] script: in the place of the service's
   */
  static async open(options, { verify = false, profileFolder, script = SERVICE } = {}) {
    const stage = new Stage();
    stage.upstream = new Child(UPSTREAM, ['--port', '0', ...(verify ? ['--verify'] : [])]);
    try {
      const upstream = await stage.upstream.receive();
      const execArgv = profileFolder ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`] : [];
      const upstreamUrl = `http://127.0.0.1:${upstream.port}`;
      stage.service = new Child(script, [JSON.stringify({ ...options, upstreamUrl })], execArgv);
      const { port } = await stage.service.receive();
      stage.url = `http://127.0.0.1:${port}/v1/chat/completions`;
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  constructor() {
    /** @type {Child | undefined} */
    this.upstream = undefined;
    /** @type {Child | undefined} */
    this.service = undefined;
    this.url = '';
  }

  async close() {
    await this.service?.stop();
    await this.upstream?.stop();
  }
}

/**
 * Files of the bodies, for processes that send them, while `use` runs.
 *
 * @template T
 * @param {import('./workload').Workload} workload
 * @param {(files: string[]) => Promise<T>} use
 * @returns {Promise<T>}
 */
async function withFiles({ bodies }, use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offloop-bench-'));
  const files = new Map([...new Set(bodies)].map((bytes, index) => [bytes, path.join(folder, `${index}.json`)]));
  try {
    for (const [bytes, file] of files) fs.writeFileSync(file, bytes);
    return await use(bodies.map((bytes) => /** @type {string} */ (files.get(bytes))));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { Child, Stage, withFiles };
