'use strict';

const { mix, planted } = require('./evidence');
const { ADJECTIVES, CITIES, NOUNS, SERVICES, VERBS, capital, paragraph, personName, sentence } = require('./words');

/**
 * What is found in files: search results, diffs, listings, code, pages and prose.
 *
 * @typedef {import('./random').Random} Random
 * @typedef {import('./evidence').Sample} Sample
 * @typedef {import('./evidence').Evidence} Evidence
 */

/** @param {Random} random */
const camel = (random) => `${random.pick(VERBS)}${capital(random.pick(NOUNS))}${capital(random.pick(NOUNS))}`;
/** @param {Random} random */
const path = (random) => `${random.pick(['src', 'lib', 'app', 'packages'])}/${random.pick(SERVICES)}/${random.pick(NOUNS)}_${random.pick(NOUNS)}.${random.pick(['ts', 'py', 'go'])}`;
/** @param {Random} random */
const codeLine = (random) =>
  random.pick([
    () => `const ${random.pick(NOUNS)} = await ${camel(random)}(${random.pick(NOUNS)}, ${random.below(100)});`,
    () => `if (${random.pick(NOUNS)}.${random.pick(NOUNS)} === undefined) return ${random.pick(NOUNS)};`,
    () => `this.${random.pick(NOUNS)} = ${random.pick(NOUNS)}.${camel(random)}();`,
    () => `for (const ${random.pick(NOUNS)} of ${random.pick(NOUNS)}.${random.pick(NOUNS)}s) ${camel(random)}(${random.pick(NOUNS)});`,
    () => `// ${sentence(random)}`,
    () => `return { ${random.pick(NOUNS)}: ${random.pick(NOUNS)}.${random.pick(NOUNS)}, ${random.pick(NOUNS)}: ${random.below(5000)} };`,
  ])();

/** @param {Random} random @param {number} length */
function functionText(random, length) {
  const body = Array.from({ length }, () => `  ${random.chance(0.3) ? '  ' : ''}${codeLine(random)}`);
  return [`export async function ${camel(random)}${random.digits(2)}(${random.pick(NOUNS)}, ${random.pick(NOUNS)}) {`, ...body, '}', ''].join('\n');
}

/**
 * Sorted by file as search tools do, the files with their hits as a tool prints them.
 *
 * @param {(file: string, hits: { line: number, text: string }[]) => string} write
 * @returns {(random: Random) => Sample}
 */
function search(write) {
  return (random) => {
    const word = random.pick(NOUNS);
    const wanted = `${random.pick(['Quorum', 'Zenith', 'Falcon', 'Juniper'])}${random.letters(2)}Lease`;
    /** @type {Evidence[]} */
    const evidence = [];
    for (let left = random.between(1, 3); left > 0; left -= 1) {
      const tag = `${random.hex(9)}z`;
      evidence.push({ kind: 'query', needle: tag, unit: `  ${word}.register(${wanted}, '${tag}');` });
    }
    const hit = () => `  ${codeLine(random)} ${word}`.replace(/ (\w+)$/, (_, tail) => ` // ${tail}`);
    const texts = mix(random, random.between(250, 900), hit, evidence);
    const blocks = [];
    while (texts.length > 0) {
      let line = 0;
      const hits = texts.splice(0, random.between(1, 12)).map((text) => ({ line: (line += random.between(1, 90)), text }));
      blocks.push(write(path(random), hits));
    }
    return {
      text: blocks.join('\n'),
      question: `Where is ${wanted} registered, and under which tag?`,
      tool: 'grep',
      arguments: { pattern: word, path: '.' },
      planted: planted(evidence),
    };
  };
}

