import { type Kysely, sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../lib/database/tables.ts';
import { isExactText } from '../lib/database/timestamps.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { openTestDatabase, setForDatabase } from './setup/database.ts';
import { people } from './setup/people.ts';
import { loadHandler, send, walk } from './setup/request.ts';

const first = '0001-01-01T00:00:00Z';
const last = '9999-12-31T23:59:59.999999Z';

/** What PostgreSQL holds, in order, and what RFC 3339 can say of it; at each bound its neighbours. */
const times: [stored: string, shown: string][] = [
  ['-infinity', first],
  ['4714-11-24 00:00:00+00 BC', first], // the earliest there is
  ['0045-02-28 12:00:00+00 BC', first],
  ['0045-02-29 12:00:00.000001+00 BC', first], // a leap year
  ['0002-06-15 12:00:00+00 BC', first],
  ['0002-06-15 12:00:00.000001+00 BC', first],
  ['0001-12-31 20:30:00+00 BC', first], // a zero date of another program, shifted by a time zone
  ['0001-12-31 23:59:59.999999+00 BC', first],
  [first, first],
  ['0001-01-01T00:00:00.000001Z', '0001-01-01T00:00:00.000001Z'],
  ['2026-02-21T07:20:25Z', '2026-02-21T07:20:25Z'],
  [last, last],
  ['10000-01-01 00:00:00+00', last],
  ['12000-02-29 00:00:00+00', last],
  ['294276-12-31 23:59:59.999999+00', last], // the latest there is
  ['infinity', last],
];

let db: Kysely<Database>;
let databaseUrl: string;
let handler: Handler;

beforeAll(async () => {
  const opened = await openTestDatabase();
  db = opened.db;
  databaseUrl = opened.url;
  // Each time twice, so that ties are broken too; the three columns ascend in orders of their own.
  const crowd = [...times, ...times].map((_, index) => {
    const time = (step: number): string => times[(index * step) % times.length]?.[0] ?? '';
    return {
      id: 200 + index,
      username: `far${index}`,
      gender: index % 3 === 0 ? null : ('other' as const),
      is_staff: true,
      last_login: index % 5 === 0 ? null : time(3),
      created_at: time(5),
      updated_at: time(7),
    };
  });
  await db.insertInto('users').values(crowd).execute();
  handler = await loadHandler(databaseUrl);
});

test.each(times)('%s is shown as %s, as JSON and as CSV', async (stored, shown) => {
  const times = { last_login: stored, created_at: stored, updated_at: stored };
  await db.updateTable('users').set(times).where('id', '=', people.ann.id).execute();
  const { status, text, json } = await send(handler, { query: 'id_max=1' });
  expect(status, text).toBe(200);
  expect(json().results).toMatchObject([{ last_login: shown, created_at: shown, updated_at: shown }]);
  const csv = await send(handler, { query: 'id_max=1&format=csv' });
  expect(csv.status).toBe(200);
  expect(csv.text).toContain(`"${shown}","${shown}","${shown}"`);
});

/** The database's own order. */
async function inOrder(ordering: string): Promise<number[]> {
  const keys = ordering.split(',').map((key) => ({ field: key.replace('-', ''), descending: key.startsWith('-') }));
  const items = [...keys, { field: 'id', descending: keys[0]?.descending }].map(
    ({ field, descending }) => sql`${sql.ref(field)} ${sql.raw(descending ? 'desc' : 'asc')} nulls last`,
  );
  const { rows } = await sql<{ id: number }>`
    select id::int as id from users where is_staff or is_admin order by ${sql.join(items)}`.execute(db);
  return rows.map(({ id }) => id);
}

/** A walk that repeats itself must end too. */
const mostPages = times.length * 4;

describe('a walk through times that RFC 3339 cannot say', () => {
  const timeFields = ['last_login', 'created_at', 'updated_at'];
  const orderings = timeFields.flatMap((field) =>
    [field, `-${field}`].flatMap((key) => [
      key,
      `${key},username`,
      `gender,${key}`,
      `-gender,${key},-email`,
      ...timeFields.filter((other) => other !== field).map((other) => `${key},-${other}`),
    ]),
  );

  /** A key alone from each user to the next, several in pages. */
  const limitOf = (ordering: string): number => (ordering.includes(',') ? 3 : 1);

  test.each(orderings)('in ?ordering=%s shows everybody once, forth and back', async (ordering) => {
    const { pages, end } = await walk(handler, `ordering=${ordering}&limit=${limitOf(ordering)}`, 'next', mostPages);
    expect(pages.flat()).toEqual(await inOrder(ordering));
    expect((await walk(handler, end, 'previous', mostPages)).pages.toReversed()).toEqual(pages);
  });

  test.each(timeFields)('in ?ordering=%s as CSV shows everybody once', async (field) => {
    for (const ordering of [field, `-${field}`]) {
      const ids: number[] = [];
      for (let query: string | undefined = `ordering=${ordering}&limit=2&format=csv`; query !== undefined; ) {
        expect(ids.length).toBeLessThan(mostPages);
        const { status, text, headers } = await send(handler, { query });
        expect(status, text).toBe(200);
        ids.push(
          ...text
            .split('\r\n')
            .slice(1, -1)
            .map((line) => Number.parseInt(line, 10)),
        );
        query = /\?([^>]*)>; rel="next"/.exec(headers['Link'] ?? '')?.[1];
      }
      expect(ids).toEqual(await inOrder(ordering));
    }
  });
});

test('every time that the database can hold is a cursor, and read as it is written', async () => {
  // Days from the first to the last there are, at all hours; Julian days, so that none is left out around the year 1.
  onTestFinished(async () => void (await db.deleteFrom('users').where('username', 'like', 'time%').execute()));
  await sql`
    with times as (
      select day::timestamp at time zone 'UTC' + interval '1 microsecond' * (n * 7919000003::bigint % 86400000000) as time
      from generate_series(0, 5000) n, lateral (select 'J0'::date + (n * 109203527::bigint / 5000)::int as day) d
      union all select unnest(${times.map(([stored]) => stored)}::timestamptz[]))
    insert into users (id, username, is_staff, created_at)
    select 10000 + row_number() over (), 'time' || row_number() over (), true, time from times`.execute(db);
  const { rows } = await sql<{ text: string; isSame: boolean }>`
    select shown.created_at as text, shown.created_at::timestamptz = users.created_at as "isSame"
    from list_details(array(select id from users where username like 'time%'), now()) as shown join users using (id)`.execute(
    db,
  );
  expect(rows).toHaveLength(5001 + times.length);
  expect(rows.filter(({ text, isSame }) => !isSame || !isExactText(text))).toEqual([]);
});

describe('filters by day go by the time itself, not by what is shown of it', () => {
  const isListed = async (stored: string, query: string): Promise<boolean> => {
    await db.updateTable('users').set({ created_at: stored }).where('id', '=', people.ann.id).execute();
    return (await send(handler, { query: `id_max=1&${query}` })).json().count === 1;
  };

  test.each<[stored: string, query: string, is: boolean]>([
    ['infinity', 'created_from=9999-12-31', true],
    ['infinity', 'created_to=9999-12-31', false],
    ['infinity', 'created_date=9999-12-31', false],
    ['10000-01-01 00:00:00+00', 'created_from=9999-12-31', true],
    ['10000-01-01 00:00:00+00', 'created_to=9999-12-31', false],
    ['10000-01-01 00:00:00+00', 'created_date=9999-12-31', false],
    [last, 'created_to=9999-12-31', true],
    [last, 'created_date=9999-12-31', true],
    [first, 'created_from=0001-01-01', true],
    [first, 'created_date=0001-01-01', true],
    ['0001-12-31 23:59:59.999999+00 BC', 'created_from=0001-01-01', false],
    ['0001-12-31 23:59:59.999999+00 BC', 'created_to=0001-01-01', true],
    ['0001-12-31 23:59:59.999999+00 BC', 'created_date=0001-01-01', false],
    ['-infinity', 'created_from=0001-01-01', false],
    ['-infinity', 'created_to=0001-01-01', true],
    ['-infinity', 'created_date=0001-01-01', false],
  ])('%s by ?%s: %s', async (stored, query, is) => {
    expect(await isListed(stored, query)).toBe(is);
  });
});

test('a walk shows everybody once where the database lives in another time zone and writes dates otherwise', async () => {
  await setForDatabase(db, 'timezone', 'Asia/Tehran');
  await setForDatabase(db, 'datestyle', 'German, DMY');
  const kept = handler;
  onTestFinished(() => {
    handler = kept;
  });
  handler = await loadHandler(databaseUrl);
  for (const ordering of ['created_at', '-created_at']) {
    const { pages } = await walk(handler, `ordering=${ordering}&limit=1`, 'next', mostPages);
    expect(pages.flat()).toEqual(await inOrder(ordering));
  }
});
