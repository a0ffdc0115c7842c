'use strict';

const { AIRPORTS, CITIES, COUNTRIES, HOSTS, NOUNS, REGIONS, SERVICES, paragraph, personName, sentence } = require('./words');

/**
 * Rows as APIs and databases return them. Planting changes a row made as the others are.
 *
 * @typedef {import('./random').Random} Random
 * @typedef {Record<string, any>} Row
 *
 * @typedef {object} Domain
 * @property {string} name       of the list in an answer
 * @property {(random: Random, index: number) => Row} row
 * @property {(random: Random, row: Row) => string} error    makes it one of a failure; gives what is distinctive of it
 * @property {(random: Random, row: Row) => string} outlier  sets a number that is far off
 * @property {(row: Row, tag: string) => string} rare        sets a value that ordinary rows do not have
 * @property {(random: Random, row: Row) => string} asked    may change it; gives a question about it
 * @property {(row: Row) => string} key                      what tells it from all others, and is in no question
 */

/** @param {Random} random @param {number} low @param {number} high */
const money = (random, low, high) => Number(`${random.between(low, high)}.${random.digits(2)}`);
/** @param {Random} random */
const stamp = (random) =>
  new Date(Date.UTC(2025, random.below(12), random.between(1, 28), random.below(24), random.below(60), random.below(60))).toISOString();
/** @param {Random} random */
const date = (random) => stamp(random).slice(0, 10);

/** @type {Domain} */
const orders = {
  name: 'orders',
  key: (row) => row.email,
  row: (r, index) => ({
    id: 100_000 + index,
    customer: personName(r),
    email: `${r.hex(7)}@example.com`,
    status: r.skewed(['delivered', 'shipped', 'processing']),
    currency: 'EUR',
    total: money(r, 10, 400),
    items: Array.from({ length: r.between(1, 3) }, () => ({ sku: `SKU-${r.digits(5)}`, quantity: r.between(1, 4) })),
    shipping: { city: r.pick(CITIES), country: r.pick(COUNTRIES), express: r.chance(0.2) },
    created_at: stamp(r),
  }),
  error(r, row) {
    row.status = 'failed';
    row.error = `payment gateway answered E${r.digits(7)}`;
    return row.error;
  },
  outlier: (r, row) => String((row.total = money(r, 48_000, 99_000))),
  rare: (row, tag) => (row.status = `held-by-customs-${tag}`),
  asked: (_, row) => `Find order ${row.id}: which mail address has it?`,
};

/** @type {Domain} */
const metrics = {
  name: 'points',
  key: (row) => row.trace,
  row: (r, index) => ({
    timestamp: new Date(Date.UTC(2025, 4, 1) + index * 60_000).toISOString(),
    host: r.pick(HOSTS),
    metric: r.skewed(['cpu.user', 'mem.used', 'http.latency']),
    value: Number((40 + r.gauss() * 6).toFixed(2)),
    unit: 'percent',
    tags: { region: r.pick(REGIONS), env: 'prod' },
    trace: r.hex(12),
  }),
  error(r, row) {
    row.value = null;
    row.error = `scrape failed: connection reset by agent-${r.digits(6)}`;
    return row.error;
  },
  outlier: (r, row) => String((row.value = Number(`${r.between(700, 9000)}.${r.digits(2)}`))),
  rare: (row, tag) => (row.metric = `fan.${tag}`),
  asked(r, row) {
    row.host = `db-canary-${r.digits(4)}`;
    return `Anything odd with ${row.host}?`;
  },
};

/** @type {Domain} */
const users = {
  name: 'users',
  key: (row) => row.user_id,
  row: (r, index) => ({
    user_id: `usr_${(index * 7919).toString(36).padStart(6, '0')}`,
    name: { first: personName(r).split(' ')[0], last: personName(r).split(' ')[1] },
    address: { street: `${r.between(1, 200)} ${r.pick(NOUNS)} street`, city: r.pick(CITIES), zip: r.digits(5) },
    plan: r.skewed(['free', 'basic', 'team']),
    logins: r.between(0, 60),
    storage_mb: r.between(10, 900),
    verified: r.chance(0.97),
    last_seen: date(r),
    notes: r.chance(0.1) ? sentence(r) : null,
  }),
  error(r, row) {
    row.notes = `ERROR: provisioning failed, directory answered LDAP-${r.digits(6)}`;
    return `LDAP-${row.notes.slice(-6)}`;
  },
  outlier: (r, row) => String((row.storage_mb = r.between(1_100_000, 9_900_000))),
  rare: (row, tag) => (row.plan = `partner-${tag}`),
  asked(r, row) {
    row.address.street = `9 Quillfeather ${r.letters(3)} lane`;
    return `Which user lives in "${row.address.street}"?`;
  },
};

