import type { Kysely } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../lib/database/tables.ts';
import type { Handler } from '../lib/http/gateway.ts';
import type { Page } from '../lib/page.ts';
import type { User } from '../lib/users/user.ts';
import { hasServer, openTestDatabase } from './setup/database.ts';
import { loadHandler, send } from './setup/request.ts';

/** Users who are there throughout, and as many who are deleted in the course of a walk. PGlite is slow. */
const crowd = Number(process.env['WALK_USERS'] ?? (hasServer ? 150 : 100));

let db: Kysely<Database>;
let handler: Handler;

beforeAll(async () => {
  const opened = await openTestDatabase();
  db = opened.db;
  handler = await loadHandler(opened.url);
});

const fields = ['id', 'username', 'email', 'gender', 'last_login', 'created_at', 'updated_at'];
const orderings = [
  ...fields.flatMap((field) => [field, `-${field}`]),
  'gender,-email',
  '-last_login,username',
  '-gender,created_at,-email',
];

let serial = 0;

/** Many ties and many nulls, so that every key needs its tie-break; scattered, so that a new one may come anywhere. */
function toPerson(kind: 'staying' | 'leaving' | 'coming') {
  serial += 1;
  const scatter = (serial * 7919) % 1000;
  const day = String((scatter % 28) + 1).padStart(2, '0');
  return {
    username: `${kind}-${String(scatter).padStart(4, '0')}-${serial}`,
    email: scatter % 3 === 0 ? null : `${scatter}-${serial}@example.com`,
    gender: ([null, 'male', 'female', 'other'] as const)[scatter % 4] ?? null,
    is_staff: true,
    last_login: scatter % 5 < 2 ? null : `2026-01-${day}T00:00:00.00000${scatter % 10}Z`,
    created_at: `2026-02-${day}T00:00:00Z`,
    updated_at: `2026-03-${day}T12:00:00.5Z`,
  };
}

/**
 * What other connections do between two pages: of those who stay everything changes but their place, and now many leave, now many come.
 */
async function change(leaving: number[], seen: number[], pageNumber: number): Promise<void> {
  const changed = seen.at(-1);
  if (changed)
    await db
      .updateTable('users')
      .where('id', '=', changed)
      .set({ first_name: `changed ${serial}`, avatar: null })
      .execute();
  if (pageNumber % 20 < 10) {
    const gone = seen.filter((id) => leaving.includes(id)).slice(-3);
    for (const id of gone) leaving.splice(leaving.indexOf(id), 1);
    if (gone.length > 0) await db.deleteFrom('users').where('id', 'in', gone).execute();
  } else {
    await db
      .insertInto('users')
      .values([toPerson('coming'), toPerson('coming'), toPerson('coming')])
      .execute();
  }
}

async function fill(): Promise<{ staying: number[]; leaving: number[] }> {
  await db.deleteFrom('users').where('id', '>', 100).execute();
  const people = Array.from({ length: 2 * crowd }, (_, index) => toPerson(index % 2 ? 'staying' : 'leaving'));
  const rows = await db.insertInto('users').values(people).returning(['id', 'username']).execute();
  const idsOf = (kind: string) => rows.filter(({ username }) => username.startsWith(kind)).map(({ id }) => Number(id));
  return { staying: idsOf('staying'), leaving: idsOf('leaving') };
}

type Walk = { from: string; link: 'next' | 'previous'; follow?: (link: URL) => void };

/** Follows the links from page to page while people come and leave. Returns who stayed, and the pages as they were shown. */
async function walk({ from, link, follow = () => {} }: Walk): Promise<{ staying: number[]; pages: Shown[] }> {
  const { staying, leaving } = await fill();
  const pages: Shown[] = [];
  for (let query: string | undefined = from; query !== undefined; ) {
    const page: Page<User> = (await send(handler, { query })).json();
    pages.push({ query, ids: page.results.map(({ id }) => id) });
    await change(
      leaving,
      pages.flatMap(({ ids }) => ids),
      pages.length - 1,
    );
    const url: URL | null = page[link] === null ? null : new URL(page[link]);
    if (url) follow(url);
    query = url?.search.slice(1);
  }
  return { staying, pages };
}

type Shown = { query: string; ids: number[] };

/** How many of those who stayed were not seen, and how many were twice. */
function compare({ staying, pages }: { staying: number[]; pages: Shown[] }): { skipped: number; doubled: number } {
  const seen = pages.flatMap(({ ids }) => ids);
  const times = Map.groupBy(seen, (id) => id);
  const counts = staying.map((id) => times.get(id)?.length ?? 0);
  return { skipped: counts.filter((count) => count === 0).length, doubled: counts.filter((count) => count > 1).length };
}

/** Those who stayed, as the list has them: their places are what they were. */
async function listStaying(staying: number[], ordering: string): Promise<number[]> {
  const query = `id_min=100&limit=1000&ordering=${ordering}`;
  const { count, results } = (await send(handler, { query })).json();
  expect(count).toBeLessThanOrEqual(1000);
  return results.map(({ id }) => id).filter((id) => staying.includes(id));
}

describe(`while people come and leave, of ${crowd} who stay`, () => {
  const nobody = { skipped: 0, doubled: 0 };

  test.each(orderings)('a walk by next in ?ordering=%s skips and doubles nobody', async (ordering) => {
    expect(compare(await walk({ from: `id_min=100&limit=7&ordering=${ordering}`, link: 'next' }))).toEqual(nobody);
  });

  test.each(orderings)(
    'a walk by previous in ?ordering=%s skips and doubles nobody on its way to the first page, which is whole',
    async (ordering) => {
      const { staying, pages } = await walk({
        from: `id_min=100&limit=7&ordering=${ordering}&offset=${2 * crowd - 7}`,
        link: 'previous',
      });
      const inOrder = await listStaying(staying, ordering);
      const last = pages.at(-1);
      const isFirstPage = !new URLSearchParams(last?.query).has('offset');
      const onTheWay = isFirstPage ? pages.slice(0, -1) : pages;
      const seen = onTheWay.toReversed().flatMap(({ ids }) => ids.filter((id) => staying.includes(id)));
      // Where more left than came, everybody has been seen before the offset was 0.
      expect(seen).toEqual(isFirstPage ? inOrder.slice(-seen.length) : inOrder);
      expect(seen.length).toBeGreaterThan(crowd / 2);
      if (isFirstPage) expect([...new URLSearchParams(last?.query).keys()]).toEqual(['id_min', 'limit', 'ordering']);
    },
  );

  test('a walk by offsets alone skips some and doubles some', async () => {
    const follow = (url: URL) => url.searchParams.delete('after');
    const { skipped, doubled } = compare(await walk({ from: 'id_min=100&limit=7&ordering=-id', link: 'next', follow }));
    console.log(`By offsets alone, of ${crowd} who stayed: ${skipped} skipped, ${doubled} doubled.`);
    expect(skipped).toBeGreaterThan(0);
    expect(doubled).toBeGreaterThan(0);
  });
});
