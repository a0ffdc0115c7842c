import offloop from './index.js';

export const { OFFLOAD_THRESHOLD, WorkerPool, getPoolStats, getWorkerPool, isWorkerPoolReady } = offloop;

export default offloop;
