import { beforeAll, expect, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { openTestDatabase } from './setup/database.ts';
import { loadHandler, send } from './setup/request.ts';

let handler: Handler;

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
