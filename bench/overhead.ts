import { met, ms, ratio, toTable } from './markdown.ts';
import { measure, median, runsWithin, type Times, toMedianTimes } from './measure.ts';
import { toBars } from './plot.ts';
import { openDriver, openHandler, warmUp } from './subject.ts';

const kinds: Record<string, { query: string; acceptEncoding?: string; goal: number }> = {
  'default page': { query: '', goal: 1.25 },
  'limit=100': { query: 'limit=100', goal: 1.25 },
  'limit=1000': { query: 'limit=1000', goal: 1.4 },
  'limit=1000, gzip': { query: 'limit=1000', acceptEncoding: 'gzip', goal: 1.4 },
  'a filter': { query: 'is_active=false', goal: 1.25 },
  'a search': { query: 'search=user00012', goal: 1.25 },
  'two sort keys': { query: 'ordering=gender,-created_at', goal: 1.25 },
};

export type Overhead = { kind: string; handler: Times; driver: Times; ratio: number; goal: number };

/**
 * The function against the bare driver with the same statements, on one data set. Figures are medians of rounds, each with an instance and
 * a connection of its own: of two server processes that run the same statement one may be half as fast again as the other, all its life.
 */
export async function measureOverhead(
  databaseUrl: string,
  rounds: number,
  millisecondsEach: number,
): Promise<Overhead[]> {
  const results = Object.entries(kinds).map(([kind, { query, acceptEncoding, goal }]) => ({
    kind,
    query,
    acceptEncoding,
    goal,
    rounds: [] as { handler: Times; driver: Times }[],
  }));
  for (let round = 0; round < rounds; round += 1) {
    const handler = await openHandler(databaseUrl);
    const driver = await openDriver(databaseUrl);
    // Both the same: what a server process has done before is in its memory, and tells in what it does next.
    await warmUp(() => handler(''));
    await warmUp(driver.run(''));
    for (const { query, acceptEncoding, rounds } of results) {
      const contestants = { handler: () => handler(query, acceptEncoding), driver: driver.run(query) };
      const { counted } = await runsWithin(millisecondsEach, contestants.handler);
      rounds.push(await measure(contestants, { warmUp: counted, counted }));
    }
    await driver.end();
  }
  return results.map(({ kind, goal, rounds }) => ({
    kind,
    goal,
    handler: toMedianTimes(rounds.map(({ handler }) => handler)),
    driver: toMedianTimes(rounds.map(({ driver }) => driver)),
    ratio: median(rounds.map(({ handler, driver }) => handler.p50 / driver.p50)),
  }));
}

export function toOverheadTable(overhead: Overhead[]): string {
  return toTable(
    ['request', 'function p50', 'p99', 'driver p50', 'p99', 'ratio', 'goal', ''],
    overhead.map(({ kind, handler, driver, ratio: times, goal }) => [
      kind,
      ...[handler.p50, handler.p99, driver.p50, driver.p99].map(ms),
      ratio(times),
      `≤ ${goal}`,
      met(times <= goal),
    ]),
  );
}

export const toOverheadPlot = (overhead: Overhead[]): string =>
  toBars(
    'p50, ms: the function and the bare driver',
    overhead.map(({ kind, handler, driver }) => ({
      label: kind,
      values: { driver: driver.p50, function: handler.p50 },
    })),
  );
