'use strict';

// OpenAI's chat completions.

const { Ids, SHARED, fromUrl, isNothing, nameRest, nameUnknown, present, responseId, textOf, toUrl } = require('./hub');

/** @typedef {import('./hub').Part} Part */
/** @typedef {InstanceType<typeof Ids>} IdMap */

const MESSAGE = new Set([
  'role', 'content', 'name', 'tool_calls', 'function_call', 'tool_call_id', 'refusal', 'reasoning_content', 'thinking_blocks',
]);

/** @param {any} body @param {import('./hub').Warn} warn @returns {import('./hub').Request} */
function readRequest(body, warn) {
  const {
    model, messages = [], tools, functions, tool_choice: choice, function_call: oldChoice, parallel_tool_calls: parallel, max_tokens: oldMax,
    max_completion_tokens: maxTokens = oldMax, temperature, top_p: topP, stop, stream, stream_options: _, user, reasoning_effort: effort,
    response_format: format, ...rest
  } = body;
  const shared = present(Object.fromEntries(SHARED.map((key) => [key, rest[key]])));
  for (const key of SHARED) delete rest[key];
  nameRest(rest, '', warn);
  const definitions = tools ?? functions?.map((/** @type {any} */ definition) => ({ type: 'function', function: definition }));
  return {
    model, maxTokens, temperature, topP, stream, user, effort, shared,
    parallel: parallel ?? undefined,
    stop: isNothing(stop) ? undefined : [stop].flat(),
    turns: messages.flatMap((/** @type {any} */ message, /** @type {number} */ index) => readMessage(message, `messages[${index}].`, warn)),
    tools: definitions?.flatMap((/** @type {any} */ tool, /** @type {number} */ index) => readTool(tool, index, warn)),
    toolChoice: readChoice(choice ?? oldChoice),
    format: format?.type === 'json_schema' ? { type: 'json_schema', ...format.json_schema } : (format ?? undefined),
  };
}

/** @param {any} choice @returns {import('./hub').Request['toolChoice']} */
function readChoice(choice) {
  if (isNothing(choice)) return undefined;
  if (typeof choice === 'string') return /** @type {'auto'} */ (choice);
  const name = choice.function?.name ?? choice.name;
  return name === undefined ? 'auto' : { name };
}

/** @param {any} tool @param {number} index @param {import('./hub').Warn} warn @returns {import('./hub').Tool[]} */
function readTool(tool, index, warn) {
  if (tool?.type !== 'function') {
    warn(`tools[${index}] of type ${tool?.type} has no counterpart and is left out`);
    return [];
  }
  const { name, description, parameters, strict } = tool.function;
  return [{ name, description, schema: parameters, strict: strict ?? undefined }];
}

/** @param {any} message @param {string} where @param {import('./hub').Warn} warn @returns {import('./hub').Turn[]} */
function readMessage(message, where, warn) {
  const { role, content, name, tool_calls: calls, function_call: oldCall, tool_call_id: id, refusal, reasoning_content: reasoning, thinking_blocks: blocks } = message;
  nameUnknown(message, MESSAGE, where, warn);
  const parts = readContent(content, where, warn);
  if (role === 'tool' || role === 'function') {
    return [{ role: 'user', parts: [{ type: 'result', id: id ?? '', parts, isError: false }] }];
  }
  if (role !== 'assistant') return [{ role, parts, name: name ?? undefined }];
  /** @type {Part[]} */
  const thinking = Array.isArray(blocks)
    ? blocks.map(({ thinking: text = '', signature, data }) => ({ type: 'thinking', text, signature, redacted: data }))
    : typeof reasoning === 'string' && reasoning !== ''
      ? [{ type: 'thinking', text: reasoning }]
      : [];
  /** @type {Part[]} */
  const made = (calls ?? (oldCall ? [{ id: '', function: oldCall }] : [])).flatMap((/** @type {any} */ call) => readCall(call, where, warn));
  if (typeof refusal === 'string') parts.push({ type: 'refusal', text: refusal });
  return [{ role, parts: [...thinking, ...parts, ...made], name: name ?? undefined }];
}

/** @param {any} call @param {string} where @param {import('./hub').Warn} warn @returns {Part[]} */
function readCall(call, where, warn) {
  const called = call.function ?? call.custom;
  if (called === undefined) {
    warn(`${where}tool_calls: a call of type ${call.type} has no counterpart and is left out`);
    return [];
  }
  return [{ type: 'call', id: call.id ?? '', name: called.name, arguments: called.arguments ?? JSON.stringify({ input: called.input }) }];
}

