const colours = ['#5b7fa6', '#d9822b', '#4f9d69', '#b0529a', '#8a6d3b', '#c0392b'];
const style = 'font: 13px system-ui, sans-serif; fill: #777';

const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const toSvg = (width: number, height: number, title: string, body: string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" style="${style}">`,
    `<title>${escapeText(title)}</title>`,
    `<text x="10" y="20" font-weight="600">${escapeText(title)}</text>`,
    ...body,
    '</svg>\n',
  ].join('\n');

const toText = (x: number, y: number, text: string, anchor = 'start', colour = '#777'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${escapeText(text)}</text>`;

/** Horizontal bars, some for each label, with their values at their ends. */
export function toBars(title: string, rows: { label: string; values: Record<string, number> }[]): string {
  const max = Math.max(...rows.flatMap(({ values }) => Object.values(values)));
  const rowHeight = 20 * Object.keys(rows[0]?.values ?? {}).length + 14;
  const body = rows.flatMap(({ label, values }, row) => [
    toText(10, 50 + row * rowHeight, label),
    ...Object.entries(values).flatMap(([name, value], index) => {
      const y = 36 + row * rowHeight + index * 20;
      const width = Math.max(1, (value / max) * 380);
      return [
        `<rect x="220" y="${y}" width="${width.toFixed(1)}" height="16" rx="2" fill="${colours[index]}"/>`,
        toText(228 + width, y + 13, `${value.toFixed(2)} ${name}`),
      ];
    }),
  ]);
  return toSvg(800, 40 + rows.length * rowHeight, title, body);
}

/** A line for each label over the same few places, on a logarithmic scale. */
export function toLines(title: string, lines: { label: string; points: { x: string; y: number }[] }[]): string {
  const places = lines[0]?.points.map(({ x }) => x) ?? [];
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y));
  const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
  const toX = (index: number) => 60 + (index * 480) / Math.max(1, places.length - 1);
  const toY = (value: number) => 320 - ((Math.log10(value) - low) / (high - low)) * 270;
  const grid = Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)).flatMap((value) => [
    `<line x1="60" x2="540" y1="${toY(value)}" y2="${toY(value)}" stroke="#8883"/>`,
    toText(52, toY(value) + 4, String(value), 'end'),
  ]);
  // Labels at the ends of their lines, moved apart where two would stand on each other.
  const ends = lines.map(({ points }) => toY(points.at(-1)?.y ?? 1));
  const order = ends.map((_, index) => index).sort((a, b) => (ends[a] ?? 0) - (ends[b] ?? 0));
  const labelYs = new Map<number, number>();
  for (const [position, index] of order.entries()) {
    const above = labelYs.get(order[position - 1] ?? -1) ?? 0;
    labelYs.set(index, Math.max(ends[index] ?? 0, above + 16));
  }
  const body = lines.flatMap(({ label, points }, index) => {
    const path = points.map(({ y }, place) => `${toX(place).toFixed(1)},${toY(y).toFixed(1)}`).join(' ');
    const colour = colours[index] ?? '#777';
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      toText(550, (labelYs.get(index) ?? 0) + 4, `${label} ${points.at(-1)?.y.toFixed(1)}`, 'start', colour),
    ];
  });
  return toSvg(800, 360, title, [
    ...grid,
    ...places.map((place, index) => toText(toX(index), 345, place, 'middle')),
    ...body,
  ]);
}
