'use strict';

const { runFileBench } = require('./file-bench');
const { Unavailable, openContenders, runScript } = require('./script');

module.exports = { Unavailable, openContenders, runFileBench, runScript };
