'use strict';

const { testDocuments } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { runFileBench } = require('./harness');

let number = 100_000;

/** Six digits, two tokens, other ones each time. */
function next() {
  if (++number === 1_000_000) number = 100_000;
  return `${number} `;
}

/** The messages with something new in front of each content. @param {any[]} messages */
function renewed(messages) {
  return messages.map((message) => (typeof message.content === 'string' ? { ...message, content: next() + message.content } : message));
}

/** @param {any[]} messages */
const grown = (messages) => [...messages, { role: 'user', content: `${next()}And now?` }];

const count = (/** @type {any} */ input) => offloopPool().countTokens(input);
const open = () => openOffloop('countTokens');

runFileBench({
  name: 'tokens-conversation',
  title: 'Counting a conversation that grows',
  about:
    'pool.countTokens(messages) of a conversation that was never seen, and of one that was, with one more message: as the same objects, ' +
    'as objects made anew, as a Document.',
  method: 'One list of messages in, its number of tokens out, one call at a time, the await included; medians of interleaved batches.',
  baseline: 'never-seen',
  packages: [],
  pairs: [
    ['never-seen', 'same-objects'],
    ['never-seen', 'new-objects'],
    ['never-seen', 'document'],
  ],
  summaryMinBytes: 100_000,
  documents: () => testDocuments().filter(({ file }) => !file.startsWith('json/')).filter(({ read }) => Array.isArray(JSON.parse(read().toString()).messages)),
  input: (document) => renewed(JSON.parse(document.read().toString()).messages),
  contenders: [
    { name: 'never-seen', open, prepare: (messages) => () => count(grown(renewed(messages.map(stripped)))), close: closeOffloop },
    { name: 'same-objects', open, prepare: (messages) => () => count(grown(messages)), close: closeOffloop },
    {
      name: 'new-objects',
      open,
      prepare: (messages) => () => count(grown(messages.map((/** @type {any} */ message) => ({ ...message })))),
      close: closeOffloop,
    },
    {
      name: 'document',
      open,
      prepare: (messages) => {
        const loading = offloopPool().load(JSON.stringify(messages));
        return async () => {
          const document = (await loading).with({ '/-': grown([])[0] });
          const tokens = await document.countTokens();
          document.dispose();
          return tokens;
        };
      },
      close: closeOffloop,
    },
  ],
});

/** Without what `renewed` put there. @param {any} message */
function stripped(message) {
  return typeof message.content === 'string' ? { ...message, content: message.content.slice(7) } : message;
}
