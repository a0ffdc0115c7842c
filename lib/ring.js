'use strict';

/**
 * The producer's side of a log's ring (src/log/ring.rs explains it): lines are written straight into native memory that
 * the writer thread reads, and a line is accepted when the tail has moved behind it. There is a native call only where
 * the writer sleeps, the ring is full, or a long record of a ring file wants its check sum.
 */

const native = require('./native');
const { HEADER, TAIL, HEAD, SLEEPING, RECORD_HEADER, LENGTH_BITS, CONTINUES, LONG, LINE, MORE, LARGE } = require('./ring-layout');

const TAIL_WORD = TAIL >> 2;
const HEAD_WORD = HEAD >> 2;
const SLEEPING_WORD = SLEEPING >> 2;
const LINE_BITS = LINE << LENGTH_BITS;
const MORE_BITS = MORE << LENGTH_BITS;
const LARGE_BITS = LARGE << LENGTH_BITS;
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
    /** Bytes of a part of a longer line. */
    this.step = this.capacity / 8;
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
    const at = (this.tail << 3) & (this.capacity - 1);
    const isOver = at + whole > this.capacity || (at > FAR && this.used() === 0);
    const skipped = isOver ? this.capacity - at : 0;
    let used = ((this.tail - this.head) >>> 0) * 8;
    if (used + skipped + whole > limit) {
      used = this.used();
      if (used + skipped + whole > limit) return -1;
    }
    return isOver ? this.skip(at) : at;
  }

  /**
   * Leaves the end of the ring unused, by a record without contents; it is published with the one behind it.
   * @param {number} at
   */
  skip(at) {
    const word = (HEADER + at) >> 2;
    this.words[word] = 0;
    this.words[word + 1] = 0;
    this.tail = (this.tail + ((this.capacity - at) >> 3)) | 0;
    return 0;
  }

  /**
   * Publishes the record at `at`.
   * @param {number} at
   * @param {number} length of its payload
   * @param {number} bits kind and flag
   */
  publish(at, length, bits) {
    this.complete(at, length, bits);
    this.hand();
  }

  /**
   * Completes the record at `at`, which nobody sees before it is handed over.
   * @param {number} at
   * @param {number} length of its payload
   * @param {number} bits kind and flag
   */
  complete(at, length, bits) {
    const word = (HEADER + at) >> 2;
    this.words[word] = length | bits;
    if (this.checked) this.seal(word, length);
    this.tail = (this.tail + 1 + ((length + 7) >> 3)) | 0;
  }

  /** Hands over what is complete. */
  hand() {
    Atomics.store(this.words, TAIL_WORD, this.tail);
    if (Atomics.load(this.words, SLEEPING_WORD) !== 0) this.wake();
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
   * @param {number} length of a line that is too long for one record
   * @returns {number} bytes of the ring that its parts need at most, with the end of the ring unused
   */
  need(length) {
    return length + Math.ceil(length / this.step) * (RECORD_HEADER + 7) + this.step + RECORD_HEADER + 7;
  }

  /**
   * Writes a line in parts, handed over together. There is room for them.
   * @param {Uint8Array} line
   */
  writeParts(line) {
    for (let from = 0; from < line.length; from += this.step) {
      const part = line.subarray(from, from + this.step);
      const at = (this.tail << 3) & (this.capacity - 1);
      const isOver = at + RECORD_HEADER + part.length + 7 > this.capacity;
      this.writePart(part, isOver ? this.skip(at) : at, from === 0 ? LINE_BITS : MORE_BITS, from + this.step < line.length);
    }
    this.hand();
  }

  /**
   * Writes a line for which the ring has no room, in parts that make room for each other.
   * @param {Uint8Array} line
   * @param {number} limit bytes of the ring that may be in use
   * @param {(bytes: number) => boolean} wait for so much room, and whether it came
   * @returns {boolean} false: the ring is too full, and stays so; what was written of the line is ignored
   */
  writeLarge(line, limit, wait) {
    // Parts are not split at the ring's end.
    const room = 2 * this.step;
    for (let from = 0; from < line.length; from += this.step) {
      if (this.used() + room > limit && !wait(room)) return false;
      const part = line.subarray(from, from + this.step);
      const at = this.reserve(part.length, this.capacity);
      if (at < 0) return false;
      this.writePart(part, at, from === 0 ? LARGE_BITS : MORE_BITS, from + this.step < line.length);
      this.hand();
    }
    return true;
  }

  /**
   * @param {Uint8Array} part
   * @param {number} at
   * @param {number} kind
   * @param {boolean} continues
   */
  writePart(part, at, kind, continues) {
    this.bytes.set(part, at + RECORD_HEADER);
    this.complete(at, part.length, continues ? kind | CONTINUES : kind);
  }
}

exports.DONE = DONE;
exports.FULL = FULL;
exports.UNFIT = UNFIT;
exports.Ring = Ring;
