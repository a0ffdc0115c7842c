// Compiled, never run: the ESM face has the same names.

import offloop, { WorkerPool, asyncClone, asyncParse, asyncStringify, getPoolStats, getWorkerPool, installSignalHandlers, isWorkerPoolReady, json, OFFLOAD_THRESHOLD, send, syncClone } from 'offloop';

export const names = [WorkerPool, asyncClone, asyncParse, asyncStringify, getPoolStats, getWorkerPool, installSignalHandlers, isWorkerPoolReady, json, OFFLOAD_THRESHOLD, send, syncClone];
export const pool: offloop.WorkerPool = new WorkerPool();
