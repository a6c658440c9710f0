import { parameters } from '../lib/users/query.ts';
import { measure, runsWithin, type Times } from './measure.ts';
import { openDriver, openHandler, warmUp } from './subject.ts';

/** A value of every filter, and every ordering. */
const singles: Record<string, string> = {
  id_min: '5000',
  id_max: '500000',
  gender: 'other',
  groups_in: '1,4,5',
  group_id: '7',
};

export const growthKinds: Record<string, string> = {
  'default page': '',
  'rare search': 'search=user000791900', // one user in each data set
  'no-match search': 'search=nobody-at-all',
  'id range': 'id_min=100&id_max=900',
  ...Object.fromEntries(
    Object.keys(parameters)
      .filter((name) => !['limit', 'offset', 'search', 'ordering', 'after', 'before', 'format'].includes(name))
      .map((name) => [name, `${name}=${singles[name] ?? (/_(date|from|to)$/.test(name) ? '2023-06-01' : 'false')}`]),
  ),
  ...Object.fromEntries(
    ['id', 'username', 'email', 'gender', 'last_login', 'created_at', 'updated_at']
      .flatMap((field) => [field, `-${field}`])
      .map((key) => [`ordering=${key}`, `ordering=${key}`]),
  ),
};

/** By data set: the request, and the count of its users alone. */
export type Growth = { kind: string; times: Record<string, { request: Times; count: Times }> };

export async function measureGrowth(databases: Record<string, string>, millisecondsEach: number): Promise<Growth[]> {
  const results = Object.keys(growthKinds).map((kind): Growth => ({ kind, times: {} }));
  for (const [name, url] of Object.entries(databases)) {
    const handler = await openHandler(url);
    const driver = await openDriver(url);
    await warmUp(() => handler(''));
    for (const { kind, times } of results) {
      const query = growthKinds[kind] ?? '';
      const request = () => handler(query);
      times[name] = await measure({ request, count: driver.count(query) }, await runsWithin(millisecondsEach, request));
    }
    await driver.end();
  }
  return results;
}

export type Depth = { kind: string; p50: number };

/** The first page, the count alone, and a page nine tenths down the list, by offset and by cursor. */
export async function measureDepth(databaseUrl: string, listed: number, millisecondsEach: number): Promise<Depth[]> {
  const handler = await openHandler(databaseUrl);
  const driver = await openDriver(databaseUrl);
  const offset = Math.round(listed * 0.9);
  const { next } = JSON.parse((await handler(`offset=${offset - 10}`)).body) as { next: string };
  const contestants = {
    'the count': driver.count(''),
    'the first page': () => handler(''),
    [`offset=${offset}`]: () => handler(`offset=${offset}`),
    'the same page by cursor': () => handler(new URL(next).search.slice(1)),
  };
  const times = await measure(contestants, await runsWithin(millisecondsEach, () => handler(`offset=${offset}`)));
  await driver.end();
  return Object.entries(times).map(([kind, { p50 }]) => ({ kind, p50 }));
}