/** @type {Domain} */
const flights = {
  name: 'flights',
  key: (row) => row.tail,
  row(r, index) {
    /** @type {Row} */
    const dates = {};
    for (let day = 1; day <= 12; day += 1) {
      const key = `2025-06-${String(day).padStart(2, '0')}`;
      dates[key] =
        day < 8
          ? { status: r.chance(0.95) ? 'landed' : 'cancelled', delay_minutes: r.between(0, 45) }
          : { status: 'available', seats: { economy: r.between(0, 20), business: r.between(0, 8) }, price: r.between(80, 480) };
    }
    return {
      flight_number: `QX${1000 + index}`,
      origin: r.pick(AIRPORTS),
      destination: r.pick(AIRPORTS),
      departs: `${String(r.below(24)).padStart(2, '0')}:${String(r.below(60)).padStart(2, '0')}`,
      dates,
      tail: `N${r.digits(5)}`,
    };
  },
  error(r, row) {
    row.dates['2025-06-04'] = { status: 'diverted', reason: `engine failure reported, case ${r.letters(2)}${r.digits(5)}` };
    return row.dates['2025-06-04'].reason;
  },
  outlier: (r, row) => String((row.dates['2025-06-09'].price = r.between(21_000, 98_000))),
  rare: (row, tag) => (row.dates['2025-06-05'].status = `returned-to-gate-${tag}`),
  asked: (_, row) => `What is the tail number of flight ${row.flight_number}?`,
};

/** @type {Domain} */
const transactions = {
  name: 'transactions',
  key: (row) => row.tx,
  row: (r, index) => ({
    tx: `0x${r.hex(24)}`,
    seq: index + 1,
    account: `ACC${r.digits(6)}`,
    type: r.skewed(['card', 'transfer', 'fee', 'refund']),
    amount_cents: r.between(100, 25_000),
    balance_after: money(r, 100, 9_000),
    description: `${r.pick(['grocery', 'fuel', 'books', 'rent', 'subscription'])} ${r.pick(CITIES)}`,
    posted: date(r),
  }),
  error(r, row) {
    row.description = `chargeback failed with exception TXN${r.digits(7)}`;
    return row.description;
  },
  outlier: (r, row) => String((row.amount_cents = -r.between(41_000_000, 98_000_000))),
  rare: (row, tag) => (row.type = `escheat-${tag}`),
  asked(r, row) {
    row.description = `harpsichord tuning for the ${r.letters(3).toLowerCase()} chapel`;
    return 'Which transaction paid for the harpsichord tuning?';
  },
};

/** @type {Domain} */
const pods = {
  name: 'items',
  key: (row) => row.metadata.uid,
  row(r, index) {
    const app = r.pick(SERVICES);
    return {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        name: `${app}-${r.hex(9)}-${index.toString(36).padStart(4, 'x')}`,
        namespace: r.skewed(['prod', 'staging', 'tools']),
        labels: { app, 'pod-template-hash': r.hex(9) },
        uid: r.uuid(),
      },
      spec: { nodeName: r.pick(HOSTS), containers: [{ name: app, image: `registry.local/${app}:1.${r.below(9)}`, resources: { limits: { cpu: '500m', memory: '256Mi' } } }] },
      status: { phase: 'Running', podIP: r.ip(), containerStatuses: [{ name: app, ready: true, restartCount: r.below(3) }] },
    };
  },
  error(r, row) {
    row.status.phase = 'Failed';
    row.status.message = `CrashLoopBackOff: exit code 137, incident ${r.hex(10)}`;
    return row.status.message.slice(-10);
  },
  outlier: (r, row) => String((row.status.containerStatuses[0].restartCount = r.between(4100, 9900))),
  rare: (row, tag) => (row.metadata.namespace = `forensics-${tag}`),
  asked: (_, row) => `On which address does ${row.metadata.name} listen?`,
};

