import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { Malformed } from '../lib/kinds.ts';
import { readTerms } from '../lib/users/search.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { listed, type Name, people } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';

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

const nobody: Name[] = [];
const allButBob = listed.filter((name) => name !== 'bob');

test.each<[what: string, terms: string[], finds: Name[]]>([
  ['an id', ['7', '"7"', '٧', '７'], ['gus']],
  ['a part of a username', ['fay_', 'ay_x'], ['fay']],
  ['a part of a mobile number', ['0000001', '91500000'], ['ann']],
  ['a part of an e-mail address', ['eve@ex', '.org'], ['eve']],
  ['a part of a first name', ['ilg', 'lgı'], ['dan']],
  ['a part of a last name', ['dyk'], ['fay']],
  ['letters of either case', ['ANN', 'aNn', 'Ann@Example.Com'], ['ann']],
  ['accents, or none', ['celik', 'Çelik', 'C\u0327elik', 'çelìk', 'CELIK'], ['ann']],
  ['the Turkish i with and without a dot', ['ÇELİK', 'çelık', 'celi\u0307k'], ['ann']],
  ['the Turkish ı as any i', ['ilgin', 'ILGIN', 'ılgın', 'İLGİN', 'Ilgın'], ['dan']],
  ['Persian and Arabic yeh', ['علی', 'علي', 'على'], ['cat']],
  ['Persian and Arabic kaf', ['کریمی', 'كريمي', 'كريمى'], ['cat']],
  ['Arabic vowel signs', ['عَلِيّ', 'ع\u0670لی'], ['cat']],
  ['tatweel', ['عـــلی', 'ـعلی'], ['cat']],
  [
    'joiners and other invisible characters',
    ['ع\u200cلی', '\u200dعلی', 'عل\u200fی', 'عل\u00adی', '\ufeffعلی'],
    ['cat'],
  ],
  ['digits of any script', ['0915', '۰۹۱۵', '٠٩١٥', '０９１５', '0۹١５'], ['dan', 'ann']],
  ['full-width letters', ['wide', 'ＷＩＤＥ', 'Ｗｉｄｅ'], ['gus']],
  ['ligatures', ['finn', 'ﬁnn', 'FINN', 'fin', 'inn'], ['gus']],
  ['all terms, each in any field', ['finn gus', 'wide FIN 7', 'com,finn', 'gus "finn"'], ['gus']],
  ['no one with only some of the terms', ['finn ann', 'gus 6', 'ann cat'], nobody],
  ['words that commas part', ['dyk,van', ',,van,,dyk,', 'van , dyk'], ['fay']],
  [
    'words that any white space parts',
    [...'\t\n\v\f\r \u0085\u00a0\u1680\u2003\u2028\u202f\u205f\u3000'].map((space) => `van${space}dyk`),
    ['fay'],
  ],
  ['a phrase as it stands', ['"van  Dyk"', '"n  d"', '"van  dyk" fay'], ['fay']],
  ['no phrase that stands otherwise', ['"van dyk"', '"dyk van"', '"van,dyk"'], nobody],
  ['a phrase with a comma', ['"o\'neil, "', '"Neil, "'], ['eve']],
  ['a phrase in a mobile number', ['"98 915"', '"8 9"'], ['cat']],
  ['everybody for an empty phrase', ['""', '"" ""', ',""', ',', ' ', ' , "" '], listed],
  ['the rest beside an empty phrase', ['"" ann', '"",ann@'], ['ann']],
  ['an unclosed quote as a character', ['"evie', 'neil "evie', 'evie"', 'Neil,"Evie"'], ['eve']],
  ['no one for a quote that no name has', ['"ann', 'ann"', 'a"nn'], nobody],
  ['an apostrophe', ["'", "o'neil", "O'N"], ['eve']],
  ['a double quote', ['"', '"\'" "'], ['eve']],
  ['a percent sign', ['%', '50%', '_50%@', '％', '５０％'], ['cat']],
  ['an underscore', ['_', '＿'], ['fay', 'cat']],
  ['a backslash', ['\\', 'fay\\', '\\ fay', '＼'], ['fay']],
  [
    'nothing by wildcards',
    ['%%', 'c%t', 'ann%', '%ann%', 'a_n', '___', 'cat\\_50', 'fay\\\\', 'ann\\', '.*', 'a|b', '(ann)'],
    nobody,
  ],
  ['an emoji', ['😀', '😀 fay', '"😀 Fay"'], ['fay']],
  ['no other emoji', ['😁', '👩‍👩‍👧‍👦', '😀😀', '\ud83d\ude01'], nobody],
  ['short terms', ['a', 'A', 'ａ'], allButBob],
  ['several short terms', ['b o', 'ob bo'], ['bob']],
  ['short and long terms together', ['x fay', 'fay x 6'], ['fay']],
  ['nobody for long terms that nothing holds', ['x'.repeat(200), 'ann@example.com.', 'annn'], nobody],
  [
    'nothing across two fields',
    ['1ann', 'ann0915', 'annann', '"ann çelik"', 'finnwide', 'comann', '4dan', '7g'],
    nobody,
  ],
  ['nothing by what looks like SQL', ["';drop table users;--", "' or '1'='1", '$1', '$$'], nobody],
  ['no customer', ['cy', 'customer', 'cy@example.com', '09150000008', 'Cy Customer'], nobody],
])('a search finds %s', async (_, terms, finds) => {
  for (const term of terms) expect(await find(term), term).toEqual(finds.map((name) => people[name].id));
});

