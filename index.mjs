import offloop from './index.js';

export const {
  Document,
  OFFLOAD_THRESHOLD,
  WorkerPool,
  asyncClone,
  asyncParse,
  asyncStringify,
  asyncTransform,
  ccrRetrieve,
  compressMessages,
  convertStream,
  getPoolStats,
  getWorkerPool,
  installSignalHandlers,
  isWorkerPoolReady,
  json,
  send,
  syncClone,
  syncTransform,
} = offloop;

export default offloop;
