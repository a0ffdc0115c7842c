// Compiled, never run: the ESM face has the same names.

import offloop, { WorkerPool, asyncClone, asyncParse, asyncStringify, getPoolStats, getWorkerPool, isWorkerPoolReady, OFFLOAD_THRESHOLD, syncClone } from 'offloop';

export const names = [WorkerPool, asyncClone, asyncParse, asyncStringify, getPoolStats, getWorkerPool, isWorkerPoolReady, OFFLOAD_THRESHOLD, syncClone];
export const pool: offloop.WorkerPool = new WorkerPool();
