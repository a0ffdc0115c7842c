import type { Transform } from 'node:stream';
import type { TaskOptions } from './task.js';

/** OpenAI's chat completions, Anthropic's messages, OpenAI's Responses. */
export type Format = 'openai' | 'anthropic' | 'responses';

export interface ConvertOptions extends TaskOptions {
  from: Format;
  to: Format;
  /** What the body is; a request by default. */
  kind?: 'request' | 'response';
}

/** What a conversion could not say in the other format, or had to say in another way: a line each. Not enumerable. */
export interface Converted {
  readonly warnings: string[];
}

/**
 * A stream that turns the server-sent events of one provider's streamed reply into another's; bytes in, bytes out, cut anywhere. What is
 * no event of JSON is an error with the code `ERR_JSON_SYNTAX`, an event over 16 MB one with `ERR_TOO_LARGE`.
 * @throws {TypeError} `ERR_INVALID_ARG`
 */
export function convertStream(options: { from: Format; to: Format }): Transform;
