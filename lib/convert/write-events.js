'use strict';

// The steps of a reply, written as the events of each format.

const { anthropic, openai, responseId, responses } = require('./figures');
const { eventOf } = require('./sse');

/** @typedef {import('./read-events').Step} Step */

/** What is the same for all: what is known of the reply so far. */
class Writer {
  id = '';
  /** @type {string | undefined} */
  model = undefined;
  created = 0;
  /** @type {import('./figures').Usage | undefined} */
  usage = undefined;
  /** @type {import('./figures').StopReason | undefined} */
  stop = undefined;
  /** @type {string | undefined} */
  sequence = undefined;
  ended = false;

  /** @param {Step} step @returns {string} */
  write(step) {
    switch (step.type) {
      case 'start':
        this.id = step.id;
        this.model = step.model;
        this.created = step.created ?? Math.floor(Date.now() / 1000);
        return this.start();
      case 'usage':
        this.usage = step.usage;
        return '';
      case 'stop':
        this.stop = step.stop;
        this.sequence = step.sequence;
        return '';
      case 'end':
        return this.finish();
      case 'error':
        this.ended = true;
        return this.error(step.message);
      default:
        return this.delta(step);
    }
  }

  /** The end, once. */
  finish() {
    if (this.ended) return '';
    this.ended = true;
    return this.end();
  }

  /** @returns {string} */
  start() {
    return '';
  }

  /** @param {any} _step @returns {string} */
  delta(_step) {
    return '';
  }

  /** @returns {string} */
  end() {
    return '';
  }

  /** @param {string} _message @returns {string} */
  error(_message) {
    return '';
  }
}

class OpenaiWriter extends Writer {
  /** @param {any[]} choices @param {object} [more] */
  chunk(choices, more) {
    const { created, model } = this;
    return eventOf({ id: responseId(this.id, 'chatcmpl-'), object: 'chat.completion.chunk', created, model, choices, ...more });
  }

  /** @param {object} delta @param {string | null} [finish] */
  choice(delta, finish = null) {
    return this.chunk([{ index: 0, delta, finish_reason: finish }]);
  }

  /** @override */
  start() {
    return this.choice({ role: 'assistant', content: '' });
  }

  /** @override @param {any} step */
  delta(step) {
    switch (step.type) {
      case 'text':
        return this.choice({ content: step.text });
      case 'refusal':
        return this.choice({ refusal: step.text });
      case 'thinking':
        return this.choice({ reasoning_content: step.text });
      case 'call':
        return this.choice({ tool_calls: [{ index: step.index, id: step.id || `call_${step.index}`, type: 'function', function: { name: step.name, arguments: '' } }] });
      case 'arguments':
        return this.choice({ tool_calls: [{ index: step.index, function: { arguments: step.text } }] });
      default:
        return '';
    }
  }

  /** @override */
  end() {
    const usage = this.usage === undefined ? '' : this.chunk([], { usage: openai.writeUsage(this.usage) });
    return `${this.choice({}, openai.reasons[this.stop ?? 'stop'])}${usage}data: [DONE]\n\n`;
  }

  /** @override @param {string} message */
  error(message) {
    return eventOf({ error: { message, type: 'server_error' } });
  }
}

class AnthropicWriter extends Writer {
  /** Blocks begun. */
  blocks = 0;
  /** The kind of the one that is open. */
  open = '';
  /** Blocks of calls. @type {Map<number, number>} */
  calls = new Map();

  /** @param {any} data */
  event(data) {
    return eventOf(data, data.type);
  }

  /** @override */
  start() {
    const usage = { ...anthropic.writeUsage(this.usage), output_tokens: 0 };
    const message = { id: responseId(this.id, 'msg_'), type: 'message', role: 'assistant', model: this.model, content: [], stop_reason: null, stop_sequence: null, usage };
    return this.event({ type: 'message_start', message });
  }

  close() {
    if (this.open === '') return '';
    this.open = '';
    return this.event({ type: 'content_block_stop', index: this.blocks - 1 });
  }

  /** @param {string} kind @param {object} block */
  begin(kind, block) {
    const before = this.close();
    this.open = kind;
    return before + this.event({ type: 'content_block_start', index: this.blocks++, content_block: block });
  }

  /** @param {string} kind @param {object} block @param {object} delta */
  into(kind, block, delta) {
    const before = this.open === kind ? '' : this.begin(kind, block);
    return before + this.event({ type: 'content_block_delta', index: this.blocks - 1, delta });
  }

  /** @override @param {any} step */
  delta(step) {
    const { text } = step;
    switch (step.type) {
      case 'text':
      case 'refusal':
        return this.into('text', { type: 'text', text: '' }, { type: 'text_delta', text });
      case 'thinking':
        return this.into('thinking', { type: 'thinking', thinking: '', signature: '' }, { type: 'thinking_delta', thinking: text });
      case 'signature':
        return this.into('thinking', { type: 'thinking', thinking: '', signature: '' }, { type: 'signature_delta', signature: text });
      case 'call': {
        this.calls.set(step.index, this.blocks);
        const id = (step.id || `toolu_${step.index}`).replace(/[^A-Za-z0-9_-]/g, '_');
        return this.begin('call', { type: 'tool_use', id, name: step.name, input: {} });
      }
      case 'arguments':
        return this.event({ type: 'content_block_delta', index: this.calls.get(step.index), delta: { type: 'input_json_delta', partial_json: text } });
      default:
        return '';
    }
  }

