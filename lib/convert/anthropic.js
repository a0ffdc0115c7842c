'use strict';

// Anthropic's messages.

const { Ids, isNothing, nameRest, nameUnknown, present, responseId } = require('./hub');

/** @typedef {import('./hub').Part} Part */
/** @typedef {InstanceType<typeof Ids>} IdMap */

const MESSAGE = new Set(['role', 'content']);

/** What a request must have, where the other side leaves it open. */
const MAX_TOKENS = 4096;

/** Tokens for thinking, by how much effort is asked for. */
const BUDGETS = /** @type {Record<string, number>} */ ({ minimal: 1024, low: 1024, medium: 8192, high: 16_384, xhigh: 32_768 });

/** @param {any} body @param {import('./hub').Warn} warn @returns {import('./hub').Request} */
function readRequest(body, warn) {
  const {
    model, messages = [], system, tools, tool_choice: choice, max_tokens: maxTokens, temperature, top_p: topP, stop_sequences: stop, stream,
    metadata, thinking, ...rest
  } = body;
  nameRest(rest, '', warn);
  const { user_id: user, ...meta } = metadata ?? {};
  nameRest(meta, 'metadata.', warn);
  const prompt = readContent(system, 'system', warn);
  /** @type {import('./hub').Turn[]} */
  const turns = prompt.length > 0 ? [{ role: 'system', parts: prompt }] : [];
  messages.forEach((/** @type {any} */ message, /** @type {number} */ index) => {
    nameUnknown(message, MESSAGE, `messages[${index}].`, warn);
    turns.push({ role: message.role, parts: readContent(message.content, `messages[${index}].content`, warn) });
  });
  return {
    model, maxTokens, temperature, topP, stream, turns,
    stop: stop ?? undefined,
    user: user ?? undefined,
    tools: tools?.flatMap((/** @type {any} */ tool, /** @type {number} */ index) => readTool(tool, index, warn)),
    toolChoice: readChoice(choice),
    parallel: choice?.disable_parallel_tool_use === true ? false : undefined,
    thinkingBudget: thinking?.type === 'enabled' ? thinking.budget_tokens : undefined,
  };
}

/** @param {any} choice @returns {import('./hub').Request['toolChoice']} */
function readChoice(choice) {
  switch (choice?.type) {
    case 'any':
      return 'required';
    case 'tool':
      return { name: choice.name };
    case 'auto':
    case 'none':
      return choice.type;
    default:
      return undefined;
  }
}

/** @param {any} tool @param {number} index @param {import('./hub').Warn} warn @returns {import('./hub').Tool[]} */
function readTool({ type, name, description, input_schema: schema, cache_control: cache, ...rest }, index, warn) {
  if (!isNothing(type) && type !== 'custom') {
    warn(`tools[${index}] of type ${type} has no counterpart and is left out`);
    return [];
  }
  nameRest({ ...rest, cache_control: cache }, `tools[${index}].`, warn);
  return [{ name, description, schema }];
}

/** @param {any} content @param {string} where @param {import('./hub').Warn} warn @returns {Part[]} */
function readContent(content, where, warn) {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.flatMap((block, index) => readBlock(block, `${where}[${index}]`, warn));
}

/** @param {any} block @param {string} where @param {import('./hub').Warn} warn @returns {Part[]} */
function readBlock(block, where, warn) {
  if (!isNothing(block?.cache_control)) warn(`${where}.cache_control has no counterpart and is left out`);
  if (Array.isArray(block?.citations) && block.citations.length > 0) warn(`${where}.citations has no counterpart and is left out`);
  switch (block?.type) {
    case 'text':
      return [{ type: 'text', text: block.text }];
    case 'thinking':
      return [{ type: 'thinking', text: block.thinking, signature: block.signature }];
    case 'redacted_thinking':
      return [{ type: 'thinking', text: '', redacted: block.data }];
    case 'tool_use':
      return [{ type: 'call', id: block.id ?? '', name: block.name, arguments: JSON.stringify(block.input ?? {}) }];
    case 'tool_result':
      return [
        { type: 'result', id: block.tool_use_id ?? '', parts: readContent(block.content, `${where}.content`, warn), isError: block.is_error === true },
      ];
    case 'image':
    case 'document':
      return readSource(block, where, warn);
  }
  warn(`${where} of type ${block?.type} has no counterpart and is left out`);
  return [];
}

/** @param {any} block @param {string} where @param {import('./hub').Warn} warn @returns {Part[]} */
function readSource({ type, source, title }, where, warn) {
  const kind = type === 'image' ? 'image' : 'file';
  const name = kind === 'file' ? { name: title ?? undefined } : {};
  if (source?.type === 'base64') return [{ type: kind, mediaType: source.media_type, data: source.data, ...name }];
  if (source?.type === 'url') return [{ type: kind, url: source.url, ...name }];
  if (source?.type === 'text') return [{ type: 'text', text: source.data }];
  warn(`${where} has a source of type ${source?.type}, which has no counterpart, and is left out`);
  return [];
}

