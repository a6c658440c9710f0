import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { seedDemo } from '../manage/demo.ts';
import { migrate } from '../manage/migrate.ts';
import { OperatorError } from '../manage/operator-error.ts';
import { findPostgres } from '../scripts/servers/postgres-programs.ts';
import { hasServer, openEmptyDatabase, openTestDatabase, type TestDatabase } from './setup/database.ts';
import { keys, people, writePeople } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';

const database: TestDatabase = await openTestDatabase();
const { db } = database;

/** What the list reads of a user. */
const listing = [
  'list_flags',
  'list_created_at',
  'list_updated_at',
  'list_last_login',
  'list_username',
  'list_email',
  'search_text',
] as const;
const readListing = () =>
  db
    .selectFrom('users')
    .select(['id', ...listing])
    .orderBy('id')
    .execute();

/** Of the people who came after the migrations. */
const listingOfPeople = await readListing();

/** Back to an empty database. */
beforeEach(async () => {
  await sql`drop schema public cascade`.execute(db);
  await sql`create schema public`.execute(db);
});

const names = ['0001-tables', '0002-search', '0003-listing', '0004-functions', '0005-indexes'];

const productTables = [
  'auth_tokens',
  'group_permissions',
  'groups',
  'permissions',
  'user_groups',
  'user_permissions',
  'user_presence',
  'users',
];

async function tables(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%' order by 1`.execute(
    db,
  );
  return rows.map(({ name }) => name);
}

test('make all tables, once', async () => {
  expect((await migrate(db)).ran).toEqual(names);
  expect(await tables()).toEqual(productTables);
  expect(await db.selectFrom('permissions').selectAll().execute()).toEqual([{ code: 1222, name: 'UserPermission' }]);
  expect((await migrate(db)).ran).toEqual([]);
});

test('leave nothing when one of them fails, and go through when its cause is gone', async () => {
  // By somebody's table of the same name, whichever it is.
  for (const name of productTables) {
    await sql`create table ${sql.id(name)} ()`.execute(db);
    await expect(migrate(db)).rejects.toThrow(`relation "${name}" already exists`);
    expect(await tables()).toEqual([name]);
    await sql`drop table ${sql.id(name)}`.execute(db);
  }
  expect((await migrate(db)).ran).toEqual(names);
});

test('keep the data of a database that is up to date', async () => {
  await migrate(db);
  const count = await seedDemo(db);
  await migrate(db);
  expect(await db.selectFrom('users').select('id').execute()).toHaveLength(count);
});

test('leave users whose pages are all known to be visible, and statistics of what is new in them', async () => {
  const migrations = { '0001-tables': await import('../migrations/0001-tables.ts') };
  await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest();
  await writePeople(db);
  await migrate(db);
  const { rows } = await sql`
    select relallvisible > 0 and relallvisible = relpages as visible,
           exists (select from pg_stats where tablename = 'users' and attname = 'list_flags') as known
    from pg_class where oid = 'users'::regclass`.execute(db);
  expect(rows).toEqual([{ visible: true, known: true }]);
});

test('list the users who were there before', async () => {
  const migrations = { '0001-tables': await import('../migrations/0001-tables.ts') };
  await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest();
  await writePeople(db);
  expect((await migrate(db)).ran).toEqual(names.slice(1));
  expect(listingOfPeople).toHaveLength(Object.keys(people).length);
  expect(await readListing()).toEqual(listingOfPeople);
  const { json } = await send(await loadHandler(database.url), { query: 'search=example,a&is_active=1' });
  expect(json().results.map(({ id }) => id)).toEqual([7, 5, 3, 1]);
});

