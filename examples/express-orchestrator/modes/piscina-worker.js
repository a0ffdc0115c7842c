'use strict';

module.exports = require('./threads').handlers;
