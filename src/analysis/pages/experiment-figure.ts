// The figure of an experiment: held-out reward by epoch, one panel per variant; the mean as a line,
// one standard deviation as a band, the other variants' means in grey. The SVG uses only paths and
// text, so it renders wherever Markdown does.

import type { VariantComparison } from './experiment-table.ts';

const panel = { width: 220, height: 150, left: 34, top: 22, right: 10, bottom: 24 };
const perRow = 4;

export function experimentFigure(comparison: readonly VariantComparison[]): string {
  const points = comparison.flatMap(({ curve }) => curve);
  const epochs = points.map(({ epoch }) => epoch);
  const tops = points.map((point) => point.mean + (point.deviation ?? 0));
  const range = {
    first: Math.min(...epochs),
    last: Math.max(...epochs),
    top: Math.ceil(10 * Math.max(0.1, ...tops)) / 10,
  };
  const rows = Math.ceil(comparison.length / perRow);
  const panels = comparison.map((variant, i) => {
    const x = (i % perRow) * panel.width;
    const y = Math.floor(i / perRow) * panel.height;
    const inside = drawPanel(variant, comparison, range);
    return `<g transform="translate(${x} ${y})">${inside}</g>`;
  });
  const width = Math.min(perRow, comparison.length) * panel.width;
  const height = rows * panel.height;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="10"><title>Held-out reward by epoch, one panel per variant</title><rect width="${width}" height="${height}" fill="#fff"/>${panels.join('')}</svg>\n`;
}

interface Range {
  first: number;
  last: number;
  top: number;
}

function drawPanel(
  variant: VariantComparison,
  all: readonly VariantComparison[],
  range: Range,
): string {
  const { x, y } = scales(range);
  const line = (curve: VariantComparison['curve'], style: string) =>
    `<path d="${curve.map((p, i) => `${i ? 'L' : 'M'}${x(p.epoch)} ${y(p.mean)}`).join('')}" fill="none" ${style}/>`;
  const others = all.filter((other) => other !== variant);
  const band = [
    ...variant.curve.map((p) => `${x(p.epoch)} ${y(p.mean + (p.deviation ?? 0))}`),
    ...variant.curve.toReversed().map((p) => `${x(p.epoch)} ${y(p.mean - (p.deviation ?? 0))}`),
  ];
  return [
    axes(range),
    ...others.map(({ curve }) => line(curve, 'stroke="#ddd"')),
    `<path d="M${band.join('L')}Z" fill="#2a6fdb" opacity="0.2"/>`,
    line(variant.curve, 'stroke="#2a6fdb" stroke-width="1.5"'),
    `<text x="${panel.left}" y="14" font-weight="bold">${escaped(variant.title)}</text>`,
  ].join('');
}

function scales({ first, last, top }: Range) {
  const { width, height, left, right, bottom } = panel;
  const across = (width - left - right) / Math.max(1, last - first);
  const up = (height - panel.top - bottom) / top;
  const round = (value: number) => Number(value.toFixed(1));
  return {
    x: (epoch: number) => round(left + (epoch - first) * across),
    y: (reward: number) => round(height - bottom - reward * up),
  };
}

/** Grid lines at 0, the middle and the top; the first and last epoch as labels. */
function axes(range: Range): string {
  const { x, y } = scales(range);
  const end = panel.width - panel.right;
  const rules = [0, range.top / 2, range.top].map(
    (value) =>
      `<path d="M${panel.left} ${y(value)}H${end}" stroke="#eee"/><text x="${panel.left - 4}" y="${y(value) + 3}" text-anchor="end" fill="#666">${value.toFixed(2)}</text>`,
  );
  const epochs = [range.first, range.last].map(
    (epoch) =>
      `<text x="${x(epoch)}" y="${panel.height - 10}" text-anchor="middle" fill="#666">${epoch}</text>`,
  );
  return [...rules, ...epochs].join('');
}

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]!);
