'use strict';

const { mix, planted } = require('./evidence');
const { DOMAINS } = require('./log-events');
const { AGENTS, HOSTS, PATHS, SERVICES } = require('./words');

/**
 * @typedef {import('./random').Random} Random
 * @typedef {import('./evidence').Sample} Sample
 * @typedef {import('./evidence').Evidence} Evidence
 * @typedef {import('./log-events').Event} Event
 * @typedef {import('./log-events').Domain} Domain
 *
 * @typedef {object} Line
 * @property {Date} time
 * @property {string} level
 * @property {string} module
 * @property {string} message
 * @property {Random} random  for what is of the format alone
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @param {number} value @param {number} [width] */
const pad = (value, width = 2) => String(value).padStart(width, '0');
/** @param {Date} time */
const clock = (time) => time.toISOString().slice(11, 19);
/** @param {Date} time */
const day = (time) => time.toISOString().slice(0, 10);
/** @param {string} level */
const upper = (level) => level.toUpperCase();

/** How a line looks. @type {Record<string, (line: Line) => string>} */
const FORMATS = {
  'log-iso': ({ time, level, module, message }) => `${time.toISOString()} ${upper(level).padEnd(5)} [${module}] ${message}`,
  'log-log4j': ({ time, level, module, message, random }) =>
    `${day(time)} ${clock(time)},${pad(time.getUTCMilliseconds(), 3)} ${upper(level)} [pool-${random.between(1, 3)}-thread-${random.between(1, 16)}] com.example.${module.toLowerCase()}.${module} - ${message}`,
  'log-syslog': ({ time, level, module, message, random }) =>
    `${MONTHS[time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2)} ${clock(time)} ${random.skewed(HOSTS)} ${module.toLowerCase()}[${random.between(900, 4000)}]: ${/error|fatal|warn/.test(level) ? `${level}: ` : ''}${message}`,
  'log-python': ({ time, level, module, message }) =>
    `${day(time)} ${clock(time)},${pad(time.getUTCMilliseconds(), 3)} - app.${module.toLowerCase()} - ${upper(level === 'warn' ? 'warning' : level === 'fatal' ? 'critical' : level)} - ${message}`,
  'log-bracket': ({ time, level, module, message }) =>
    `[${day(time)} ${clock(time)}] ${module.toLowerCase()}.${upper(level)}: ${message} [] []`,
  'log-klog': ({ time, level, module, message, random }) =>
    `${upper(level)[0]}${pad(time.getUTCMonth() + 1)}${pad(time.getUTCDate())} ${clock(time)}.${pad(time.getUTCMilliseconds(), 3)}${random.digits(3)} ${String(random.between(1, 9)).padStart(7)} ${module.toLowerCase()}.go:${random.pick([88, 131, 214, 377, 590])}] ${message}`,
  'log-logfmt': ({ time, level, module, message, random }) =>
    `ts=${time.toISOString()} level=${level} caller=${module.toLowerCase()}.go:${random.pick([40, 77, 201])} msg="${message}" trace=${random.hex(12)}`,
  'log-json': ({ time, level, module, message, random }) =>
    JSON.stringify({ level, time: time.getTime(), pid: 4242, hostname: random.skewed(HOSTS), name: module, reqId: random.hex(8), msg: message }),
  'log-compose': ({ time, level, module, message, random }) =>
    `${random.skewed(SERVICES).padEnd(10)} | ${clock(time)} ${level.padEnd(5)} ${module}: ${message}`,
  'log-env-logger': ({ time, level, module, message }) =>
    `[${time.toISOString().slice(0, 19)}Z ${upper(level === 'fatal' ? 'error' : level).padEnd(5)} app::${module.toLowerCase()}] ${message}`,
  'log-bare': ({ level, message }) => (level === 'info' || level === 'debug' ? message : `${upper(level)} ${message}`),
  'log-ansi': ({ time, level, module, message }) =>
    `\u001b[2m${clock(time)}\u001b[0m ${COLOURS[/** @type {keyof typeof COLOURS} */ (level)]}${upper(level).padEnd(5)}\u001b[0m \u001b[36m${module}\u001b[0m ${message}`,
};

const COLOURS = { debug: '\u001b[34m', info: '\u001b[32m', warn: '\u001b[33m', error: '\u001b[31m', fatal: '\u001b[1;31m' };

/**
 * A log of one of the domains in one of the formats.
 *
 * @param {(line: Line) => string} format
 * @returns {(random: Random) => Sample}
 */
function log(format) {
  return (random) => {
    const time = new Date(Date.UTC(2025, random.below(12), random.between(1, 27), random.below(20)));
    const { asked, evidence, events, domain } = plantEvents(random, random.between(600, 2500));
    const end = random.chance(0.2) ? '\r\n' : '\n';
    const text = events.map((event) => {
      time.setTime(time.getTime() + Math.floor(random.next() ** 3 * 4_000));
      const lines = event.message.split('\n');
      lines[0] = format({ ...event, message: lines[0], time: new Date(time), module: random.skewed(domain.modules), random });
      return lines.join('\n');
    });
    const question = random.chance(0.5) ? asked.question : `The service misbehaved today. ${asked.question}`;
    return { text: text.join(end), question, tool: 'run_command', arguments: asked.arguments, planted: planted(evidence) };
  };
}

