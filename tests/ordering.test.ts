import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { openTestDatabase } from './setup/database.ts';
import { loadHandler, send } from './setup/request.ts';

const fields = ['id', 'username', 'email', 'gender', 'last_login', 'created_at', 'updated_at'] as const;
const singles = fields.flatMap((field) => [field, `-${field}`]);
const several = [
  'gender,-created_at',
  '-gender,email',
  'last_login,-gender,-id',
  '-updated_at,gender,last_login',
  'created_at,-email',
];

type Row = Record<(typeof fields)[number], string | number | null>;

let handler: Handler;
/** Everybody who is listed, as the database holds them. */
let rows: Row[];

beforeAll(async () => {
  const { url, db } = await openTestDatabase();
  const pick = <Value>(values: Value[], index: number): Value => values[index % values.length] as Value;
  // Few values for many users, so ties and nulls everywhere; usernames, e-mails and ids ascend in three different orders.
  const crowd = Array.from({ length: 53 }, (_, index) => ({
    id: 200 + index,
    username: `user${String((index * 31) % 53).padStart(2, '0')}`,
    email: index % 3 === 0 ? null : `mail${String((index * 17) % 53).padStart(2, '0')}`,
    gender: pick(['male', null, 'female', 'other', null] as const as ('male' | 'female' | 'other' | null)[], index),
    last_login: pick([null, '2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.000002Z', null], index * 3),
    created_at: pick(['2026-02-01T00:00:00Z', '2025-12-01T10:00:00Z', '2026-02-01T00:00:00.000001Z'], index),
    updated_at: pick(['2026-03-03T00:00:00Z', '2026-03-05T00:00:00Z'], index >> 2),
    is_staff: true,
  }));
  await db.insertInto('users').values(crowd).execute();
  const utc = (field: string) =>
    sql<string | null>`to_char(${sql.ref(field)} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`.as(field);
  rows = (await db
    .selectFrom('users')
    .where((eb) => eb.or([eb('is_staff', '=', true), eb('is_admin', '=', true)]))
    .select(['username', 'email', 'gender'])
    .select([sql<number>`id::int`.as('id'), utc('last_login'), utc('created_at'), utc('updated_at')])
    .execute()) as Row[];
  expect(rows).toHaveLength(60);
  handler = await loadHandler(url);
});

/** The ids in the order that the contract promises, said once more, and slowly. */
function inOrder(ordering: string): number[] {
  const sortKeys = ordering
    .split(',')
    .map((key) => ({ field: key.replace('-', '') as keyof Row, sign: key.startsWith('-') ? -1 : 1 }));
  const compare = (a: Row, b: Row): number => {
    for (const { field, sign } of [...sortKeys, { field: 'id' as const, sign: sortKeys[0]?.sign ?? 1 }]) {
      const [left, right] = [a[field], b[field]];
      if (left === right) continue;
      if (left === null) return 1;
      if (right === null) return -1;
      return left < right ? -sign : sign;
    }
    return 0;
  };
  return rows.toSorted(compare).map(({ id }) => id as number);
}

async function getIds(query: string): Promise<{ ids: number[]; next: string | null; previous: string | null }> {
  const { results, next, previous } = (await send(handler, { query })).json();
  return { ids: results.map(({ id }) => id), next, previous };
}

const queryOf = (url: string): string => new URL(url).search.slice(1);

test('the crowd has ties and nulls in every field that can have them', () => {
  for (const field of fields.slice(2)) {
    const values = rows.map((row) => row[field]);
    expect(new Set(values).size, field).toBeLessThan(values.length - 10);
    if (!field.endsWith('_at')) expect(values, field).toContain(null);
  }
});

test('without ordering the newest come first', async () => {
  expect((await getIds('limit=1000')).ids).toEqual(inOrder('-id'));
});

describe.each([...singles, ...several])('?ordering=%s', (ordering) => {
  test('sorts, with nulls last and ties by id in the direction of the first key', async () => {
    expect((await getIds(`limit=1000&ordering=${ordering}`)).ids).toEqual(inOrder(ordering));
  });

  test.each([2, 3])('shows every user exactly once in pages of %i, forth and back', async (limit) => {
    const forth: number[][] = [];
    let last = '';
    for (let query: string | null = `ordering=${ordering}&limit=${limit}`; query !== null; ) {
      const { ids, next } = await getIds(query);
      forth.push(ids);
      last = query;
      query = next && queryOf(next);
    }
    expect(forth.flat()).toEqual(inOrder(ordering));
    const back: number[][] = [];
    for (let query: string | null = last; query !== null; ) {
      const { ids, previous } = await getIds(query);
      back.unshift(ids);
      query = previous && queryOf(previous);
    }
    expect(back).toEqual(forth);
  });
});

test('any keys in any order and direction sort as promised', async () => {
  const ordering = fc
    .tuple(fc.shuffledSubarray([...fields], { minLength: 1 }), fc.infiniteStream(fc.boolean()))
    .map(([subset, isDescending]) =>
      subset.map((field) => (isDescending.next().value ? `-${field}` : field)).join(','),
    );
  await fc.assert(
    fc.asyncProperty(ordering, async (ordering) => {
      expect((await getIds(`limit=1000&ordering=${ordering}`)).ids).toEqual(inOrder(ordering));
    }),
    { numRuns: 100 },
  );
});

test('a walk through a filter stays within it', async () => {
  const walked: number[] = [];
  for (let query: string | null = 'gender=female&ordering=-last_login&limit=2'; query !== null; ) {
    const { ids, next } = await getIds(query);
    walked.push(...ids);
    query = next && queryOf(next);
  }
  const women = new Set(rows.filter(({ gender }) => gender === 'female').map(({ id }) => id));
  expect(walked).toEqual(inOrder('-last_login').filter((id) => women.has(id)));
});
