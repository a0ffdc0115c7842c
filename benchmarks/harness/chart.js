'use strict';

/**
 * @typedef {object} Bar
 * @property {string} series  which colour and legend entry
 * @property {number} value   length
 * @property {string} text    what stands at its end
 *
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} unit                        what a bar's length means
 * @property {{ label: string, bars: Bar[] }[]} groups
 * @property {{ value: number, label: string }} [reference]  a dashed line
 * @property {number} [limit]                     bars beyond it are cut and marked
 * @property {string[]} notes                     method and machine, one line each
 */

const WIDTH = 920;
const LABEL_WIDTH = 170;
const TEXT_WIDTH = 190;
const BAR = 13;
const GROUP_GAP = 11;
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - TEXT_WIDTH - 20;

/** Series colours, light and dark; told apart also by those who do not see red from green. */
const COLOURS = [
  ['#e8730c', '#ff9a3d'],
  ['#2f6fb3', '#6aa9e9'],
  ['#7a8793', '#93a1ae'],
  ['#8a5fb5', '#b593dd'],
  ['#1d8f7e', '#4fc4b1'],
  ['#b8476b', '#e884a5'],
];

/**
 * A horizontal bar chart as SVG text. Colours follow the reader's light or dark scheme.
 *
 * @param {Chart} chart
 * @returns {string}
 */
function drawChart(chart) {
  const series = [...new Set(chart.groups.flatMap((group) => group.bars.map((bar) => bar.series)))];
  // offloop has the first, warm colour; the others follow in their order.
  series.sort((a, b) => Number(b.startsWith('offloop')) - Number(a.startsWith('offloop')));
  const longest = Math.max(...chart.groups.flatMap((group) => group.bars.map((bar) => bar.value)));
  const scale = PLOT_WIDTH / Math.min(longest, chart.limit ?? Infinity);

  const body = [];
  let y = 30;
  body.push(text(20, y, chart.title, 'title'));
  y += 20;
  body.push(text(20, y, chart.unit, 'quiet'));
  y += 22;
  body.push(legend(series, y));
  y += 22;

  const top = y;
  for (const group of chart.groups) {
    body.push(text(LABEL_WIDTH - 8, y + (group.bars.length * BAR) / 2 + 4, group.label, 'label end'));
    for (const bar of group.bars) {
      body.push(drawBar(bar, series.indexOf(bar.series), y, scale));
      y += BAR;
    }
    y += GROUP_GAP;
  }
  body.push(`<line class="axis" x1="${LABEL_WIDTH}" y1="${top - 4}" x2="${LABEL_WIDTH}" y2="${y - GROUP_GAP + 4}"/>`);
  if (chart.reference !== undefined) body.push(reference(chart.reference, scale, top, y - GROUP_GAP));
  y += 24;
  for (const note of chart.notes) {
    body.push(text(20, y, note, 'quiet'));
    y += 16;
  }
  return document(chart.title, y + 6, series.length, body);
}

/**
 * @param {Bar} bar
 * @param {number} colour
 * @param {number} y
 * @param {number} scale
 */
function drawBar(bar, colour, y, scale) {
  const length = Math.max(1, Math.min(bar.value * scale, PLOT_WIDTH));
  const cut = bar.value * scale > PLOT_WIDTH + 0.5;
  const end = LABEL_WIDTH + length;
  const parts = [
    `<rect class="s${colour}" x="${LABEL_WIDTH}" y="${y + 1}" width="${length.toFixed(1)}" height="${BAR - 2}"/>`,
  ];
  // A cut bar ends in two slashes.
  if (cut) parts.push(`<path class="cut" d="M${end - 14} ${y + BAR}l6 -${BAR}m4 0l-6 ${BAR}"/>`);
  parts.push(text(end + 6, y + BAR - 3, bar.text, 'value'));
  return parts.join('');
}

/**
 * @param {readonly string[]} series
 * @param {number} y
 */
function legend(series, y) {
  let x = 20;
  const parts = [];
  for (const [index, name] of series.entries()) {
    parts.push(
      `<rect class="s${index}" x="${x}" y="${y - 9}" width="10" height="10"/>${text(x + 15, y, name, 'label')}`,
    );
    x += 15 + name.length * 7.2 + 18;
  }
  return parts.join('');
}

/**
 * @param {{ value: number, label: string }} mark
 * @param {number} scale
 * @param {number} top
 * @param {number} bottom
 */
function reference(mark, scale, top, bottom) {
  const x = (LABEL_WIDTH + mark.value * scale).toFixed(1);
  return `<line class="reference" x1="${x}" y1="${top - 4}" x2="${x}" y2="${bottom + 4}"/>${text(Number(x), bottom + 15, mark.label, 'quiet middle')}`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {string} classes
 */
function text(x, y, content, classes) {
  return `<text class="${classes}" x="${x.toFixed(1)}" y="${y.toFixed(1)}">${escape(content)}</text>`;
}

/** @param {string} content */
function escape(content) {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/**
 * @param {string} title
 * @param {number} height
 * @param {number} seriesCount
 * @param {readonly string[]} body
 */
function document(title, height, seriesCount, body) {
  const colours = (/** @type {0 | 1} */ scheme) => {
    const rules = [];
    for (let index = 0; index < seriesCount; index += 1) {
      rules.push(`.s${index}{fill:${COLOURS[index % COLOURS.length][scheme]}}`);
    }
    return rules.join('');
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">
<style>
text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.quiet{fill:#59636e;font-size:11px}.value{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:3px}
.end{text-anchor:end}.middle{text-anchor:middle}
.paper{fill:#fff}.axis{stroke:#59636e}.reference{stroke:#59636e;stroke-dasharray:4 3}.cut{stroke:#fff;stroke-width:2;fill:none}
${colours(0)}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}.paper{fill:#0d1117}.axis,.reference{stroke:#9198a1}.cut,.value{stroke:#0d1117}
${colours(1)}}
</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="6"/>
${body.join('\n')}
</svg>
`;
}

module.exports = { drawChart };
