import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { ok } from '../lib/http/responses.ts';
import { route } from '../lib/http/route.ts';
import type { Links } from '../lib/page.ts';
import { openTestDatabase } from './setup/database.ts';
import { loadHandler, send } from './setup/request.ts';

let handler: Handler;

beforeEach(() => void vi.spyOn(console, 'log').mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

beforeAll(async () => {
  handler = await loadHandler((await openTestDatabase()).url);
});

/** `<url>; rel="next", …` → next: url. */
async function linksOf(query: string): Promise<Record<string, string>> {
  const { headers } = await send(handler, { query });
  const links = (headers['Link'] ?? '').split(', ').map((link) => link.match(/^<([^<>]+)>; rel="(\w+)"$/) ?? []);
  return Object.fromEntries(links.map(([, url = '', relation = '']) => [relation, url]));
}

test('names the next and the previous page as the body does', async () => {
  const { next, previous } = (await send(handler, { query: 'limit=2&offset=2' })).json();
  expect(await linksOf('limit=2&offset=2')).toMatchObject({ next, prev: previous });
});

test.each<[query: string, first: string, last: string]>([
  ['', '?limit=10', '?limit=10'],
  ['limit=2', '?limit=2', '?limit=2&offset=6'],
  ['limit=7', '?limit=7', '?limit=7'],
  [
    'limit=3&offset=2&is_active=true&search=a',
    '?is_active=true&limit=3&search=a',
    '?is_active=true&limit=3&offset=3&search=a',
  ],
  ['id_min=900', '?id_min=900&limit=10', '?id_min=900&limit=10'],
])('of ?%s names the first page %s and the last %s', async (query, first, last) => {
  const links = await linksOf(query);
  expect([links['first'], links['last']].map((url) => new URL(url ?? '').search)).toEqual([first, last]);
});

test.each(['limit=3&offset=2', 'limit=3&offset=3'])(
  'of ?%s, as JSON and as CSV, names the plain first page as the previous one',
  async (query) => {
    for (const format of ['csv', 'json']) {
      const { prev = '' } = await linksOf(`format=${format}&${query}`);
      expect(new URL(prev).search).toBe(`?format=${format}&limit=3`);
    }
  },
);

test('leaves out what there is not', async () => {
  expect(Object.keys(await linksOf(''))).toEqual(['first', 'last']);
});

test('is the same for HEAD', async () => {
  const [get, head] = await Promise.all(['GET', 'HEAD'].map((method) => send(handler, { method, query: 'limit=2' })));
  expect(head?.headers['Link']).toBe(get?.headers['Link']);
});

describe('of a long query', () => {
  /** What a proxy counts: names, values, and four characters between and after them. */
  const sizeOf = (headers: Record<string, string>) =>
    Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);

  /** A search that each link holds, in as many characters. */
  const searchOf = (characters: number) => `search=${'%27'.repeat(characters / 3)}`;
  const groups = [1, 2, ...Array.from({ length: 98 }, (_, index) => 9_007_199_254_740_000 + index)];

  test('has the links that a walk needs where all would be more than 8 KB with the other headers', async () => {
    const seen = new Set<string>();
    for (const comma of [',', '%2C']) {
      for (const page of ['limit=1', 'limit=1&offset=1', 'limit=1&format=csv', 'limit=1&offset=1&format=csv']) {
        const { status, headers } = await send(handler, { query: `groups_in=${groups.join(comma)}&${page}` });
        expect(status).toBe(200);
        expect(sizeOf(headers)).toBeLessThan(8192);
        const relations = [...(headers['Link'] ?? '').matchAll(/; rel="(\w+)"/g)].map(([, relation]) => relation);
        seen.add(relations.join());
      }
    }
    expect([...seen]).toEqual(['first,next,last', 'prev,next']);
  });

  test('of which not even the first fits has none, and its body names the next page all the same', async () => {
    const answering = (links: Links) =>
      route(['/api/users/'], { publicUrl: undefined, auditLog: false }, async () => ok('{}', links));
    const link = (length: number) => 'https://api.example.com/'.padEnd(length, 'x');
    const small = link(100);
    const relationsOf = async (links: Partial<Links>) => {
      const { headers } = await send(answering({ first: small, prev: small, next: small, last: small, ...links }));
      expect(sizeOf(headers)).toBeLessThan(8192);
      expect(headers['Link']).not.toBe('');
      return (headers['Link'] ?? '').match(/(?<=rel=")\w+/g) ?? [];
    };
    expect(await relationsOf({})).toEqual(['first', 'prev', 'next', 'last']);
    expect(await relationsOf({ last: link(6 * 1024) })).toEqual(['first', 'prev', 'next', 'last']);
    expect(await relationsOf({ last: link(7 * 1024) })).toEqual(['prev', 'next']);
    expect(await relationsOf({ prev: link(7 * 1024) })).toEqual(['next']);
    expect(await relationsOf({ next: link(7 * 1024 - 14) })).toEqual(['next']);
    expect(await relationsOf({ next: link(7 * 1024) })).toEqual([]);
    expect(await relationsOf({ next: null, prev: link(7 * 1024) })).toEqual([]);
    expect(await relationsOf({ next: null, prev: null })).toEqual(['first', 'last']);
  });

  test('is not redirected, and told where to ask', async () => {
    const long = searchOf(7200);
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await send(handler, { path: '/api/users', query: long, method });
      expect(status).toBe(414);
      expect(sizeOf(headers)).toBeLessThan(8192);
    }
    const { problem } = await send(handler, { path: '/api/users', query: long });
    expect(problem().detail).toBe(
      'The query is too long for a redirect. Ask at /api/users/, with the slash at its end.',
    );
    const longest = searchOf(7140).padEnd(7168 - '/api/users/?'.length, 'x');
    const { status, headers } = await send(handler, { path: '/api/users', query: longest });
    expect([status, headers['Location']]).toEqual([301, `/api/users/?${longest}`]);
    expect(sizeOf(headers)).toBeLessThan(8192);
    expect((await send(handler, { path: '/api/users', query: `${longest}x` })).status).toBe(414);
  });
});
