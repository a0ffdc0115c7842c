'use strict';

/**
 * The events of the three formats, read as steps that all of them have.
 *
 * @typedef {{ type: 'start', id: string, model?: string, created?: number }
 *   | { type: 'text' | 'refusal' | 'thinking' | 'signature', text: string }
 *   | { type: 'call', index: number, id: string, name: string }
 *   | { type: 'arguments', index: number, text: string }
 *   | { type: 'usage', usage: import('./figures').Usage }
 *   | { type: 'stop', stop: import('./figures').StopReason | undefined, sequence?: string }
 *   | { type: 'error', message: string }
 *   | { type: 'end' }} Step
 */

const { anthropic, openai, responses } = require('./figures');

class OpenaiReader {
  started = false;

  /** @param {any} chunk @returns {Generator<Step>} */
  *read(chunk) {
    if (chunk.error) {
      yield { type: 'error', message: chunk.error.message ?? String(chunk.error) };
      return;
    }
    if (!this.started) {
      this.started = true;
      yield { type: 'start', id: chunk.id ?? '', model: chunk.model, created: chunk.created };
    }
    const { delta, finish_reason: finish } = chunk.choices?.[0] ?? {};
    if (delta?.reasoning_content) yield { type: 'thinking', text: delta.reasoning_content };
    if (delta?.content) yield { type: 'text', text: delta.content };
    if (delta?.refusal) yield { type: 'refusal', text: delta.refusal };
    for (const { index, id, function: called } of delta?.tool_calls ?? []) {
      if (called?.name) yield { type: 'call', index, id: id ?? '', name: called.name };
      if (called?.arguments) yield { type: 'arguments', index, text: called.arguments };
    }
    const usage = openai.readUsage(chunk.usage);
    if (usage !== undefined) yield { type: 'usage', usage };
    if (finish) yield { type: 'stop', stop: openai.stops[finish] ?? 'stop' };
  }
}

class AnthropicReader {
  /** @type {any} */
  usage = {};
  /** Calls by the index of their block. @type {Map<number, number>} */
  calls = new Map();

  /** @param {any} event @returns {Generator<Step>} */
  *read(event) {
    switch (event.type) {
      case 'message_start': {
        const { id, model, usage } = event.message;
        this.usage = { ...usage };
        yield { type: 'start', id, model };
        return;
      }
      case 'content_block_start':
        yield* this.block(event.index, event.content_block);
        return;
      case 'content_block_delta':
        yield* this.delta(event.index, event.delta);
        return;
      case 'message_delta': {
        Object.assign(this.usage, event.usage);
        const usage = anthropic.readUsage(this.usage);
        const { stop_reason: reason } = event.delta;
        if (usage !== undefined) yield { type: 'usage', usage };
        yield { type: 'stop', stop: reason ? (anthropic.stops[reason] ?? 'stop') : undefined, sequence: event.delta.stop_sequence ?? undefined };
        return;
      }
      case 'message_stop':
        yield { type: 'end' };
        return;
      case 'error':
        yield { type: 'error', message: event.error?.message ?? 'unknown' };
    }
  }

  /** @param {number} index @param {any} block @returns {Generator<Step>} */
  *block(index, block) {
    if (block.type === 'tool_use') {
      this.calls.set(index, this.calls.size);
      yield { type: 'call', index: this.calls.size - 1, id: block.id, name: block.name };
    } else if (block.type === 'text' && block.text) yield { type: 'text', text: block.text };
    else if (block.type === 'thinking' && block.thinking) yield { type: 'thinking', text: block.thinking };
  }

  /** @param {number} index @param {any} delta @returns {Generator<Step>} */
  *delta(index, delta) {
    if (delta.type === 'text_delta') yield { type: 'text', text: delta.text };
    else if (delta.type === 'thinking_delta') yield { type: 'thinking', text: delta.thinking };
    else if (delta.type === 'signature_delta') yield { type: 'signature', text: delta.signature };
    else if (delta.type === 'input_json_delta' && delta.partial_json) {
      yield { type: 'arguments', index: this.calls.get(index) ?? 0, text: delta.partial_json };
    }
  }
}

class ResponsesReader {
  /** Calls by the place of their item. @type {Map<number, number>} */
  calls = new Map();

  /** @param {any} event @returns {Generator<Step>} */
  *read(event) {
    switch (event.type) {
      case 'response.created':
        yield { type: 'start', id: event.response.id, model: event.response.model, created: event.response.created_at };
        return;
      case 'response.output_text.delta':
        yield { type: 'text', text: event.delta };
        return;
      case 'response.refusal.delta':
        yield { type: 'refusal', text: event.delta };
        return;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        yield { type: 'thinking', text: event.delta };
        return;
      case 'response.output_item.added':
        if (event.item.type !== 'function_call') return;
        this.calls.set(event.output_index, this.calls.size);
        yield { type: 'call', index: this.calls.size - 1, id: event.item.call_id, name: event.item.name };
        return;
      case 'response.function_call_arguments.delta':
        yield { type: 'arguments', index: this.calls.get(event.output_index) ?? 0, text: event.delta };
        return;
      case 'response.completed':
      case 'response.incomplete': {
        const usage = responses.readUsage(event.response.usage);
        if (usage !== undefined) yield { type: 'usage', usage };
        yield { type: 'stop', stop: responses.readStop(event.response, this.calls.size > 0) };
        yield { type: 'end' };
        return;
      }
      case 'response.failed':
      case 'error':
        yield { type: 'error', message: event.response?.error?.message ?? event.message ?? 'unknown' };
    }
  }
}

module.exports = { anthropic: AnthropicReader, openai: OpenaiReader, responses: ResponsesReader };
