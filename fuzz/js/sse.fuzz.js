'use strict';

// Streams of server-sent events from one provider's form to another's: random replies, cut anywhere, damaged. A reply that is whole must
// come to what `convert` makes of the whole reply; a damaged one must come to the same wherever it is cut, or fail with a code.

const assert = require('node:assert');

const { WorkerPool, convertStream } = require('../..');
const { drive } = require('./random');

/** @typedef {'openai' | 'anthropic' | 'responses'} Format */

const FORMATS = /** @type {Format[]} */ (['openai', 'anthropic', 'responses']);
const PIECES = ['a', 'sée ', '你好', '😀', '\n', '\r\n\r\n', 'data: x\n\n', '"', '\\', '\u2028', '{"a":1}', ' '];
const CODES = new Set(['ERR_JSON_SYNTAX', 'ERR_TOO_LARGE', 'ERR_INVALID_ARG']);

const pool = new WorkerPool({ size: 1 });

/** @param {import('./random').Random} random */
const text = (random) => Array.from({ length: 1 + random.below(6) }, () => random.pick(PIECES)).join('');

/** @param {object} data @param {string} end */
const event = (data, end) => `data: ${JSON.stringify(data)}${end}${end}`;

/**
 * A reply as OpenAI has it, whole and as a stream.
 * @param {import('./random').Random} random
 */
function reply(random) {
  const content = random.once(4) ? null : text(random);
  const calls = Array.from({ length: random.below(3) }, (_, index) => ({ id: `call_${index}`, type: 'function', function: { name: 'f', arguments: JSON.stringify({ text: text(random) }) } }));
  const finish = calls.length > 0 ? 'tool_calls' : random.pick(['stop', 'length']);
  const head = { id: 'chatcmpl-1', created: 7, model: 'm' };
  const usage = { prompt_tokens: random.below(1000), completion_tokens: random.below(100), total_tokens: 0 };
  usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
  const message = { role: 'assistant', content, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
  const whole = { ...head, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: finish }], usage };
  const end = random.pick(['\n', '\r\n']);
  const chunk = (/** @type {object} */ delta, /** @type {string | null} */ why = null) => event({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: why }] }, end);
  let stream = chunk({ role: 'assistant', content: '' });
  for (const piece of split(random, content ?? '')) stream += chunk({ content: piece });
  calls.forEach(({ function: { name, arguments: json }, ...call }, index) => {
    stream += chunk({ tool_calls: [{ index, ...call, function: { name, arguments: '' } }] });
    for (const piece of split(random, json)) stream += chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
  });
  stream += chunk({}, finish) + event({ ...head, object: 'chat.completion.chunk', choices: [], usage }, end);
  if (!random.once(4)) stream += `data: [DONE]${end}${end}`;
  return { whole, stream };
}

/** A text in pieces, between characters. @param {import('./random').Random} random @param {string} whole */
function split(random, whole) {
  const pieces = [];
  let rest = [...whole];
  while (rest.length > 0) {
    const length = 1 + random.below(8);
    pieces.push(rest.slice(0, length).join(''));
    rest = rest.slice(length);
  }
  return pieces;
}

/** @param {import('./random').Random} random @param {Buffer} bytes */
function cut(random, bytes) {
  const chunks = [];
  for (let at = 0; at < bytes.length; ) {
    const length = random.once(3) ? 1 : 1 + random.below(200);
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

/** @param {import('./random').Random} random @param {Buffer} bytes */
function damage(random, bytes) {
  const damaged = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(damaged.length);
    if (random.once(2)) damaged[at] = random.below(256);
    else damaged.copyWithin(at, random.below(damaged.length), damaged.length);
  }
  return damaged.subarray(0, 1 + random.below(damaged.length));
}

/** What comes out, or the code of the error. Times and made-up ids are left out. @param {Format} from @param {Format} to @param {Buffer[]} chunks */
async function run(from, to, chunks) {
  const stream = convertStream({ from, to });
  const out = [];
  try {
    const written = (async () => {
      for (const chunk of chunks) stream.write(chunk);
      stream.end();
    })();
    for await (const chunk of stream) out.push(chunk);
    await written;
  } catch (error) {
    assert.ok(CODES.has(/** @type {any} */ (error).code), `an error without a code: ${/** @type {any} */ (error).stack}`);
    return `failed: ${/** @type {any} */ (error).code}`;
  }
  return Buffer.concat(out).toString().replace(/"(created|created_at)":\d+/g, '"$1":0');
}

/** The text, calls and end of an OpenAI stream, as a client puts them together. @param {string} stream */
function collect(stream) {
  const found = { content: '', calls: /** @type {any[]} */ ([]), finish: '' };
  for (const line of stream.split('\n').filter((one) => one.startsWith('data: ') && one !== 'data: [DONE]')) {
    for (const { delta, finish_reason: finish } of JSON.parse(line.slice(6)).choices) {
      found.content += delta.content ?? '';
      for (const { index, id, function: { name, arguments: json } } of delta.tool_calls ?? []) {
        found.calls[index] ??= { id, name, json: '' };
        found.calls[index].json += json;
      }
      found.finish = finish ?? found.finish;
    }
  }
  return found;
}

/** @param {any} body of an OpenAI reply */
function expected(body) {
  const [{ message, finish_reason: finish }] = body.choices;
  const calls = (message.tool_calls ?? []).map((/** @type {any} */ call) => ({ id: call.id, name: call.function.name, json: call.function.arguments }));
  return { content: message.content ?? '', calls, finish };
}

/** @param {import('./random').Random} random */
async function round(random) {
  const { whole, stream } = reply(random);
  const middle = random.pick(FORMATS);
  const bytes = Buffer.from(stream);
  const there = await run('openai', middle, cut(random, bytes));
  const back = await run(middle, 'openai', cut(random, Buffer.from(there)));
  const body = await pool.convert(await pool.convert(whole, { from: 'openai', to: middle, kind: 'response' }), { from: middle, to: 'openai', kind: 'response' });
  assert.deepStrictEqual(collect(back), expected(body), `through ${middle}: ${stream}`);

  const from = random.pick(FORMATS);
  const to = random.pick(FORMATS);
  const source = from === 'openai' ? bytes : Buffer.from(await run('openai', from, [bytes]));
  const broken = damage(random, source);
  assert.strictEqual(await run(from, to, cut(random, broken)), await run(from, to, [broken]), `${from} to ${to}: ${broken}`);
}

drive(round).finally(() => pool.shutdown());
