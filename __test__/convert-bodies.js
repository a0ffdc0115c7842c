'use strict';

/** Generated bodies of each format, as its documentation has them. */

const fc = require('fast-check');

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', 'plain', '"quoted"\\ and\n', 'é你😀', '\ud800', 'x'.repeat(400), '{"a":[1,2]}'),
);
const id = fc.oneof(
  fc.constantFrom('call_1', 'call_2', 'call.1', 'call/1', '', 'a_b', 'a.b', 'ü'.repeat(70), 'toolu_0', 'call_0'),
  fc.string({ maxLength: 6 }),
);
const name = fc.constantFrom('weather', 'time', 'f');
const url = fc.constantFrom(
  'https://example.com/a.png', 'data:image/png;base64,iVBORw0KGgo=', 'data:text/plain;charset=utf-8;base64,aGk=', 'data:;base64,aGk=', 'data:text/plain,hi',
);
const number = fc.constantFrom(0, 1, 5, 100, 4096, 20_000, 0.5, 1.7);
const json = fc.jsonValue({ maxDepth: 2 });
const schema = fc.constantFrom({ type: 'object', properties: { city: { type: 'string' } } }, { type: 'object' }, {});
const args = fc.oneof(fc.constantFrom('{}', '', ' ', '{"city":"Paris"}', '{"é": [1.5, 1e3]}', '[1]', 'not json', '{"a":'), fc.dictionary(fc.string({ maxLength: 3 }), json).map((value) => JSON.stringify(value)));
const unknown = { seed: fc.constantFrom(7, null), 'odd "key"': fc.constantFrom(true) };

/** An object whose members may all be missing. @param {Record<string, fc.Arbitrary<any>>} members */
const some = (members) => fc.record(members, { requiredKeys: [] });

/** An object with members that must be there, and some that may. @param {Record<string, fc.Arbitrary<any>>} must @param {Record<string, fc.Arbitrary<any>>} [may] */
const record = (must, may = {}) => fc.record({ ...must, ...may }, { requiredKeys: Object.keys(must) });

/** @template T @param {fc.Arbitrary<T>} item @param {number} [maxLength] */
const list = (item, maxLength = 3) => fc.array(item, { maxLength });

const shared = { metadata: fc.constant({ a: 'b' }), store: fc.boolean(), service_tier: fc.constant('auto') };
const sampling = { model: fc.constant('m'), temperature: number, top_p: number, stream: fc.boolean() };

const openaiParts = list(
  fc.oneof(
    record({ type: fc.constant('text'), text }),
    record({ type: fc.constant('image_url'), image_url: record({ url }, { detail: fc.constant('low') }) }),
    record({ type: fc.constant('file'), file: record({ file_data: url }, { filename: text }) }),
    record({ type: fc.constant('input_audio') }),
  ),
);
const openaiCall = record({
  id,
  type: fc.constant('function'),
  function: record({ name, arguments: args }),
});
const customCall = record({ id, type: fc.constant('custom'), custom: record({ name, input: text }) });
const openaiAssistant = record(
  { role: fc.constant('assistant'), content: fc.oneof(text, fc.constant(null), list(record({ type: fc.constant('text'), text }))) },
  {
    tool_calls: list(fc.oneof(openaiCall, customCall)),
    refusal: fc.oneof(text, fc.constant(null)),
    reasoning_content: text,
    thinking_blocks: list(fc.oneof(record({ type: fc.constant('thinking'), thinking: text }, { signature: text }), record({ type: fc.constant('redacted_thinking'), data: text }))),
    name: text,
    audio: fc.constant({ id: 'a' }),
  },
);
const openaiMessage = fc.oneof(
  record({ role: fc.constantFrom('system', 'developer', 'user'), content: fc.oneof(text, openaiParts) }, { name: text }),
  openaiAssistant,
  record({ role: fc.constant('assistant'), content: text }, { function_call: record({ name, arguments: args }) }),
  record({ role: fc.constant('tool'), tool_call_id: id, content: fc.oneof(text, openaiParts) }),
  record({ role: fc.constant('function'), name, content: text }),
);
const openaiTool = fc.oneof(
  record({ type: fc.constant('function'), function: record({ name }, { description: text, parameters: schema, strict: fc.boolean() }) }),
  record({ type: fc.constant('custom'), custom: fc.constant({ name: 'x' }) }),
);