/** @param {any} content @param {string} where @param {import('./hub').Warn} warn @returns {Part[]} */
function readContent(content, where, warn) {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.flatMap(/** @returns {Part[]} */ (part) => {
    switch (part?.type) {
      case 'text':
        return [{ type: 'text', text: part.text }];
      case 'refusal':
        return [{ type: 'refusal', text: part.refusal }];
      case 'image_url':
        return [{ type: 'image', ...fromUrl(part.image_url.url), detail: part.image_url.detail }];
      case 'file':
        if (typeof part.file?.file_data === 'string') return [{ type: 'file', ...fromUrl(part.file.file_data), name: part.file.filename }];
    }
    warn(`${where}content: a part of type ${part?.type} has no counterpart and is left out`);
    return [];
  });
}

/** @param {import('./hub').Request} request @param {import('./hub').Warn} warn */
function writeRequest(request, warn) {
  const ids = new Ids('call_', /^[^]{1,64}$/, warn);
  const { tools, toolChoice, format, thinkingBudget, effort, shared } = request;
  if (thinkingBudget !== undefined && effort === undefined) warn(`a thinking budget of ${thinkingBudget} tokens became reasoning_effort`);
  return present({
    model: request.model,
    messages: request.turns.flatMap((turn) => writeTurn(turn, ids, warn)),
    tools: tools?.map(({ name, description, schema, strict }) => ({
      type: 'function',
      function: present({ name, description, parameters: schema, strict }),
    })),
    tool_choice: typeof toolChoice === 'object' ? { type: 'function', function: toolChoice } : toolChoice,
    parallel_tool_calls: request.parallel,
    max_completion_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    stop: request.stop?.length === 1 ? request.stop[0] : request.stop,
    stream: request.stream,
    user: request.user,
    reasoning_effort: effort ?? (thinkingBudget === undefined ? undefined : effortOf(thinkingBudget)),
    response_format: format?.type === 'json_schema' ? { type: 'json_schema', json_schema: { ...format, type: undefined } } : format,
    ...shared,
  });
}

/** @param {number} budget */
function effortOf(budget) {
  if (budget < 4096) return 'low';
  return budget < 16_384 ? 'medium' : 'high';
}

/** @param {import('./hub').Turn} turn @param {IdMap} ids @param {import('./hub').Warn} warn */
function writeTurn({ role, parts, name }, ids, warn) {
  if (role === 'assistant') {
    const message = writeAssistant(parts, ids, warn);
    if (name !== undefined) message.name = name;
    return [message];
  }
  /** @type {any[]} */
  const messages = [];
  /** Images of tool results, which tool messages cannot have. @type {Part[]} */
  const moved = [];
  for (const part of parts) {
    if (part.type !== 'result') continue;
    const images = part.parts.filter(({ type }) => type === 'image' || type === 'file');
    if (images.length > 0) warn(`images in the result of tool call ${part.id} follow in a message of the user`);
    if (part.isError) warn(`the result of tool call ${part.id} is an error, which its text has to say`);
    moved.push(...images);
    const texts = part.parts.filter(({ type }) => type === 'text');
    messages.push({ role: 'tool', tool_call_id: ids.ofResult(part.id), content: texts.length > 1 ? texts : textOf(part.parts) });
  }
  const others = [...moved, ...parts.filter(({ type }) => type !== 'result')];
  if (others.length > 0 || messages.length === 0) messages.push(name === undefined ? { role, content: writeContent(others) } : { role, content: writeContent(others), name });
  return messages;
}

/** @param {Part[]} parts */
function writeContent(parts) {
  if (parts.every(({ type }) => type === 'text') && parts.length < 2) return textOf(parts);
  return parts.map((part) => {
    switch (part.type) {
      case 'image':
        return { type: 'image_url', image_url: present({ url: toUrl(part), detail: part.detail }) };
      case 'file':
        return { type: 'file', file: present({ filename: part.name ?? 'file', file_data: toUrl(part) }) };
      default:
        return part;
    }
  });
}

