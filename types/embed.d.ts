import type { TaskOptions } from './task.js';

export interface EmbedOptions extends TaskOptions {
  /** `'hash'`, the only one there is: feature hashing of words, pairs of words and runs of characters; needs no files. */
  model?: 'hash' | (string & {});
  /** Values of a vector; 384. */
  dimensions?: number;
}

/** A row of a matrix and its cosine. */
export interface Match {
  index: number;
  score: number;
}
