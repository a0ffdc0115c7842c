'use strict';

// A process that logs until something happens to it: node child.js TEST CONTENDER FILE …

const fs = require('node:fs');

const { CONTENDERS, DATA } = require('./contenders');
const { lines } = require('./lines');

const [, , test, name, file, ...rest] = process.argv;
const logger = CONTENDERS[name](file);
const turn = () => new Promise(setImmediate);

const TESTS = {
  /** Logs numbered lines without end, and notes how many the logger has taken. */
  async kill() {
    const [round, ack] = [Number(rest[0]), fs.openSync(rest[1], 'w')];
    const text = 'x'.repeat(20_000);
    for (let n = 0; ; ) {
      for (let i = 0; i < 100; i++, n++) {
        logger.info('line', { round, n, text: text.slice(0, n % 97 === 0 ? 20_000 : (n * 7) % 300) });
        if (n % 50 === 0) fs.writeSync(ack, String(n + 1).padEnd(12), 0);
      }
      await turn();
    }
  },

  /** A burst, and the end. pino opens its file in the background, and loses all it has before that. */
  async exit() {
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let n = 0; n < 1000; n++) logger.info('line', { n });
    process.exit(0);
  },

  /** Blocks the event loop, logs meanwhile, and looks when the lines are in the file. */
  async blocked() {
    logger.info('first', {});
    await logger.flush();
    const forMs = Number(rest[0]);
    let size = fs.statSync(file).size;
    const start = performance.now();
    const pending = [];
    let last = -Infinity;
    let latest = 0;
    while (performance.now() - start < forMs) {
      const now = performance.now();
      if (now - last >= 50) {
        logger.info('line', { n: pending.length });
        pending.push(now);
        last = now;
      }
      const grown = fs.statSync(file).size;
      if (grown !== size) {
        const count = fs.readFileSync(file, 'utf8').split('\n').length - 2;
        for (; latest < count; latest++) pending[latest] = performance.now() - pending[latest];
        size = grown;
      }
    }
    // What is not there yet comes when the loop goes on, at the earliest.
    const end = performance.now();
    const silences = pending.map((at, index) => (index < latest ? at : end - at));
    // Lines of the last moments have not had their time.
    const told = silences.slice(0, Math.max(1, latest, silences.length - Math.ceil(1200 / 50)));
    process.stdout.write(`${Math.max(...told)}`);
    process.exit(0);
  },

  /** As many small lines as there is time for; every so many have to be in the file. */
  async sustained() {
    const forMs = Number(rest[0]);
    const make = DATA.small;
    let n = 0;
    const start = performance.now();
    while (performance.now() - start < forMs) {
      for (let i = 0; i < 20; i++) {
        for (let j = 0; j < 500; j++) logger.info('request completed', make(n++));
        await turn();
      }
      await logger.flush();
    }
    const ms = performance.now() - start;
    let written = 0;
    for (const line of lines(file)) written += Number(line.length > 0);
    process.stdout.write(JSON.stringify({ n, lines: written, ms }));
    process.exit(0);
  },
};

TESTS[/** @type {keyof typeof TESTS} */ (test)]();