describe('where a later version has migrated', () => {
  const later = ['0006-later', '0007-latest'];

  beforeEach(async () => {
    await migrate(db);
    await writePeople(db);
    for (const name of later)
      await sql`insert into kysely_migration values (${name}, ${new Date().toISOString()})`.execute(db);
    await sql`alter table users add column pronouns text`.execute(db);
  });

  test('say so, change nothing, and the API serves', async () => {
    expect(await runCommand(db, ['migrate'])).toEqual([
      'the schema is newer than this version, which runs with it: it has 0006-later, 0007-latest as well',
    ]);
    const { status } = await send(await loadHandler(database.url), { query: 'search=ann' });
    expect(status).toBe(200);
  });

  test('refuse to put one of theirs behind those', async () => {
    await sql`delete from kysely_migration where name = '0005-indexes'`.execute(db);
    await expect(migrate(db)).rejects.toThrow(
      new OperatorError(
        'The schema "public" was migrated by another branch of the code: it has 0006-later, 0007-latest, which this version does not know,\n' +
          'and lacks 0005-indexes. Nothing was changed. Migrate with the version that knows all of them.',
      ),
    );
  });
});

describe('the listing columns', () => {
  beforeEach(async () => {
    await migrate(db);
    await writePeople(db);
  });

  const rowOf = (username: string) =>
    db.selectFrom('users').where('username', '=', username).select(listing).executeTakeFirstOrThrow();

  test('are all null for a customer, whatever is filled in', async () => {
    expect(Object.values(await rowOf('cy'))).toEqual(listing.map(() => null));
  });

  test('follow who becomes staff, and who ceases to be', async () => {
    await db.updateTable('users').set({ is_staff: true }).where('username', '=', 'cy').execute();
    expect(await rowOf('cy')).toMatchObject({
      list_flags: 1 + 2 + 8 + 16 + 32 + 64 + 128 + 256 + 512 + 1024,
      search_text: ['8', 'CY', '09150000008', 'CY@EXAMPLE.COM', 'CY', 'CUSTOMER'].join('\x1f'),
    });
    await db.updateTable('users').set({ is_staff: false }).where('username', '=', 'cy').execute();
    expect(Object.values(await rowOf('cy'))).toEqual(listing.map(() => null));
  });

  test('hold the search text folded, a field after the other', async () => {
    expect((await rowOf('dan')).search_text).toBe(['4', 'DAN', '0915444', '', 'ILGIN', ''].join('\x1f'));
    expect((await rowOf('gus')).search_text).toBe(['7', 'GUS', '', 'GUS@EXAMPLE.COM', 'FINN', 'WIDE'].join('\x1f'));
  });
});

test('give search_fold and search_pattern that fold first and escape then', async () => {
  await migrate(db);
  const { rows } = await sql`
    select search_fold('Çelik ﬁ ۱٢ كي') as folded, search_pattern(${'100％_\\'}) as pattern, search_fold(null) as nothing`.execute(
    db,
  );
  expect(rows).toEqual([{ folded: 'CELIK FI 12 کی', pattern: String.raw`%100\%\_\\%`, nothing: null }]);
});

describe.skipIf(!hasServer)('in a database of another encoding', () => {
  test.each(['SQL_ASCII', 'LATIN1', 'EUC_JP'])('%s, say what to do and write nothing', async (encoding) => {
    const { db } = await openEmptyDatabase(`encoding '${encoding}' locale 'C'`);
    const refused = await migrate(db).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OperatorError);
    expect((refused as Error).message).toMatch(
      new RegExp(`encoding UTF8; "\\w+" is of ${encoding}.*create database`, 's'),
    );
    const { rows } = await sql`
      select relname as name from pg_class where relnamespace = 'public'::regnamespace
      union all select proname from pg_proc where pronamespace = 'public'::regnamespace
      union all select extname from pg_extension where extname <> 'plpgsql'`.execute(db);
    expect(rows).toEqual([]);
  });
});

const programs = findPostgres() ?? '';