/** @param {Part[]} parts @param {IdMap} ids @param {import('./hub').Warn} warn */
function writeAssistant(parts, ids, warn) {
  const thinking = parts.filter((part) => part.type === 'thinking');
  const calls = parts.filter((part) => part.type === 'call');
  const refusal = parts.filter((part) => part.type === 'refusal');
  const texts = parts.filter((part) => part.type === 'text');
  for (const part of parts) if (part.type === 'image' || part.type === 'file') warn(`an assistant's ${part.type} has no counterpart and is left out`);
  const isWhole = thinking.some(({ signature, redacted }) => signature !== undefined || redacted !== undefined);
  return present({
    role: 'assistant',
    content: texts.length === 0 ? null : texts.length === 1 ? texts[0].text : texts,
    refusal: refusal.length > 0 ? textOf(refusal) : undefined,
    reasoning_content: thinking.length > 0 ? thinking.map(({ text }) => text).join('\n') : undefined,
    thinking_blocks: isWhole
      ? thinking.map(({ text, signature, redacted }) => (redacted === undefined ? { type: 'thinking', thinking: text, signature } : { type: 'redacted_thinking', data: redacted }))
      : undefined,
    tool_calls:
      calls.length > 0
        ? calls.map((call) => ({ id: ids.ofCall(call.id), type: 'function', function: { name: call.name, arguments: call.arguments } }))
        : undefined,
  });
}

const STOPS = /** @type {const} */ ({ stop: 'stop', length: 'length', tool_calls: 'calls', function_call: 'calls', content_filter: 'filter' });

/** @param {any} body @param {import('./hub').Warn} warn @returns {import('./hub').Response} */
function readResponse(body, warn) {
  const { id = '', object: _, created, model, choices = [], usage, ...rest } = body;
  nameRest(rest, '', warn);
  if (choices.length > 1) warn('choices after the first are left out');
  const { message = {}, finish_reason: finish, index: __, ...choice } = choices[0] ?? {};
  nameRest(choice, 'choices[0].', warn);
  const [turn] = readMessage({ ...message, role: 'assistant' }, 'choices[0].message.', warn);
  return { id, created, model, parts: turn.parts, stop: readStop(finish), usage: readUsage(usage) };
}

/** @param {any} finish @returns {import('./hub').StopReason | undefined} */
function readStop(finish) {
  return isNothing(finish) ? undefined : (/** @type {any} */ (STOPS)[finish] ?? 'stop');
}

/** @param {any} usage @returns {import('./hub').Usage | undefined} */
function readUsage(usage) {
  if (isNothing(usage)) return undefined;
  return {
    input: usage.prompt_tokens ?? 0,
    output: usage.completion_tokens ?? 0,
    cacheRead: usage.prompt_tokens_details?.cached_tokens,
    reasoning: usage.completion_tokens_details?.reasoning_tokens,
  };
}

const FINISHES = { stop: 'stop', length: 'length', calls: 'tool_calls', filter: 'content_filter', sequence: 'stop', pause: 'stop' };

/** @param {import('./hub').StopReason | undefined} stop @param {import('./hub').Warn} [warn] */
function writeStop(stop, warn) {
  if (stop === 'sequence' || stop === 'pause') warn?.(`the stop reason '${stop}' became 'stop'`);
  return stop === undefined ? null : FINISHES[stop];
}

/** @param {import('./hub').Usage | undefined} usage */
function writeUsage(usage) {
  if (usage === undefined) return undefined;
  const { input, output, cacheRead, reasoning } = usage;
  return present({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: cacheRead === undefined ? undefined : { cached_tokens: cacheRead },
    completion_tokens_details: reasoning === undefined ? undefined : { reasoning_tokens: reasoning },
  });
}

/** @param {import('./hub').Response} response @param {import('./hub').Warn} warn */
function writeResponse({ id, created, model, parts, stop, usage }, warn) {
  const message = writeAssistant(parts, new Ids('call_', /^[^]{1,64}$/, warn), warn);
  if (usage?.cacheWrite) warn('usage: tokens written to the cache are among the prompt tokens');
  return present({
    id: responseId(id, 'chatcmpl-'),
    object: 'chat.completion',
    created: created ?? Math.floor(Date.now() / 1000),
    model,
    choices: [{ index: 0, message, finish_reason: writeStop(stop, warn) }],
    usage: writeUsage(usage),
  });
}

module.exports = { readRequest, readResponse, readStop, readUsage, writeRequest, writeResponse, writeStop, writeUsage };
