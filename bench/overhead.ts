import { measure, median, runsWithin, type Times, toMedianTimes } from './measure.ts';
import { openDriver, openHandler, warmUp } from './subject.ts';

export const overheadKinds = {
  'default page': '',
  'limit=100': 'limit=100',
  'limit=1000': 'limit=1000',
  'a filter': 'is_active=false',
  'a search': 'search=user00012',
  'two sort keys': 'ordering=gender,-created_at',
};

export type Overhead = { kind: string; handler: Times; driver: Times; ratio: number; goal: number };

/**
 * The function against the bare driver with the same statements, on one data set. Figures are medians of rounds, each with an instance and
 * a connection of its own: which core the system gives a server process decides more than what is measured.
 */
export async function measureOverhead(
  databaseUrl: string,
  rounds: number,
  millisecondsEach: number,
): Promise<Overhead[]> {
  const results = Object.entries(overheadKinds).map(([kind, query]) => ({
    kind,
    query,
    goal: query === 'limit=1000' ? 1.4 : 1.25,
    rounds: [] as { handler: Times; driver: Times }[],
  }));
  for (let round = 0; round < rounds; round += 1) {
    const handler = await openHandler(databaseUrl);
    const driver = await openDriver(databaseUrl);
    // Both the same: what a server process has done before is in its memory, and tells in what it does next.
    await warmUp(() => handler(''));
    await warmUp(driver.run(''));
    for (const { query, rounds } of results) {
      const contestants = { handler: () => handler(query), driver: driver.run(query) };
      rounds.push(await measure(contestants, await runsWithin(millisecondsEach, contestants.handler)));
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
