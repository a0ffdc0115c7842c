'use strict';

const { testDocuments } = require('./corpus');
const { closeOffloop, offloopPool, openOffloop } = require('./competitors/offloop');
const { runFileBench } = require('./harness');
const { atMost } = require('./harness/figures');

const MIN_BYTES = 100_000;

/** Of one conversation, each parsed for itself. */
const COPIES = 8;

let number = 100_000;

/** Six digits, two tokens, other ones each time. */
function next() {
  if (++number === 1_000_000) number = 100_000;
  return `${number} `;
}

/** A content, a text or a list of blocks, with a change of each text in it. @param {any} content @param {(text: string) => string} change @returns {any} */
function changed(content, change) {
  if (typeof content === 'string') return change(content);
  if (!Array.isArray(content)) return content;
  return content.map((block) => {
    const field = ['text', 'content'].find((name) => block[name] !== undefined);
    return field === undefined ? block : { ...block, [field]: changed(block[field], change) };
  });
}

/** Messages with a change of each text in their contents. @param {any[]} messages @param {(text: string) => string} change */
const withTexts = (messages, change) => messages.map((message) => ({ ...message, content: changed(message.content, change) }));

/** With something new in front of each text. @param {any[]} messages */
const renewed = (messages) => withTexts(messages, (text) => next() + text);

/** Without what `renewed` put there. @param {any[]} messages */
const stripped = (messages) => withTexts(messages, (text) => text.slice(7));

/** @param {any[]} messages */
const grown = (messages) => [...messages, { role: 'user', content: `${next()}And now?` }];

const count = (/** @type {any} */ input) => offloopPool().countTokens(input);
const open = () => openOffloop('countTokens');

/** @param {readonly import('./harness/file-bench').FileRow[]} rows */
function figures(rows) {
  return ['same-objects', 'new-objects', 'document'].flatMap((candidate) => {
    const shares = rows.filter((row) => row.candidate === candidate && row.bytes >= MIN_BYTES).map(({ totalCpuRatio }) => 1 / totalCpuRatio);
    const figure = `total CPU of a conversation grown by one message, cached ÷ cold, the most of all files, ${candidate}`;
    return shares.length === 0 ? [] : [{ figure, ...atMost(Math.max(...shares), 0.05) }];
  });
}

runFileBench({
  name: 'tokens-conversation',
  title: 'Counting a conversation that grows',
  about:
    'pool.countTokens(messages) of a conversation that was never seen, and of one that was, with one more message: as the same objects, ' +
    'parsed anew, as a Document.',
  method: 'One list of messages in, its number of tokens out, one call at a time, the await included; medians of interleaved batches.',
  baseline: 'never-seen',
  packages: [],
  pairs: [
    ['never-seen', 'same-objects'],
    ['never-seen', 'new-objects'],
    ['never-seen', 'document'],
  ],
  summaryMinBytes: MIN_BYTES,
  figures,
  documents: () => testDocuments().filter(({ file }) => !file.startsWith('json/')).filter(({ read }) => Array.isArray(JSON.parse(read().toString()).messages)),
  input: (document) => renewed(JSON.parse(document.read().toString()).messages),
  contenders: [
    { name: 'never-seen', open, prepare: (messages) => () => count(grown(renewed(stripped(messages)))), close: closeOffloop },
    { name: 'same-objects', open, prepare: (messages) => () => count(grown(messages)), close: closeOffloop },
    {
      name: 'new-objects',
      open,
      // As from requests that were parsed one after the other: no object and no text is the one of a call before.
      prepare: (messages) => {
        const text = JSON.stringify(messages);
        const copies = Array.from({ length: COPIES }, () => JSON.parse(text));
        let call = 0;
        return () => count(grown(copies[call++ % COPIES].map((/** @type {any} */ message) => ({ ...message }))));
      },
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