const anthropicText = record({ type: fc.constant('text'), text }, { cache_control: fc.constant({ type: 'ephemeral' }), citations: fc.constantFrom([], [{}]) });
const anthropicFile = record(
  {
    type: fc.constantFrom('image', 'document'),
    source: fc.oneof(
      record({ type: fc.constant('base64'), media_type: fc.constant('image/png'), data: fc.constant('iVBOR') }),
      record({ type: fc.constant('url'), url }),
      record({ type: fc.constant('text'), data: text }),
      record({ type: fc.constant('file'), file_id: fc.constant('f') }),
    ),
  },
  { title: text },
);
const anthropicSaid = list(
  fc.oneof(
    anthropicText,
    record({ type: fc.constant('thinking'), thinking: text }, { signature: text }),
    record({ type: fc.constant('redacted_thinking'), data: text }),
    record({ type: fc.constant('tool_use'), id, name, input: fc.dictionary(fc.string({ maxLength: 3 }), json) }),
    record({ type: fc.constant('server_tool_use') }),
  ),
);
const anthropicResult = record({ type: fc.constant('tool_result'), tool_use_id: id }, { content: fc.oneof(text, list(fc.oneof(anthropicText, anthropicFile))), is_error: fc.boolean() });
const anthropicMessage = fc.oneof(
  record({ role: fc.constant('user'), content: fc.oneof(text, list(fc.oneof(anthropicText, anthropicFile, anthropicResult))) }, { odd: fc.constant(1) }),
  record({ role: fc.constant('assistant'), content: fc.oneof(text, anthropicSaid) }),
);
const anthropicTool = fc.oneof(
  record({ name, input_schema: schema }, { description: text, type: fc.constant('custom'), cache_control: fc.constant({}) }),
  record({ type: fc.constant('web_search_20250305'), name: fc.constant('web_search') }),
);

const responsesParts = list(
  fc.oneof(
    record({ type: fc.constantFrom('input_text', 'output_text', 'text'), text }, { annotations: fc.constantFrom([], [{}]) }),
    record({ type: fc.constant('refusal'), refusal: text }),
    record({ type: fc.constant('input_image'), image_url: url }, { detail: fc.constant('low') }),
    record({ type: fc.constant('input_image'), file_id: fc.constant('f') }),
    record({ type: fc.constant('input_file') }, { file_data: url, file_url: url, filename: text }),
  ),
);
const thoughts = list(record({ type: fc.constant('summary_text'), text }));
const responsesItem = fc.oneof(
  record({ role: fc.constantFrom('user', 'assistant', 'system', 'developer'), content: fc.oneof(text, responsesParts) }, { type: fc.constant('message') }),
  record({ type: fc.constant('function_call'), call_id: id, name, arguments: args }),
  record({ type: fc.constant('custom_tool_call'), call_id: id, name, input: text }),
  record({ type: fc.constantFrom('function_call_output', 'custom_tool_call_output'), call_id: id, output: fc.oneof(text, responsesParts) }),
  record({ type: fc.constant('reasoning'), summary: thoughts }, { content: thoughts, encrypted_content: fc.constantFrom('x', null) }),
  record({ type: fc.constant('web_search_call') }),
);
const responsesTool = fc.oneof(
  record({ type: fc.constant('function'), name }, { description: text, parameters: schema, strict: fc.boolean() }),
  record({ type: fc.constant('web_search') }),
);

const format = fc.constantFrom({ type: 'text' }, { type: 'json_object' });
const named = { name: 'n', schema: { type: 'object' }, strict: true };

