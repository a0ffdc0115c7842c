import offloop from './index.js';

export const {
  AsyncLogger,
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
  destination,
  getPoolStats,
  getWorkerPool,
  installSignalHandlers,
  isWorkerPoolReady,
  json,
  limitInFlight,
  logTasks,
  send,
  syncClone,
  syncTransform,
} = offloop;

export default offloop;
