'use strict';

/**
 * The producer's side of a log's ring (src/log/ring.rs explains it): lines are written straight into native memory that
 * the writer thread reads, and a line is accepted when the tail has moved behind it. There is a native call only where
 * the writer sleeps, the ring is full, or a long record of a ring file wants its check sum.
 */

const native = require('./native');
const { HEADER, TAIL, HEAD, SLEEPING, RECORD_HEADER, LENGTH_BITS, CONTINUES, LONG, LINE, MORE } = require('./ring-layout');

const TAIL_WORD = TAIL >> 2;
const HEAD_WORD = HEAD >> 2;
const SLEEPING_WORD = SLEEPING >> 2;
const LINE_BITS = LINE << LENGTH_BITS;
/** A ring that is empty begins anew from here on, while its start is still in the cache. */
const FAR = 256 * 1024;

/** What came of a write: accepted; the ring is too full; it cannot be written in this way. */
const DONE = 0;
const FULL = 1;
const UNFIT = 2;

class Ring {
  /**
   * @param {number} handle
   * @param {ArrayBuffer} memory
   * @param {boolean} checked whether records carry check sums
   */
  constructor(handle, memory, checked) {
    this.handle = handle;
    this.checked = checked;
    this.words = new Int32Array(memory);
    /** @type {any} */
    this.bytes = Buffer.from(memory, HEADER);
    this.capacity = this.bytes.length;
    /** Longest payload that is written in one piece. */
    this.longest = this.capacity / 4 - RECORD_HEADER;
    // Positions count units of 8 bytes, modulo 2^32, kept as int32.
    this.tail = Atomics.load(this.words, TAIL_WORD);
    /** As it was when we looked last. */
    this.head = Atomics.load(this.words, HEAD_WORD);
  }

  /** Bytes that wait to be written out. */
  used() {
    this.head = Atomics.load(this.words, HEAD_WORD);
    return ((this.tail - this.head) >>> 0) * 8;
  }

  /**
   * Room for a record.
   * @param {number} size most bytes that its payload will have
   * @param {number} limit bytes of the ring that may be in use afterwards
   * @returns {number} where it begins in `bytes`; -1: the ring is too full
   */
  reserve(size, limit) {
    const whole = RECORD_HEADER + size + 7;
    let at = (this.tail << 3) & (this.capacity - 1);
    const isOver = at + whole > this.capacity || (at > FAR && this.used() === 0);
    const skipped = isOver ? this.capacity - at : 0;
    let used = ((this.tail - this.head) >>> 0) * 8;
    if (used + skipped + whole > limit) {
      used = this.used();
      if (used + skipped + whole > limit) return -1;
    }
    if (skipped > 0) {
      // A record without contents; it is published with the one behind it.
      const word = (HEADER + at) >> 2;
      this.words[word] = 0;
      this.words[word + 1] = 0;
      this.tail = (this.tail + (skipped >> 3)) | 0;
      at = 0;
    }
    return at;
  }

  /**
   * Publishes the record at `at`.
   * @param {number} at
   * @param {number} length of its payload
   * @param {number} bits kind and flag
   */
  publish(at, length, bits) {
    const { words } = this;
    const word = (HEADER + at) >> 2;
    words[word] = length | bits;
    if (this.checked) this.seal(word, length);
    const tail = (this.tail + 1 + ((length + 7) >> 3)) | 0;
    this.tail = tail;
    Atomics.store(words, TAIL_WORD, tail);
    if (Atomics.load(words, SLEEPING_WORD) !== 0) this.wake();
  }

  wake() {
    if (Atomics.exchange(this.words, SLEEPING_WORD, 0) !== 0) native.wakeLog(this.handle);
  }

  /**
   * Adds the check sum, as src/log/ring.rs makes it.
   * @param {number} word where the record begins
   * @param {number} length of its payload
   */
  seal(word, length) {
    if (length > LONG) {
      native.sealLog(this.handle, this.tail >>> 0);
      return;
    }
    const { words } = this;
    let a = words[word] ^ 0x9e3779b9;
    let b = this.tail ^ 0x7f4a7c15;
    const end = word + 2 + ((length + 7) >> 3) * 2;
    for (let i = word + 2; i < end; i += 2) {
      a = Math.imul(a ^ words[i], 0x85ebca6b);
      b = Math.imul(b ^ words[i + 1], 0xc2b2ae35);
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
    words[word + 1] = a ^ ((b << 16) | (b >>> 16));
  }

  /**
   * Writes a line as it is.
   * @param {string} line with its newline
   * @param {number} limit bytes of the ring that may be in use afterwards
   * @returns {number} DONE, FULL, or UNFIT
   */
  write(line, limit) {
    const size = line.length * 3;
    if (size > this.longest) return UNFIT;
    const at = this.reserve(size, limit);
    if (at < 0) return FULL;
    this.publish(at, this.bytes.utf8Write(line, at + RECORD_HEADER, size), LINE_BITS);
    return DONE;
  }

  /**
   * Writes a line of bytes.
   * @param {Uint8Array} line with its newline
   * @param {number} limit
   */
  writeBytes(line, limit) {
    if (line.length > this.longest) return UNFIT;
    const at = this.reserve(line.length, limit);
    if (at < 0) return FULL;
    this.bytes.set(line, at + RECORD_HEADER);
    this.publish(at, line.length, LINE_BITS);
    return DONE;
  }

  /**
   * Writes a line that is too long for one record, in parts that make room for each other.
   * @param {Uint8Array} line
   * @param {number} limit bytes of the ring that may be in use for it to be written at once
   * @param {(bytes: number) => boolean} wait for so much room, and whether it came
   * @returns {boolean} false: the ring is too full, and stays so; what was written of the line is ignored
   */
  writeLong(line, limit, wait) {
    const step = this.capacity / 8;
    // Parts are not split at the ring's end.
    const overhead = 2 * step;
    const fits = this.used() + line.length + overhead <= limit;
    for (let from = 0; from < line.length; from += step) {
      if (!fits && this.used() + overhead > limit && !wait(overhead)) return false;
      const part = line.subarray(from, from + step);
      const at = this.reserve(part.length, this.capacity);
      if (at < 0) return false;
      this.bytes.set(part, at + RECORD_HEADER);
      const kind = from === 0 ? LINE_BITS : MORE << LENGTH_BITS;
      this.publish(at, part.length, from + step < line.length ? kind | CONTINUES : kind);
    }
    return true;
  }
}

exports.DONE = DONE;
exports.FULL = FULL;
exports.UNFIT = UNFIT;
exports.Ring = Ring;
