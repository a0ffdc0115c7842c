'use strict';

// One page with every plot and figure of a run, in one file: no scripts, nothing to load.

const { drawChart } = require('../harness/chart');
const { tables } = require('./summary');

/**
 * @typedef {object} About
 * @property {string} title
 * @property {string} method
 * @property {string} machine
 * @property {import('./summary').Judgement[]} summary
 * @property {Omit<import('../harness/chart').Chart, 'notes'>[]} charts
 */

const STYLE = `
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
th,td{padding:.25rem .6rem;border-bottom:1px solid #d1d9e0;text-align:right;white-space:nowrap}
th:first-child,td:first-child,th:nth-child(2),td:nth-child(2){text-align:left}
.scroll{overflow-x:auto}svg{max-width:100%;height:auto;margin:1rem 0}.quiet{color:#59636e}.no{font-weight:600;color:#b35900}
@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#3d444d}.quiet{color:#9198a1}.no{color:#ff9a3d}}
`;

/** @param {string} text */
function escape(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** @param {import('./summary').Table} table */
function drawTable({ title, head, lines }) {
  const row = (/** @type {string} */ tag, /** @type {string[]} */ cells) =>
    `<tr>${cells.map((cell) => `<${tag}${cell === 'no' ? ' class="no"' : ''}>${escape(cell)}</${tag}>`).join('')}</tr>`;
  return `<h2>${escape(title)}</h2>
<div class="scroll"><table>
<thead>${row('th', head)}</thead>
<tbody>
${lines.map((line) => row('td', line)).join('\n')}
</tbody></table></div>`;
}

/**
 * Each chart brings its own styles, which hold for the whole page: what they call colours gets a name of its own.
 *
 * @param {Omit<import('../harness/chart').Chart, 'notes'>} chart
 * @param {number} index
 */
function drawPlot(chart, index) {
  const svg = drawChart({ ...chart, notes: [] });
  return svg
    .replace('<svg ', `<svg id="plot${index}" `)
    .replace(/<style>[^]*<\/style>/, (style) => style.replace(/(^|[},\n{])(text|\.[a-z]\w*)(?=[{,])/g, `$1#plot${index} $2`));
}

/**
 * @param {import('./summary').Rows} rows
 * @param {About} about
 * @returns {string} HTML
 */
function drawPage(rows, { title, method, machine, summary, charts }) {
  const wanted = { title: 'What was wanted', head: ['figure', 'wanted', 'measured', 'met'], lines: summary.map((line) => [line.figure, line.wanted, line.measured, line.met]) };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(title)}</h1>
<p>${escape(method)}</p>
<p class="quiet">${escape(machine)}</p>
${summary.length > 0 ? drawTable(wanted) : ''}
<h2>Plots</h2>
${charts.map(drawPlot).join('\n')}
${tables(rows).map(drawTable).join('\n')}
</body>
</html>
`;
}

module.exports = { drawPage };
