'use strict';

/**
 * @typedef {object} Route where a request goes
 * @property {string} path on the upstream
 * @property {string} accept media type of the answer that the client expects
 */

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';

/** For bodies that nobody looks into. @type {Route} */
const DEFAULT_ROUTE = { path: CHAT, accept: 'application/json' };

/**
 * @param {{ model?: unknown, stream?: unknown }} payload
 * @returns {Route}
 */
function selectRoute({ model, stream }) {
  const claude = typeof model === 'string' && model.startsWith('claude');
  return {
    path: claude ? MESSAGES : CHAT,
    accept: stream === true ? 'text/event-stream' : 'application/json',
  };
}

module.exports = { DEFAULT_ROUTE, selectRoute };
