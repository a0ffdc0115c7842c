'use strict';

const { mix, planted } = require('./evidence');
const { DOMAINS } = require('./row-domains');

/**
 * @typedef {import('./random').Random} Random
 * @typedef {import('./evidence').Sample} Sample
 * @typedef {import('./evidence').Evidence} Evidence
 * @typedef {import('./row-domains').Row} Row
 * @typedef {import('./row-domains').Domain} Domain
 */

/**
 * Rows of a domain with evidence in some of them.
 *
 * @param {Random} random
 * @param {Domain} domain
 * @param {number} count
 */
function plantRows(random, domain, count) {
  let index = 0;
  const row = () => domain.row(random, (index += 1));
  /** @type {Evidence[]} */
  const evidence = [];
  const plant = (/** @type {Evidence['kind']} */ kind, /** @type {(row: Row) => string} */ change) => {
    // Made where it will stand, so that counters count.
    const unit = { change, row: {} };
    const item = { kind, needle: '', unit };
    unit.change = (made) => (item.needle = change(made));
    evidence.push(item);
  };
  for (let left = random.between(1, 3); left > 0; left -= 1) plant('error', (made) => lastWord(domain.error(random, made)));
  for (let left = random.between(1, 2); left > 0; left -= 1) plant('outlier', (made) => domain.outlier(random, made));
  const tag = random.hex(6);
  const times = random.between(1, 3);
  for (let left = times; left > 0; left -= 1) {
    plant('rare', (made) => {
      const value = domain.rare(made, tag);
      return times === 1 ? value : domain.key(made);
    });
  }
  let question = '';
  plant('query', (made) => {
    question = domain.asked(random, made);
    return domain.key(made);
  });
  const units = mix(random, count, () => undefined, evidence);
  const rows = units.map((unit) => {
    const made = row();
    /** @type {any} */ (unit)?.change(made);
    return made;
  });
  return { rows, question, planted: planted(evidence) };
}

/** @param {string} text */
const lastWord = (text) => text.slice(text.lastIndexOf(' ') + 1);

/**
 * @param {Row} row
 * @param {string} [prefix]
 * @returns {[string, string][]} its fields as cells, nested ones by their path
 */
function cells(row, prefix = '') {
  return Object.entries(row).flatMap(([name, value]) => {
    if (Array.isArray(value)) return [[prefix + name, value.map((item) => (typeof item === 'object' ? Object.values(item).join('x') : item)).join(' ')]];
    if (typeof value === 'object' && value !== null) return cells(value, `${prefix}${name}.`);
    return [[prefix + name, value === null ? '' : String(value)]];
  });
}

/** @param {Row[]} rows @returns {string[][]} with a head */
function grid(rows) {
  const head = [...new Set(rows.flatMap((row) => cells(row).map(([name]) => name)))];
  const body = rows.map((row) => {
    const byName = new Map(cells(row));
    return head.map((name) => byName.get(name) ?? '');
  });
  return [head, ...body];
}

/** @param {string} text @param {string} separator */
const quoted = (text, separator) => (text.includes(separator) || text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text);

/** @param {string[][]} table @param {string} gap */
function aligned(table, gap) {
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  return table.map((line) => line.map((cell, column) => cell.padEnd(widths[column])).join(gap).trimEnd());
}

/** @param {unknown} value @param {string} indent @returns {string} */
function yaml(value, indent = '') {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${indent}- ${yaml(item, `${indent}  `).trimStart()}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([name, inner]) => `\n${indent}${name}:${yaml(inner, `${indent}  `)}`).join('');
  }
  return ` ${typeof value === 'string' ? JSON.stringify(value) : value}`;
}

const flat = DOMAINS.filter(({ name }) => !['flights', 'items'].includes(name));