/**
 * Events of one of the domains, some of them planted.
 *
 * @param {Random} random
 * @param {number} count
 */
function plantEvents(random, count) {
  const domain = random.pick(DOMAINS);
  const { asked, evidence } = plant(random, domain);
  const ordinary = () => {
    const [level, message] = random.skewed(domain.ordinary)(random);
    return { level: /** @type {string} */ (level), message };
  };
  return { domain, asked, evidence, events: mix(random, count, ordinary, evidence) };
}

/** @param {Random} random @param {Domain} domain */
function plant(random, domain) {
  /** @type {Evidence[]} */
  const evidence = [];
  const add = (/** @type {Evidence['kind']} */ kind, /** @type {Event} */ [level, message, needle]) =>
    evidence.push({ kind, needle: /** @type {string} */ (needle), unit: { level, message } });
  const errors = random.sample(domain.errors, random.between(2, 4));
  if (random.chance(0.5)) evidence.push(...burst(random, /** @type {(typeof errors)[0]} */ (errors.pop())));
  for (const make of errors) {
    const event = make(random);
    if (random.chance(0.4)) event[1] += `\n${trace(random)}`;
    add('error', event);
  }
  for (const make of random.sample(domain.rare, random.between(1, 3))) {
    for (let count = random.between(1, 3); count > 0; count -= 1) add('rare', make(random));
  }
  for (const make of random.sample(domain.outliers, random.between(1, 2))) add('outlier', make(random));
  const asked = domain.asked(random);
  for (const event of asked.events) add('query', event);
  return { asked, evidence };
}

/**
 * The same error over and over, each with a code of its own: its words are to be seen, not every code.
 *
 * @param {Random} random
 * @param {(random: Random) => Event} make
 * @returns {Evidence[]}
 */
function burst(random, make) {
  return Array.from({ length: random.between(5, 60) }, () => {
    const [level, message, code = ''] = make(random);
    return { kind: 'error', needle: message.slice(0, -code.length - 1), unit: { level, message } };
  });
}

/** A stack trace of a language of its own. @param {Random} random */
function trace(random) {
  const depth = random.between(4, 14);
  const name = () => `${random.pick(SERVICES)}${random.between(1, 40)}`;
  const frames = [
    () => `\tat com.example.${name()}.Handler.run(Handler.java:${random.between(20, 900)})`,
    () => `    at ${name()} (/srv/app/node_modules/${name()}/index.js:${random.between(20, 900)}:${random.between(2, 60)})`,
    () => `  File "/srv/app/${name()}.py", line ${random.between(20, 900)}, in handle`,
  ];
  const frame = random.pick(frames);
  return Array.from({ length: depth }, frame).join('\n');
}

/** An access log: errors are its 5xx answers, outliers its longest ones. @param {Random} random @returns {Sample} */
function accessLog(random) {
  const time = new Date(Date.UTC(2025, random.below(12), random.between(1, 27)));
  const ip = `203.0.113.${random.between(2, 250)}`;
  const line = (/** @type {{ status?: number, path?: string, ip?: string, bytes?: number, agent?: string, ms?: string }} */ given) => {
    time.setTime(time.getTime() + random.below(3000));
    const when = `${pad(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}:${clock(time)} +0000`;
    const status = given.status ?? (random.chance(0.93) ? 200 : random.pick([301, 304, 404]));
    const path = given.path ?? random.skewed(PATHS);
    const method = path.includes('orders') || path.includes('login') ? 'POST' : 'GET';
    return `${given.ip ?? random.ip()} - - [${when}] "${method} ${path} HTTP/1.1" ${status} ${given.bytes ?? random.between(300, 9000)} "-" "${given.agent ?? random.skewed(AGENTS)}" ${given.ms ?? `0.${random.digits(3)}`}`;
  };
  /** @type {Evidence[]} */
  const evidence = [];
  for (const status of random.sample([500, 502, 503, 504], 2)) {
    const needle = `/api/v1/reports/${random.hex(8)}`;
    evidence.push({ kind: 'error', needle, unit: { status, path: needle } });
  }
  for (let count = 0; count < 2; count += 1) {
    const needle = `${random.between(31, 99)}.${random.digits(3)}`;
    evidence.push({ kind: 'outlier', needle, unit: { ms: needle } });
  }
  const agent = `backup-${random.hex(6)}`;
  evidence.push({ kind: 'rare', needle: agent, unit: { agent: `${agent}/2.1` } });
  const path = `/account/${random.hex(10)}/close`;
  evidence.push({ kind: 'query', needle: path, unit: { ip, path } });
  const units = mix(random, random.between(800, 2500), () => ({}), evidence);
  return {
    text: units.map(line).join('\n'),
    question: `What did the client at ${ip} request?`,
    tool: 'read_file',
    arguments: { path: '/var/log/nginx/access.log' },
    planted: planted(evidence),
  };
}

/** @type {Record<string, (random: Random) => Sample>} */
const generators = { 'log-access': accessLog };
for (const [name, format] of Object.entries(FORMATS)) generators[name] = log(format);

module.exports = { FORMATS, generators, plantEvents, trace };
