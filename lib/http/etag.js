'use strict';

// Entity tags as Express's `etag` setting has them: the length and the SHA-1 of the body.

const { createHash, webcrypto } = require('node:crypto');

/** Bytes from which a thread makes the digest: below, handing them over costs more. */
const OFFLOAD = 32 * 1024;

/** Express's tag of an empty body. */
const EMPTY = '"0-2jmj7l5rSw0yVb/vlWAYkK/YBwk"';

/**
 * @param {Buffer} body
 * @param {unknown} setting Express's
 * @returns {Promise<string | undefined>} undefined where the setting asks for none, or for one that a function makes
 */
async function entityTag(body, setting) {
  const isWeak = setting === 'weak' || setting === true;
  if (!isWeak && setting !== 'strong') return undefined;
  const tag = body.length === 0 ? EMPTY : `"${body.length.toString(16)}-${(await digest(body)).slice(0, 27)}"`;
  return isWeak ? `W/${tag}` : tag;
}

/** @param {Buffer} body */
async function digest(body) {
  if (body.length < OFFLOAD) return createHash('sha1').update(body).digest('base64');
  return Buffer.from(await webcrypto.subtle.digest('SHA-1', /** @type {any} */ (body))).toString('base64');
}

module.exports = { entityTag };
