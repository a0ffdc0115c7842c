'use strict';

// Chat requests: from the corpus where there is one, else made up, the same on every machine.

const fs = require('node:fs');
const path = require('node:path');

/**
 * xorshift32 (Marsaglia, "Xorshift RNGs", 2003).
 *
 * @param {number} seed not 0
 * @returns {(bound: number) => number} the next whole number below `bound`
 */
function sequence(seed) {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

const WORDS =
  'please could you change my booking from the morning flight to a later one since the meeting was moved I would like ' +
  'an aisle seat and one bag is enough thank you let me check that for you the fare rules allow one change without a ' +
  'fee so the difference of the price is all that has to be paid which card should be charged für café “quoted” ok';
const VOCABULARY = WORDS.split(' ');
const AIRPORTS = ['SFO', 'JFK', 'LAX', 'ORD', 'DFW', 'ATL', 'SEA', 'BOS', 'MIA', 'DEN'];

/** Makes the parts of one conversation out of one sequence of numbers. */
class Writer {
  /** @param {number} seed */
  constructor(seed) {
    this.next = sequence(seed);
    this.calls = 0;
  }

  /** @param {number} words */
  text(words) {
    const { next } = this;
    return Array.from({ length: words }, () => VOCABULARY[next(VOCABULARY.length)]).join(' ');
  }

  /** @param {number} count */
  flights(count) {
    const { next } = this;
    return Array.from({ length: count }, () => ({
      flight_number: `HAT${100 + next(900)}`,
      origin: AIRPORTS[next(AIRPORTS.length)],
      destination: AIRPORTS[next(AIRPORTS.length)],
      status: next(8) === 0 ? 'delayed' : 'available',
      available_seats: { basic_economy: next(20), economy: next(20), business: next(20) },
      prices: { basic_economy: 50 + next(50), economy: 100 + next(100), business: 200 + next(300) },
    }));
  }

  /** A question, a call, its result, an answer. Now and then a text is long enough to be truncated. */
  turn() {
    const { next } = this;
    this.calls += 1;
    const id = `call_${this.calls.toString().padStart(8, '0')}`;
    const search = JSON.stringify({ origin: AIRPORTS[next(10)], date: `2024-05-${10 + next(20)}` });
    const results = this.flights(next(12) === 0 ? 20 : 1 + next(5));
    return [
      { role: 'user', content: this.text(8 + next(30)) },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id, type: 'function', function: { name: 'search_flights', arguments: search } }],
      },
      { role: 'tool', tool_call_id: id, name: 'search_flights', content: JSON.stringify(results) },
      { role: 'assistant', content: this.text(next(25) === 0 ? 1200 : 20 + next(80)) },
    ];
  }
}

/** @param {number} count */
function tools(count) {
  return Array.from({ length: count }, (_, index) => ({
    type: 'function',
    function: {
      name: index === 0 ? 'search_flights' : `airline_action_${index}`,
      description: 'Performs the action on the reservation and returns its new state as JSON.',
      parameters: {
        type: 'object',
        properties: {
          origin: { type: 'string', description: 'Code of the airport, such as SFO.' },
          date: { type: 'string', description: 'Day of departure, YYYY-MM-DD.' },
          limit: { type: 'integer', description: 'How many results at most.' },
        },
        required: ['origin', 'date'],
        additionalProperties: false,
      },
    },
  }));
}

/**
 * An OpenAI chat request of about so many bytes as JSON: an airline agent and its customer, with
 * tool calls and their JSON results.
 *
 * @param {number} bytes
 */
function makeConversation(bytes) {
  const writer = new Writer(bytes);
  /** @type {object[]} */
  const messages = [{ role: 'system', content: writer.text(900) }];
  const request = { model: 'gpt-4o', stream: true, temperature: 0.2, max_tokens: 1024, messages, tools: tools(16) };
  let size = Buffer.byteLength(JSON.stringify(request));
  while (size < bytes) {
    const turn = writer.turn();
    messages.push(...turn);
    size += Buffer.byteLength(JSON.stringify(turn)) - 1;
  }
  return request;
}

/**
 * @param {string} name such as `chat-250k` or `chat-1m`
 * @returns {number | undefined} in bytes
 */
function sizeOf(name) {
  const match = /^chat-(\d+)(k|m)$/.exec(name);
  if (match === null) return undefined;
  return Number(match[1]) * (match[2] === 'k' ? 1_000 : 1_000_000);
}

/**
 * @typedef {object} RequestBody
 * @property {string} name
 * @property {Buffer} bytes
 * @property {'corpus' | 'generated'} origin
 */

/**
 * @param {string} name a file of the corpus's requests/ without its extension, or `chat-` and a size
 * @returns {RequestBody | undefined} nothing where there is no such file and no size in the name
 */
function loadRequest(name) {
  const corpus = process.env.OFFLOOP_CORPUS || path.join(__dirname, '..', '..', 'shared', 'corpus');
  const file = path.join(corpus, 'requests', `${name}.json`);
  if (fs.existsSync(file)) return { name, bytes: fs.readFileSync(file), origin: 'corpus' };
  const size = sizeOf(name);
  if (size === undefined) return undefined;
  return { name, bytes: Buffer.from(JSON.stringify(makeConversation(size))), origin: 'generated' };
}

module.exports = { loadRequest, makeConversation };
