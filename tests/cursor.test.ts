import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { toCursor } from '../lib/users/cursor.ts';
import type { SortKey } from '../lib/users/ordering.ts';
import type { UserRow } from '../lib/users/row.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { loadHandler, send, walk } from './setup/request.ts';

let db: TestDatabase['db'];
let handler: Handler;

beforeAll(async () => {
  const database = await openTestDatabase();
  db = database.db;
  handler = await loadHandler(database.url);
});

const idsOf = async (query: string) => (await send(handler, { query })).json().results.map(({ id }) => id);

/** The query of a page's link, without what a test puts in its place. */
async function linkOf(query: string, relation: 'next' | 'previous'): Promise<URLSearchParams> {
  const link = (await send(handler, { query })).json()[relation];
  return new URL(link ?? '').searchParams;
}

test('a link leads on from the user where the page ended, and back to the one where it began', async () => {
  const next = await linkOf('limit=2&ordering=email', 'next');
  expect([...next.keys()]).toEqual(['after', 'limit', 'offset', 'ordering']);
  expect(await idsOf(next.toString())).toEqual(await idsOf('limit=2&ordering=email&offset=2'));
  const previous = await linkOf('limit=2&ordering=email&offset=4', 'previous');
  expect([...previous.keys()]).toEqual(['before', 'limit', 'offset', 'ordering']);
  expect(await idsOf(previous.toString())).toEqual(await idsOf('limit=2&ordering=email&offset=2'));
});

const fields = ['id', 'username', 'email', 'gender', 'last_login', 'created_at', 'updated_at'];

test.each(fields.flatMap((field) => [field, `-${field}`]))(
  'every page in ?ordering=%s leads on by a cursor, to the page that follows',
  async (ordering) => {
    for (const offset of [0, 1, 2, 3, 4]) {
      const next = await linkOf(`limit=2&ordering=${ordering}&offset=${offset}`, 'next');
      expect([...next.keys()]).toEqual(['after', 'limit', 'offset', 'ordering']);
      expect(await idsOf(next.toString())).toEqual(await idsOf(`limit=2&ordering=${ordering}&offset=${offset + 2}`));
    }
  },
);

test.each<[field: SortKey['field'], value: string | null, held: string | number | null]>([
  ['username', 'ann', 'ann'],
  ['email', 'ann@example.com', 'ann@example.com'],
  ['email', '', ''],
  ['email', null, null],
  ['gender', 'female', 0],
  ['gender', 'male', 1],
  ['gender', 'other', 2],
  ['gender', null, null],
  ['last_login', '2026-02-21T07:20:25.338627Z', '2026-02-21T07:20:25.338627Z'],
  ['last_login', null, null],
  ['created_at', '0044-03-15T00:00:00.000000Z BC', '0044-03-15T00:00:00.000000Z BC'],
  ['updated_at', 'infinity', 'infinity'],
])('a cursor of %s at %j holds %j and the id', (field, value, held) => {
  const ordering: SortKey[] = [
    { field, descending: true },
    { field: 'id', descending: true },
  ];
  const cursor = toCursor({ id: 7, [field]: value } as unknown as UserRow, ordering, 3) ?? '';
  expect(JSON.parse(Buffer.from(cursor, 'base64url').subarray(4).toString())).toEqual([`-${field},-id`, 3, held, 7]);
});

test.each([
  ['at an offset of the limit', 'limit=2&offset=2'],
  ['at one below it', 'limit=3&offset=1'],
  ['at one past the end, of few', 'limit=10&offset=900'],
])('a page %s leads back to the plain first page, which is whole', async (_, query) => {
  const plain = query.replace(/&offset.*/, '');
  expect((await linkOf(query, 'previous')).toString()).toBe(plain);
  const { limit } = Object.fromEntries(new URLSearchParams(query));
  expect(await idsOf(plain)).toHaveLength(Math.min(Number(limit), 7));
});

test('a page at a cursor leads back to the plain first page too', async () => {
  const at = await linkOf('limit=3&offset=1', 'next');
  expect(at.get('offset')).toBe('4');
  const back = await linkOf(at.toString(), 'previous');
  expect([...back.keys()]).toEqual(['before', 'limit', 'offset']);
  expect(await idsOf(back.toString())).toEqual(await idsOf('limit=3&offset=1'));
  expect((await linkOf(back.toString(), 'previous')).toString()).toBe('limit=3');
});

test('a cursor without an offset, as links once led back to the first page, is the plain first page', async () => {
  const kept = 'before=q7wT0lsiLWlkIiwwLDZd&limit=3';
  expect((await send(handler, { query: kept })).json()).toEqual((await send(handler, { query: 'limit=3' })).json());
});

test('the first page that is walked back to has no previous one, the last no next one', async () => {
  const back = (await linkOf((await linkOf('limit=4', 'next')).toString(), 'previous')).toString();
  expect((await send(handler, { query: back })).json()).toMatchObject({ previous: null, results: { length: 4 } });
  const on = (await linkOf('limit=4', 'next')).toString();
  expect((await send(handler, { query: on })).json()).toMatchObject({ next: null, results: { length: 3 } });
});

test.each([1, 2, 3, 4, 6, 7, 8])('a walk with limit=%i ends with the last user, on a full page too', async (limit) => {
  const sizes = Array.from({ length: Math.ceil(7 / limit) }, (_, page) => Math.min(limit, 7 - page * limit));
  const { pages } = await walk(handler, `limit=${limit}`, 'next', 8);
  expect(pages.map(({ length }) => length)).toEqual(sizes);
  expect(pages.flat()).toEqual(await idsOf('limit=10'));
});

/** Three who are newer than all others. */
async function comeToFront(): Promise<void> {
  const rows = [901, 902, 903].map((id) => ({ id, username: `came${id}`, is_staff: true }));
  await db.insertInto('users').values(rows).execute();
}