/** @type {Domain} */
const tickets = {
  name: 'results',
  key: (row) => row.reference,
  row: (r, index) => ({
    number: 4000 + index,
    title: sentence(r),
    state: r.skewed(['closed', 'open']),
    labels: r.sample(['bug', 'docs', 'question', 'enhancement'], r.between(0, 2)),
    author: { login: r.hex(6), type: 'User' },
    comments: r.between(0, 18),
    body: paragraph(r, r.between(2, 6)),
    reference: `REF-${r.hex(10)}`,
    created_at: stamp(r),
  }),
  error(r, row) {
    row.body = `${row.body} Then it printed: Traceback: KeyError in stage ${r.letters(3)}-${r.digits(6)}. ${paragraph(r, 2)}`;
    return /stage ([A-Z]{3}-\d{6})/.exec(row.body)?.[1] ?? '';
  },
  outlier: (r, row) => String((row.comments = r.between(31_000, 98_000))),
  rare: (row, tag) => (row.labels = [`embargo-${tag}`])[0],
  asked(r, row) {
    row.title = 'Umlauts in calendar invitations are garbled by the zeppelin bridge';
    return 'Is there a ticket about garbled umlauts in calendar invitations?';
  },
};

/** @type {Domain} */
const sensors = {
  name: 'readings',
  key: (row) => row.id,
  row: (r, index) => ({
    t: 1_750_000_000 + index * 30,
    id: r.hex(10),
    sensor: `s${r.below(12)}`,
    celsius: Number((21 + r.gauss()).toFixed(3)),
    humidity: Number((45 + r.gauss() * 3).toFixed(1)),
    battery: r.between(80, 100),
    ok: true,
  }),
  error(r, row) {
    row.ok = false;
    row.fault = `sensor fault 0x${r.hex(8)}`;
    return row.fault;
  },
  outlier: (r, row) => String((row.celsius = Number(`-${r.between(180, 270)}.${r.digits(3)}`))),
  rare: (row, tag) => (row.sensor = `probe-${tag}`),
  asked(r, row) {
    row.sensor = `attic-${r.digits(4)}`;
    return `Give me the reading of ${row.sensor}.`;
  },
};

/** @type {Domain} */
const products = {
  name: 'products',
  key: (row) => row.vendor_code,
  row: (r, index) => ({
    sku: `P-${30_000 + index}`,
    title: `${r.pick(['oak', 'steel', 'linen', 'glass', 'cork'])} ${r.pick(NOUNS)} ${r.pick(['small', 'medium', 'large'])}`,
    description: paragraph(r, r.between(1, 3)),
    price: money(r, 5, 120),
    stock: r.between(0, 300),
    rating: Number((3.5 + r.next() * 1.5).toFixed(1)),
    category: r.skewed(['home', 'garden', 'office', 'kitchen']),
    vendor_code: r.hex(9),
    available: r.chance(0.9),
  }),
  error(r, row) {
    row.available = false;
    row.sync_error = `feed rejected: invalid GTIN ${r.digits(13)}`;
    return row.sync_error.slice(-13);
  },
  outlier: (r, row) => String((row.stock = r.between(410_000, 990_000))),
  rare: (row, tag) => (row.category = `recalled-${tag}`),
  asked(r, row) {
    row.title = 'brass astrolabe with engraved meridian';
    return 'Do we sell an astrolabe, and what is its vendor code?';
  },
};

/** @type {Domain} */
const spans = {
  name: 'spans',
  key: (row) => row.span_id,
  row: (r, index) => ({
    span_id: r.hex(16),
    parent: index === 0 ? null : r.hex(16),
    service: r.skewed(SERVICES),
    operation: `${r.pick(['GET', 'POST', 'SELECT', 'PUBLISH'])} ${r.pick(NOUNS)}`,
    start_us: 1_750_000_000_000 + index * 137,
    duration_us: r.between(200, 9_000),
    status: 'OK',
    attributes: { 'http.status_code': 200, 'net.peer': r.ip() },
  }),
  error(r, row) {
    row.status = 'ERROR';
    row.attributes['exception.message'] = `upstream closed stream ${r.hex(8)}`;
    return row.attributes['exception.message'];
  },
  outlier: (r, row) => String((row.duration_us = r.between(31_000_000, 98_000_000))),
  rare: (row, tag) => (row.service = `legacy-${tag}`),
  asked(r, row) {
    row.operation = `SELECT stamp_collection_${r.digits(3)}`;
    return `How long did \`${row.operation}\` take?`;
  },
};

const DOMAINS = [orders, metrics, users, flights, transactions, pods, tickets, sensors, products, spans];

module.exports = { DOMAINS };
