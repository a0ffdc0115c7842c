import type { TaskOptions } from './task.js';

export interface EmbedOptions extends TaskOptions {
  /**
   * `'hash'`, the default: feature hashing of words, pairs of words and runs of characters; needs no files. Otherwise the folder of a
   * static-embedding model, as Model2Vec or WordLlama leaves it: safetensors and tokenizer.json.
   */
  model?: 'hash' | (string & {});
  /** Values of a vector: 384, or all that the model has. Of a model, the first so many. */
  dimensions?: number;
}

/** A row of a matrix and its cosine. */
export interface Match {
  index: number;
  score: number;
}
