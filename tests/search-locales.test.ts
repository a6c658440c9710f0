import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { migrate } from '../manage/migrate.ts';
import { cases, spellings } from './search-cases.ts';
import { openLocales } from './setup/locales.ts';
import { people, writePeople } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';
import { foldUnicode, points, readAsNothing } from './setup/unicode.ts';

const locales = await openLocales();

/** Each letter, and itself in the other case where that is one letter. A mark is removed, whatever letter it is in capitals. */
const casePairs = points
  .map((point) => String.fromCodePoint(point))
  .flatMap((letter) => [letter.toLowerCase(), letter.toUpperCase()].map((other) => [letter, other] as const))
  .filter(([letter, other]) => letter !== other && [...other].length === 1 && !/\p{M}/u.test(letter));

let foldedInC: string[] | undefined;
let nothing: number[] | undefined;

for (const { locale, database } of locales) {
  describe.skipIf(!database)(`in a database of locale ${locale}`, () => {
    const { db, url } = database ?? { db: undefined as never, url: '' };
    let handler: Handler;

    beforeAll(async () => {
      await migrate(db);
      await writePeople(db);
      handler = await loadHandler(url);
    });

    async function find(search: string): Promise<number[]> {
      const { status, json } = await send(handler, { query: `search=${encodeURIComponent(search)}&limit=1000` });
      expect(status, search).toBe(200);
      return json().results.map(({ id }) => id);
    }

    test('each search finds whom it finds elsewhere', async () => {
      for (const [what, terms, finds] of cases)
        for (const term of terms)
          expect(await find(term), `${what}: ${term}`).toEqual(finds.map((name) => people[name].id));
    });

    test('a name is found however it is written', async () => {
      for (const [written, ...sought] of spellings) {
        const [user] = await db
          .insertInto('users')
          .values({ username: crypto.randomUUID(), last_name: written, is_staff: true })
          .returning('id')
          .execute();
        for (const term of [written, ...sought])
          expect(await find(term), `${written}: ${term}`).toContain(Number(user?.id));
        await db.deleteFrom('users').where('last_name', '=', written).execute();
      }
    });

    test('a letter is found by itself in the other case, in all of Unicode', async () => {
      expect(casePairs.length).toBeGreaterThan(2800);
      const [letters, others] = [0, 1].map((index) => casePairs.map((pair) => pair[index]));
      const { rows } = await sql<{ letter: string; other: string }>`
        select letter, other from unnest(${letters}::text[], ${others}::text[]) as pair(letter, other)
        where search_fold(letter) <> search_fold(other)`.execute(db);
      expect(rows).toEqual([]);
    });

    test('every character becomes what it becomes in locale C, and nothing what the query counts as nothing', async () => {
      const folded = await foldUnicode(db);
      expect(folded).toHaveLength(points.length);
      foldedInC ??= folded;
      expect(folded.findIndex((text, index) => text !== foldedInC?.[index])).toBe(-1);
      nothing ??= readAsNothing();
      expect(points.filter((_, index) => folded[index] === '')).toEqual(nothing);
    });
  });
}
