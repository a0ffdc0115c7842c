'use strict';

const { mix, planted } = require('./evidence');
const { FORMATS, plantEvents, trace } = require('./logs');
const { plantRows } = require('./rows');
const { DOMAINS } = require('./row-domains');
const { CITIES, HOSTS, NOUNS, SERVICES, capital, paragraph, personName, sentence } = require('./words');

/**
 * What the APIs and tools of services answer, beside plain rows and logs.
 *
 * @typedef {import('./random').Random} Random
 * @typedef {import('./evidence').Sample} Sample
 * @typedef {import('./evidence').Evidence} Evidence
 */

const PINO_LEVELS = { debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/** A log whose levels are numbers, with the error as an object. @param {Random} random @returns {Sample} */
function pino(random) {
  const { asked, evidence, events, domain } = plantEvents(random, random.between(500, 1800));
  let time = 1_750_000_000_000 + random.below(1e9);
  const lines = events.map(({ level, message }) => {
    time += random.below(3_000);
    const [first, ...stack] = message.split('\n');
    const head = { level: PINO_LEVELS[/** @type {keyof typeof PINO_LEVELS} */ (level)], time, pid: 17, hostname: random.skewed(HOSTS), module: random.skewed(domain.modules) };
    return JSON.stringify(stack.length > 0 ? { ...head, err: { type: 'Error', message: first, stack: stack.join('\n') }, msg: first } : { ...head, msg: first });
  });
  return { text: lines.join('\n'), question: asked.question, tool: 'run_command', arguments: asked.arguments, planted: planted(evidence) };
}

/** Lines of a log as a log service gives them: in JSON, each in an event. @param {Random} random @returns {Sample} */
function logEvents(random) {
  const { asked, evidence, events, domain } = plantEvents(random, random.between(400, 1200));
  const format = FORMATS[random.pick(['log-iso', 'log-python', 'log-bracket'])];
  const time = new Date(Date.UTC(2025, 3, random.between(1, 28)));
  const stream = `${random.pick(SERVICES)}/${random.hex(12)}`;
  const list = events.map((event) => {
    time.setTime(time.getTime() + random.below(4_000));
    const message = format({ ...event, time, module: random.skewed(domain.modules), random });
    return { timestamp: time.getTime(), message, ingestionTime: time.getTime() + random.below(900), eventId: random.digits(20), logStreamName: stream };
  });
  const text = JSON.stringify({ events: list, searchedLogStreams: [], nextToken: random.hex(40) });
  return { text, question: asked.question, tool: 'filter_log_events', arguments: asked.arguments, planted: planted(evidence) };
}

/** What grep finds in logs. @param {Random} random @returns {Sample} */
function searchedLogs(random) {
  const { asked, evidence, events, domain } = plantEvents(random, random.between(300, 900));
  const format = FORMATS[random.pick(['log-iso', 'log-log4j', 'log-bracket'])];
  const time = new Date(Date.UTC(2025, 3, random.between(1, 28)));
  let [file, line] = [1, 0];
  const lines = events.map((event) => {
    time.setTime(time.getTime() + random.below(4_000));
    if (random.chance(0.01)) [file, line] = [file + 1, 0];
    line += random.between(1, 40);
    const [message] = event.message.split('\n');
    return `logs/app-${file}.log:${line}:${format({ ...event, message, time, module: random.skewed(domain.modules), random })}`;
  });
  return { text: lines.join('\n'), question: asked.question, tool: 'bash', arguments: { command: 'grep -rn . logs' }, planted: planted(evidence) };
}

/** Rows in groups: an object of lists of objects. @param {Random} random @returns {Sample} */
function groups(random) {
  const domain = random.pick(DOMAINS.filter(({ name }) => ['orders', 'users', 'transactions', 'spans'].includes(name)));
  const { rows, question, planted: items } = plantRows(random, domain, random.between(250, 700));
  const list = [];
  while (rows.length > 0) {
    list.push({ group: `${random.pick(SERVICES)}-${list.length}`, owner: personName(random), region: random.pick(CITIES), [domain.name]: rows.splice(0, random.between(3, 30)) });
  }
  const text = JSON.stringify({ groups: list, generated_at: '2025-05-01T00:00:00Z' });
  return { text, question, tool: 'export_groups', arguments: {}, planted: items };
}

/** Lists of bare numbers. @param {Random} random @returns {Sample} */
function series(random) {
  /** @type {Evidence[]} */
  const evidence = [];
  const far = () => {
    const number = random.between(31_000, 98_000);
    evidence.push({ kind: 'outlier', needle: String(number), unit: number });
  };
  const list = Array.from({ length: random.between(6, 20) }, (_, at) => {
    evidence.length = 0;
    if (random.chance(0.3) || at === 0) far();
    const mean = random.between(20, 400);
    const values = mix(random, random.between(200, 500), () => Number((mean + random.gauss() * 5).toFixed(1)), evidence);
    return { target: `${random.pick(SERVICES)}.${random.pick(NOUNS)}.p${random.pick([50, 90, 99])}`, step: 60, values, planted: planted(evidence) };
  });
  const items = list.flatMap((one) => one.planted);
  const text = JSON.stringify(list.map(({ target, step, values }) => ({ target, step, values })));
  return { text, question: 'How do the metrics look?', tool: 'query_range', arguments: { step: 60 }, planted: items };
}

/** @param {string} text */
const tagless = (text) => text.replaceAll('&', 'and').replaceAll('<', '(').replaceAll('>', ')');

/** @param {Random} random @returns {Sample} */
function xml(random) {
  const domain = random.pick(DOMAINS.filter(({ name }) => ['orders', 'transactions', 'readings', 'points'].includes(name)));
  const { rows, question, planted: items } = plantRows(random, domain, random.between(200, 500));
  const element = (/** @type {string} */ name, /** @type {unknown} */ value, /** @type {string} */ indent) => {
    /** @type {string} */
    let inner;
    if (Array.isArray(value)) inner = value.map((item) => element('item', item, `${indent}  `)).join('');
    else if (typeof value === 'object' && value !== null) inner = Object.entries(value).map(([key, item]) => element(key, item, `${indent}  `)).join('');
    else return `\n${indent}<${name}>${value === null ? '' : tagless(String(value))}</${name}>`;
    return `\n${indent}<${name}>${inner}\n${indent}</${name}>`;
  };
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<export>${rows.map((row) => element('record', row, '  ')).join('')}\n</export>`;
  return { text, question, tool: 'export_xml', arguments: {}, planted: items };
}

/** @param {Random} random @returns {Sample} */
function traces(random) {
  const kinds = ['TimeoutException', 'NullPointerException', 'ValueError', 'ConnectionError', 'StackOverflowError'];
  /** @type {Evidence[]} */
  const evidence = [];
  for (let left = random.between(2, 4); left > 0; left -= 1) {
    const code = `${random.letters(3)}${random.digits(6)}`;
    evidence.push({ kind: 'error', needle: code, unit: `Caused by: com.example.Ledger${random.pick(kinds)}: entry ${code} is gone\n${trace(random)}` });
  }
  const usual = `Exception in thread "worker-1" java.util.concurrent.TimeoutException: no answer within 5000 ms\n${trace(random)}`;
  const other = `java.net.SocketException: Connection reset\n${trace(random)}`;
  const blocks = mix(random, random.between(60, 200), () => random.skewed([usual, usual, other]).replace('worker-1', `worker-${random.between(1, 16)}`), evidence);
  return { text: blocks.join('\n'), question: 'What do these traces have in common?', tool: 'bash', arguments: { command: 'cat crash.txt' }, planted: planted(evidence) };
}

/** @param {Random} random @returns {Sample} */
function gitLog(random) {
  const team = Array.from({ length: 7 }, () => personName(random));
  const commit = (/** @type {string} */ subject, author = random.skewed(team), sha = random.hex(40)) =>
    `commit ${sha}\nAuthor: ${author} <${author.toLowerCase().replace(' ', '.')}@example.com>\nDate:   Mon Jun ${random.between(1, 28)} ${random.between(10, 23)}:${random.between(10, 59)}:11 2025 +0200\n\n    ${subject}\n${random.chance(0.3) ? `\n    ${sentence(random)}\n` : ''}`;
  const feature = `${random.letters(2)}-${random.digits(4)}`;
  const [wanted, author] = [random.hex(40), `Quirin ${random.letters(6).toLowerCase()}`];
  /** @type {Evidence[]} */
  const evidence = [
    { kind: 'query', needle: wanted, unit: commit(`Revert the change of ${feature}`, undefined, wanted) },
    { kind: 'rare', needle: author, unit: commit(capital(sentence(random).slice(0, 50)), author) },
  ];
  const commits = mix(random, random.between(120, 400), () => commit(capital(sentence(random).slice(0, 60))), evidence);
  return { text: commits.join('\n'), question: `Which commit reverted ${feature}?`, tool: 'bash', arguments: { command: 'git log' }, planted: planted(evidence) };
}

/** Chunks of documents with their scores, as a retriever gives them. @param {Random} random @returns {Sample} */
function chunks(random) {
  const project = `${random.pick(['Heron', 'Basalt', 'Lantern'])} ${random.digits(3)}`;
  const budget = `${random.between(11, 98)}.${random.digits(5)}`;
  const code = `SIG-${random.digits(7)}`;
  /** @type {Evidence[]} */
  const evidence = [
    { kind: 'query', needle: budget, unit: `${paragraph(random, 3)} The budget of ${project} was set to ${budget} million. ${paragraph(random, 2)}` },
    { kind: 'error', needle: code, unit: `${paragraph(random, 2)} The rollout failed: exception ${code} in stage two. ${paragraph(random, 2)}` },
  ];
  const texts = mix(random, random.between(30, 120), () => paragraph(random, random.between(3, 8)), evidence);
  const text = texts.map((body, at) => `[${at + 1}] source: docs/${random.pick(NOUNS)}.md  score: 0.${random.digits(3)}\n${body}\n`).join('\n');
  return { text, question: `What was the budget of ${project}?`, tool: 'search_documents', arguments: { query: `${project} budget` }, planted: planted(evidence) };
}

/** Settings, in sections. @param {Random} random @returns {Sample} */
function settings(random) {
  const wanted = `${random.pick(NOUNS)}_quorum_${random.letters(3).toLowerCase()}`;
  const value = random.hex(12);
  const evidence = [{ kind: /** @type {const} */ ('query'), needle: value, unit: `${wanted} = ${value}` }];
  const lines = mix(random, random.between(300, 900), () => `${random.pick(NOUNS)}_${random.pick(NOUNS)} = ${random.pick([random.below(9_000), 'true', 'false', `/srv/${random.pick(NOUNS)}`, `${random.between(1, 60)}s`])}`, evidence);
  const text = lines.map((line, at) => (at % 25 === 0 ? `\n[${random.pick(SERVICES)}.${random.pick(NOUNS)}]\n${line}` : random.chance(0.15) ? `# ${sentence(random)}\n${line}` : line));
  return { text: text.join('\n'), question: `What is ${wanted} set to?`, tool: 'read_file', arguments: { path: '/etc/app.ini' }, planted: planted(evidence) };
}

/** @type {Record<string, (random: Random) => Sample>} */
const generators = {
  'log-pino': pino, 'json-log-events': logEvents, 'search-logs': searchedLogs, 'json-groups': groups, 'json-series': series, xml, traces, 'git-log': gitLog, chunks, settings,
};

module.exports = { generators };
