'use strict';

const { CITIES, HOSTS, REGIONS, SERVICES, personName } = require('./words');

/**
 * What services write to their logs, apart from the format.
 *
 * @typedef {import('./random').Random} Random
 * @typedef {[level: 'debug' | 'info' | 'warn' | 'error' | 'fatal', message: string, needle?: string]} Event
 *
 * @typedef {object} Domain
 * @property {string[]} modules
 * @property {((random: Random) => Event)[]} ordinary   the first ones far more often
 * @property {((random: Random) => Event)[]} errors     each with what is distinctive of it
 * @property {((random: Random) => Event)[]} rare       told apart by their words alone: neither errors nor warnings
 * @property {((random: Random) => Event)[]} outliers   ordinary ones with a number that is far off
 * @property {(random: Random) => { question: string, arguments: object, events: Event[] }} asked
 */

/** @type {Domain} */
const shop = {
  modules: ['http', 'cart', 'checkout', 'payment', 'inventory', 'session'],
  ordinary: [
    (r) => ['info', `GET /api/v1/products/${r.below(9000)} 200 in ${r.between(4, 80)} ms`],
    (r) => ['info', `POST /api/v1/cart/items 201 in ${r.between(12, 120)} ms`],
    (r) => ['info', `cart ${r.hex(8)} updated, ${r.between(1, 9)} items, total ${r.between(5, 400)}.${r.digits(2)} EUR`],
    (r) => ['debug', `cache hit for product:${r.below(9000)}`],
    (r) => ['debug', `cache miss for product:${r.below(9000)}, loaded in ${r.between(2, 40)} ms`],
    (r) => ['info', `user ${r.between(1000, 9999)} logged in from ${r.ip()}`],
    (r) => ['info', `payment ${r.hex(12)} authorised by acquirer ${r.pick(['alpha', 'beta', 'gamma'])}`],
    (r) => ['info', `reserved ${r.between(1, 4)} units of sku ${r.letters(2)}-${r.digits(5)} in warehouse ${r.pick(CITIES)}`],
    (r) => ['info', `order ${r.digits(8)} placed by user ${r.between(1000, 9999)}`],
    (r) => ['warn', `slow query on products took ${r.between(200, 480)} ms`],
    (r) => ['debug', `session ${r.hex(16)} refreshed`],
  ],
  errors: [
    (r) => at(r, 'payment declined by acquirer: code', (code) => `PD-${code}`),
    (r) => at(r, 'could not reserve stock, ledger answered', (code) => `conflict #${code}`),
    (r) => at(r, 'unhandled rejection in checkout step', (code) => `finalise-${code}: total is NaN`),
    (r) => at(r, 'deadlock detected while updating order', (code) => `OD${code}`),
    (r) => at(r, 'TLS handshake with acquirer failed, alert', (code) => `${code} bad certificate`),
  ],
  rare: [
    (r) => rare(r, (tag) => `gift voucher ${tag} redeemed against basket`),
    (r) => rare(r, (tag) => `customer ${tag} switched storefront language to Icelandic`),
    (r) => rare(r, (tag) => `feature flag express-lane-${tag} turned on by operator`),
    (r) => rare(r, (tag) => `schema of table discounts migrated to revision ${tag}`),
    (r) => rare(r, (tag) => `nightly export ${tag} handed to the tax office`),
  ],
  outliers: [
    (r) => far(r, 21_000, 98_000, (n) => `GET /api/v1/products/${r.below(9000)} 200 in ${n} ms`),
    (r) => far(r, 71_000, 99_000, (n) => `cart ${r.hex(8)} updated, ${r.between(1, 9)} items, total ${n}.00 EUR`),
  ],
  asked(r) {
    const order = `${r.digits(4)}77${r.digits(2)}`;
    const tags = [r.hex(10), r.hex(10)];
    return {
      question: `Customer says order ${order} never arrived. What happened to it?`,
      arguments: { command: `grep -v healthcheck /var/log/shop/app.log`, order_id: order },
      events: [
        ['info', `order ${order} placed by user 4711, basket ${tags[0]}`, tags[0]],
        ['info', `order ${order} handed to carrier, parcel ${tags[1]}`, tags[1]],
      ],
    };
  },
};

