import type { TaskType, WorkerPool } from './index.js';

/** What a job has as its data. */
export interface Task {
  /** As of `pool.exec`. */
  type: TaskType;
  /** For one task. */
  payload?: unknown;
  /** For a list of tasks of one type: their payloads. */
  items?: unknown[];
}

/** What is used of BullMQ's Job. */
export interface JobLike {
  data: any;
  progress: any;
  updateProgress(progress: { done: number; total: number }): Promise<void>;
}

export interface ProcessorOptions {
  /** The process-wide pool. */
  pool?: WorkerPool;
  /** Items of a job that are worked on at once; twice the pool's threads. */
  concurrency?: number;
  /**
   * Takes the results of a list, in order, one after the other; the next waits for its promise. A job that another worker had
   * begun goes on behind the last progress reported, so that a few results may come twice and none is left out.
   */
  onResult?: (result: any, index: number, job: any) => unknown;
}

/**
 * A processor for `new Worker(queue, createProcessor())`: runs the jobs' tasks on the pool, behind what is interactive. Errors that
 * another try would only repeat are BullMQ's `UnrecoverableError`; a full pool is waited for.
 * @throws {TypeError} `ERR_INVALID_ARG`, naming the option that is wrong.
 */
export function createProcessor(options?: ProcessorOptions): (job: any) => Promise<any>;
