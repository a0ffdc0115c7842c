'use strict';

const fs = require('node:fs');

/**
 * CPU time of the JavaScript thread, in microseconds since some fixed moment. Three sources, best first:
 *
 * - `schedstat` (Linux): nanoseconds on the processor, from the scheduler itself.
 * - `threadCpuUsage` (Node 23.9 and later, elsewhere): user and system time of the calling thread.
 * - `cpuUsage`: that of the whole process, pool threads and all. It overstates every candidate that works on another
 *   thread, so it can show that offloading pays, never by how much. The source is named in every result.
 *
 * @typedef {object} Clock
 * @property {'schedstat' | 'threadCpuUsage' | 'cpuUsage'} source
 * @property {() => number} mainCpuUs
 */

/** @returns {Clock} */
function openClock() {
  if (process.platform === 'linux') {
    const clock = openSchedstat();
    if (clock !== undefined) return clock;
  }
  const threadCpuUsage = /** @type {any} */ (process).threadCpuUsage;
  if (typeof threadCpuUsage === 'function') {
    return { source: 'threadCpuUsage', mainCpuUs: () => sum(threadCpuUsage.call(process)) };
  }
  return { source: 'cpuUsage', mainCpuUs: totalCpuUs };
}

/** @returns {Clock | undefined} */
function openSchedstat() {
  // The main thread's id is the process id; a bench runs on the main thread.
  let file;
  try {
    file = fs.openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return undefined;
  }
  const bytes = Buffer.alloc(96);
  const read = () => {
    const length = fs.readSync(file, bytes, 0, bytes.length, 0);
    return Number.parseInt(bytes.toString('latin1', 0, length), 10);
  };
  // A kernel built without scheduler statistics has the file and leaves it at zero.
  settleAccount();
  if (!(read() > 0)) return undefined;
  return {
    source: 'schedstat',
    mainCpuUs() {
      settleAccount();
      return read() / 1e3;
    },
  };
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/**
 * Makes the scheduler book the running thread's time. It does so on a timer tick (up to 4 ms apart) and when the
 * thread leaves the processor; without this a reading is stale by up to a tick. Waiting 10 µs for a signal that never
 * comes is leaving.
 */
function settleAccount() {
  Atomics.wait(nobody, 0, 0, 0.01);
}

/** CPU time of all threads of the process, in microseconds. */
function totalCpuUs() {
  return sum(process.cpuUsage());
}

/** @param {{ user: number, system: number }} usage */
function sum(usage) {
  return usage.user + usage.system;
}

module.exports = { openClock, totalCpuUs };
