'use strict';

const fs = require('node:fs');
const { progress } = require('../harness/report');
const { ratioTable, sizingTable, tables } = require('./summary');

/** @param {import('./summary').Table} table */
function markdown({ head, lines }) {
  const row = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

/**
 * Writes the tables between their marks in the README, so that it says what the last full run has measured.
 *
 * @param {string} file
 * @param {import('./summary').Rows} rows
 */
function renewReadme(file, rows) {
  const cluster = tables({ load: [], tokens: [], overload: [], restart: [], cluster: rows.cluster })[0];
  const text = fs.readFileSync(file, 'utf8');
  const next = [
    ['ratios', markdown(ratioTable([...rows.load, ...rows.tokens.map((row) => ({ ...row, body: `${row.body}, tokens counted` }))]))],
    ['sizing', markdown(sizingTable(rows.load))],
    ['cluster', cluster === undefined ? '' : markdown(cluster)],
  ].reduce((all, [name, table]) => replaceBetween(all, name, table), text);
  fs.writeFileSync(file, next);
  progress('README.md');
}

/**
 * @param {string} text
 * @param {string} name
 * @param {string} content
 */
function replaceBetween(text, name, content) {
  const [start, end] = [`<!-- bench:server ${name} -->`, `<!-- end ${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md lacks the marks ${start} and ${end}`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}

module.exports = { renewReadme, replaceBetween };