async function leaveFront(): Promise<void> {
  await db.deleteFrom('users').where('id', '>', 900).execute();
}

describe('a page at a cursor knows by itself what is beside it, whatever the count says:', () => {
  test('nobody is after the last user, though as many came to the front', async () => {
    const link = await linkOf('limit=2&offset=3', 'next'); // at 5 of seven
    await comeToFront();
    onTestFinished(leaveFront);
    const page = (await send(handler, { query: link.toString() })).json();
    expect([page.count, page.next, page.results.map(({ id }) => id)]).toEqual([10, null, [2, 1]]);
  });

  test('somebody is after it, though as many have left the front', async () => {
    await comeToFront();
    const link = await linkOf('limit=2&offset=6', 'next'); // 8 of ten
    await leaveFront();
    const back = await linkOf(link.toString(), 'previous');
    expect((await send(handler, { query: back.toString() })).json()).toMatchObject({
      count: 7,
      results: [{ id: 4 }, { id: 3 }],
      next: expect.any(String),
    });
  });
});

test('nobody is before the first user, though the offset says so, and whoever was at the cursor is after', async () => {
  await comeToFront();
  const link = await linkOf('limit=2&offset=5', 'previous'); // from 5 and 4 of ten
  await leaveFront();
  expect(link.get('offset')).toBe('3');
  expect((await send(handler, { query: link.toString() })).json()).toMatchObject({
    results: [{ id: 7 }, { id: 6 }],
    previous: null,
    next: expect.any(String),
  });
});

test('a link of times that RFC 3339 can say is the one that it has always been', async () => {
  const kept =
    'after=vSWZ51siLWxhc3RfbG9naW4sLWlkIiwzLCIyMDI2LTAyLTIxVDA3OjIwOjI1LjMzODYyN1oiLDFd&limit=3&offset=3&ordering=-last_login';
  expect((await linkOf('limit=3&ordering=-last_login', 'next')).toString()).toBe(kept);
  expect(await idsOf(kept)).toEqual([3, 2, 7]);
});

test('a client that takes a link and puts its own offset into it gets the page at that offset', async () => {
  const link = await linkOf('limit=2', 'next');
  link.set('offset', '4');
  expect(await idsOf(link.toString())).toEqual(await idsOf('limit=2&offset=4'));
  link.delete('offset');
  expect(await idsOf(link.toString())).toEqual(await idsOf('limit=2'));
});

test('a client that takes a link and puts its own limit into it goes on from the same user', async () => {
  const link = await linkOf('limit=2', 'next');
  link.set('limit', '5');
  expect(await idsOf(link.toString())).toEqual(await idsOf('limit=5&offset=2'));
});

test('filters may change under a cursor, the count is of all who match', async () => {
  const link = await linkOf('limit=2', 'next');
  link.set('is_staff', 'false');
  expect((await send(handler, { query: link.toString() })).json()).toMatchObject({
    count: 1,
    results: [{ username: 'ann' }],
  });
});

describe('is a 400', () => {
  const errorsOf = async (query: string) => {
    const { status, text } = await send(handler, { query });
    expect(status).toBe(400);
    return JSON.parse(text).errors;
  };

  test('a cursor of another ordering', async () => {
    const link = await linkOf('limit=2&ordering=email', 'next');
    link.set('ordering', '-email');
    const message = 'Expected a cursor of this `ordering`; it was made in another one. Begin again without it.';
    expect(await errorsOf(link.toString())).toEqual({ after: [message] });
  });

  test('a cursor with any one character changed, left out or added', async () => {
    const cursor = (await linkOf('limit=2&ordering=-last_login', 'next')).get('after') as string;
    const damaged = [...cursor].flatMap((character, index) => {
      const [before, after] = [cursor.slice(0, index), cursor.slice(index + 1)];
      return [
        `${before}${after}`,
        `${before}${character === 'A' ? 'B' : 'A'}${after}`,
        `${before}${character}.${after}`,
      ];
    });
    for (const text of [...damaged, 'A', 'AAAA', 'AAAAAAA', '!', '-1']) {
      const errors = await errorsOf(`limit=2&ordering=-last_login&offset=2&after=${text}`);
      expect(errors).toEqual({ after: ['Expected a cursor as it stands in a `next` or `previous` link.'] });
    }
  });

  test('what no field can hold makes no cursor', () => {
    const forged: [ordering: SortKey[], row: object][] = [
      [[{ field: 'id', descending: true }], { id: 2 ** 53 }],
      [
        [
          { field: 'updated_at', descending: false },
          { field: 'id', descending: false },
        ],
        { updated_at: '2026-02-30T00:00:00.000000Z', id: 1 },
      ],
      [
        [
          { field: 'created_at', descending: false },
          { field: 'id', descending: false },
        ],
        { created_at: null, id: 1 },
      ],
      [[{ field: 'username', descending: false }], { username: 'a\0b' }],
    ];
    for (const [ordering, row] of forged) expect(toCursor(row as UserRow, ordering, 0)).toBeUndefined();
  });

  test('a cursor after and one before at once', async () => {
    const next = await linkOf('limit=2', 'next');
    next.set('before', next.get('after') as string);
    expect(await errorsOf(next.toString())).toEqual({ before: ['Expected `after` or `before`, not both.'] });
  });
});

test('where nobody is left on the far side, the page is empty and leads back by offset', async () => {
  const link = await linkOf('limit=6', 'next');
  link.set('id_min', '2');
  const page = (await send(handler, { query: link.toString() })).json();
  expect(page).toMatchObject({ count: 6, results: [], next: null });
  expect(new URL(page.previous ?? '').search).toBe('?id_min=2&limit=6');
});
