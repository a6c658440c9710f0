import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { selectCount, selectMatching } from '../lib/users/matching.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { hasServer, openTestDatabase, type TestDatabase } from './setup/database.ts';
import { loadHandler, queryOf, send } from './setup/request.ts';

let database: TestDatabase;

/** 3,000 customers, and among them, after each 50, one of staff. */
beforeAll(async () => {
  database = await openTestDatabase();
  await sql`
    insert into users (id, username, is_staff, is_customer, email)
    select 1000 + n, 'gather' || n, n % 50 = 0, n % 50 <> 0, 'gather' || n || '@example.com' from generate_series(1, 3000) n`.execute(
    database.db,
  );
});

/** As they came. */
beforeEach(async () => void (await sql`cluster users using users_pkey`.execute(database.db)));

const gather = (): Promise<string[]> => runCommand(database.db, ['gather-listed']);

/** How often a count of the listed, which reads an index alone, had to look into the table. */
async function countHeapFetches(): Promise<number> {
  const count = selectCount(selectMatching(queryOf('is_active=true')));
  const { rows } = await database.db.transaction().execute(async (trx) => {
    // Of a table as small as this one PostgreSQL might read all.
    await sql`set local enable_seqscan = off`.execute(trx);
    await sql`set local enable_bitmapscan = off`.execute(trx);
    return sql`explain (analyze, format json) ${count}`.execute(trx);
  });
  return Number(/"Heap Fetches":(\d+)/.exec(JSON.stringify(rows))?.[1]);
}

const signIn = () => sql`update users set last_login = now() where list_flags is null`.execute(database.db);

async function readSchema(): Promise<unknown> {
  const { rows } = await sql`
    select indexdef as def from pg_indexes where tablename = 'users'
    union all select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'users'::regclass or confrelid = 'users'::regclass
    order by 1`.execute(database.db);
  return rows;
}

async function readUsers(): Promise<unknown> {
  const { rows } = await sql`select md5(string_agg(users::text, '' order by id)) as all, count(*) from users`.execute(
    database.db,
  );
  return rows;
}

describe('gather-listed', () => {
  test('says how far the listed were apart, and writes nothing else', async () => {
    const before = [await readUsers(), await readSchema()];
    const [line = '', ...rest] = await gather();
    const [, listed, from, into] =
      /^gathered (\d+) listed users, from (\d+) pages of the table into (\d+)$/.exec(line) ?? [];
    expect(rest).toEqual([]);
    expect(Number(listed)).toBe(67); // with the people who are there
    expect(Number(from)).toBeGreaterThan(40);
    expect(Number(into)).toBeLessThan(5);
    expect([await readUsers(), await readSchema()]).toEqual(before);
    const { json } = await send(await loadHandler(database.url), { query: 'ordering=id&limit=3&id_min=1000' });
    expect(json().results.map(({ username }) => username)).toEqual(['gather50', 'gather100', 'gather150']);
  });

  test('keeps what customers write out of what the list reads', async () => {
    await sql`vacuum users`.execute(database.db);
    await signIn();
    expect(await countHeapFetches()).toBeGreaterThan(40);
    await gather();
    expect(await countHeapFetches()).toBe(0);
    await signIn();
    // The last page of the listed has customers too.
    expect(await countHeapFetches()).toBeLessThan(40);
  });

  test.skipIf(!hasServer)('waits for those who use the table, who wait for it a moment', async () => {
    const other = openForOperators(database.url);
    onTestFinished(() => other.destroy());
    let gathered = Promise.resolve<string[]>([]);
    await other.transaction().execute(async (trx) => {
      await sql`select from users limit 1`.execute(trx);
      gathered = gather();
      await setTimeout(2500);
      const { rows } = await sql`select from pg_indexes where indexname = 'users_gathered'`.execute(trx);
      expect(rows).toEqual([]);
    });
    expect((await gathered)[0]).toMatch(/^gathered 67 listed users, from [4-9]\d /);
  });

  test('takes no arguments', async () => {
    await expect(runCommand(database.db, ['gather-listed', 'users'])).rejects.toThrow(
      /'users'.*\nUsage: gather-listed$/s,
    );
  });
});
