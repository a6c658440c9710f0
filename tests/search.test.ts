import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { readTerms } from '../lib/users/search.ts';
import { selectUsers } from '../lib/users/statement.ts';
import { cases, spellings } from './search-cases.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { listed, people } from './setup/people.ts';
import { loadHandler, queryOf, send } from './setup/request.ts';
import { foldUnicode, points, readAsNothing } from './setup/unicode.ts';

let database: TestDatabase;
let handler: Handler;

beforeAll(async () => {
  database = await openTestDatabase();
  handler = await loadHandler(database.url);
});

/** The ids of whom a search finds. */
async function find(search: string): Promise<number[]> {
  const { status, json } = await send(handler, { query: `search=${encodeURIComponent(search)}&limit=1000` });
  expect(status, search).toBe(200);
  return json().results.map(({ id }) => id);
}

test.each(cases)('a search finds %s', async (_, terms, finds) => {
  for (const term of terms) expect(await find(term), term).toEqual(finds.map((name) => people[name].id));
});

describe('however a name is written', () => {
  test.each(spellings)('%s is found', async (written, ...sought) => {
    const { id } = await database.db
      .insertInto('users')
      .values({ username: crypto.randomUUID(), last_name: written, is_staff: true })
      .returning('id')
      .executeTakeFirstOrThrow();
    onTestFinished(async () => void (await database.db.deleteFrom('users').where('id', '=', id).execute()));
    for (const term of [written, ...sought]) expect(await find(term), term).toContain(Number(id));
  });
});

test('every part of every field finds its user', async () => {
  const fields = ['id', 'username', 'mobile_number', 'email', 'first_name', 'last_name'] as const;
  const texts = listed.flatMap((name) => {
    const person: Partial<Record<(typeof fields)[number], unknown>> = people[name];
    return fields.map((field) => ({ id: people[name].id, text: [...String(person[field] ?? '')] }));
  });
  const part = fc.constantFrom(...texts.filter(({ text }) => text.length > 0)).chain(({ id, text }) =>
    fc.tuple(fc.nat({ max: text.length - 1 }), fc.integer({ min: 1, max: text.length })).map(([start, length]) => ({
      id,
      part: text.slice(start, start + length).join(''),
    })),
  );
  await fc.assert(
    fc.asyncProperty(part, async ({ id, part }) => {
      // A phrase, unless it holds a quote; then the space and the comma, which part terms, must not be in it.
      fc.pre(!/".*[ ,]|[ ,].*"/.test(part));
      expect(await find(part.includes('"') ? part : `"${part}"`)).toContain(id);
    }),
    { numRuns: 200 },
  );
});

