import { beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { cases } from './filter-cases.ts';
import { openTestDatabase } from './setup/database.ts';
import { people } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';

let handler: Handler;

beforeAll(async () => {
  handler = await loadHandler((await openTestDatabase()).url);
});

describe.each(Object.entries(cases))('?%s', (name, values) => {
  test.each(values)(`?${name}=%s lists %j`, async (value, lists) => {
    const { count, results } = (
      await send(handler, { query: `${name}=${encodeURIComponent(value)}&limit=100` })
    ).json();
    expect(results.map(({ id }) => id)).toEqual(lists.map((name) => people[name].id));
    expect(count).toBe(lists.length);
  });
});
