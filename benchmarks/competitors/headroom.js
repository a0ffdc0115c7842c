'use strict';

// headroom-ai, the Python library that the compressor takes the place of: an environment of some 430 MB.

const { PythonProcess } = require('./python');

const VERSION = '0.42.0';
const headroom = new PythonProcess({ name: 'headroom-ai', version: VERSION, serve: 'serve-headroom.py' });

/**
 * @param {readonly object[]} messages
 * @param {object} [options]  of headroom
 * @param {number} [times]    that it is done, for the time
 * @returns {Promise<{ messages: any[], ms: number[] }>}
 */
function headroomCompress(messages, options = {}, times = 1) {
  return headroom.ask({ messages, options, times });
}

module.exports = { VERSION, closeHeadroom: () => headroom.close(), headroomCompress, openHeadroom: () => headroom.open() };