describe('however a name is written', () => {
  const spellings: [written: string, ...sought: string[]][] = [
    ['Γιώργος', 'ΓΙΩΡΓΟΣ', 'γιωργοσ', 'γιώργος'],
    ['Владимир', 'ВЛАДИМИР', 'влад'],
    ['Ёлкин Юрий', 'елкин', '"ЁЛКИН юрии"'],
    ['Ångström', 'angstrom', '\u212bngstrom', 'ANGSTRÖM'],
    ['Nguyễn', 'nguyen', 'NGUYÊN'],
    ['שָׁלוֹם', 'שלום'],
    ['مُحَمَّد', 'محمد', 'مـحـمـد'],
    ['محمدی\u200cنژاد', 'محمدینژاد', 'محمدي\u200cنژاد'],
    ['أحمد', 'احمد', 'أحمد'],
    ['یحیی کیان', 'يحيى', 'كيان'],
    ['①②③ ㎏', '123', 'kg', '１２３'],
    ['ﷲ', 'الله'],
    ['Ⅷ', 'viii'],
    ['ｶﾞﾀｶﾅ', 'ガタカナ', 'カ\u3099タカナ'],
    ['한국', '\u1112\u1161\u11ab\u1100\u116e\u11a8'],
    ['Işık İpek', 'isik', 'IŞIK', 'ışik', 'ipek', 'IPEK', 'ıpek'],
    ['soft\u00adhyphen', 'softhyphen', 'soft\u200bhyphen'],
    ['田中', '田', '田中', '⽥中'],
    ['100٪ ٣٫٥', '100', '3'],
    ['𝓕𝓪𝓷𝓬𝔂', 'fancy', '𝔽𝔸ℕℂ𝕐'],
  ];

  test.each(spellings)('%s is found', async (written, ...sought) => {
    const { id } = await database.db
      .insertInto('users')
      .values({ username: crypto.randomUUID(), last_name: written, is_staff: true })
      .returning('id')
      .executeTakeFirstOrThrow();
    for (const term of [written, ...sought]) expect(await find(term), term).toContain(Number(id));
    await database.db.deleteFrom('users').where('id', '=', id).execute();
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
])('%j is the terms %j', (search, terms) => {
  expect(readTerms(search)).toEqual(terms);
});

test('a term of which nothing is left is a 400 that says which', async () => {
  for (const term of ['\u0301', '\u200c\u200d', 'ـ', '"\u064e\u0650"', '\u0340', '\ufeff\u200e']) {
    const { status, problem } = await send(handler, { query: `search=${encodeURIComponent(`ann ${term}`)}` });
    expect(status).toBe(400);
    expect(problem().errors).toEqual({
      search: ['Term 2 of 2: expected letters, digits or signs; it has only accents and joiners.'],
    });
  }
});

test('the characters that the query counts as nothing are those that the database removes, in all of Unicode', async () => {
  // Not NUL, which no text holds, and no surrogates.
  const { rows } = await sql<{ point: number }>`
    select point from generate_series(1, ${0x10ffff}::int) as point
    where point not between ${0xd800} and ${0xdfff} and search_fold(chr(point)) = ''
    order by point`.execute(database.db);
  const isNothing = (point: number): boolean => {
    try {
      readTerms(`"${String.fromCodePoint(point)}"`);
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(Malformed);
      return true;
    }
  };
  const points = Array.from({ length: 0x10ffff }, (_, index) => index + 1);
  const nothing = points.filter((point) => (point < 0xd800 || point > 0xdfff) && isNothing(point));
  expect(nothing).toEqual(rows.map(({ point }) => point));
  expect(nothing).toEqual(expect.arrayContaining([0xad, 0x301, 0x640, 0x64b, 0x670, 0x200c, 0x200d, 0xfe20]));
});
