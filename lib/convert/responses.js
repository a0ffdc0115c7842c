'use strict';

// OpenAI's Responses.

const { Ids, SHARED, fromUrl, isNothing, nameRest, present, responseId, textOf, toUrl } = require('./hub');

/** @typedef {import('./hub').Part} Part */
/** @typedef {InstanceType<typeof Ids>} IdMap */

/** @param {any} body @param {import('./hub').Warn} warn @returns {import('./hub').Request} */
function readRequest(body, warn) {
  const {
    model, input = [], instructions, tools, tool_choice: choice, parallel_tool_calls: parallel, max_output_tokens: maxTokens, temperature,
    top_p: topP, stream, stream_options: _, user, reasoning, text, ...rest
  } = body;
  const shared = present(Object.fromEntries(SHARED.map((key) => [key, rest[key]])));
  for (const key of SHARED) delete rest[key];
  nameRest(rest, '', warn);
  const { effort, ...thinking } = reasoning ?? {};
  nameRest(thinking, 'reasoning.', warn);
  const { format, ...output } = text ?? {};
  nameRest(output, 'text.', warn);
  /** @type {import('./hub').Turn[]} */
  const turns = isNothing(instructions) ? [] : [{ role: 'system', parts: [{ type: 'text', text: instructions }] }];
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  for (const turn of readItems(items, 'input', warn)) turns.push(turn);
  return {
    model, maxTokens: maxTokens ?? undefined, temperature, topP, stream, user, shared, turns, format,
    effort: effort ?? undefined,
    parallel: parallel ?? undefined,
    tools: tools?.flatMap((/** @type {any} */ tool, /** @type {number} */ index) => readTool(tool, index, warn)),
    toolChoice: readChoice(choice),
  };
}

/** @param {any} choice @returns {import('./hub').Request['toolChoice']} */
function readChoice(choice) {
  if (isNothing(choice)) return undefined;
  if (typeof choice === 'string') return /** @type {'auto'} */ (choice);
  return choice.name === undefined ? 'auto' : { name: choice.name };
}

/** @param {any} tool @param {number} index @param {import('./hub').Warn} warn @returns {import('./hub').Tool[]} */
function readTool(tool, index, warn) {
  if (tool?.type !== 'function') {
    warn(`tools[${index}] of type ${tool?.type} has no counterpart and is left out`);
    return [];
  }
  const { name, description, parameters, strict } = tool;
  return [{ name, description: description ?? undefined, schema: parameters, strict: strict ?? undefined }];
}

/**
 * Items as turns: what the assistant says, thinks and calls in a row is one.
 * @param {any[]} items
 * @param {string} where
 * @param {import('./hub').Warn} warn
 * @returns {import('./hub').Turn[]}
 */
function readItems(items, where, warn) {
  /** @type {import('./hub').Turn[]} */
  const turns = [];
  /** @param {import('./hub').Turn['role']} role @param {Part[]} parts */
  const add = (role, parts) => {
    const last = turns.at(-1);
    if (role === 'assistant' && last?.role === role) last.parts.push(...parts);
    else turns.push({ role, parts });
  };
  items.forEach((item, index) => {
    const at = `${where}[${index}]`;
    switch (item?.type ?? 'message') {
      case 'message':
        return add(item.role, readContent(item.content, `${at}.content`, warn));
      case 'function_call':
        return add('assistant', [{ type: 'call', id: item.call_id ?? '', name: item.name, arguments: item.arguments ?? '' }]);
      case 'custom_tool_call':
        return add('assistant', [{ type: 'call', id: item.call_id ?? '', name: item.name, arguments: JSON.stringify({ input: item.input }) }]);
      case 'function_call_output':
      case 'custom_tool_call_output':
        return add('user', [{ type: 'result', id: item.call_id ?? '', parts: readContent(item.output, `${at}.output`, warn), isError: false }]);
      case 'reasoning':
        if (!isNothing(item.encrypted_content)) warn(`${at}.encrypted_content has no counterpart and is left out`);
        return add('assistant', [{ type: 'thinking', text: [...(item.summary ?? []), ...(item.content ?? [])].map(({ text }) => text).join('\n') }]);
    }
    warn(`${at} of type ${item.type} has no counterpart and is left out`);
  });
  return turns;
}