const openaiUsage = record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() }, { prompt_tokens_details: some({ cached_tokens: fc.nat() }), completion_tokens_details: some({ reasoning_tokens: fc.nat() }) });
const anthropicUsage = record({ input_tokens: fc.nat(), output_tokens: fc.nat() }, { cache_read_input_tokens: fc.oneof(fc.nat(), fc.constant(null)), cache_creation_input_tokens: fc.nat() });
const responsesUsage = record({ input_tokens: fc.nat(), output_tokens: fc.nat() }, { input_tokens_details: some({ cached_tokens: fc.nat() }), output_tokens_details: some({ reasoning_tokens: fc.nat() }) });
const replyId = fc.constantFrom('chatcmpl-1', 'msg_1', 'resp_1', 'x', '');
const created = fc.constant(1_700_000_000);

const REQUESTS = {
  openai: record(
    { messages: list(openaiMessage, 6) },
    {
      ...sampling, ...shared, ...unknown, tools: list(openaiTool), user: text, max_tokens: number, max_completion_tokens: number,
      functions: list(record({ name }, { description: text, parameters: schema })),
      tool_choice: fc.constantFrom('auto', 'none', 'required', { type: 'function', function: { name: 'f' } }),
      function_call: fc.constantFrom('auto', { name: 'f' }), parallel_tool_calls: fc.boolean(),
      stop: fc.constantFrom('END', ['END'], ['A', 'B'], []), stream_options: fc.constant({}),
      reasoning_effort: fc.constantFrom('low', 'medium', 'high', 'none', 'minimal'),
      response_format: fc.oneof(format, fc.constant({ type: 'json_schema', json_schema: named })),
    },
  ),
  anthropic: record(
    { messages: list(anthropicMessage, 6), max_tokens: number },
    {
      ...sampling, ...unknown, system: fc.oneof(text, list(anthropicText)), tools: list(anthropicTool),
      tool_choice: fc.constantFrom({ type: 'auto' }, { type: 'any', disable_parallel_tool_use: true }, { type: 'none' }, { type: 'tool', name: 'f' }),
      stop_sequences: fc.constantFrom([], ['A'], ['A', 'B']), metadata: some({ user_id: text, more: fc.constant(1) }),
      thinking: fc.constantFrom({ type: 'enabled', budget_tokens: 2048 }, { type: 'enabled', budget_tokens: 10_000 }, { type: 'disabled' }), top_k: number,
    },
  ),
  responses: record(
    { input: fc.oneof(text, list(responsesItem, 6)) },
    {
      ...sampling, ...shared, ...unknown, instructions: text, tools: list(responsesTool), user: text, max_output_tokens: number,
      tool_choice: fc.constantFrom('auto', 'none', 'required', { type: 'function', name: 'f' }), parallel_tool_calls: fc.boolean(),
      reasoning: some({ effort: fc.constantFrom('low', 'high'), summary: fc.constant('auto') }),
      text: some({ format: fc.oneof(format, fc.constant({ type: 'json_schema', ...named })), verbosity: fc.constant('low') }),
      previous_response_id: fc.constant('r'),
    },
  ),
};

const RESPONSES = {
  openai: record(
    {
      id: replyId,
      created,
      choices: list(record({ message: openaiAssistant, finish_reason: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter', 'function_call', 'odd', null) }, { index: fc.constant(0), logprobs: fc.constantFrom(null, {}) }), 2),
    },
    { model: fc.constant('m'), usage: openaiUsage, system_fingerprint: fc.constant('f') },
  ),
  anthropic: record(
    { id: replyId, content: anthropicSaid, stop_reason: fc.constantFrom('end_turn', 'max_tokens', 'tool_use', 'refusal', 'stop_sequence', 'pause_turn', null) },
    { model: fc.constant('m'), stop_sequence: fc.constantFrom(null, 'END'), usage: anthropicUsage },
  ),
  responses: record(
    { id: replyId, created_at: created, output: list(responsesItem, 5), status: fc.constantFrom('completed', 'incomplete', 'failed', 'in_progress') },
    { model: fc.constant('m'), incomplete_details: fc.constantFrom(null, { reason: 'content_filter' }, { reason: 'max_output_tokens' }), usage: responsesUsage, error: fc.constantFrom(null, { code: 'c', message: 'bad' }) },
  ),
};

module.exports = { REQUESTS, RESPONSES };
