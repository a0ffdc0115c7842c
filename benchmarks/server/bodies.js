'use strict';

// What the load generator sends: one body, a mix of them, or one that is new each time.

/** A number that takes two tokens, in front of each text. */
const MARK = '100000 ';
const FIRST = 100_000;
const AFTER_LAST = 1_000_000;

/**
 * @template T
 * @param {readonly T[]} bodies
 * @param {number} client
 * @returns {T[]} all of them, begun elsewhere for each client, so that they do not all send the same at a time
 */
function inTurn(bodies, client) {
  const start = (client * 7) % bodies.length;
  return [...bodies.slice(start), ...bodies.slice(0, start)];
}

/**
 * A chat request in which all texts of messages are new each time, so that nothing of it can have been seen before.
 *
 * @param {Buffer} body
 * @returns {() => Buffer} the same memory each time, for who copies it at once
 */
function renewing(body) {
  const request = JSON.parse(body.toString());
  for (const message of request.messages) if (typeof message.content === 'string') message.content = MARK + message.content;
  const bytes = Buffer.from(JSON.stringify(request));
  // JSON within a text has its quotes escaped.
  const needle = `"content":"${MARK}`;
  /** @type {number[]} */
  const places = [];
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) places.push(at + needle.length - MARK.length);
  let number = FIRST;
  return () => {
    const text = String(number);
    number = number + 1 < AFTER_LAST ? number + 1 : FIRST;
    for (const place of places) bytes.latin1Write(text, place);
    return bytes;
  };
}

module.exports = { inTurn, renewing };