/** @param {import('./hub').Request} request @param {import('./hub').Warn} warn */
function writeRequest(request, warn) {
  const ids = new Ids('toolu_', /^[A-Za-z0-9_-]+$/, warn);
  const { tools, toolChoice, parallel, format, shared, effort } = request;
  if (!isNothing(format) && format.type !== 'text') warn(`a response format of type ${format.type} has no counterpart and is left out`);
  nameRest(shared ?? {}, '', warn);
  const [system, messages] = writeTurns(request.turns, ids, warn);
  const thinkingBudget = request.thinkingBudget ?? (effort === undefined ? undefined : BUDGETS[effort]);
  if (request.thinkingBudget === undefined && thinkingBudget !== undefined) warn(`the effort '${effort}' became a thinking budget of ${thinkingBudget} tokens`);
  let { maxTokens, temperature } = request;
  if (isNothing(maxTokens)) {
    maxTokens = MAX_TOKENS + (thinkingBudget ?? 0);
    warn(`max_tokens must be there, and is ${maxTokens}`);
  } else if (thinkingBudget !== undefined && thinkingBudget >= /** @type {number} */ (maxTokens)) {
    maxTokens = thinkingBudget + /** @type {number} */ (maxTokens);
    warn(`max_tokens must be more than the thinking budget, and is ${maxTokens}`);
  }
  if (typeof temperature === 'number' && temperature > 1) {
    warn(`a temperature of ${temperature} became 1`);
    temperature = 1;
  }
  return present({
    model: request.model,
    max_tokens: maxTokens,
    system: system.length === 0 ? undefined : system.length === 1 ? system[0].text : system,
    messages,
    tools: tools?.map((tool) => writeTool(tool, warn)),
    tool_choice: writeChoice(toolChoice, parallel),
    temperature,
    top_p: request.topP,
    stop_sequences: request.stop,
    stream: request.stream,
    metadata: request.user === undefined ? undefined : { user_id: request.user },
    thinking: thinkingBudget === undefined ? undefined : { type: 'enabled', budget_tokens: thinkingBudget },
  });
}

/** @param {import('./hub').Tool} tool @param {import('./hub').Warn} warn */
function writeTool({ name, description, schema, strict }, warn) {
  if (strict) warn(`strict of tool ${name} has no counterpart and is left out`);
  return present({ name, description, input_schema: schema ?? { type: 'object', properties: {} } });
}

/** @param {import('./hub').Request['toolChoice']} choice @param {boolean | undefined} parallel */
function writeChoice(choice, parallel) {
  const disable = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined) return parallel === false ? { type: 'auto', ...disable } : undefined;
  if (typeof choice === 'object') return { type: 'tool', name: choice.name, ...disable };
  if (choice === 'none') return { type: 'none' };
  return { type: choice === 'required' ? 'any' : 'auto', ...disable };
}

/**
 * The system prompt, which is what stands before all else, and the messages: neighbours of one role are one.
 * @param {import('./hub').Turn[]} turns
 * @param {IdMap} ids
 * @param {import('./hub').Warn} warn
 * @returns {[{ type: 'text', text: string }[], any[]]}
 */
function writeTurns(turns, ids, warn) {
  /** @type {{ type: 'text', text: string }[]} */
  const system = [];
  /** @type {{ role: string, content: any[] }[]} */
  const messages = [];
  for (const { role, parts, name } of turns) {
    if (name !== undefined) warn(`the name '${name}' of a message has no counterpart and is left out`);
    const isPrompt = role === 'system' || role === 'developer';
    if (isPrompt && messages.length === 0) {
      for (const part of parts) if (part.type === 'text') system.push({ type: 'text', text: part.text });
      continue;
    }
    if (isPrompt) warn(`a ${role} message in the midst of the conversation became the user's`);
    const own = role === 'assistant' ? 'assistant' : 'user';
    const blocks = parts.flatMap((part) => writeBlock(part, ids, warn));
    const last = messages.at(-1);
    if (last?.role === own) last.content.push(...blocks);
    else messages.push({ role: own, content: blocks });
  }
  const written = messages.map(({ role, content }) => {
    // Results come before all else in their message.
    const results = content.filter(({ type }) => type === 'tool_result');
    const ordered = results.length === 0 ? content : [...results, ...content.filter(({ type }) => type !== 'tool_result')];
    return { role, content: ordered.length === 1 && ordered[0].type === 'text' ? ordered[0].text : ordered };
  });
  return [system, written];
}

