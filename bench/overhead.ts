import { measure, runsWithin, type Times } from './measure.ts';
import { openDriver, openHandler } from './subject.ts';

export const overheadKinds = {
  'default page': '',
  'limit=100': 'limit=100',
  'limit=1000': 'limit=1000',
  'a filter': 'is_active=false',
  'a search': 'search=user00012',
  'two sort keys': 'ordering=gender,-created_at',
};

export type Overhead = { kind: string; handler: Times; driver: Times; ratio: number; goal: number };

/** The function against the bare driver with the same statements, on one data set. */
export async function measureOverhead(databaseUrl: string, millisecondsEach: number): Promise<Overhead[]> {
  const handler = await openHandler(databaseUrl);
  const driver = await openDriver(databaseUrl);
  const results: Overhead[] = [];
  for (const [kind, query] of Object.entries(overheadKinds)) {
    const bare = driver.run(query);
    const contestants = { handler: () => handler(query), driver: bare };
    const times = await measure(contestants, await runsWithin(millisecondsEach, () => handler(query)));
    const goal = query === 'limit=1000' ? 1.4 : 1.25;
    results.push({ kind, ...times, ratio: times.handler.p50 / times.driver.p50, goal });
  }
  await driver.end();
  return results;
}