/** @type {Domain} */
const storage = {
  modules: ['DataNode', 'NameNode', 'BlockManager', 'Replicator', 'Scrubber'],
  ordinary: [
    (r) => ['info', `Receiving block blk_${r.digits(16)} src: /${r.ip()}:${r.between(30_000, 60_000)} dest: /${r.ip()}:50010`],
    (r) => ['info', `PacketResponder ${r.below(3)} for block blk_${r.digits(16)} terminating`],
    (r) => ['info', `Received block blk_${r.digits(16)} of size ${r.between(60, 67)}108864 from /${r.ip()}`],
    (r) => ['info', `Verification succeeded for blk_${r.digits(16)}`],
    (r) => ['info', `Deleting block blk_${r.digits(16)} file /mnt/data/current/subdir${r.below(64)}`],
    (r) => ['debug', `heartbeat from ${r.pick(HOSTS)} after ${r.between(2900, 3100)} ms`],
    (r) => ['info', `replica of blk_${r.digits(16)} moved from ${r.pick(HOSTS)} to ${r.pick(HOSTS)}`],
    (r) => ['warn', `block blk_${r.digits(16)} is under-replicated, ${r.between(1, 2)} of 3`],
  ],
  errors: [
    (r) => at(r, 'checksum mismatch while reading', (code) => `chunk-${code}`),
    (r) => at(r, 'java.io.IOException: No space left on volume', (code) => `vol${code}`),
    (r) => at(r, 'failed to mirror to peer, socket closed after', (code) => `${code} bytes`),
    (r) => at(r, 'cannot open journal segment', (code) => `edits_${code}`),
  ],
  rare: [
    (r) => rare(r, (tag) => `operator entered maintenance window ${tag}`),
    (r) => rare(r, (tag) => `rack topology reloaded from map ${tag}`),
    (r) => rare(r, (tag) => `snapshot ${tag} taken of namespace root`),
    (r) => rare(r, (tag) => `balancer finished pass ${tag}, cluster is even`),
  ],
  outliers: [
    (r) => far(r, 41_000, 97_000, (n) => `heartbeat from ${r.pick(HOSTS)} after ${n} ms`),
    (r) => far(r, 41_000, 97_000, (n) => `heartbeat from ${r.pick(HOSTS)} after ${n} ms`),
  ],
  asked(r) {
    const block = `blk_${r.digits(19)}`;
    const tags = [`${r.digits(9)}31`, `client-${r.hex(9)}`];
    return {
      question: `Why can't the client read ${block}?`,
      arguments: { command: 'cat datanode.log' },
      events: [
        ['info', `Received block ${block} of size ${tags[0]} from /10.9.8.7`, tags[0]],
        ['info', `lease on ${block} released by ${tags[1]}`, tags[1]],
      ],
    };
  },
};