describe.skipIf(!hasServer || !existsSync(join(programs, 'pg_dump')))('in a dump', () => {
  const run = (program: string, args: string[], input = '') => {
    const { status, stdout, stderr } = spawnSync(join(programs, program), args, { input, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    return stdout;
  };
  const restore = (url: string, dump: string) => run('psql', ['-v', 'ON_ERROR_STOP=1', '-1', '-d', url], dump);
  const usersOf = (of: typeof db) => of.selectFrom('users').selectAll().orderBy('id').execute();

  beforeEach(async () => {
    await migrate(db);
    await writePeople(db);
    await db.updateTable('users').set({ last_name: 'Ivanović Владимир İıß' }).where('username', '=', 'eve').execute();
  });

  async function expectEveFound(url: string): Promise<void> {
    const { status, json } = await send(await loadHandler(url), { query: 'search=владимир,ivanovic,iiss' });
    expect(status).toBe(200);
    expect(json().results.map(({ username }) => username)).toEqual(['eve']);
  }

  test.each(["locale 'C'", "locale_provider icu icu_locale 'tr' locale 'C.UTF-8'"])(
    'keep what searches find, restored with %s',
    async (options) => {
      const restored = await openEmptyDatabase(`encoding 'UTF8' ${options}`);
      restore(restored.url, run('pg_dump', ['-d', database.url, '--no-owner']));
      expect(await usersOf(restored.db)).toEqual(await usersOf(db));
      expect((await migrate(restored.db)).ran).toEqual([]);
      await expectEveFound(restored.url);
    },
  );

  test('of the data alone, as docs/restore.md has it, fill a schema that they have made', async () => {
    const [, options = ''] = /^pg_dump --data-only (.*?) -d /m.exec(await readFile('docs/restore.md', 'utf8')) ?? [];
    const restored = await openEmptyDatabase('');
    await migrate(restored.db);
    restore(restored.url, run('pg_dump', ['--data-only', ...options.split(' '), '-d', database.url]));
    expect(await usersOf(restored.db)).toEqual(await usersOf(db));
    await runCommand(restored.db, ['create-user', 'next']); // the identity goes on behind the last
    await expectEveFound(restored.url);
  });

  test('into another schema serve the list, when that is renamed and migrated, as docs/restore.md has it', async () => {
    const [, statement = ''] = /```sql\n(alter schema.*?);\n```/s.exec(await readFile('docs/restore.md', 'utf8')) ?? [];
    const restored = await openEmptyDatabase('');
    restore(restored.url, run('pg_dump', ['-d', database.url, '--no-owner']));
    await sql.raw(statement).execute(restored.db);
    const url = new URL(restored.url);
    url.searchParams.set('options', '-csearch_path=app');
    const other = openForOperators(url.href);
    onTestFinished(() => other.destroy());
    const { status } = await send(await loadHandler(url.href));
    expect(status).toBe(503);
    await expect(runCommand(other, ['create-reader', 'somebody'])).rejects.toThrow('is not migrated');
    await sql`insert into kysely_migration (name, timestamp) values ('0099-later', '')`.execute(other);
    await expect(migrate(other)).rejects.toThrow(
      /^The schema "app" has been given another name, and is newer.*0099-later/,
    );
    await sql`delete from kysely_migration where name = '0099-later'`.execute(other);
    expect((await migrate(other)).ran).toEqual(['0004-functions']);
    expect((await migrate(other)).ran).toEqual([]);
    await expectEveFound(url.href);
  });
});

/** What needs more than the one connection of PGlite. */
describe.skipIf(!hasServer)('on a server', () => {
  test('several that begin at the same time run each migration once', async () => {
    const others = Array.from({ length: 4 }, () => openForOperators(database.url));
    const ran = await Promise.all(others.map((other) => migrate(other)));
    for (const other of others) await other.destroy();
    expect(ran.flatMap(({ ran }) => ran)).toEqual(names);
  });

  test('a role that may only read can serve the list', async () => {
    const reader = `users_api_reader_${process.pid}`;
    await migrate(db);
    await writePeople(db);
    await sql`create role ${sql.id(reader)} login password 'reader'`.execute(db);
    onTestFinished(async () => {
      await sql`drop owned by ${sql.id(reader)}`.execute(db);
      await sql`drop role ${sql.id(reader)}`.execute(db);
    });
    await sql`grant usage on schema public to ${sql.id(reader)}`.execute(db);
    await sql`grant select on all tables in schema public to ${sql.id(reader)}`.execute(db);
    await sql`grant execute on all functions in schema public to ${sql.id(reader)}`.execute(db);
    const url = new URL(database.url);
    [url.username, url.password] = [reader, 'reader'];
    const { status, json } = await send(await loadHandler(url.href), { query: 'search=ann', key: keys.cat });
    expect(status).toBe(200);
    expect(json().count).toBe(1);
  });
});