/** @param {Random} random @returns {Sample} */
function diff(random) {
  const wanted = `verify${random.letters(3)}Signature`;
  const tag = random.hex(10);
  const code = `FIXME-${random.digits(6)}`;
  /** @type {Evidence[]} */
  const evidence = [
    { kind: 'query', needle: tag, unit: [`-  if (!${wanted}(token, '${tag}')) throw new Error('no');`] },
    { kind: 'rare', needle: code, unit: [`+  // ${code}: password is written to the audit trail in the clear`] },
  ];
  const hunk = () => {
    const lines = [];
    for (let left = random.between(1, 4); left > 0; left -= 1) lines.push(`-  ${codeLine(random)}`);
    for (let left = random.between(1, 5); left > 0; left -= 1) lines.push(`+  ${codeLine(random)}`);
    return lines;
  };
  const hunks = mix(random, random.between(60, 260), hunk, evidence);
  const blocks = [];
  while (hunks.length > 0) {
    const name = path(random);
    blocks.push(`diff --git a/${name} b/${name}\nindex ${random.hex(7)}..${random.hex(7)} 100644\n--- a/${name}\n+++ b/${name}`);
    for (const lines of hunks.splice(0, random.between(1, 6))) {
      const context = () => Array.from({ length: 3 }, () => `   ${codeLine(random)}`);
      const all = [...context(), ...lines, ...context()];
      const size = (/** @type {string} */ sign) => all.filter((line) => line[0] === ' ' || line[0] === sign).length;
      const start = random.between(1, 800);
      blocks.push(`@@ -${start},${size('-')} +${start + random.below(4)},${size('+')} @@ ${random.chance(0.5) ? `function ${camel(random)}()` : ''}`.trimEnd(), ...all);
    }
  }
  return {
    text: blocks.join('\n'),
    question: `Does this branch touch \`${wanted}\`? Review it.`,
    tool: 'bash',
    arguments: { command: 'git diff main...HEAD' },
    planted: planted(evidence),
  };
}

/** @type {Record<string, (random: Random, name: string, bytes: number) => string>} */
const LISTINGS = {
  'listing-ls': (r, name, bytes) => `-rw-r--r--  1 deploy deploy ${String(bytes).padStart(10)} ${r.pick(['Jan', 'Mar', 'May'])} ${String(r.between(1, 28)).padStart(2)} ${r.between(10, 23)}:${r.between(10, 59)} ${name}`,
  'listing-find': (r, name, bytes) => `/srv/app/${r.skewed(SERVICES)}/${r.skewed(NOUNS)}/${name}\t${bytes}`,
  'listing-du': (r, name, bytes) => `${bytes}\t./${r.skewed(SERVICES)}/${name}`,
};

/**
 * @param {(random: Random, name: string, bytes: number) => string} write
 * @returns {(random: Random) => Sample}
 */
function listing(write) {
  return (random) => {
    const ordinary = () => `${random.pick(NOUNS)}_${random.pick(NOUNS)}${random.pick(['.ts', '.test.ts', '.js', '.json', '.css'])}`;
    const size = String(random.between(4_100_000_000, 9_800_000_000));
    const rare = `${random.hex(6)}.pem.orig`;
    const wanted = `invoice-${random.digits(5)}`;
    const found = `.v${random.digits(7)}`;
    /** @type {Evidence[]} */
    const evidence = [
      { kind: 'outlier', needle: size, unit: write(random, ordinary(), Number(size)) },
      { kind: 'rare', needle: rare, unit: write(random, rare, random.between(900, 3000)) },
      { kind: 'query', needle: found, unit: write(random, `${wanted}${found}.pdf`, random.between(900, 9000)) },
    ];
    const lines = mix(random, random.between(400, 1500), () => write(random, ordinary(), random.between(200, 30_000)), evidence);
    return {
      text: lines.join('\n'),
      question: `Is there a file for ${wanted}? Which version?`,
      tool: 'bash',
      arguments: { command: 'ls' },
      planted: planted(evidence),
    };
  };
}

/** A file as an agent's viewer shows it. @param {Random} random @returns {Sample} */
function code(random) {
  const name = `settle${random.letters(3)}Invoice`;
  const rate = `0.0${random.digits(5)}`;
  const wanted = [`export function ${name}(invoice) {`, `  const rate = ${rate};`, '  return invoice.total * rate;', '}', ''].join('\n');
  const evidence = [{ kind: /** @type {const} */ ('query'), needle: rate, unit: wanted }];
  const functions = mix(random, random.between(40, 140), () => functionText(random, random.between(4, 24)), evidence);
  const lines = functions.join('\n').split('\n');
  const isNumbered = random.chance(0.5);
  return {
    text: isNumbered ? lines.map((line, at) => `${String(at + 1).padStart(6)}\t${line}`).join('\n') : lines.join('\n'),
    question: `Which rate does ${name} use?`,
    tool: 'read_file',
    arguments: { path: 'src/billing/invoice.ts' },
    planted: planted(evidence),
  };
}

