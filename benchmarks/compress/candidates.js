'use strict';

const { closeHeadroom, headroomCompress, openHeadroom } = require('../competitors/headroom');
const { closeOffloop, offloopPool, openOffloop } = require('../competitors/offloop');

/**
 * One way to compress a conversation, without anything remembered from the call before.
 *
 * @typedef {object} Candidate
 * @property {string} name
 * @property {() => Promise<void> | void} open      may throw Unavailable
 * @property {(messages: any[]) => Promise<any[]>} compress
 * @property {(messages: any[], times: number) => Promise<number[]>} time  milliseconds of each call
 * @property {() => unknown} close
 */

/**
 * @param {string} name
 * @param {object} options of pool.compress
 * @returns {Candidate}
 */
function offloop(name, options) {
  const all = { ...options, cache: false };
  return {
    name,
    open: () => openOffloop('compress', { size: 1 }),
    close: closeOffloop,
    compress: async (messages) => (await offloopPool().compress(messages, all)).messages,
    async time(messages, times) {
      const samples = [];
      for (let call = 0; call < times; call += 1) {
        const start = performance.now();
        await offloopPool().compress(messages, all);
        samples.push(performance.now() - start);
      }
      return samples;
    },
  };
}

/** @type {Candidate} */
const headroom = {
  name: 'headroom',
  open: openHeadroom,
  close: closeHeadroom,
  compress: async (messages) => (await headroomCompress(messages)).messages,
  time: async (messages, times) => (await headroomCompress(messages, {}, times)).ms,
};

const CANDIDATES = [
  headroom,
  offloop('offloop', {}),
  offloop('offloop-lossless', { mode: 'lossless' }),
  offloop('offloop-exact', { exactTokens: true }),
];

module.exports = { CANDIDATES };
