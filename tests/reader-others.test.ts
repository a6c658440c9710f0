import { sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../manage/commands.ts';
import { OperatorError } from '../manage/operator-error.ts';
import { type PostgresServer, startPostgresServer } from '../scripts/servers/postgres-server.ts';
import { listAfterSetup, open, openPlace, type Place } from './setup/place.ts';
import { canStartServer } from './setup/server.ts';

/** In a database that other programs and other roles share. The owner who runs it is no superuser. */
describe.skipIf(!canStartServer)('create-reader', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgresServer();
    return () => server.remove();
  });

  const createReader = ({ ownerUrl, reader }: Place) => runCommand(open(ownerUrl), ['create-reader', reader]);

  /** What it prints of a role that there is; its owner may not say what the server logs. */
  const updated = [
    expect.stringContaining('updated role'),
    expect.stringMatching(/^The server's log .* An administrator has to run:$/),
    expect.stringContaining('set log_parameter_max_length'),
  ];

  /** All that grants, roles and their settings say in this database. */
  async function rightsOf({ superuser }: Place): Promise<unknown> {
    const { rows } = await sql`
      select
        (select json_agg(json_build_array(oid::regclass, relacl::text) order by oid) from pg_class) as tables,
        (select json_agg(json_build_array(attrelid::regclass, attname, attacl::text) order by attrelid, attnum)
          from pg_attribute where attacl is not null) as columns,
        (select json_agg(json_build_array(nspname, nspacl::text) order by oid) from pg_namespace) as schemas,
        (select json_agg(json_build_array(proname, proacl::text) order by oid) from pg_proc where oid >= 16384 or proacl is not null) as functions,
        (select json_agg(json_build_array(datname, datacl::text) order by oid) from pg_database) as databases,
        (select json_agg(s order by setdatabase, setrole) from pg_db_role_setting s) as settings,
        (select json_agg(a order by oid) from pg_authid a) as roles`.execute(superuser);
    return rows[0];
  }

  /** That `create-reader` refuses with this message, names of the place filled in, and leaves all rights as they are. */
  async function expectRefused(place: Place, message: string, way: string): Promise<void> {
    const before = await rightsOf(place);
    const error = await createReader(place).catch((error: unknown) => error);
    expect(error, way).toBeInstanceOf(OperatorError);
    expect((error as Error).message, way).toBe(place.fill(message));
    expect(await rightsOf(place), way).toEqual(before);
  }

  const carts = [
    'create role other_name',
    'create table carts (id int, total int)',
    'alter table carts owner to other_name',
  ];

  test("works beside another program's table, whoever owns it", async () => {
    const place = await openPlace(server, ...carts);
    expect(await listAfterSetup(place)).toEqual(['bob', 'ann']);
    expect(await createReader(place)).toEqual(updated);
  });

  test("leaves alone what the role may do with another program's tables", async () => {
    const place = await openPlace(server, ...carts);
    await listAfterSetup(place);
    await place.run(
      'create table stock (id int, place text)',
      'alter table stock owner to owner_name',
      'grant select, insert on carts, stock to reader_name',
      'grant update (id) on carts, stock to reader_name',
    );
    const before = await rightsOf(place);
    await createReader(place);
    expect(await rightsOf(place)).toEqual(before);
  });

  test('takes back what the role may do beside reading with our tables and their columns', async () => {
    const place = await openPlace(server);
    await listAfterSetup(place);
    const grants = async () => {
      const { rows } = await sql`
        select table_name, column_name, privilege_type from information_schema.column_privileges where grantee = ${place.reader}
        union all
        select table_name, null, privilege_type from information_schema.table_privileges where grantee = ${place.reader}
        order by 1, 2, 3`.execute(place.superuser);
      return rows;
    };
    const before = await grants();
    await place.run(
      'grant select on all tables in schema public to reader_name',
      'grant all on user_presence, groups, user_groups, permissions, group_permissions, user_permissions to reader_name',
      'grant all on auth_tokens, kysely_migration, kysely_migration_lock to reader_name',
      'grant select (is_customer), references (id) on users to reader_name',
      'grant select (name), update (name) on permissions to reader_name',
    );
    expect(await grants()).not.toEqual(before);
    await createReader(place);
    expect(await grants()).toEqual(before);
  });

  /** Ways by which a role may write users, through whom, and how it comes by them. There are other_name, writers and go_between. */
  const writers: [way: string, through: string, statements: string[]][] = [
    ['INSERT', '', ['grant insert on users to reader_name']],
    ['UPDATE', '', ['grant update on users to reader_name']],
    ['DELETE', '', ['grant delete on users to reader_name']],
    ['TRUNCATE', '', ['grant truncate on users to reader_name']],
    ['INSERT of a column', '', ['grant insert (username) on users to reader_name']],
    ['UPDATE of a column', '', ['grant update (is_admin) on users to reader_name']],
    ['as everybody', ' through PUBLIC', ['grant delete on users to public']],
    ['a column, as everybody', ' through PUBLIC', ['grant update (is_admin) on users to public']],
    [
      'by a role whose rights it inherits',
      ' through the role "writers"',
      ['grant delete on users to writers', 'grant writers to reader_name'],
    ],
    [
      'by a role that it may become',
      ' through the role "other_name"',
      [
        'grant update (is_admin) on users to other_name',
        'alter role reader_name noinherit',
        'grant other_name to reader_name',
      ],
    ],
    [
      'by a role of a role',
      ' through the role "other_name"',
      ['grant truncate on users to other_name', 'grant other_name to go_between', 'grant go_between to reader_name'],
    ],
    [
      'as the owner',
      ' through the role "owner_name"',
      // From PostgreSQL 16 on the owner, who made it, is a member of it; no two roles may be members of each other.
      [
        'drop owned by reader_name',
        'drop role reader_name',
        'create role reader_name',
        'grant owner_name to reader_name',
      ],
    ],
    ['by pg_write_all_data', ' through the role "pg_write_all_data"', ['grant pg_write_all_data to reader_name']],
  ];

  test('refuses a role that may write users, by whatever way, and changes nothing', async () => {
    const place = await openPlace(server);
    await runCommand(open(place.ownerUrl), ['migrate']);
    for (const [way, through, statements] of writers) {
      await createReader(place);
      await place.run(
        'create role other_name',
        'create role writers',
        'create role go_between noinherit',
        ...statements,
      );
      await expectRefused(
        place,
        `The role "reader_name" may write users${through}, and the API only reads. Take that back, or choose another role.`,
        way,
      );
      await place.run(
        'revoke all on users from public',
        'drop owned by reader_name, other_name, writers, go_between',
        'drop role reader_name, other_name, writers, go_between',
      );
    }
  });

  /** Ways by which a role may create in the schema, or schemas in the database, and what takes them back. */
  const creators: [way: string, what: string, remedy: string, statements: string[]][] = [
    [
      'itself',
      'schema "public"',
      'schema "public" from "reader_name"',
      ['grant create on schema public to reader_name'],
    ],
    [
      'as everybody, as before PostgreSQL 15',
      'schema "public" through PUBLIC',
      'schema "public" from public',
      ['grant create on schema public to public'],
    ],
    [
      'by a role that it may become',
      'schema "public" through the role "other_name"',
      'schema "public" from "other_name"',
      [
        'grant create on schema public to other_name',
        'alter role reader_name noinherit',
        'grant other_name to reader_name',
      ],
    ],
    [
      'schemas',
      'database "database_name"',
      'database "database_name" from "reader_name"',
      ['grant create on database database_name to reader_name'],
    ],
  ];

  test('refuses a role that may create where operators would run it, and says what takes that back', async () => {
    for (const [way, what, remedy, statements] of creators) {
      const place = await openPlace(server, 'create role other_name');
      await runCommand(open(place.ownerUrl), ['migrate']);
      await createReader(place);
      await place.run(...statements);
      await expectRefused(
        place,
        `The role "reader_name" may create in the ${what}: operators would come to run what it puts there. Its owner has to run:\n  revoke create on ${remedy}`,
        way,
      );
      await place.run(`revoke create on ${remedy}`);
      expect(await createReader(place)).toEqual(updated);
    }
  });

  test('refuses a new role too, where everybody may write users, and makes none', async () => {
    const place = await openPlace(server);
    await runCommand(open(place.ownerUrl), ['migrate']);
    await place.run('grant insert on users to public');
    const before = await rightsOf(place);
    await expect(createReader(place)).rejects.toThrow(/may write users through PUBLIC/);
    expect(await rightsOf(place)).toEqual(before);
  });

  const readers: [way: string, through: string, tables: string, grantee: string, statements: string[]][] = [
    [
      'as everybody',
      ' through PUBLIC',
      'auth_tokens, users',
      'public',
      ['grant select on users, auth_tokens to public'],
    ],
    ['a column, as everybody', ' through PUBLIC', 'users', 'public', ['grant select (id, email) on users to public']],
    [
      'by a role whose rights it inherits',
      ' through the role "other_name"',
      'user_permissions',
      '"other_name"',
      ['grant select on user_permissions to other_name', 'grant other_name to reader_name'],
    ],
    [
      'by a role that it may become',
      ' through the role "other_name"',
      'kysely_migration',
      '"other_name"',
      [
        'grant select on kysely_migration to other_name',
        'alter role reader_name noinherit',
        'grant other_name to reader_name',
      ],
    ],
  ];

  test('refuses a role that may read more than the API reads, and says what takes that back', async () => {
    for (const [way, through, tables, grantee, statements] of readers) {
      const place = await openPlace(server, 'create role other_name');
      await runCommand(open(place.ownerUrl), ['migrate']);
      await createReader(place);
      await place.run(...statements);
      const remedy = `revoke select on ${tables} from ${grantee}`;
      await expectRefused(
        place,
        `The role "reader_name" may read more than the API reads${through}: of ${tables}. To take that back, or choose another role:\n  ${remedy}`,
        way,
      );
      await place.run(remedy);
      expect(await createReader(place)).toEqual(updated);
    }
  });

  test('takes a role that may read through others what the API reads', async () => {
    const place = await openPlace(server);
    await listAfterSetup(place);
    await place.run(
      'create role other_name',
      'grant select (id, list_email) on users to other_name',
      'grant select (expires_at) on auth_tokens to public',
      'grant other_name to reader_name',
    );
    expect(await createReader(place)).toEqual(updated);
  });

  test('tells what others have set on the role, itself included, and a new password takes it away', async () => {
    const place = await openPlace(server);
    await listAfterSetup(place);
    const asReader = open(place.readerUrl);
    await sql`set default_transaction_read_only = off`.execute(asReader);
    for (const setting of ['debug_print_plan = on', 'statement_timeout = 0'])
      await sql.raw(place.fill(`alter role reader_name in database database_name set ${setting}`)).execute(asReader);
    const told =
      'Somebody has set on the role besides: debug_print_plan=on, statement_timeout=0. If it was none of you:';
    expect(await createReader(place)).toEqual([...updated, expect.stringContaining(told)]);
    const printed = await runCommand(open(place.ownerUrl), ['create-reader', place.reader, '--new-password']);
    expect(printed).toEqual([updated[0], expect.stringMatching(/^password: /), ...updated.slice(1)]);
    expect(await createReader(place)).toEqual(updated);
  });

  test('shows the role the schema of this database, and another one in another', async () => {
    const place = await openPlace(server);
    await listAfterSetup(place);
    const { reader } = place;
    const second = await openPlace(
      server,
      'create schema "Other" authorization owner_name',
      'alter role owner_name set search_path = "Other"',
    );
    const readerUrl = second.readerUrl.replace(second.reader, reader);
    const version = await sql<{ number: number }>`select current_setting('server_version_num')::int as number`.execute(
      second.superuser,
    );
    // From PostgreSQL 16 on the second owner may not alter what the first has made.
    if (Number(version.rows[0]?.number) >= 160_000) {
      const remedy = `grant ${reader} to ${second.fill('owner_name')} with admin option`;
      await runCommand(open(second.ownerUrl), ['migrate']);
      const before = await rightsOf(second);
      const error = await createReader({ ...second, reader }).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(OperatorError);
      expect((error as Error).message.split('\n').slice(1)).toEqual([`  ${remedy}`]);
      expect(await rightsOf(second)).toEqual(before);
      await second.run(remedy);
    }
    expect(await listAfterSetup({ ...second, reader, readerUrl })).toEqual(['bob', 'ann']);
    const { rows } = await sql<{ setting: string }>`
      select array_to_string(setconfig, ',') as setting from pg_db_role_setting
      where setrole = ${sql.lit(reader)}::regrole and setdatabase <> 0 order by setdatabase`.execute(place.superuser);
    expect(rows.map(({ setting }) => setting)).toEqual(['search_path=public', 'search_path="Other"']);
  });

  test.each<[what: string, remedy: string, statements: string[]]>([
    [
      'schema',
      'grant usage on schema "The app" to owner_name with grant option',
      ['create schema "The app"', 'grant usage, create on schema "The app" to owner_name'],
    ],
    [
      'database',
      'grant connect on database database_name to owner_name with grant option',
      [
        'create schema "The app" authorization owner_name',
        'create extension pg_trgm schema public',
        'alter database database_name owner to postgres',
        'revoke connect on database database_name from public',
        'grant connect on database database_name to owner_name',
      ],
    ],
  ])('says what the owner of the %s has to grant first, and makes no role', async (_, remedy, statements) => {
    const place = await openPlace(server, ...statements, 'alter role owner_name set search_path = "The app"');
    await runCommand(open(place.ownerUrl), ['migrate']);
    const before = await rightsOf(place);
    const error = await createReader(place).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OperatorError);
    expect((error as Error).message.split('\n').slice(1)).toEqual([`  ${place.fill(remedy)}`]);
    expect(await rightsOf(place)).toEqual(before);
    await place.run(remedy);
    expect(await listAfterSetup(place)).toEqual(['bob', 'ann']);
  });

  test('says who has to let the owner grant rds_iam, and makes no role', async () => {
    const place = await openPlace(server, 'create role rds_iam');
    onTestFinished(() => place.run('drop role rds_iam'));
    const version = await sql<{ number: number }>`select current_setting('server_version_num')::int as number`.execute(
      place.superuser,
    );
    const createReader = () => runCommand(open(place.ownerUrl), ['create-reader', place.reader, '--iam']);
    await runCommand(open(place.ownerUrl), ['migrate']);
    // Until PostgreSQL 15, who may make roles may grant any but a superuser.
    if (Number(version.rows[0]?.number) >= 160_000) {
      const before = await rightsOf(place);
      const remedy = place.fill('grant rds_iam to owner_name with admin option');
      await expect(createReader()).rejects.toThrow(
        new OperatorError(
          `You may not alter or grant "rds_iam", which another role has made. First that one, or a superuser, has to run:\n  ${remedy}`,
        ),
      );
      expect(await rightsOf(place)).toEqual(before);
      await place.run(remedy);
    }
    expect(await createReader()).toContain('lets it in with a token of IAM: set DATABASE_IAM_AUTH=on');
  });

  test('says that a migration is still to be run, and makes no role', async () => {
    const place = await openPlace(server);
    const message =
      'The schema "public" is not migrated. First: npm run migrate, or the command migrate of the function.';
    await expect(createReader(place)).rejects.toThrow(new OperatorError(message));
    await runCommand(open(place.ownerUrl), ['migrate']);
    await place.run(`delete from kysely_migration where name = '0004-functions'`);
    await expect(createReader(place)).rejects.toThrow(new OperatorError(message));
    const { rows } = await sql`select from pg_roles where rolname = ${place.reader}`.execute(place.superuser);
    expect(rows).toEqual([]);
  });
});
