'use strict';

// npm run docs: docs/api.md from types/*.d.ts. `--check` only compares, and follows all links between the Markdown files.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const PAGE = path.join(root, 'docs', 'api.md');

const HEAD = `# API

Generated from [types/](../types/) by \`npm run docs\`; what TypeScript and editors show is the same.
[offloop/fastify](../fastify.d.ts) and [offloop/bullmq](../bullmq.d.ts) have files of their own.
`;

/** @typedef {{ name: string, comment: string, code: string }} Declaration */

/** @param {string} line @returns {number} brackets opened less those closed, outside of comments and strings */
function depthOf(line) {
  const code = line.trimStart().startsWith('*') || line.trimStart().startsWith('/*') ? '' : line.replaceAll(/'[^']*'|\/\/.*/g, '');
  return (code.match(/[({[]/g) ?? []).length - (code.match(/[)}\]]/g) ?? []).length;
}

/** @param {string} text a file of declarations @returns {Declaration[]} with overloads in one */
function declarationsOf(text) {
  /** @type {Declaration[]} */
  const found = [];
  let comment = '';
  let code = '';
  let depth = 0;
  for (const line of text.split('\n')) {
    if (code === '' && /^(\/\*\*| \*)/.test(line)) comment += `${line}\n`;
    else if (code !== '' || line.startsWith('export ')) {
      code += `${line}\n`;
      depth += depthOf(line);
      if (depth > 0 || !/[;}]$/.test(line)) continue;
      const name = /** @type {RegExpExecArray} */ (/^export (?:\w+ )*?(?:interface|type|class|function|const) (\w+)/.exec(code))[1];
      const last = found.at(-1);
      if (comment === '' && last?.name === name) last.code += code;
      else found.push({ name, comment, code });
      comment = code = '';
    }
  }
  return found;
}

/** @param {string} comment @returns {string} as Markdown */
function proseOf(comment) {
  return comment
    .replaceAll(/^\/\*\* ?| ?\*\/$|^ \* ?/gm, '')
    .replaceAll(/\{@link (\w+)(\.\w+)?\}/g, (_, name, member = '') => `[\`${name}${member}\`](#${name.toLowerCase()})`)
    .replaceAll(/^@(throws|returns) ?(\{[^}]*\})? ?/gm, (_, tag, type = '') => `\n*${tag}* ${type.replaceAll(/[{}]/g, '`')} `)
    .trim();
}

function page() {
  const index = fs.readFileSync(path.join(root, 'index.d.ts'), 'utf8');
  const files = [...index.matchAll(/'\.\/types\/(\w+)\.js'/g)].map(([, name]) => name);
  const sections = files.map((file) => {
    const all = declarationsOf(fs.readFileSync(path.join(root, 'types', `${file}.d.ts`), 'utf8'));
    const parts = all.map(({ name, comment, code }) => {
      const prose = proseOf(comment);
      return `### ${name}\n\n${prose === '' ? '' : `${prose}\n\n`}\`\`\`ts\n${code.trimEnd()}\n\`\`\`\n`;
    });
    return `## types/${file}.d.ts\n\n${all.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(', ')}\n\n${parts.join('\n')}`;
  });
  return `${HEAD}\n${sections.join('\n')}`;
}

/** @param {string} text @returns {Set<string>} the anchors of a page's headings */
function anchorsOf(text) {
  const headings = [...text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);
  return new Set(headings.map((heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')));
}

/** @returns {string[]} links that lead nowhere */
function brokenLinks() {
  const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
  return pages.flatMap((name) => {
    const text = fs.readFileSync(path.join(root, name), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
    return [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)/g)].flatMap(([link, file, anchor]) => {
      const target = file === '' ? path.join(root, name) : path.join(root, path.dirname(name), file);
      const isThere = fs.existsSync(target) && (anchor === '' || anchorsOf(fs.readFileSync(target, 'utf8')).has(anchor));
      return isThere ? [] : [`${name}: ${link}`];
    });
  });
}

const text = page();
if (process.argv.includes('--check')) {
  const problems = brokenLinks();
  if (!fs.existsSync(PAGE) || fs.readFileSync(PAGE, 'utf8') !== text) problems.push('docs/api.md is not what types/ says: npm run docs');
  for (const problem of problems) console.error(`docs: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
} else {
  fs.writeFileSync(PAGE, text);
}
