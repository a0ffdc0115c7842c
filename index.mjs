import offloop from './index.js';

export const {
  OFFLOAD_THRESHOLD,
  WorkerPool,
  asyncClone,
  asyncParse,
  asyncStringify,
  getPoolStats,
  getWorkerPool,
  isWorkerPoolReady,
  syncClone,
} = offloop;

export default offloop;
