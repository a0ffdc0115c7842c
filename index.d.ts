/// <reference types="node" />

// The public API, by hand: a file for each concern.

export * from './types/compress.js';
export * from './types/convert.js';
export * from './types/document.js';
export * from './types/embed.js';
export * from './types/express.js';
export * from './types/log.js';
export * from './types/pool.js';
export * from './types/signals.js';
export * from './types/spans.js';
export * from './types/stats.js';
export * from './types/task.js';
export * from './types/tokens.js';
export * from './types/transform.js';