/** @type {Domain} */
const jobs = {
  modules: ['scheduler', 'worker', 'queue', 'mailer', 'importer'],
  ordinary: [
    (r) => ['info', `job ${r.digits(7)} of type ${r.pick(['resize', 'index', 'invoice', 'digest'])} done in ${r.between(80, 900)} ms`],
    (r) => ['info', `job ${r.digits(7)} queued on ${r.pick(['default', 'bulk', 'mail'])}`],
    (r) => ['debug', `worker ${r.between(1, 8)} polls queue default, ${r.between(0, 40)} waiting`],
    (r) => ['info', `mail to ${personName(r).toLowerCase().replace(' ', '.')}@example.com accepted by relay`],
    (r) => ['info', `imported ${r.between(900, 1100)} rows from part-${r.between(1, 400)}.csv`],
    (r) => ['debug', `lock jobs:${r.digits(5)} acquired after ${r.between(0, 12)} ms`],
    (r) => ['warn', `job ${r.digits(7)} retried, attempt ${r.between(2, 3)} of 5`],
    (r) => ['info', `worker ${r.between(1, 8)} memory ${r.between(180, 240)} MB`],
  ],
  errors: [
    (r) => at(r, 'job gave up after 5 attempts, dead letter', (code) => `DLQ-${code}`),
    (r) => at(r, 'relay refused recipient: 550 mailbox', (code) => `m${code} unknown`),
    (r) => at(r, 'panic: index out of range', (code) => `[${code}] with length 12`),
    (r) => at(r, 'out of memory, worker killed by signal 9, pid', (code) => `${code}0`),
  ],
  rare: [
    (r) => rare(r, (tag) => `leadership handed over to term ${tag}`),
    (r) => rare(r, (tag) => `cron table replaced by revision ${tag}`),
    (r) => rare(r, (tag) => `worker drained on request of deployer ${tag}`),
    (r) => rare(r, (tag) => `rate of tenant lowered, ticket ${tag}`),
  ],
  outliers: [
    (r) => far(r, 310_000, 990_000, (n) => `job ${r.digits(7)} of type invoice done in ${n} ms`),
    (r) => far(r, 7_100, 9_900, (n) => `worker ${r.between(1, 8)} memory ${n} MB`),
  ],
  asked(r) {
    const job = `${r.digits(6)}88`;
    const tags = [`lane-${r.hex(8)}`, `part-${r.hex(8)}`];
    return {
      question: `Trace job ${job} for me, please.`,
      arguments: { path: '/var/log/worker.log', tail: 2000 },
      events: [
        ['info', `job ${job} of type rebuild assigned to ${tags[0]}`, tags[0]],
        ['debug', `job ${job} writes ${tags[1]}`, tags[1]],
      ],
    };
  },
};

/** @type {Domain} */
const cluster = {
  modules: ['controller', 'kubelet', 'proxy', 'autoscaler', 'ingress'],
  ordinary: [
    (r) => ['info', `Synced pod ${r.pick(SERVICES)}-${r.hex(9)}-${r.hex(5)} in namespace ${r.pick(['prod', 'staging'])}`],
    (r) => ['info', `Reconciled deployment ${r.pick(SERVICES)} in ${r.between(3, 60)}ms`],
    (r) => ['info', `Probe of container ${r.pick(SERVICES)} succeeded, latency=${r.between(1, 15)}ms`],
    (r) => ['info', `Endpoint slice ${r.pick(SERVICES)}-${r.hex(5)} has ${r.between(2, 12)} endpoints`],
    (r) => ['info', `Pulled image registry.local/${r.pick(SERVICES)}:${r.between(1, 9)}.${r.between(0, 20)}.${r.between(0, 9)}`],
    (r) => ['info', `Node ${r.pick(HOSTS)} in ${r.pick(REGIONS)} is ready, cpu ${r.between(20, 70)}% memory ${r.between(30, 80)}%`],
    (r) => ['warn', `Readiness probe of ${r.pick(SERVICES)} is late by ${r.between(1, 4)}s`],
  ],
  errors: [
    (r) => at(r, 'Failed to pull image: manifest', (code) => `sha256:${code}ff not found`),
    (r) => at(r, 'Back-off restarting failed container', (code) => `init-${code}`),
    (r) => at(r, 'error: volume claim is lost:', (code) => `pvc-${code}`),
    (r) => at(r, 'OOMKilled: container exceeded its limit, cgroup', (code) => `cg${code}`),
  ],
  rare: [
    (r) => rare(r, (tag) => `Cordoned node at the request of ${tag}`),
    (r) => rare(r, (tag) => `Rotated signing certificate, serial ${tag}`),
    (r) => rare(r, (tag) => `Admission webhook list changed, generation ${tag}`),
    (r) => rare(r, (tag) => `Elected new leader ${tag}`),
  ],
  outliers: [
    (r) => far(r, 61_000, 99_000, (n) => `Reconciled deployment ${r.pick(SERVICES)} in ${n}ms`),
    (r) => far(r, 3_100, 9_900, (n) => `Endpoint slice ${r.pick(SERVICES)}-${r.hex(5)} has ${n} endpoints`),
  ],
  asked(r) {
    const pod = `search-${r.hex(9)}-${r.hex(5)}`;
    const tags = [`10.244.${r.between(300, 900)}.17`, `eviction-${r.hex(8)}`];
    return {
      question: `What is the matter with pod ${pod}? It restarts all the time.`,
      arguments: { command: `kubectl logs -n kube-system deploy/controller | grep -n ''`, pod },
      events: [
        ['info', `Assigned address ${tags[0]} to pod ${pod}`, tags[0]],
        ['info', `Scheduled ${tags[1]} of pod ${pod}`, tags[1]],
      ],
    };
  },
};

