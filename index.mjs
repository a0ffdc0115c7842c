import offloop from './index.js';

export const {
  Document,
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
