'use strict';

const http = require('node:http');
const https = require('node:https');

/** The upstream could not be reached, or failed. */
class UpstreamError extends Error {
  /**
   * @param {string} message
   * @param {{ cause?: unknown }} [options]
   */
  constructor(message, options) {
    super(message, options);
    this.name = 'UpstreamError';
    this.code = 'ERR_UPSTREAM';
  }
}

/**
 * @param {string | Buffer | Buffer[]} body
 * @returns {number} in bytes
 */
function byteLength(body) {
  if (!Array.isArray(body)) return Buffer.byteLength(body);
  return body.reduce((sum, chunk) => sum + chunk.length, 0);
}

/**
 * @param {import('node:http').ClientRequest} request
 * @param {string | Buffer | Buffer[]} body
 */
function sendBody(request, body) {
  if (!Array.isArray(body)) {
    request.end(body);
    return;
  }
  for (const chunk of body) request.write(chunk);
  request.end();
}

/**
 * @typedef {object} UpstreamRequest
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {string | Buffer | Buffer[]} body
 * @property {AbortSignal} signal
 *
 * @typedef {object} Upstream
 * @property {(request: UpstreamRequest) => Promise<import('node:http').IncomingMessage>} post
 * @property {() => void} close
 */

/**
 * A client on kept-alive connections, on node:http, so that little but the modes' own work is on the main thread.
 *
 * @param {string} baseUrl
 * @returns {Upstream}
 */
function createUpstream(baseUrl) {
  const base = new URL(baseUrl);
  const { Agent, request: send } = base.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true });
  const prefix = base.pathname.replace(/\/$/, '');

  /** @type {Upstream['post']} */
  function post({ path, headers, body, signal }) {
    return new Promise((resolve, reject) => {
      const request = send({
        agent,
        signal,
        method: 'POST',
        hostname: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port,
        path: prefix + path,
        headers: {
          'content-type': 'application/json',
          ...headers,
          'content-length': byteLength(body),
        },
      });
      request.on('response', resolve);
      request.on('error', (error) => {
        // The upstream may close a kept-alive connection just as it is taken up again.
        const stale = request.reusedSocket && /** @type {any} */ (error).code === 'ECONNRESET';
        if (stale && !signal.aborted) {
          resolve(post({ path, headers, body, signal }));
        } else {
          reject(new UpstreamError('The upstream could not be reached', { cause: error }));
        }
      });
      sendBody(request, body);
    });
  }

  return { post, close: () => agent.destroy() };
}

module.exports = { UpstreamError, createUpstream };