/** @typedef {(rows: Row[], domain: Domain, random: Random) => string} Writer */
/** How rows come, and which domains come so. @type {Record<string, [Domain[], Writer]>} */
const WRITERS = {
  'json-wrapped': [DOMAINS, (rows, { name }, random) => JSON.stringify({ ok: true, [name]: rows, total: rows.length, next_cursor: random.hex(12) })],
  'json-pretty': [DOMAINS, (rows) => JSON.stringify(rows, null, 2)],
  'json-text-blocks': [DOMAINS, (rows, { name }) => `Found ${rows.length} ${name}.\n\n${JSON.stringify(rows)}\n\nEnd of ${name}.`],
  'json-in-string': [DOMAINS, (rows) => JSON.stringify({ status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(rows) })],
  'json-by-id': [DOMAINS, (rows, domain) => JSON.stringify(Object.fromEntries(rows.map((row, at) => [`${domain.name}-${at}`, row])))],
  'json-columns': [
    flat,
    (rows) => {
      const [head, ...body] = grid(rows);
      return JSON.stringify({ columns: head, rows: body.map((line) => line.map((cell) => (cell !== '' && String(Number(cell)) === cell ? Number(cell) : cell))) });
    },
  ],
  'json-lines': [DOMAINS, (rows) => rows.map((row) => JSON.stringify(row)).join('\n')],
  csv: [flat, (rows) => grid(rows).map((line) => line.map((cell) => quoted(cell, ',')).join(',')).join('\n')],
  tsv: [flat, (rows) => grid(rows).map((line) => line.join('\t')).join('\n')],
  'markdown-table': [
    flat,
    (rows) => {
      const [head, ...body] = grid(rows);
      return [head, head.map(() => '---'), ...body].map((line) => `| ${line.map((cell) => cell.replaceAll('|', '/')).join(' | ')} |`).join('\n');
    },
  ],
  'sql-table': [
    flat,
    (rows) => {
      const [head, ...body] = aligned(grid(rows), ' | ').map((line) => ` ${line}`);
      return [head, head.replace(/[^|]/g, '-').replaceAll('|', '+'), ...body, `(${rows.length} rows)`].join('\n');
    },
  ],
  'aligned-columns': [flat.filter(({ name }) => !['results', 'products'].includes(name)), (rows) => {
    const [head, ...body] = grid(rows);
    return aligned([head.map((name) => name.toUpperCase()), ...body.map((line) => line.map((cell) => cell.replaceAll(' ', '_')))], '   ').join('\n');
  }],
  'html-table': [
    flat,
    (rows) => {
      const [head, ...body] = grid(rows);
      const line = (/** @type {string} */ tag, /** @type {string[]} */ values) => `    <tr class="row">${values.map((value) => `<${tag} class="cell">${value}</${tag}>`).join('')}</tr>`;
      return `<!DOCTYPE html>\n<html><head><title>Report</title><style>.cell{padding:2px}</style></head>\n<body>\n  <table id="report">\n${line('th', head)}\n${body.map((values) => line('td', values)).join('\n')}\n  </table>\n</body></html>`;
    },
  ],
  yaml: [DOMAINS, (rows, { name }) => `${name}:${yaml(rows, '  ')}`],
};

/** Domains in the plainest form, an array, have a generator each. */
for (const domain of DOMAINS) {
  const name = domain.name === 'items' ? 'pods' : domain.name === 'results' ? 'tickets' : domain.name;
  WRITERS[`json-${name}`] = [[domain], (rows) => JSON.stringify(rows)];
}

/**
 * @param {Domain[]} domains
 * @param {Writer} write
 * @returns {(random: Random) => Sample}
 */
function generator(domains, write) {
  return (random) => {
    const domain = random.pick(domains);
    // Wide rows come in smaller numbers.
    const wide = ['flights', 'items', 'results', 'products'].includes(domain.name);
    const result = plantRows(random, domain, wide ? random.between(120, 320) : random.between(250, 900));
    return {
      text: write(result.rows, domain, random),
      question: result.question,
      tool: `list_${domain.name}`,
      arguments: { limit: 1000 },
      planted: result.planted,
    };
  };
}

/** @type {Record<string, (random: Random) => Sample>} */
const generators = {};
for (const [name, [domains, write]] of Object.entries(WRITERS)) generators[name] = generator(domains, write);

module.exports = { generators, plantRows };