/**
 * Paragraphs of prose, some with what matters.
 *
 * @param {Random} random
 */
function paragraphs(random) {
  const wanted = `${random.pick(['Marmalade', 'Obsidian', 'Tamarind'])} ${random.pick(['protocol', 'accord', 'clause'])}`;
  const signer = `${personName(random)} of ${random.letters(2)}${random.digits(4)}`;
  const incident = `INC-${random.digits(6)}`;
  const cost = `${random.between(41, 98)}${random.digits(7)}`;
  /** @type {Evidence[]} */
  const evidence = [
    { kind: 'query', needle: signer, unit: `The ${wanted} was signed by ${signer} in the end.` },
    { kind: 'error', needle: incident, unit: `The migration failed with a fatal error, see ${incident} for the exception.` },
    { kind: 'outlier', needle: cost, unit: `That quarter alone had a cost of ${cost} euro.` },
  ];
  const normal = () =>
    random.chance(0.15) ? `In ${random.pick(CITIES)} the ${random.pick(ADJECTIVES)} ${random.pick(NOUNS)} had a cost of ${random.between(100, 900)} euro.` : sentence(random);
  const sentences = mix(random, random.between(250, 700), normal, evidence);
  const blocks = [];
  while (sentences.length > 0) blocks.push(sentences.splice(0, random.between(2, 7)).join(' '));
  return { blocks, wanted, evidence };
}

/** @param {(random: Random, blocks: string[]) => string} write @returns {(random: Random) => Sample} */
function document(write) {
  return (random) => {
    const { blocks, wanted, evidence } = paragraphs(random);
    return {
      text: write(random, blocks),
      question: `Who signed the "${wanted}"?`,
      tool: 'fetch_page',
      arguments: { url: 'https://example.com/history' },
      planted: planted(evidence),
    };
  };
}

/** @param {Random} random @param {string[]} blocks */
function html(random, blocks) {
  const body = blocks.map((block) => `      <div class="section section--${random.hex(5)}" data-id="${random.uuid()}"><p style="margin:0 0 1em">${block}</p></div>`);
  const links = Array.from({ length: 40 }, () => `<li><a href="/${random.pick(NOUNS)}/${random.digits(4)}?utm_source=nav">${random.pick(NOUNS)}</a></li>`);
  return `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${sentence(random)}</title>\n<script>window.__state=${JSON.stringify({ id: random.uuid(), list: Array.from({ length: 60 }, () => random.hex(12)) })};</script>\n<style>${'.a{color:red}.b{margin:0 auto;padding:2px}'.repeat(30)}</style></head>\n<body><nav><ul>${links.join('')}</ul></nav>\n  <main>\n${body.join('\n')}\n  </main>\n<footer>© example</footer></body></html>`;
}

/** @param {Random} random @param {string[]} blocks */
function markdown(random, blocks) {
  return blocks
    .map((block, at) => (at % 4 === 0 ? `## ${capital(random.pick(NOUNS))} and ${random.pick(NOUNS)}\n\n${block}` : random.chance(0.2) ? `- ${block}\n- ${paragraph(random, 1)}` : block))
    .join('\n\n');
}

/** @type {Record<string, (random: Random) => Sample>} */
const generators = {
  'search-grep': search((file, hits) => hits.map(({ line, text }) => `${file}:${line}:${text}`).join('\n')),
  'search-ripgrep': search((file, hits) => `${file}\n${hits.map(({ line, text }) => `${line}:${text}`).join('\n')}\n`),
  diff,
  code,
  prose: document((_, blocks) => blocks.join('\n\n')),
  markdown: document(markdown),
  html: document(html),
};
for (const [name, write] of Object.entries(LISTINGS)) generators[name] = listing(write);

module.exports = { generators };
