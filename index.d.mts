export * from './index.js';

import offloop = require('./index.js');
export default offloop;
