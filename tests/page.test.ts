import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { toJson, toLinks, toNeighbours, toPage } from '../lib/page.ts';
import { openTestDatabase } from './setup/database.ts';
import { listed } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';

const gateway = 'https://abcdef1234.execute-api.eu-central-1.amazonaws.com';

/** Where a link leads by its offset; the cursor that makes it exact is opaque. */
function withoutCursor(link: string | null): string | null {
  if (link === null) return null;
  const url = new URL(link);
  url.searchParams.delete('after');
  url.searchParams.delete('before');
  return url.href;
}

describe('an offset and a limit', () => {
  const url = 'https://api.example.com/things/';

  test.each<[limit: number, offset: number, count: number, next: string | null, previous: string | null]>([
    [10, 0, 0, null, null],
    [10, 0, 10, null, null],
    [10, 0, 11, 'limit=10&offset=10', null],
    [10, 1, 12, 'limit=10&offset=11', 'limit=10'],
    [10, 1, 11, null, 'limit=10'],
    [10, 10, 30, 'limit=10&offset=20', 'limit=10'],
    [10, 11, 30, 'limit=10&offset=21', 'limit=10&offset=1'],
    [10, 20, 30, null, 'limit=10&offset=10'],
    [3, 5, 6, null, 'limit=3&offset=2'],
    [10, 30, 30, null, 'limit=10&offset=20'],
    [10, 500, 30, null, 'limit=10&offset=20'],
    [10, 500, 10, null, 'limit=10'],
    [10, 500, 0, null, 'limit=10'],
    [1000, Number.MAX_SAFE_INTEGER, 1001, null, 'limit=1000&offset=1'],
  ])('limit %i, offset %i of %i: next is %s, previous %s', (limit, offset, count, next, previous) => {
    const toUrl = (query: string | null) => query && `${url}?${query}`;
    const neighbours = toNeighbours({ limit, offset }, count);
    const links = toLinks(url, { limit, given: new Map() }, { count, ...neighbours });
    const page = toPage(links, count, ['a result']);
    expect(page).toEqual({ count, next: toUrl(next), previous: toUrl(previous), results: ['a result'] });
    expect(Object.keys(page)).toEqual(['count', 'next', 'previous', 'results']);
  });
});

test.each([[[]], [['a']], [['a', { b: '"ü' }, null]]])('a page of %j is JSON like any other', (results) => {
  const page = { count: 7, next: 'https://api.example.com/?offset=3', previous: null, results };
  expect(toJson(page).join('')).toBe(JSON.stringify(page));
});