  /** @override */
  end() {
    const delta = { stop_reason: anthropic.reasons[this.stop ?? 'stop'], stop_sequence: this.sequence ?? null };
    return this.close() + this.event({ type: 'message_delta', delta, usage: anthropic.writeUsage(this.usage) }) + this.event({ type: 'message_stop' });
  }

  /** @override @param {string} message */
  error(message) {
    return this.event({ type: 'error', error: { type: 'api_error', message } });
  }
}

class ResponsesWriter extends Writer {
  number = 0;
  /** @type {any[]} */
  output = [];
  /** The item that is open. @type {any} */
  open = undefined;
  /** Items of calls. @type {Map<number, number>} */
  calls = new Map();

  /** @param {string} type @param {object} data */
  event(type, data) {
    return eventOf({ type, sequence_number: this.number++, ...data }, type);
  }

  /** @param {string} status @param {any} [incomplete] */
  response(status, incomplete = null) {
    const { created, model, output } = this;
    const usage = this.usage === undefined ? null : responses.writeUsage(this.usage);
    return { id: responseId(this.id, 'resp_'), object: 'response', created_at: created, status, error: null, incomplete_details: incomplete, model, output: output.slice(), usage };
  }

  /** @override */
  start() {
    const response = this.response('in_progress');
    return this.event('response.created', { response }) + this.event('response.in_progress', { response });
  }

  /** @param {any} item @returns {string} */
  begin(item) {
    const before = this.close();
    this.open = item;
    const index = this.output.push(item) - 1;
    let events = before + this.event('response.output_item.added', { output_index: index, item: { ...item, content: item.content && [], summary: item.summary && [] } });
    if (item.type === 'message') events += this.event('response.content_part.added', { item_id: item.id, output_index: index, content_index: 0, part: { ...item.content[0] } });
    if (item.type === 'reasoning') events += this.event('response.reasoning_summary_part.added', { item_id: item.id, output_index: index, summary_index: 0, part: { ...item.summary[0] } });
    return events;
  }

  close() {
    const item = this.open;
    if (item === undefined) return '';
    this.open = undefined;
    const at = { item_id: item.id, output_index: this.output.indexOf(item) };
    let events = '';
    if (item.type === 'message') {
      const [part] = item.content;
      item.status = 'completed';
      events += part.type === 'output_text'
        ? this.event('response.output_text.done', { ...at, content_index: 0, text: part.text })
        : this.event('response.refusal.done', { ...at, content_index: 0, refusal: part.refusal });
      events += this.event('response.content_part.done', { ...at, content_index: 0, part });
    } else if (item.type === 'reasoning') {
      const [part] = item.summary;
      events += this.event('response.reasoning_summary_text.done', { ...at, summary_index: 0, text: part.text });
      events += this.event('response.reasoning_summary_part.done', { ...at, summary_index: 0, part });
    } else {
      item.status = 'completed';
      events += this.event('response.function_call_arguments.done', { ...at, arguments: item.arguments });
    }
    return events + this.event('response.output_item.done', { output_index: at.output_index, item });
  }

  /** @param {string} kind @param {() => any} make */
  ensure(kind, make) {
    const { open } = this;
    const is = open?.type === 'message' ? open.content[0].type : open?.type;
    return is === kind ? '' : this.begin(make());
  }

  /** @param {string} prefix */
  name(prefix) {
    return `${prefix}_${responseId(this.id, 'resp_')}_${this.output.length}`;
  }

  /** @override @param {any} step */
  delta(step) {
    const { text } = step;
    switch (step.type) {
      case 'text':
      case 'refusal': {
        const part = step.type === 'text' ? { type: 'output_text', text: '', annotations: [] } : { type: 'refusal', refusal: '' };
        const before = this.ensure(part.type, () => ({ type: 'message', id: this.name('msg'), role: 'assistant', status: 'in_progress', content: [part] }));
        const [own] = this.open.content;
        own[step.type] += text;
        const type = step.type === 'text' ? 'response.output_text.delta' : 'response.refusal.delta';
        return before + this.event(type, { item_id: this.open.id, output_index: this.output.length - 1, content_index: 0, delta: text });
      }
      case 'thinking': {
        const before = this.ensure('reasoning', () => ({ type: 'reasoning', id: this.name('rs'), summary: [{ type: 'summary_text', text: '' }] }));
        this.open.summary[0].text += text;
        return before + this.event('response.reasoning_summary_text.delta', { item_id: this.open.id, output_index: this.output.length - 1, summary_index: 0, delta: text });
      }
      case 'call':
        this.calls.set(step.index, this.output.length);
        return this.begin({ type: 'function_call', id: this.name('fc'), call_id: step.id || `call_${step.index}`, name: step.name, arguments: '', status: 'in_progress' });
      case 'arguments': {
        const index = this.calls.get(step.index) ?? this.output.length - 1;
        const item = this.output[index];
        item.arguments += text;
        return this.event('response.function_call_arguments.delta', { item_id: item.id, output_index: index, delta: text });
      }
      default:
        return '';
    }
  }

  /** @override */
  end() {
    const before = this.close();
    const { status, incomplete_details: incomplete } = responses.statusOf(this.stop ?? 'stop');
    return before + this.event(`response.${status}`, { response: this.response(status, incomplete) });
  }

  /** @override @param {string} message */
  error(message) {
    return this.event('error', { code: 'server_error', message, param: null });
  }
}

module.exports = { anthropic: AnthropicWriter, openai: OpenaiWriter, responses: ResponsesWriter };
