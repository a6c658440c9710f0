import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { authenticate } from '../lib/auth.ts';
import { type Db, openDatabase } from '../lib/database/database.ts';
import { openNames } from '../lib/database/prepared-names.ts';
import { compile } from '../lib/database/statement.ts';
import { readSettings } from '../lib/settings.ts';
import { listUsers, mayPrepare } from '../lib/users/list.ts';
import { selectUsers } from '../lib/users/statement.ts';
import { hasServer, openTestDatabase } from './setup/database.ts';
import { keys } from './setup/people.ts';
import { queryOf, requestOf } from './setup/request.ts';

const list = (db: Db, rawQuery: string) => listUsers(db, queryOf(rawQuery), requestOf(rawQuery));

// PGlite's one connection stands behind all clients, and names of two would collide.
describe.skipIf(!hasServer)('a prepared statement', () => {
  async function open(environment: Record<string, string> = {}): Promise<Db> {
    const { url } = await openTestDatabase();
    const db = openDatabase(readSettings({ DATABASE_URL: url, ...environment }));
    onTestFinished(() => db.end());
    return db;
  }

  const preparedOn = async (db: Db) =>
    db.run(compile(sql<{ name: string; statement: string }>`select name, statement from pg_prepared_statements`));

  test('is what authentication has, and a first page of all who are listed, each once', async () => {
    const db = await open();
    for (let time = 0; time < 3; time += 1) {
      await authenticate(db, requestOf('', { authorization: `Token ${keys.ann}` }), { tokenHash: 'sha256' });
      for (const query of ['', 'limit=10&ordering=-id', 'limit=2', 'limit=2&ordering=email']) await list(db, query);
    }
    expect(await preparedOn(db)).toHaveLength(4);
  });

  test.each(['is_active=1', 'search=ann', 'offset=3', 'is_active=1&ordering=email'])(
    'is not what ?%s has',
    async (query) => {
      const db = await open();
      await list(db, query);
      expect(await preparedOn(db)).toEqual([]);
    },
  );

  test('is what flags have that are asked for again', async () => {
    const db = await open();
    for (const query of ['is_active=1', 'is_active=true&ordering=-id', 'is_active=0', 'gender=male&has_token=1'])
      await list(db, query);
    expect((await preparedOn(db)).map(({ statement }) => statement.match(/& 1\) <> 0/g)?.length)).toEqual([2]);
  });

  test('is never what has a value, on which the best plan may hang, or another page', async () => {
    const db = await open();
    for (const query of [
      'group_id=1',
      'search=ann',
      'search=a',
      'id_min=1',
      'created_from=2026-01-01',
      'is_active=1&offset=3',
    ])
      for (let time = 0; time < 3; time += 1) await list(db, query);
    expect(await preparedOn(db)).toEqual([]);
  });

  test('has one name for one text, on whatever instance, and another for another', async () => {
    const [one, other] = [await open(), await open()];
    for (const query of ['limit=3', 'limit=4']) await list(one, query);
    for (const query of ['limit=4', 'limit=3']) await list(other, query);
    const byText = (statements: { name: string; statement: string }[]) =>
      Object.fromEntries(statements.map(({ name, statement }) => [statement, name]));
    expect(byText(await preparedOn(other))).toEqual(byText(await preparedOn(one)));
    expect(new Set((await preparedOn(one)).map(({ name }) => name)).size).toBe(2);
  });

  test('is left to few, whatever clients ask for, and never denied to the default page', async () => {
    const db = await open();
    for (let limit = 100; limit < 140; limit += 1) await list(db, `limit=${limit}`);
    await list(db, '');
    const texts = (await preparedOn(db)).map(({ statement }) => statement);
    expect(texts).toHaveLength(29);
    expect(texts.filter((text) => text.includes('limit 10 '))).toHaveLength(1);
  });

  test('is none where a pooler cannot keep them', async () => {
    const db = await open({ DATABASE_NAMED_STATEMENTS: 'off' });
    await list(db, '');
    expect(await preparedOn(db)).toEqual([]);
  });
});

test.each<[query: string, preparation: ReturnType<typeof mayPrepare>]>([
  ['', 'always'],
  ['limit=10&ordering=-id', 'always'],
  ['ordering=-id,email', 'always'], // the same statement
  ['ordering=id', true],
  ['ordering=-email', true],
  ['limit=9', true],
  ['limit=11', true],
  ['limit=11&ordering=email', true],
  ['format=csv', true],
  ['is_active=1', 'again'],
  ['is_active=0&gender=male&has_token=1', 'again'],
  ['is_active=1&limit=5&ordering=email', 'again'],
  ['offset=1', false],
  ['is_active=1&offset=1', false],
  ['after=d2yxs1siLWlkIiwxLDJd&offset=1', false],
  ['id_min=1', false],
  ['is_active=1&id_min=1', false],
  ['search=ann', false],
  ['search=a', false],
])('the statement of ?%s may be prepared: %s', (rawQuery, preparation) => {
  const query = queryOf(rawQuery);
  expect(mayPrepare(query, selectUsers(query))).toBe(preparation);
});

test('of what is asked for once, the last hundred are remembered, so that many questions fill no memory', () => {
  const toName = openNames();
  const ask = (text: string) => toName(text, 'again') !== undefined;
  const texts = Array.from({ length: 101 }, (_, index) => `select ${index}`);
  expect(texts.slice(0, 100).map(ask)).not.toContain(true);
  expect(ask('select 0')).toBe(true);
  expect(ask('select 99')).toBe(true);
  expect(ask('select 100')).toBe(false); // forgets the hundred before it
  expect(['select 1', 'select 100', 'select 1'].map(ask)).toEqual([false, true, true]);
});
