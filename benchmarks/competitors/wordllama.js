'use strict';

// wordllama, a Python library of static embeddings whose package has a model in it, on one thread: an environment of some 200 MB.

const { PythonProcess } = require('./python');

const VERSION = '0.4.0.post1';
const ONE_THREAD = { TOKENIZERS_PARALLELISM: 'false', RAYON_NUM_THREADS: '1', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
const wordllama = new PythonProcess({ name: 'wordllama', version: VERSION, serve: 'serve-wordllama.py', env: ONE_THREAD });

/** @returns {Promise<string>} the folder of its model @throws {import('../harness/script').Unavailable} */
async function openWordLlama() {
  return (await wordllama.open()).folder;
}

/**
 * @param {readonly string[]} texts
 * @returns {Promise<number[][]>} their vectors, of length one
 */
async function wordllamaEmbed(texts) {
  return (await wordllama.ask({ texts })).vectors;
}

/**
 * @param {readonly string[]} texts
 * @param {number} times
 * @returns {Promise<number[]>} milliseconds that it took to embed them, each time
 */
async function wordllamaTime(texts, times) {
  return (await wordllama.ask({ texts, times })).ms;
}

module.exports = { VERSION, closeWordLlama: () => wordllama.close(), openWordLlama, wordllamaEmbed, wordllamaTime };
