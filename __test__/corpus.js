'use strict';

/** Real data for the tests: `../shared/corpus` from the project's root, or OFFLOOP_CORPUS. A user's clone has none. */

const { existsSync, readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');

const root = process.env.OFFLOOP_CORPUS ?? path.join(__dirname, '..', '..', 'shared', 'corpus');

/** What to pass as `skip` to a test that needs the corpus. */
const skip = existsSync(root) ? false : `no corpus at ${root} (OFFLOOP_CORPUS names another place)`;

/** The JSON files of requests/ and json/. */
function jsonFiles() {
  if (skip) return [];
  return ['requests', 'json'].flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => ({ name: `${folder}/${name}`, bytes: readFileSync(path.join(root, folder, name)) })),
  );
}

/** The texts of requests/, json/ and logs/. */
function texts() {
  if (skip) return [];
  return ['requests', 'json', 'logs'].flatMap((folder) =>
    readdirSync(path.join(root, folder)).map((name) => ({
      name: `${folder}/${name}`,
      text: readFileSync(path.join(root, folder, name), 'utf8'),
    })),
  );
}

/** The files of JSONTestSuite whose name starts with `prefix`. @param {'y_' | 'n_' | 'i_'} prefix */
function conformance(prefix) {
  if (skip) return [];
  const folder = path.join(root, 'conformance', 'JSONTestSuite');
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ name, bytes: readFileSync(path.join(folder, name)) }));
}

module.exports = { conformance, jsonFiles, skip, texts };
