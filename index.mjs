import offloop from './index.js';

export const {
  Document,
  OFFLOAD_THRESHOLD,
  WorkerPool,
  asyncClone,
  asyncParse,
  asyncStringify,
  ccrRetrieve,
  compressMessages,
  getPoolStats,
  getWorkerPool,
  isWorkerPoolReady,
  syncClone,
} = offloop;

export default offloop;
