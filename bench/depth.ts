import { met, ms, ratio, toTable } from './markdown.ts';
import { measure, runsWithin } from './measure.ts';
import { openDriver, openHandler } from './subject.ts';

/** p50 of each, milliseconds. */
export type Depth = { offset: number; count: number; first: number; byOffset: number; byCursor: number };

/** The first page, the count alone, and a page nine tenths down the list, by offset and by cursor. */
export async function measureDepth(databaseUrl: string, listed: number, millisecondsEach: number): Promise<Depth> {
  const handler = await openHandler(databaseUrl);
  const driver = await openDriver(databaseUrl);
  const offset = Math.round(listed * 0.9);
  const { next } = JSON.parse((await handler(`offset=${offset - 10}`)).body) as { next: string };
  const contestants = {
    count: driver.count(''),
    first: () => handler(''),
    byOffset: () => handler(`offset=${offset}`),
    byCursor: () => handler(new URL(next).search.slice(1)),
  };
  const times = await measure(contestants, await runsWithin(millisecondsEach, contestants.byOffset));
  await driver.end();
  return {
    offset,
    count: times.count.p50,
    first: times.first.p50,
    byOffset: times.byOffset.p50,
    byCursor: times.byCursor.p50,
  };
}

export function toDepthTable({ offset, count, first, byOffset, byCursor }: Depth): string {
  const rows: [request: string, p50: number][] = [
    ['the count', count],
    ['the first page', first],
    [`offset=${offset}`, byOffset],
    ['the same page by cursor', byCursor],
  ];
  return [
    toTable(
      ['request', 'p50', '/ the count'],
      rows.map(([request, p50]) => [request, ms(p50), ratio(p50 / count)]),
    ),
    `Goal, a deep offset ≤ 3 × the count: ${met(byOffset <= 3 * count)}.`,
  ].join('\n\n');
}
