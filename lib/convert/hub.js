'use strict';

/**
 * What all formats are converted by way of: bodies taken apart, their texts shared.
 *
 * @typedef {{ type: 'text', text: string }} TextPart
 * @typedef {{ type: 'refusal', text: string }} RefusalPart
 * @typedef {{ type: 'image', url?: string, mediaType?: string, data?: string, detail?: string }} ImagePart by URL, or base64
 * @typedef {{ type: 'file', url?: string, mediaType?: string, data?: string, name?: string }} FilePart
 * @typedef {{ type: 'call', id: string, name: string, arguments: string }} CallPart
 * @typedef {{ type: 'result', id: string, parts: Part[], isError: boolean }} ResultPart
 * @typedef {{ type: 'thinking', text: string, signature?: string, redacted?: string }} ThinkingPart
 * @typedef {TextPart | RefusalPart | ImagePart | FilePart | CallPart | ResultPart | ThinkingPart} Part
 *
 * @typedef {{ role: 'system' | 'developer' | 'user' | 'assistant', parts: Part[], name?: string }} Turn
 * @typedef {{ name: string, description?: string, schema?: any, strict?: boolean }} Tool
 *
 * @typedef {object} Request
 * @property {string} [model]
 * @property {Turn[]} turns
 * @property {Tool[]} [tools]
 * @property {'auto' | 'none' | 'required' | { name: string }} [toolChoice]
 * @property {boolean} [parallel]
 * @property {number} [maxTokens]
 * @property {number} [temperature]
 * @property {number} [topP]
 * @property {string[]} [stop]
 * @property {boolean} [stream]
 * @property {string} [user]
 * @property {string} [effort]
 * @property {number} [thinkingBudget]
 * @property {any} [format] { type, name, schema, strict, description }
 * @property {Record<string, unknown>} [shared] Fields that OpenAI's two formats have alike.
 *
 * @typedef {'stop' | 'length' | 'calls' | 'filter' | 'sequence' | 'pause'} StopReason
 * @typedef {{ input: number, output: number, cacheRead?: number, cacheWrite?: number, reasoning?: number }} Usage
 *
 * @typedef {object} Response
 * @property {string} id
 * @property {string} [model]
 * @property {number} [created] Seconds.
 * @property {Part[]} parts
 * @property {StopReason} [stop]
 * @property {string} [stopSequence]
 * @property {Usage} [usage]
 *
 * @typedef {(message: string) => void} Warn
 */

/** Fields of requests that OpenAI's two formats have alike. */
const SHARED = [
  'metadata', 'store', 'service_tier', 'top_logprobs', 'prompt_cache_key', 'prompt_cache_retention', 'safety_identifier',
];

/** Fields that say nothing. @param {unknown} value */
const isNothing = (value) => value === undefined || value === null;

/**
 * Names what is left of an object when all that is known was taken out.
 * @param {Record<string, unknown>} rest
 * @param {string} where
 * @param {Warn} warn
 */
function nameRest(rest, where, warn) {
  for (const [key, value] of Object.entries(rest)) {
    if (!isNothing(value)) warn(`${where}${key} has no counterpart and is left out`);
  }
}

/**
 * The same for objects of which there are many.
 * @param {Record<string, unknown>} object
 * @param {ReadonlySet<string>} known
 * @param {string} where
 * @param {Warn} warn
 */
function nameUnknown(object, known, where, warn) {
  for (const key in object) {
    if (!known.has(key) && !isNothing(object[key])) warn(`${where}${key} has no counterpart and is left out`);
  }
}

/** The fields of a target that have a value. @param {Record<string, any>} fields */
function present(fields) {
  /** @type {Record<string, any>} */
  const result = {};
  for (const key in fields) if (fields[key] !== undefined) result[key] = fields[key];
  return result;
}

/**
 * Ids of tool calls as the target wants them: the same for a call and its result, one for each call that had none.
 */
class Ids {
  /** @param {string} prefix @param {RegExp} allowed @param {Warn} warn */
  constructor(prefix, allowed, warn) {
    this.prefix = prefix;
    this.allowed = allowed;
    this.warn = warn;
    /** @type {Map<string, string>} */
    this.repaired = new Map();
    /** @type {Set<string>} */
    this.used = new Set();
    /** Calls without an id whose results have not come yet. @type {string[]} */
    this.open = [];
  }

  /** @param {string} id */
  ofCall(id) {
    if (id !== '') return this.known(id);
    const made = this.fresh(`${this.prefix}${this.used.size}`);
    this.open.push(made);
    this.warn(`a tool call without an id is called ${made}`);
    return made;
  }

  /** @param {string} id */
  ofResult(id) {
    return id === '' ? (this.open.shift() ?? this.known(`${this.prefix}unknown`)) : this.known(id);
  }

  /** @param {string} id */
  known(id) {
    const before = this.repaired.get(id);
    if (before !== undefined) return before;
    const repaired = this.allowed.test(id) ? id : this.fresh(id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 40));
    if (repaired !== id) this.warn(`the id of tool call '${id}' became '${repaired}'`);
    this.repaired.set(id, repaired);
    this.used.add(repaired);
    return repaired;
  }

  /** @param {string} wanted */
  fresh(wanted) {
    let id = wanted;
    for (let number = 1; this.used.has(id); number++) id = `${wanted.slice(0, 34)}_${number}`;
    this.used.add(id);
    return id;
  }
}

/** An image or file from a URL, which may be a data: URL. @param {string} url */
function fromUrl(url) {
  const match = /^data:([^;,]*)(?:;[^;,]*)*;base64,/.exec(url.slice(0, 200));
  if (match === null) return { url };
  return { mediaType: match[1] || 'application/octet-stream', data: url.slice(match[0].length) };
}

/** @param {{ url?: string, mediaType?: string, data?: string }} part */
function toUrl({ url, mediaType, data }) {
  return url ?? `data:${mediaType};base64,${data}`;
}

/** All text of some parts. @param {Part[]} parts @param {string} [between] */
function textOf(parts, between = '') {
  return parts.flatMap((part) => (part.type === 'text' || part.type === 'refusal' ? [part.text] : [])).join(between);
}

/** The id as the target has ids: with its prefix instead of another's. @param {string} id @param {string} prefix */
function responseId(id, prefix) {
  return id.startsWith(prefix) ? id : prefix + id.replace(/^(chatcmpl-|msg_|resp_)/, '');
}

module.exports = { Ids, SHARED, fromUrl, isNothing, nameRest, nameUnknown, present, responseId, textOf, toUrl };
