'use strict';

// Charsets that JSON comes in. UTF-8, which nearly all is, stays bytes; of the others a string is made here.

const { endianness } = require('node:os');

const UTF_8 = new Set(['utf-8', 'utf8']);

/** @type {Record<string, (bytes: Buffer) => string>} */
const DECODERS = {
  'utf-16': decodeUtf16,
  'utf-16le': (bytes) => withoutMark(littleEndian16(bytes)),
  'utf-16be': (bytes) => withoutMark(bigEndian16(bytes)),
  'utf-32': decodeUtf32,
  'utf-32le': (bytes) => withoutMark(utf32(bytes, false)),
  'utf-32be': (bytes) => withoutMark(utf32(bytes, true)),
};

/** Code points that are made a string at once: each is an argument. */
const RUN = 4096;

/** @param {string} charset in lower case */
function isUtf8(charset) {
  return UTF_8.has(charset);
}

/** @param {string} charset in lower case */
function isSupported(charset) {
  return isUtf8(charset) || Object.hasOwn(DECODERS, charset);
}

/**
 * @param {Buffer} bytes
 * @param {string} charset supported
 * @returns {string} without a byte order mark
 */
function decodeText(bytes, charset) {
  return isUtf8(charset) ? withoutMark(bytes.toString()) : DECODERS[charset](bytes);
}

/** @param {string} text */
function withoutMark(text) {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** @param {Buffer} bytes */
function littleEndian16(bytes) {
  return bytes.toString('utf16le');
}

/** @param {Buffer} bytes */
function bigEndian16(bytes) {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16().toString('utf16le');
}

/** Without a mark the first characters tell: JSON begins with ASCII. @param {Buffer} bytes */
function decodeUtf16(bytes) {
  const isBig = bytes[0] === 0xfe && bytes[1] === 0xff ? true : bytes[0] === 0xff && bytes[1] === 0xfe ? false : bytes[0] === 0 && bytes[1] !== 0;
  return withoutMark(isBig ? bigEndian16(bytes) : littleEndian16(bytes));
}

/** @param {Buffer} bytes */
function decodeUtf32(bytes) {
  const first = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  return withoutMark(utf32(bytes, first === 0xfeff || (first !== 0xfffe0000 && bytes[0] === 0 && bytes[3] !== 0)));
}

/**
 * @param {Buffer} bytes
 * @param {boolean} isBig
 */
function utf32(bytes, isBig) {
  const count = bytes.length >> 2;
  let aligned = Buffer.from(bytes.subarray(0, count * 4));
  if (aligned.byteOffset % 4 !== 0) {
    const copy = Buffer.from(new ArrayBuffer(aligned.length));
    aligned.copy(copy);
    aligned = copy;
  }
  if (isBig === (endianness() === 'LE')) aligned.swap32();
  const points = new Uint32Array(aligned.buffer, aligned.byteOffset, count);
  let text = '';
  for (let start = 0; start < count; start += RUN) {
    const run = points.subarray(start, start + RUN);
    for (let i = 0; i < run.length; i++) if (run[i] > 0x10ffff) run[i] = 0xfffd;
    text += String.fromCodePoint(...run);
  }
  return text;
}

module.exports = { decodeText, isSupported, isUtf8 };
