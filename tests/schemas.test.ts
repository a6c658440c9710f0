import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../manage/commands.ts';
import { migrate } from '../manage/migrate.ts';
import { OperatorError } from '../manage/operator-error.ts';
import { type PostgresServer, startPostgresServer } from '../scripts/servers/postgres-server.ts';
import { listAfterSetup, open, openPlace, type Place } from './setup/place.ts';
import { canStartServer } from './setup/server.ts';

/** What needs roles and several databases, which PGlite has not. */
describe.skipIf(!canStartServer)('the schema that comes first in search_path', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgresServer();
    return () => server.remove();
  });

  /** In which schemas the tables of this name stand. */
  async function schemasOf({ superuser }: Place, table: string): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`
      select schemaname as name from pg_tables where tablename = ${table} order by 1`.execute(superuser);
    return rows.map(({ name }) => name);
  }

  /** Another application that has Kysely migrations, users of its own, and the schema public. */
  const otherApplication = [
    `create table public.kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null)`,
    `insert into public.kysely_migration values ('0001-tables', '2020-01-01T00:00:00.000Z'), ('0002-carts', '2020-01-01T00:00:01.000Z')`,
    `create table public.users (key uuid primary key, title text)`,
    `insert into public.users values (gen_random_uuid(), 'Dame')`,
    `create schema app authorization owner_name`,
  ];

  /** All of the other application's rows, and its tables. */
  async function contentsOf({ superuser }: Place): Promise<unknown> {
    const { rows } = await sql`
      select (select json_agg(m) from public.kysely_migration m) as migrations, (select json_agg(u) from public.users u) as users,
        (select json_agg(tablename::text order by tablename) from pg_tables where schemaname = 'public') as tables`.execute(
      superuser,
    );
    return rows[0];
  }

  test.each([
    ['the owner', ['alter role owner_name set search_path = app'], ''],
    ['the database', ['alter database database_name set search_path = app'], ''],
    ['DATABASE_URL', [], '&options=-csearch_path%3Dapp'],
    ['DATABASE_URL, with a space', [], '&options=-c%20search_path%3Dapp'],
    ['the owner, with public after it', ['alter role owner_name set search_path = app, public'], ''],
  ])('holds everything beside another application, set by %s', async (_, statements, options) => {
    const place = await openPlace(server, ...otherApplication, ...statements);
    place.ownerUrl += options;
    const before = await contentsOf(place);
    expect(await listAfterSetup(place, 'search=ann')).toEqual(['ann']);
    expect(await contentsOf(place)).toEqual(before);
    for (const table of ['users', 'kysely_migration', 'kysely_migration_lock'])
      expect(await schemasOf(place, table)).toEqual(table.endsWith('lock') ? ['app'] : ['app', 'public']);
    expect(await migrate(open(place.ownerUrl))).toEqual({ ran: [], unknown: [] });
  });

  test("is the owner's own, where there is one of its name", async () => {
    const place = await openPlace(server, 'create schema authorization owner_name');
    expect(await listAfterSetup(place)).toEqual(['bob', 'ann']);
    expect(await schemasOf(place, 'users')).toEqual([expect.stringMatching(/^owner_/)]);
  });

  test('is public, as long as nobody says otherwise', async () => {
    const place = await openPlace(server);
    expect(await listAfterSetup(place)).toEqual(['bob', 'ann']);
    expect(await schemasOf(place, 'users')).toEqual(['public']);
  });

  test('may have a name that needs quotes', async () => {
    const name = `Staff's "Übersicht", $user`;
    const quoted = `"${name.replaceAll('"', '""')}"`;
    const place = await openPlace(
      server,
      `create schema ${quoted} authorization owner_name`,
      `alter role owner_name set search_path = ${quoted}`,
    );
    expect(await listAfterSetup(place, 'search=bo')).toEqual(['bob']);
    expect(await schemasOf(place, 'users')).toEqual([name]);
  });

  test('need not be that of pg_trgm, which is found out of search_path', async () => {
    const place = await openPlace(
      server,
      'create schema app authorization owner_name',
      'create extension pg_trgm schema public',
      'alter role owner_name set search_path = app',
    );
    expect(await listAfterSetup(place, 'search=ann')).toEqual(['ann']);
    const { rows } = await sql`
      select extnamespace::regnamespace::text as extension, indexdef as index
      from pg_extension, pg_indexes where extname = 'pg_trgm' and indexname = 'users_search_trgm'`.execute(
      open(place.ownerUrl),
    );
    expect(rows).toEqual([{ extension: 'public', index: expect.stringContaining('public.gin_trgm_ops') }]);
  });

  test('lets its role search by the trigrams, and by terms too short for them', async () => {
    const place = await openPlace(
      server,
      'create schema app authorization owner_name',
      'create extension pg_trgm schema public',
      'alter role owner_name set search_path = app',
    );
    await listAfterSetup(place);
    const reader = open(place.readerUrl);
    await sql`set enable_seqscan = off`.execute(reader);
    const { rows } = await sql<Record<string, string>>`
      explain select id from users where search_text like search_pattern('bob')`.execute(reader);
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('users_search_trgm');
    const short = await sql`select id from users where strpos(search_text, search_fold('bo')) > 0`.execute(reader);
    expect(short.rows).toHaveLength(1);
  });

  test('computes the search text of who is written with another search_path', async () => {
    const place = await openPlace(
      server,
      'create schema app authorization owner_name',
      'alter role owner_name set search_path = app',
    );
    await listAfterSetup(place);
    await sql`insert into app.users (username, is_staff) values ('çelik', true)`.execute(place.superuser);
    const { rows } = await sql<{ text: string }>`
      select split_part(search_text, chr(31), 2) as text from app.users where username = 'çelik'`.execute(
      place.superuser,
    );
    expect(rows).toEqual([{ text: 'CELIK' }]);
  });

  test.each([['migrate'], ['create-user', 'ann'], ['create-reader', 'api'], ['gather-listed'], ['seed-demo']])(
    'has to exist: %s is told, and writes nothing',
    async (...words) => {
      const place = await openPlace(server, 'alter role owner_name set search_path = nowhere, "Not there"');
      const error = await runCommand(open(place.ownerUrl), words).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(OperatorError);
      expect((error as Error).message).toMatch(/of search_path \(nowhere, "Not there"\) none exists.*\nCreate one/);
      expect(await schemasOf(place, 'users')).toEqual([]);
      expect(await schemasOf(place, 'kysely_migration')).toEqual([]);
    },
  );

  test.each([
    ['create-user', 'ann'],
    ['update-user', 'bob', '--staff'],
    ['delete-user', 'bob', '--confirm', 'bob'],
    ['grant', 'bob', '1222'],
    ['revoke', 'bob', '1222'],
    ['create-group', 'Support'],
    ['add-to-group', 'bob', 'Support'],
    ['remove-from-group', 'bob', 'Support'],
    ['issue-token', 'bob'],
    ['revoke-token', '12345678'],
    ['revoke-tokens', 'bob'],
    ['revoke-all-tokens', 'staging'],
    ['list-tokens', 'bob'],
    ['seed-demo'],
    ['gather-listed'],
    ['create-reader', 'reader_of_none'],
  ])("is not migrated: %s is told, and no other program's users are taken for ours", async (...words) => {
    const place = await openPlace(server, 'alter role owner_name set search_path = public');
    await migrate(open(place.ownerUrl));
    await runCommand(open(place.ownerUrl), ['create-user', 'bob']);
    await place.run(
      'create schema app authorization owner_name',
      'create table app.users (like public.users including all)',
      'alter table app.users owner to owner_name',
    );
    const db = open(`${place.ownerUrl}&options=-csearch_path%3Dapp,public`);
    const error = await runCommand(db, words).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OperatorError);
    expect((error as Error).message).toBe(
      'The schema "app" is not migrated. First: npm run migrate, or the command migrate of the function.',
    );
    const { rows } = await sql`
      select (select count(*)::int from public.users) + (select count(*)::int from app.users) as users, (select count(*)::int from public.auth_tokens) as tokens,
        (select count(*)::int from pg_roles where rolname = 'reader_of_none') as readers`.execute(place.superuser);
    expect(rows).toEqual([{ users: 1, tokens: 0, readers: 0 }]);
  });
});
