import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { hashKey } from '../lib/auth.ts';
import { runCommand } from '../manage/commands.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';

const page = readFileSync('docs/privacy.md', 'utf8');

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});

test('the page names every table that is about a user, and each of its columns', async () => {
  const { rows } = await sql<{ table: string; column: string }>`
    select table_name as "table", column_name as "column" from information_schema.columns
    where table_schema = current_schema() and table_name in (
      select conrelid::regclass::text from pg_constraint where confrelid = 'users'::regclass)`.execute(database.db);
  expect(rows.length).toBeGreaterThan(30);
  const named = new Set([...page.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(rows.filter(({ table, column }) => !named.has(table) || !named.has(column))).toEqual([]);
});

describe('what the page says of deleting a person', { shuffle: false }, () => {
  const secret = 'Hunter2';

  /** Every table's rows, and what the statistics keep of them. */
  async function readAll(): Promise<string> {
    const { db } = database;
    const { rows: tables } = await sql<{ name: string }>`
      select tablename as name from pg_tables where schemaname = current_schema() union all select 'pg_stats'`.execute(
      db,
    );
    const texts = tables.map(({ name }) => sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`);
    const results = [];
    for (const text of texts) results.push(...(await text.execute(db)).rows);
    return results.map(({ row }) => row).join('\n');
  }

  const hash = hashKey(secret).toString('hex');

  beforeAll(async () => {
    const { db } = database;
    const name = (suffix: string) => `${secret}${suffix}`;
    await sql`insert into users
      (id, username, mobile_number, email, first_name, last_name, avatar, invite_code, invited_by_id, is_staff) values
      (17, ${name('u')}, ${name('m')}, ${name('@example.com')}, ${name('f')}, ${name('l')}, ${name('.png')}, ${name('i')}, 1, true),
      (18, 'invited', null, null, null, null, null, null, 17, true)`.execute(db);
    await sql`insert into auth_tokens (token_hash, user_id, name) values (${hashKey(secret)}, 17, ${name('t')})`.execute(
      db,
    );
    await sql`insert into user_presence (user_id, last_seen_at) values (17, '2001-02-03T04:05:06Z')`.execute(db);
    await sql`insert into user_groups (user_id, group_id) values (17, 1)`.execute(db);
    await sql`insert into user_permissions (user_id, permission_code) values (17, 1222)`.execute(db);
    await sql`analyze`.execute(db);
  });

  test('who leaves the staff has no copies any more', async () => {
    const copies = sql`
      select search_text, list_flags, list_created_at, list_updated_at, list_last_login, list_username, list_email from users where id = 17`;
    expect(JSON.stringify((await copies.execute(database.db)).rows)).toMatch(/HUNTER2M/);
    await runCommand(database.db, ['update-user', `${secret}u`, '--no-staff', '--no-admin']);
    expect(Object.values((await copies.execute(database.db)).rows[0] as object)).toEqual(Array(7).fill(null));
    await sql`update users set is_staff = true where id = 17`.execute(database.db);
  });

  test('is so: nothing is left of them, and whom they invited stays', async () => {
    const before = await readAll();
    expect(before).toMatch(/^\(\w+,users,email,.*Hunter2@/m);
    expect(before).toContain(hash);
    const [, command = ''] = /```sh\nnpm run manage -- (.*)\n```/.exec(page) ?? [];
    const [, statement = ''] = /```sql\n(.*)\n```/.exec(page) ?? [];
    await runCommand(database.db, command.replaceAll('ann', `${secret}u`).split(' '));
    await sql.raw(statement).execute(database.db);
    const after = await readAll();
    expect(after).not.toMatch(new RegExp(secret, 'i'));
    expect(after).not.toContain(hash);
    expect(after).not.toContain('2001-02-03');
    const { rows } = await sql`select username, invited_by_id from users where id = 18`.execute(database.db);
    expect(rows).toEqual([{ username: 'invited', invited_by_id: null }]);
  });
});
