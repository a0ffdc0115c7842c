import type { Document } from './document.js';
import type { PoolStats } from './stats.js';
import type { TaskOptions } from './task.js';

/** A tokenizer of OpenAI's models. */
export type TokenEncoding = 'o200k_base' | 'cl100k_base';

export interface TokenOptions extends TaskOptions {
  /**
   * The model whose tokenizer to use, as requests name it; otherwise a body's own `model` decides. One that is not known has
   * `o200k_base`, and is noted in {@link PoolStats.unknownModels}.
   */
  model?: string;
  /** The encoding itself; wins over `model`. */
  encoding?: TokenEncoding;
}

/** What tokens are counted of: a text, a list of messages, a request body of any of the formats, or a Document of one of these. */
export type TokenInput = string | readonly object[] | object | Document;