/** @param {any} content @param {string} where @param {import('./hub').Warn} warn @returns {Part[]} */
function readContent(content, where, warn) {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.flatMap(/** @returns {Part[]} */ (part, index) => {
    switch (part?.type) {
      case 'input_text':
      case 'output_text':
      case 'text':
        if (part.annotations?.length > 0) warn(`${where}[${index}].annotations has no counterpart and is left out`);
        return [{ type: 'text', text: part.text }];
      case 'refusal':
        return [{ type: 'refusal', text: part.refusal }];
      case 'input_image':
        if (typeof part.image_url === 'string') return [{ type: 'image', ...fromUrl(part.image_url), detail: part.detail ?? undefined }];
        break;
      case 'input_file':
        if (typeof part.file_data === 'string') return [{ type: 'file', ...fromUrl(part.file_data), name: part.filename }];
        if (typeof part.file_url === 'string') return [{ type: 'file', url: part.file_url, name: part.filename }];
    }
    warn(`${where}[${index}] of type ${part?.type} has no counterpart and is left out`);
    return [];
  });
}

/** @param {import('./hub').Request} request @param {import('./hub').Warn} warn */
function writeRequest(request, warn) {
  const ids = new Ids('call_', /^[^]{1,64}$/, warn);
  const { tools, toolChoice, thinkingBudget, format } = request;
  let { turns, effort } = request;
  if (request.stop !== undefined) warn('stop has no counterpart and is left out');
  if (thinkingBudget !== undefined && effort === undefined) {
    effort = thinkingBudget < 4096 ? 'low' : thinkingBudget < 16_384 ? 'medium' : 'high';
    warn(`a thinking budget of ${thinkingBudget} tokens became the effort '${effort}'`);
  }
  const [first] = turns;
  const isPrompt = first?.role === 'system' && first.name === undefined && first.parts.every(({ type }) => type === 'text');
  if (isPrompt) turns = turns.slice(1);
  return present({
    model: request.model,
    instructions: isPrompt ? textOf(first.parts, '\n\n') : undefined,
    input: turns.flatMap((turn) => writeTurn(turn, ids, warn)),
    tools: tools?.map(({ name, description, schema, strict }) => present({ type: 'function', name, description, parameters: schema, strict: strict ?? false })),
    tool_choice: typeof toolChoice === 'object' ? { type: 'function', ...toolChoice } : toolChoice,
    parallel_tool_calls: request.parallel,
    max_output_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    stream: request.stream,
    user: request.user,
    reasoning: effort === undefined ? undefined : { effort },
    text: isNothing(format) ? undefined : { format },
    ...request.shared,
  });
}

/** @param {import('./hub').Turn} turn @param {IdMap} ids @param {import('./hub').Warn} warn */
function writeTurn({ role, parts, name }, ids, warn) {
  if (name !== undefined) warn(`the name '${name}' of a message has no counterpart and is left out`);
  /** @type {any[]} */
  const items = [];
  /** @type {any[]} */
  let content = [];
  const flush = () => {
    if (content.length > 0) items.push({ type: 'message', role, content });
    content = [];
  };
  for (const part of parts) {
    switch (part.type) {
      case 'call':
        flush();
        items.push({ type: 'function_call', call_id: ids.ofCall(part.id), name: part.name, arguments: part.arguments });
        break;
      case 'result': {
        flush();
        if (part.isError) warn(`the result of tool call ${part.id} is an error, which its text has to say`);
        const inner = part.parts.map((one) => writePart(one, 'user', warn)).filter((one) => one !== undefined);
        const isText = part.parts.every(({ type }) => type === 'text') && part.parts.length < 2;
        items.push({ type: 'function_call_output', call_id: ids.ofResult(part.id), output: isText ? textOf(part.parts) : inner });
        break;
      }
      case 'thinking':
        warn('thinking in a request has no counterpart and is left out');
        break;
      default: {
        const written = writePart(part, role, warn);
        if (written !== undefined) content.push(written);
      }
    }
  }
  flush();
  return items;
}