describe('the links of the list', () => {
  let handler: Handler;
  let databaseUrl: string;

  beforeAll(async () => {
    databaseUrl = (await openTestDatabase()).url;
    handler = await loadHandler(databaseUrl);
  });

  test.each<[query: string, next: string | null, previous: string | null]>([
    ['', null, null],
    ['limit=1000', null, null],
    ['limit=3', 'limit=3&offset=3', null],
    ['limit=3&offset=', 'limit=3&offset=3', null],
    ['limit=3&offset=0', 'limit=3&offset=3', null],
    ['offset=3&limit=3', 'limit=3&offset=6', 'limit=3'],
    ['offset=4&limit=3', null, 'limit=3&offset=1'],
    ['offset=900', null, 'limit=10'],
    ['offset=900&limit=2', null, 'limit=2&offset=5'],
    ['offset=2', null, 'limit=10'],
    ['offset=2&limit=5000', null, 'limit=1000'],
    ['offset=2&limit=002', 'limit=2&offset=4', 'limit=2'],
    [
      'ordering=-id&limit=1&is_active=True&gender=&id_max=100&has_email=',
      'id_max=100&is_active=True&limit=1&offset=1&ordering=-id',
      null,
    ],
    ['search=e%20%2B+%26%22&offset=1', null, 'limit=10&search=e+%2B+%26%22'],
    ['search=%DB%B0%EF%BC%99&limit=1', 'limit=1&offset=1&search=%DB%B0%EF%BC%99', null],
    ['search=%c3%87elik&offset=1', null, 'limit=10&search=%C3%87elik'],
    ['groups_in=1,%202&limit=3', 'groups_in=1%2C+2&limit=3&offset=3', null],
  ])('of ?%s are %s and %s', async (query, next, previous) => {
    const page = (await send(handler, { query })).json();
    const toUrl = (link: string | null) => link && `${gateway}/api/users/?${link}`;
    expect([page.next, page.previous].map(withoutCursor)).toEqual([toUrl(next), toUrl(previous)]);
  });

  test('the page before one that begins in the midst of the first is the first, with its own next', async () => {
    const { previous } = (await send(handler, { query: 'offset=2&limit=3' })).json();
    expect(previous).toBe(`${gateway}/api/users/?limit=3`);
    const query = new URL(previous ?? '').search.slice(1);
    expect((await send(handler, { query })).json()).toEqual((await send(handler, { query: 'limit=3' })).json());
  });

  test('past the end the page is empty and the count is not', async () => {
    for (const offset of [listed.length, 900, Number.MAX_SAFE_INTEGER]) {
      expect((await send(handler, { query: `offset=${offset}` })).json()).toMatchObject({ count: 7, results: [] });
    }
  });

  test('a count of nobody has no links', async () => {
    const page = (await send(handler, { query: 'id_min=9&id_max=3' })).json();
    expect(page).toEqual({ count: 0, next: null, previous: null, results: [] });
  });

  test('begin with the stage when it is not the default one', async () => {
    const { next } = (await send(handler, { query: 'limit=3', stage: 'dev' })).json();
    expect(withoutCursor(next)).toBe(`${gateway}/dev/api/users/?limit=3&offset=3`);
  });

  test('never follow what a client says of the host', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    const { next } = (await send(handler, { query: 'limit=3', headers })).json();
    expect(withoutCursor(next)).toBe(`${gateway}/api/users/?limit=3&offset=3`);
  });

  test.each(['$default', 'dev'])('begin with PUBLIC_URL where it is set, at stage %s', async (stage) => {
    const configured = await loadHandler(databaseUrl, { PUBLIC_URL: 'https://api.example.com/v1/' });
    const { next, previous } = (await send(configured, { query: 'limit=3&offset=3', stage })).json();
    expect(withoutCursor(next)).toBe('https://api.example.com/v1/api/users/?limit=3&offset=6');
    expect(withoutCursor(previous)).toBe('https://api.example.com/v1/api/users/?limit=3');
  });
});

describe('of 545 users', () => {
  let handler: Handler;

  beforeAll(async () => {
    const { url, db } = await openTestDatabase();
    await sql`insert into users (username, is_staff) select 'more' || n, true from generate_series(1, ${545 - listed.length}::int) n`.execute(
      db,
    );
    handler = await loadHandler(url);
  });

  test.each<[query: string, previous: string, shown: number, next: string | null]>([
    ['offset=9', '?limit=10', 10, '?limit=10&offset=10'],
    ['offset=10', '?limit=10', 10, '?limit=10&offset=10'],
    ['offset=11', '?limit=10&offset=1', 10, '?limit=10&offset=11'],
    ['offset=536&limit=1001', '?limit=1000', 545, null],
    ['offset=536&limit=500', '?limit=500&offset=36', 500, '?limit=500&offset=536'],
    ['offset=900&limit=545', '?limit=545', 545, null],
    ['offset=900&limit=544', '?limit=544&offset=1', 544, null],
  ])('?%s leads back to %s, of %i, and from there on to %s', async (query, previous, shown, next) => {
    const queryOf = (link: string | null) => link && new URL(link).search;
    const page = (await send(handler, { query })).json();
    expect(queryOf(withoutCursor(page.previous))).toBe(previous);
    const back = (await send(handler, { query: queryOf(page.previous)?.slice(1) ?? '' })).json();
    expect(back.results).toHaveLength(shown);
    expect(queryOf(withoutCursor(back.next))).toBe(next);
  });
});
