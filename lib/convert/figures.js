'use strict';

/**
 * What streamed replies end with, in the words of each format: the reason to stop, and usage. (src/convert/ has the same for whole bodies;
 * a test compares the two.)
 *
 * @typedef {'stop' | 'length' | 'calls' | 'filter' | 'sequence' | 'pause'} StopReason
 * @typedef {object} Usage Tokens.
 * @property {number} input With those of the cache.
 * @property {number} output With those of reasoning.
 * @property {number} [cacheRead]
 * @property {number} [cacheWrite]
 * @property {number} [reasoning]
 */

/** The fields that have a value. @param {Record<string, any>} fields @returns {any} */
function present(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

const openai = {
  stops: /** @type {Record<string, StopReason>} */ ({ stop: 'stop', length: 'length', tool_calls: 'calls', function_call: 'calls', content_filter: 'filter' }),
  reasons: { stop: 'stop', length: 'length', calls: 'tool_calls', filter: 'content_filter', sequence: 'stop', pause: 'stop' },

  /** @param {any} usage @returns {Usage | undefined} */
  readUsage(usage) {
    return usage ? readUsage(usage, 'prompt', 'completion') : undefined;
  },

  /** @param {Usage} usage */
  writeUsage({ input, output, cacheRead, reasoning }) {
    return present({
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: cacheRead === undefined ? undefined : { cached_tokens: cacheRead },
      completion_tokens_details: reasoning === undefined ? undefined : { reasoning_tokens: reasoning },
    });
  },
};

const anthropic = {
  stops: /** @type {Record<string, StopReason>} */ ({
    end_turn: 'stop', max_tokens: 'length', tool_use: 'calls', refusal: 'filter', stop_sequence: 'sequence', pause_turn: 'pause',
    model_context_window_exceeded: 'length',
  }),
  reasons: { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', filter: 'refusal', sequence: 'stop_sequence', pause: 'pause_turn' },

  /** Here the tokens of the cache are not among those of the input. @param {any} usage @returns {Usage | undefined} */
  readUsage(usage) {
    if (!usage) return undefined;
    const { input_tokens: input = 0, output_tokens: output = 0, cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage;
    return { input: input + (read ?? 0) + (written ?? 0), output, cacheRead: read ?? undefined, cacheWrite: written ?? undefined };
  },

  /** @param {Usage | undefined} usage */
  writeUsage({ input, output, cacheRead, cacheWrite } = { input: 0, output: 0 }) {
    return present({
      input_tokens: input - (cacheRead ?? 0) - (cacheWrite ?? 0),
      output_tokens: output,
      cache_read_input_tokens: cacheRead,
      cache_creation_input_tokens: cacheWrite,
    });
  },
};

const responses = {
  /** @param {any} response @param {boolean} hasCalls @returns {StopReason} */
  readStop({ status, incomplete_details: incomplete }, hasCalls) {
    if (status === 'incomplete') return incomplete?.reason === 'content_filter' ? 'filter' : 'length';
    return hasCalls ? 'calls' : 'stop';
  },

  /** @param {StopReason} stop */
  statusOf(stop) {
    const reason = stop === 'length' ? 'max_output_tokens' : stop === 'filter' ? 'content_filter' : undefined;
    return reason === undefined
      ? { status: 'completed', incomplete_details: null }
      : { status: 'incomplete', incomplete_details: { reason } };
  },

  /** @param {any} usage @returns {Usage | undefined} */
  readUsage(usage) {
    return usage ? readUsage(usage, 'input', 'output') : undefined;
  },

  /** @param {Usage} usage */
  writeUsage({ input, output, cacheRead, reasoning }) {
    return {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cacheRead ?? 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning ?? 0 },
      total_tokens: input + output,
    };
  },
};

/** Both of OpenAI's formats. @param {any} usage @param {string} input @param {string} output @returns {Usage} */
function readUsage(usage, input, output) {
  return {
    input: usage[`${input}_tokens`] ?? 0,
    output: usage[`${output}_tokens`] ?? 0,
    cacheRead: usage[`${input}_tokens_details`]?.cached_tokens ?? undefined,
    reasoning: usage[`${output}_tokens_details`]?.reasoning_tokens ?? undefined,
  };
}

/** The id as the target has ids: with its prefix instead of another's. @param {string} id @param {string} prefix */
function responseId(id, prefix) {
  return id.startsWith(prefix) ? id : prefix + id.replace(/^(chatcmpl-|msg_|resp_)/, '');
}

module.exports = { anthropic, openai, responseId, responses };
