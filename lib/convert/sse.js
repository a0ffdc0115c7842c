'use strict';

// Server-sent events, as they are read and written.

const { StringDecoder } = require('node:string_decoder');

const { codeError } = require('../errors');

/** Characters of one event at most. */
const MAX_EVENT = 16 << 20;

/** Finds the events in a stream that comes in pieces, cut anywhere. */
class EventReader {
  /** @param {(data: string) => void} onData Called with the data of each event. */
  constructor(onData) {
    this.onData = onData;
    this.decoder = new StringDecoder('utf8');
    this.rest = '';
    /** @type {string[]} */
    this.data = [];
    this.size = 0;
  }

  /** @param {Uint8Array} chunk */
  write(chunk) {
    this.take(this.decoder.write(/** @type {Buffer} */ (chunk)), false);
  }

  /** The last event may lack its empty line. */
  end() {
    this.take(`${this.decoder.end()}\n\n`, true);
  }

  /** @param {string} text @param {boolean} isLast */
  take(text, isLast) {
    const all = this.rest + text;
    let from = 0;
    for (;;) {
      const at = lineEnd(all, from);
      // A carriage return at the end may be the first half of a line's end.
      if (at < 0 || (!isLast && at === all.length - 1 && all[at] === '\r')) break;
      this.line(all.substring(from, at));
      from = all[at] === '\r' && all[at + 1] === '\n' ? at + 2 : at + 1;
    }
    this.rest = all.substring(from);
    if (this.rest.length + this.size > MAX_EVENT) throw codeError('ERR_TOO_LARGE', `an event is longer than ${MAX_EVENT} characters`);
  }

  /** @param {string} line */
  line(line) {
    if (line === '') {
      if (this.data.length > 0) this.onData(this.data.join('\n'));
      this.data = [];
      this.size = 0;
    } else if (line.startsWith('data:')) {
      const value = line.substring(line[5] === ' ' ? 6 : 5);
      this.data.push(value);
      this.size += value.length;
    }
  }
}

/** @param {string} text @param {number} from */
function lineEnd(text, from) {
  const feed = text.indexOf('\n', from);
  const carriage = text.indexOf('\r', from);
  if (feed < 0 || carriage < 0) return Math.max(feed, carriage);
  return Math.min(feed, carriage);
}

/** @param {object} data @param {string} [event] */
function eventOf(data, event) {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

module.exports = { EventReader, eventOf };
