'use strict';

// Content types: which there is, in which charset, and whether it is one that was asked for.

/** Names that stand for types. Others without a slash match nothing. @type {Record<string, string>} */
const NAMES = {
  json: 'application/json',
  jsonld: 'application/ld+json',
  geojson: 'application/geo+json',
  manifest: 'text/cache-manifest',
  webmanifest: 'application/manifest+json',
  map: 'application/json',
  json5: 'application/json5',
  txt: 'text/plain',
  text: 'text/plain',
  html: 'text/html',
  xml: 'text/xml',
  bin: 'application/octet-stream',
  urlencoded: 'application/x-www-form-urlencoded',
  multipart: 'multipart/*',
};

/** As RFC 6838 has them. */
const TYPE = /^[a-z0-9][a-z0-9!#$&^_-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;
/** A parameter, from its semicolon on; its value bare or quoted. */
const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g;

/** The last header and what is in it: a service's clients mostly send the same. */
let lastHeader = '';
let last = { type: '', charset: '' };

/**
 * @param {string | undefined} header
 * @returns {{ type: string, charset: string }} in lower case; empty where there is none
 */
function parseContentType(header) {
  if (header === undefined) return { type: '', charset: '' };
  if (header === lastHeader) return last;
  const end = header.indexOf(';');
  const type = (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
  let charset = '';
  if (end >= 0) {
    for (const [, name, quoted, bare] of header.matchAll(PARAMETER)) {
      if (name.toLowerCase() !== 'charset') continue;
      charset = (quoted === undefined ? bare.trim() : quoted.replace(/\\(.)/g, '$1')).toLowerCase();
      break;
    }
  }
  const parsed = { type: TYPE.test(type) ? type : '', charset };
  // Hostile ones are not kept.
  if (header.length <= 256) {
    lastHeader = header;
    last = parsed;
  }
  return parsed;
}

/**
 * @param {string} expected a type, a name of one, a suffix (`+json`), or with `*`
 * @returns {(type: string) => boolean}
 */
function matcherOf(expected) {
  const full = expected.startsWith('+') ? `*/*${expected}` : expected.includes('/') ? expected : NAMES[expected.replace(/^.*\./, '').toLowerCase()];
  const [group, name, ...more] = full?.split('/') ?? [];
  if (name === undefined || more.length > 0) return () => false;
  if (!full.includes('*')) return (type) => type === full;
  const isGroup = (/** @type {string} */ type) => group === '*' || type.startsWith(`${group}/`);
  if (name === '*') return (type) => type !== '' && isGroup(type);
  if (name.startsWith('*+')) return (type) => isGroup(type) && type.endsWith(name.slice(1));
  return (type) => isGroup(type) && type.slice(type.indexOf('/') + 1) === name;
}

/**
 * @param {string | readonly string[]} expected
 * @returns {(type: string) => boolean}
 */
function typeMatcher(expected) {
  const matchers = (Array.isArray(expected) ? expected : [expected]).map(matcherOf);
  if (matchers.length === 1) return matchers[0];
  return (type) => matchers.some((matches) => matches(type));
}

module.exports = { parseContentType, typeMatcher };
