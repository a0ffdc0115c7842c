/** Milliseconds. */
export interface Quantiles {
  p50: number;
  p99: number;
  max: number;
}

export interface OperationStats {
  count: number;
  /** From the call until a thread took the task. */
  waitTime: Quantiles;
  /** On the thread. */
  runTime: Quantiles;
}

/** Native memory that texts and results are written to. It is kept for reuse, and freed when nobody asks for it. */
export interface MemoryStats {
  /** Bytes of texts that are being read, and of Documents. */
  inUse: number;
  /** Bytes kept for reuse; after a second or two without use they go back to the system. */
  kept: number;
  /** Bytes that are kept at most. */
  limit: number;
  /** Times that memory was asked for and there was some to reuse. */
  hits: number;
  /** Times that there was none. */
  misses: number;
  /** Bytes given back to the system since nobody asked for them. */
  trimmed: number;
}

/** Counts since the pool's threads were made; the process-wide pool's are those of all threads that share it. */
export interface PoolStats {
  /** Operations that succeeded, offloaded or inline. */
  tasksProcessed: number;
  /** Tasks that found every thread busy and had to wait. */
  tasksQueued: number;
  /** Operations that failed, panics among them. */
  tasksFailed: number;
  tasksTimedOut: number;
  tasksAborted: number;
  tasksPanicked: number;
  /** Calls refused with `ERR_QUEUE_FULL`. */
  tasksRejected: number;
  /** Tasks given up at a shutdown. */
  tasksClosed: number;
  /** Threads that died and were replaced. */
  workersRestarted: number;
  /** Milliseconds on a thread, the mean over all tasks that ran. */
  avgProcessingTime: number;
  /** Threads at most. */
  poolSize: number;
  /** Threads started so far. */
  threads: number;
  /** Threads at work. */
  activeWorkers: number;
  /** Tasks waiting for a thread. */
  queueLength: number;
  /** Tasks waiting or running. */
  pendingTasks: number;
  /** Bytes that waiting and running tasks hold. */
  queueBytes: number;
  /** Operations that this pool object ran on the calling thread. */
  inlined: number;
  /** Tasks given to the threads. */
  offloaded: number;
  /** Documents alive that were loaded through this pool object, and the bytes of native memory they hold. */
  documents: { count: number; bytes: number };
  /** Native memory for texts and results, of all pools of the process. */
  memory: MemoryStats;
  /** How often tokens were counted for models whose encoding is not known, as `o200k_base`; by name. */
  unknownModels: Record<string, number>;
  operations: Record<string, OperationStats>;
}