/** @param {Part} part @param {IdMap} ids @param {import('./hub').Warn} warn @returns {any[]} */
function writeBlock(part, ids, warn) {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'image':
    case 'file': {
      const { url, mediaType, data } = part;
      const source = url === undefined ? { type: 'base64', media_type: mediaType, data } : { type: 'url', url };
      return [part.type === 'image' ? { type: 'image', source } : present({ type: 'document', source, title: part.name })];
    }
    case 'call':
      return [{ type: 'tool_use', id: ids.ofCall(part.id), name: part.name, input: inputOf(part, warn) }];
    case 'result': {
      const content = part.parts.flatMap((inner) => writeBlock(inner, ids, warn));
      const isText = content.length === 1 && content[0].type === 'text';
      const result = {
        type: 'tool_result',
        tool_use_id: ids.ofResult(part.id),
        content: isText ? content[0].text : content.length === 0 ? '' : content,
      };
      return [part.isError ? { ...result, is_error: true } : result];
    }
    case 'thinking':
      if (part.redacted !== undefined) return [{ type: 'redacted_thinking', data: part.redacted }];
      if (part.signature !== undefined) return [{ type: 'thinking', thinking: part.text, signature: part.signature }];
      warn('thinking without a signature would be refused and is left out');
      return [];
  }
}

/** @param {import('./hub').CallPart} call @param {import('./hub').Warn} warn */
function inputOf({ name, arguments: text }, warn) {
  if (text.trim() === '') return {};
  try {
    const input = JSON.parse(text);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Named below.
  }
  warn(`the arguments of a call of ${name} are no JSON object, and stand as text under 'arguments'`);
  return { arguments: text };
}

const STOPS = /** @type {const} */ ({
  end_turn: 'stop', max_tokens: 'length', tool_use: 'calls', refusal: 'filter', stop_sequence: 'sequence', pause_turn: 'pause', model_context_window_exceeded: 'length',
});

/** @param {any} body @param {import('./hub').Warn} warn @returns {import('./hub').Response} */
function readResponse(body, warn) {
  const { id = '', type: _, role: __, model, content, stop_reason: stop, stop_sequence: sequence, usage, ...rest } = body;
  nameRest(rest, '', warn);
  return { id, model, parts: readContent(content, 'content', warn), stop: readStop(stop), stopSequence: sequence ?? undefined, usage: readUsage(usage) };
}

/** @param {any} stop @returns {import('./hub').StopReason | undefined} */
function readStop(stop) {
  return isNothing(stop) ? undefined : (/** @type {any} */ (STOPS)[stop] ?? 'stop');
}

/** Here the tokens of the cache are not among those of the input. @param {any} usage @returns {import('./hub').Usage | undefined} */
function readUsage(usage) {
  if (isNothing(usage)) return undefined;
  const { input_tokens: input = 0, output_tokens: output = 0, cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage;
  return { input: input + (read ?? 0) + (written ?? 0), output, cacheRead: read ?? undefined, cacheWrite: written ?? undefined };
}

const REASONS = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', filter: 'refusal', sequence: 'stop_sequence', pause: 'pause_turn' };

/** @param {import('./hub').StopReason | undefined} stop */
function writeStop(stop) {
  return stop === undefined ? null : REASONS[stop];
}

/** @param {import('./hub').Usage | undefined} usage */
function writeUsage(usage) {
  const { input = 0, output = 0, cacheRead, cacheWrite } = usage ?? {};
  return present({
    input_tokens: input - (cacheRead ?? 0) - (cacheWrite ?? 0),
    output_tokens: output,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: cacheWrite,
  });
}

/** @param {import('./hub').Response} response @param {import('./hub').Warn} warn */
function writeResponse({ id, model, parts, stop, stopSequence, usage }, warn) {
  const ids = new Ids('toolu_', /^[A-Za-z0-9_-]+$/, warn);
  // Of a reply, unlike of a request, nobody checks the signature.
  const whole = parts.map((part) => (part.type === 'thinking' && part.redacted === undefined ? { ...part, signature: part.signature ?? '' } : part));
  if (usage?.reasoning) warn('usage: reasoning tokens are among the output tokens');
  return {
    id: responseId(id, 'msg_'),
    type: 'message',
    role: 'assistant',
    model,
    content: whole.flatMap((part) => writeBlock(part, ids, warn)),
    stop_reason: writeStop(stop),
    stop_sequence: stopSequence ?? null,
    usage: writeUsage(usage),
  };
}

module.exports = { readRequest, readResponse, readStop, readUsage, writeRequest, writeResponse, writeStop, writeUsage };
