'use strict';

const { testDocuments } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { runFileBench } = require('./harness');
const { atMost } = require('./harness/figures');

const OPTIONS = /** @type {const} */ ({ from: 'openai', to: 'anthropic' });

/** What a proxy's own conversion does at least. @param {any} body */
function toAnthropic({ model, stream, temperature, max_tokens, messages, tools }) {
  /** @type {string[]} */
  const system = [];
  /** @type {{ role: string, content: any[] }[]} */
  const turns = [];
  for (const message of messages) {
    if (message.role === 'system' && turns.length === 0) {
      system.push(message.content);
      continue;
    }
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...blocksOf(message));
    else turns.push({ role, content: blocksOf(message) });
  }
  return {
    model,
    max_tokens,
    system: system.length > 1 ? system.map((text) => ({ type: 'text', text })) : system[0],
    messages: turns.map(({ role, content }) => ({ role, content: content.length === 1 && content[0].type === 'text' ? content[0].text : resultsFirst(content) })),
    tools: tools?.map((/** @type {any} */ { function: { name, description, parameters } }) => ({ name, description, input_schema: parameters })),
    temperature,
    stream,
  };
}

/** @param {any} message */
function blocksOf({ role, content, tool_calls: calls, tool_call_id: id }) {
  if (role === 'tool') return [{ type: 'tool_result', tool_use_id: id, content }];
  const blocks = content ? [{ type: 'text', text: content }] : [];
  for (const { id: own, function: called } of calls ?? []) blocks.push({ type: 'tool_use', id: own, name: called.name, input: JSON.parse(called.arguments) });
  return blocks;
}

/** @param {any[]} content */
function resultsFirst(content) {
  return [...content.filter(({ type }) => type === 'tool_result'), ...content.filter(({ type }) => type !== 'tool_result')];
}

/** @param {any} body */
const isChat = (body) => Array.isArray(body.messages) && body.tools?.[0]?.type === 'function';

/**
 * Every candidate answers with the converted body's bytes, also the one that does not make them, so that each is compared with the others.
 * @param {Buffer} bytes
 */
function input(bytes) {
  const body = JSON.parse(bytes.toString());
  return { bytes, converted: Buffer.from(JSON.stringify(toAnthropic(body))) };
}

/** @param {readonly import('./harness/file-bench').FileRow[]} rows */
function figures(rows) {
  const ours = rows.find(({ file, candidate }) => file.endsWith('/chat-1m') && candidate === 'offloop-convert');
  if (ours === undefined) return [];
  return [{ figure: 'main-thread CPU of a Document ÷ JSON.parse + JSON.stringify, chat-1m', ...atMost(1 / ours.mainCpuRatio, 0.05) }];
}

runFileBench({
  name: 'convert',
  title: "A request in another provider's format",
  about:
    "OpenAI chat requests as Anthropic's messages: pool.convert() of Documents and of values against JSON.parse, a conversion written by hand, " +
    'and JSON.stringify.',
  method:
    'A Buffer in, a Buffer out, one body at a time, the awaits included; offloop-convert is document.convert() alone, from a Document to a ' +
    'Document; json is JSON.parse and JSON.stringify of the body with nothing in between. Medians of interleaved batches.',
  baseline: 'json',
  packages: [],
  pairs: [
    ['json', 'offloop-convert'],
    ['inline', 'offloop-document'],
    ['inline', 'offloop-value'],
  ],
  summaryMinBytes: 100_000,
  figures,
  documents: () => testDocuments().filter(({ read }) => isChat(JSON.parse(read().toString()))),
  input: (document) => input(document.read()),
  contenders: [
    {
      name: 'json',
      prepare: ({ bytes, converted }) => () => (Buffer.from(JSON.stringify(JSON.parse(bytes.toString()))).length > 0 ? converted : undefined),
    },
    { name: 'inline', prepare: ({ bytes }) => () => Buffer.from(JSON.stringify(toAnthropic(JSON.parse(bytes.toString())))) },
    {
      name: 'offloop-convert',
      open: () => openOffloop('convert'),
      prepare: ({ bytes, converted }) => {
        const loaded = offloopPool().load(bytes);
        return async () => {
          const document = await (await loaded).convert(OPTIONS);
          const { byteLength } = document;
          document.dispose();
          return byteLength === converted.length ? converted : byteLength;
        };
      },
      close: closeOffloop,
    },
    {
      name: 'offloop-document',
      open: () => openOffloop('convert'),
      prepare: ({ bytes }) => async () => {
        const document = await offloopPool().load(bytes);
        const converted = await document.convert(OPTIONS);
        const result = await converted.toBuffer();
        document.dispose();
        converted.dispose();
        return result;
      },
      close: closeOffloop,
    },
    {
      name: 'offloop-value',
      open: () => openOffloop('convert'),
      prepare: ({ bytes }) => async () => {
        const pool = offloopPool();
        return pool.stringify(await pool.convert(await pool.parse(bytes), OPTIONS), { as: 'buffer' });
      },
      close: closeOffloop,
    },
  ],
});