test('whatever is sought, the answer is a page or a 400, and never shows a customer', async () => {
  const sign = fc.constantFrom(...'"\'%_\\,;()[]{}*?+.|^$~- \t\u0301\u200c\u3000İıßﬁـ۰😀cyz');
  const text = fc.oneof(fc.string({ unit: sign, maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 30 }));
  await fc.assert(
    fc.asyncProperty(text, async (text) => {
      const query = `search=${encodeURIComponent(text.toWellFormed())}`;
      const { status, json, problem } = await send(handler, { query });
      if (status === 400) expect(Object.keys(problem().errors ?? {})).toEqual(['search']);
      else expect(json().results.every(({ id }) => id !== people.cy.id)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test.each<[search: string, terms: string[]]>([
  ['', []],
  ['ali "van dyk"', ['ali', 'van dyk']],
  [' a,b\tc ', ['a', 'b', 'c']],
  ['"a" "b', ['a', '"b']],
  ['"a""b"', ['a', 'b']],
  ['a"b c"d', ['a"b', 'c"d']],
  ['"', ['"']],
  ['"""', ['"']],
  ['""a', ['a']],
  ['" "', [' ']],
  ["it's", ["it's"]],
  ['“van dyk”ann', ['van dyk', 'ann']],
  ['„van dyk“ «a,b» ＂c d＂', ['van dyk', 'a,b', 'c d']],
  ['“van dyk" "a b”', ['van dyk', 'a b']],
  ['a“b “c', ['a"b', '"c']],
  ['“”', []],
])('%j is the terms %j', (search, terms) => {
  expect(readTerms(search)).toEqual(terms);
});

test.each<[how: string, condition: string, terms: string[]]>([
  [
    'with three letters or digits in a row is sought by the trigram index',
    'like',
    ['ann', '091', 'على', "o'neil", 'é1a'],
  ],
  [
    'without is sought without it',
    'strpos',
    ['an', 'a-b-c', '😀😀😀', 'aʻb', 'oʼb', 'ʿab', 'aꞌb', 'a\u0301b', 'عـل', 'e\ufe0f\ufe0f'],
  ],
])('a term %s', (_, condition, terms) => {
  for (const term of terms) {
    const { sql } = selectUsers(queryOf(`search=${encodeURIComponent(term)}`));
    expect(sql.match(/\b(like|strpos)\b/)?.[0], term).toBe(condition);
  }
});

describe('who are found once for count and page', () => {
  const alike = ['listed-b', 'customer-a', 'listed-c', 'customer-b', 'listed-a', 'customer-c'];

  beforeAll(async () => {
    const rows = alike.map((username, index) => ({
      username: `once-${username}`,
      email: index % 3 === 0 ? null : `${username}@once.example`,
      gender: ([null, 'female', 'other'] as const)[index % 3] ?? null,
      last_login: index % 4 === 0 ? null : `2026-01-0${index + 1}T00:00:00Z`,
      is_staff: username.startsWith('listed'),
    }));
    const users = await database.db.insertInto('users').values(rows).returning('id as user_id').execute();
    await database.db.insertInto('groups').values({ id: 700, name: 'Once' }).execute();
    await database.db
      .insertInto('user_groups')
      .values(users.map((user) => ({ ...user, group_id: 700 })))
      .execute();
    return async () => {
      await database.db.deleteFrom('users').where('username', 'like', 'once-%').execute();
      await database.db.deleteFrom('groups').where('id', '=', 700).execute();
    };
  });

  const few = [
    'search=once-',
    'search=once-,-',
    'search=once-%20e&is_active=true&is_admin=false',
    'is_active=1&is_staff=1&is_admin=0&id_min=100',
    'group_id=700',
    'groups_in=700,701&is_active=1',
  ];
  const orders = [
    '-id',
    'username',
    '-username',
    'email',
    '-email',
    'gender',
    '-gender',
    'last_login',
    '-last_login',
    'created_at,-email',
    '-updated_at,gender',
  ];

  // Their columns are all that the order is made from, and nobody says that they are listed but the search itself.
  test.each(few.flatMap((query) => orders.map((order) => [query, order])))(
    '?%s in ?ordering=%s are all of the listed and nobody else',
    async (query, order) => {
      const page = async (rest: string) => (await send(handler, { query: rest })).json();
      const whole = await page(`${query}&ordering=${order}&limit=100`);
      expect(whole.results.map(({ username }) => username).toSorted()).toEqual([
        'once-listed-a',
        'once-listed-b',
        'once-listed-c',
      ]);
      expect(whole.count).toBe(3);
      expect(await page(`${query}&ordering=${order}&offset=9`)).toMatchObject({ count: 3, results: [] });
      const ids = whole.results.map(({ id }) => id);
      let last = await page(`${query}&ordering=${order}&limit=1`);
      const walked = [...last.results];
      while (last.next) {
        last = await page(new URL(last.next).search.slice(1));
        walked.push(...last.results);
      }
      expect(walked.map(({ id }) => id)).toEqual(ids);
      const before = await page(new URL(String(last.previous)).search.slice(1));
      expect(before.results.map(({ id }) => id)).toEqual(ids.slice(1, 2));
    },
  );
});

test('a term of which nothing is left is a 400 that says which', async () => {
  for (const term of [
    '\u0301',
    '\u200c\u200d',
    'ـ',
    '"\u064e\u0650"',
    '\u0340',
    '\ufeff\u200e',
    '\ufe0f',
    '\u{e0100}\u180b',
  ]) {
    const { status, problem } = await send(handler, { query: `search=${encodeURIComponent(`ann ${term}`)}` });
    expect(status).toBe(400);
    expect(problem().errors).toEqual({
      search: ['Term 2 of 2: expected letters, digits or signs; it has only accents and joiners.'],
    });
  }
});

test('the characters that the query counts as nothing are those that the database removes, in all of Unicode', async () => {
  const folded = await foldUnicode(database.db);
  expect(folded).toHaveLength(points.length);
  const nothing = readAsNothing();
  expect(nothing).toEqual(points.filter((_, index) => folded[index] === ''));
  expect(nothing).toEqual(expect.arrayContaining([0xad, 0x301, 0x640, 0x64b, 0x670, 0x200c, 0x200d, 0xfe20]));
  expect(nothing).toEqual(expect.arrayContaining([0x180b, 0x180f, 0xfe00, 0xfe0f, 0xe0100, 0xe01ef]));
});