/** @param {Part} part @param {string} role @param {import('./hub').Warn} warn */
function writePart(part, role, warn) {
  switch (part.type) {
    case 'text':
      return { type: role === 'assistant' ? 'output_text' : 'input_text', text: part.text };
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    case 'image':
      return present({ type: 'input_image', image_url: toUrl(part), detail: part.detail ?? 'auto' });
    case 'file':
      return present(part.url === undefined ? { type: 'input_file', filename: part.name ?? 'file', file_data: toUrl(part) } : { type: 'input_file', file_url: part.url });
  }
  warn(`a part of type ${part.type} has no counterpart there and is left out`);
  return undefined;
}

/** @param {any} body @param {import('./hub').Warn} warn @returns {import('./hub').Response} */
function readResponse(body, warn) {
  const { id = '', created_at: created, model, output = [], status, incomplete_details: incomplete, usage } = body;
  if (!isNothing(body.error)) warn(`error: ${body.error.message ?? body.error.code} has no counterpart and is left out`);
  const turns = readItems(output, 'output', warn);
  const parts = turns.flatMap((turn) => turn.parts);
  return { id, created, model, parts, stop: readStop(status, incomplete, parts.some(({ type }) => type === 'call')), usage: readUsage(usage) };
}

/**
 * @param {any} status
 * @param {any} incomplete
 * @param {boolean} hasCalls
 * @returns {import('./hub').StopReason | undefined}
 */
function readStop(status, incomplete, hasCalls) {
  if (status === 'incomplete') return incomplete?.reason === 'content_filter' ? 'filter' : 'length';
  if (status !== undefined && status !== 'completed') return undefined;
  return hasCalls ? 'calls' : 'stop';
}

/** @param {any} usage @returns {import('./hub').Usage | undefined} */
function readUsage(usage) {
  if (isNothing(usage)) return undefined;
  return {
    input: usage.input_tokens ?? 0,
    output: usage.output_tokens ?? 0,
    cacheRead: usage.input_tokens_details?.cached_tokens,
    reasoning: usage.output_tokens_details?.reasoning_tokens,
  };
}

/** @param {import('./hub').Usage | undefined} usage */
function writeUsage(usage) {
  if (usage === undefined) return undefined;
  const { input, output, cacheRead, reasoning } = usage;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cacheRead ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning ?? 0 },
    total_tokens: input + output,
  };
}

/** @param {import('./hub').StopReason | undefined} stop */
function statusOf(stop) {
  if (stop === undefined) return { status: 'in_progress', incomplete_details: null };
  if (stop === 'length') return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
  if (stop === 'filter') return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
  return { status: 'completed', incomplete_details: null };
}

/** @param {import('./hub').Response} response @param {import('./hub').Warn} warn */
function writeResponse({ id, created, model, parts, stop, usage }, warn) {
  const ids = new Ids('call_', /^[^]{1,64}$/, warn);
  if (stop === 'sequence' || stop === 'pause') warn(`the stop reason '${stop}' became the status 'completed'`);
  if (usage?.cacheWrite) warn('usage: tokens written to the cache are among the input tokens');
  const own = responseId(id, 'resp_');
  /** @type {any[]} */
  const output = [];
  for (const part of parts) {
    const { length } = output;
    if (part.type === 'call') {
      output.push({ type: 'function_call', id: `fc_${own}_${length}`, call_id: ids.ofCall(part.id), name: part.name, arguments: part.arguments, status: 'completed' });
    } else if (part.type === 'thinking') {
      if (part.redacted !== undefined) warn('redacted thinking has no counterpart and is left out');
      else output.push({ type: 'reasoning', id: `rs_${own}_${length}`, summary: part.text === '' ? [] : [{ type: 'summary_text', text: part.text }] });
    } else {
      const written = writePart(part, 'assistant', warn);
      if (written === undefined) continue;
      const block = written.type === 'output_text' ? { ...written, annotations: [] } : written;
      const last = output.at(-1);
      if (last?.type === 'message') last.content.push(block);
      else output.push({ type: 'message', id: `msg_${own}_${length}`, role: 'assistant', status: 'completed', content: [block] });
    }
  }
  const { status, incomplete_details: incomplete } = statusOf(stop);
  return present({
    id: own,
    object: 'response',
    created_at: created ?? Math.floor(Date.now() / 1000),
    status,
    error: null,
    incomplete_details: incomplete,
    model,
    output,
    usage: writeUsage(usage),
  });
}

module.exports = { readRequest, readResponse, readStop, readUsage, statusOf, writeRequest, writeResponse, writeUsage };
