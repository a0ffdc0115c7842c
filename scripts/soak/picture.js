'use strict';

// What happened over the time of a soak, as SVG: answers per second, memory, and the faults between them.

const WIDTH = 920;
const LEFT = 70;
const PLOT = WIDTH - LEFT - 20;
const HEIGHT = 150;

/**
 * @param {number} top @param {string} title @param {[number, number][]} points @param {number} end @param {string} colour
 */
function line(top, title, points, end, colour) {
  const most = Math.max(1, ...points.map(([, value]) => value)) * 1.1;
  const place = ([at, value]) => `${(LEFT + (at / end) * PLOT).toFixed(1)},${(top + HEIGHT - (value / most) * HEIGHT).toFixed(1)}`;
  return [
    `<text x="${LEFT}" y="${top - 8}" class="title">${title}</text>`,
    `<line x1="${LEFT}" x2="${LEFT + PLOT}" y1="${top + HEIGHT}" y2="${top + HEIGHT}" class="axis"/>`,
    `<text x="${LEFT - 8}" y="${top + 10}" class="end">${most.toFixed(0)}</text><text x="${LEFT - 8}" y="${top + HEIGHT}" class="end">0</text>`,
    `<polyline points="${points.map(place).join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
  ].join('\n');
}

/** @param {{ minutes: number, samples: { at: number, requests: number, rss: number }[], faultsAt: { at: number, kind: string }[], unsettled: number, lost: number, wrong: number, answered: number }} result */
function draw({ minutes, samples, faultsAt, unsettled, lost, wrong, answered }) {
  const end = Math.max(minutes * 60, ...samples.map(({ at }) => at));
  /** @type {[number, number][]} */
  const rates = samples.slice(1).map((sample, index) => [sample.at, Math.max(0, (sample.requests - samples[index].requests) / (sample.at - samples[index].at))]);
  const marks = faultsAt.map(({ at, kind }) => {
    const x = (LEFT + (at / end) * PLOT).toFixed(1);
    return `<line x1="${x}" x2="${x}" y1="60" y2="${80 + 2 * HEIGHT + 60}" class="fault"/><text transform="translate(${x},${95 + 2 * HEIGHT + 60}) rotate(60)" class="small">${kind}</text>`;
  });
  const body = [
    `<text x="20" y="26" class="title">${minutes} minutes of faults: ${answered} answers, ${wrong} wrong, ${unsettled} promises open, ${lost} lines lost</text>`,
    ...marks,
    line(70, 'answers per second', rates, end, '#e8730c'),
    line(130 + HEIGHT, 'memory of the service, MB', samples.map(({ at, rss }) => [at, rss / 1e6]), end, '#2f6fb3'),
  ];
  const style = 'text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.end{text-anchor:end}.small{font-size:9px}.axis{stroke:#888}.fault{stroke:#b8476b;stroke-dasharray:2 4}' +
    '@media(prefers-color-scheme:dark){text{fill:#ddd}}';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${180 + 2 * HEIGHT + 60}"><style>${style}</style>\n${body.join('\n')}\n</svg>\n`;
}

module.exports = { draw };