/** @type {Domain} */
const training = {
  modules: ['trainer', 'loader', 'optim', 'checkpoint', 'eval'],
  ordinary: [
    (r) => ['info', `step ${r.between(1000, 9000)}: loss 1.${r.digits(4)} lr 0.000${r.digits(2)} grad_norm 0.${r.digits(3)}`],
    (r) => ['debug', `loaded shard ${r.between(1, 512)} in ${r.between(90, 160)} ms, ${r.between(4000, 4200)} samples`],
    (r) => ['info', `throughput ${r.between(3100, 3300)} tokens/s on rank ${r.below(8)}`],
    (r) => ['info', `eval accuracy 0.7${r.digits(3)} on split dev`],
    (r) => ['info', `saved checkpoint to /ckpt/step-${r.between(1, 90)}00`],
    (r) => ['debug', `all-reduce took ${r.between(11, 19)} ms`],
    (r) => ['warn', `dataloader queue is empty on rank ${r.below(8)}`],
  ],
  errors: [
    (r) => at(r, 'CUDA error: device-side assert triggered at kernel', (code) => `k${code}`),
    (r) => at(r, 'RuntimeError: size of tensor must match, got', (code) => `${code} vs 4096`),
    (r) => at(r, 'NCCL timeout in collective', (code) => `SeqNum=${code}`),
    (r) => at(r, 'could not write checkpoint: quota of project', (code) => `p${code} exceeded`),
  ],
  rare: [
    (r) => rare(r, (tag) => `warm restart of schedule with seed ${tag}`),
    (r) => rare(r, (tag) => `tokenizer swapped for build ${tag}`),
    (r) => rare(r, (tag) => `curriculum advanced to stage ${tag}`),
    (r) => rare(r, (tag) => `mixed precision turned off by callback ${tag}`),
  ],
  outliers: [
    (r) => far(r, 11_000, 99_000, (n) => `step ${r.between(1000, 9000)}: loss ${n}.25 lr 0.00031 grad_norm 0.${r.digits(3)}`),
    (r) => far(r, 21_000, 99_000, (n) => `all-reduce took ${n} ms`),
  ],
  asked(r) {
    const run = `run-${r.hex(7)}`;
    const tags = [`gpu-${r.hex(8)}`, `bucket-${r.hex(8)}`];
    return {
      question: `Where did "${run}" write its results and on which device was it placed?`,
      arguments: { command: 'tail -n 3000 train.log' },
      events: [
        ['info', `placed ${run} on ${tags[0]}`, tags[0]],
        ['info', `results of ${run} go to ${tags[1]}`, tags[1]],
      ],
    };
  },
};

/** An error with a code of its own. @param {Random} random @param {string} text @param {(code: string) => string} tail @returns {Event} */
function at(random, text, tail) {
  const needle = tail(random.digits(6));
  return [random.chance(0.85) ? 'error' : 'fatal', `${text} ${needle}`, needle];
}

/** @param {Random} random @param {(tag: string) => string} write @returns {Event} */
function rare(random, write) {
  const tag = `${random.letters(3).toLowerCase()}${random.digits(5)}`;
  return ['info', write(tag), tag];
}

/** @param {Random} random @param {number} low @param {number} high @param {(n: number) => string} write @returns {Event} */
function far(random, low, high, write) {
  const number = random.between(low, high);
  return ['info', write(number), String(number)];
}

const DOMAINS = [shop, storage, jobs, cluster, training];

module.exports = { DOMAINS };
