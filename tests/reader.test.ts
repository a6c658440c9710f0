import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../lib/database/tables.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { parameters } from '../lib/users/query.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { OperatorError } from '../manage/operator-error.ts';
import type { PostgresServer } from '../scripts/servers/postgres-server.ts';
import { cases } from './filter-cases.ts';
import { people } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

describe.skipIf(!canStartServer)('create-reader', () => {
  let server: PostgresServer;
  let db: Kysely<Database>;
  let handler: Handler;
  let password: string;
  let readerUrl: string;

  beforeAll(async () => {
    server = await startTestServer();
    db = openForOperators(server.url);
    const rules = join(server.dataDir, 'pg_hba.conf');
    writeFileSync(rules, `host all users_api,other 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, 'utf8')}`);
    await sql`select pg_reload_conf()`.execute(db);
    const output = await runCommand(db, ['create-reader', 'users_api']);
    expect(output).toEqual([
      expect.stringContaining('created role users_api'),
      expect.stringMatching(/^password: [\w-]{32}$/),
    ]);
    password = output[1]?.slice('password: '.length) ?? '';
    readerUrl = urlWith(server.url, { username: 'users_api', password });
    handler = await loadHandler(readerUrl, { DATABASE_NAMED_STATEMENTS: 'on' });
    return async () => {
      await db.destroy();
      await server.remove();
    };
  });

  /** As the reader, on a connection of its own. Returns the SQLSTATE that the last statement fails with. */
  async function codeOf(...statements: string[]): Promise<string | undefined> {
    const client = new pg.Client({ connectionString: readerUrl });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
      return undefined;
    } catch (error) {
      return (error as pg.DatabaseError).code;
    } finally {
      await client.end();
    }
  }

  const run = (...words: string[]) => runCommand(db, ['create-reader', ...words]);

  /** A request for each thing that the API does with a column. */
  const queries = [
    '',
    'search=ann,ab',
    ...Object.keys(parameters)
      .filter((name) => name in cases)
      .map((name) => `${name}=${cases[name as keyof typeof cases][0]?.[0]}`),
    ...['id', 'username', 'email', 'gender', 'last_login', 'created_at', 'updated_at'].map(
      (field) => `ordering=-${field}`,
    ),
  ];

  test.each(queries)('the role may read what ?%s needs', async (query) => {
    const { status, text } = await send(handler, { query });
    expect(status, text).toBe(200);
  });

  test('the role may read nothing that the API does not need', async () => {
    const { rows } = await sql<{ table: string; column: string }>`
      select table_name as "table", column_name as "column" from information_schema.column_privileges
      where grantee = 'users_api' order by 1, 2`.execute(db);
    expect(rows.length).toBeGreaterThan(10);
    const superfluous: string[] = [];
    for (const { table, column } of rows) {
      const target = sql`select (${sql.id(column)}) on ${sql.table(table)}`;
      await sql`revoke ${target} from users_api`.execute(db);
      let isNeeded = false;
      for (const query of queries) isNeeded ||= (await send(handler, { query })).status === 503;
      if (!isNeeded) superfluous.push(`${table}.${column}`);
      await sql`grant ${target} to users_api`.execute(db);
    }
    expect(superfluous).toEqual([]);
  });

  test.each([
    'select is_customer from users',
    'select * from users',
    'select email from users',
    'select token_hash from auth_tokens',
    'select * from groups',
    'select * from permissions',
    'select * from user_permissions',
    'select * from kysely_migration',
  ])('the role may not: %s', async (statement) => {
    expect(await codeOf(statement)).toBe('42501');
  });

  test('of customers the role reads the id alone, and of inviters who they are', async () => {
    const client = new pg.Client({ connectionString: readerUrl });
    await client.connect();
    onTestFinished(() => client.end());
    const { rows: readable } = await sql<{ column: string }>`
      select column_name as "column" from information_schema.column_privileges
      where grantee = 'users_api' and table_name = 'users'`.execute(db);
    const columns = readable.map(({ column }) => column).join();
    const { rows: customers } = await client.query(`select ${columns} from users where list_flags is null`);
    expect(customers.map(({ id }) => Number(id))).toEqual([people.cy.id]);
    expect(Object.values(customers[0]).filter((value) => value !== null)).toEqual([String(people.cy.id)]);
    const { rows: shown } = await client.query('select * from list_details($1, now())', [
      [people.cy.id, people.bob.id],
    ]);
    expect(shown.map(({ username }) => username)).toEqual(['bob']);
  });

  test('the role may not read what a later migration adds', async () => {
    await sql`create table salaries (user_id bigint, amount int)`.execute(db);
    await sql`alter table users add column password text`.execute(db);
    onTestFinished(async () => {
      await sql`drop table salaries`.execute(db);
      await sql`alter table users drop column password`.execute(db);
    });
    expect(await codeOf('select * from salaries')).toBe('42501');
    expect(await codeOf('select password from users')).toBe('42501');
  });

  test('a role has exactly these rights, and may pass on none of them', async () => {
    await run('order'); // a word of SQL's: it needs quotes
    const { rows } = await sql<{ right: string }>`
      with rights (place, "on", acl, columns) as (
        select 1, 'database ' || datname, datacl, '' from pg_database where datname = current_database()
        union all select 2, 'schema ' || nspname, nspacl, '' from pg_namespace
        union all select 3, oid::regprocedure::text, proacl, '' from pg_proc
        union all select 4, oid::regclass::text, relacl, '' from pg_class
        union all select 5, attrelid::regclass::text, attacl, attname from pg_attribute
      )
      select concat(privilege_type, ' ' || nullif(columns, ''), ' on ', "on", case when is_grantable then ' with grant option' end) as right
      from (
        select place, "on", privilege_type, is_grantable, string_agg(columns, ', ' order by columns) as columns
        from rights, aclexplode(acl) where grantee = '"order"'::regrole group by 1, 2, 3, 4
      ) as listed order by place, 1`.execute(db);
    expect(rows.map(({ right }) => right)).toEqual([
      'CONNECT on database postgres',
      'USAGE on schema public',
      'EXECUTE on find_caller(bytea)',
      'EXECUTE on list_details(bigint[],timestamp with time zone)',
      'EXECUTE on search_fold(text)',
      'EXECUTE on search_pattern(text)',
      'SELECT expires_at, user_id on auth_tokens',
      'SELECT group_id, user_id on user_groups',
      'SELECT id, list_created_at, list_email, list_flags, list_last_login, list_updated_at, list_username, search_text on users',
      'SELECT last_seen_at, user_id on user_presence',
    ]);
  });

  test('a role is made to log in, and for nothing else', async () => {
    await run('exact');
    const { rows } = await sql`
      select rolcanlogin, rolinherit, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil,
        (select count(*)::int from pg_auth_members where member = pg_roles.oid) as memberships
      from pg_roles where rolname = 'exact'`.execute(db);
    const nothing = {
      rolsuper: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolreplication: false,
      rolbypassrls: false,
    };
    expect(rows).toEqual([
      { rolcanlogin: true, rolinherit: true, ...nothing, rolconnlimit: -1, rolvaliduntil: null, memberships: 0 },
    ]);
  });

  const writes = [
    `insert into groups (name) values ('x')`,
    `update users set username = 'x'`,
    'delete from auth_tokens',
    'truncate user_presence',
    'create table x ()',
    'create temporary table x ()',
  ];

  test.each(writes)('the role only reads: %s', async (statement) => {
    expect(await codeOf(statement)).toMatch(/^(25006|42501)$/);
    if (!statement.includes('temporary'))
      expect(
        await codeOf('set transaction_read_only = off', 'set default_transaction_read_only = off', statement),
      ).toBe('42501');
  });

  test('every transaction of the role is read-only', async () => {
    expect(await codeOf('create temporary table x ()')).toBe('25006');
  });

  test('the role runs into its time limit', async () => {
    expect(await run('users_api', '--time-limit-ms', '200')).toEqual([
      'updated role users_api: reads what the API reads, for 200 ms a statement at most',
    ]);
    expect(await codeOf('select pg_sleep(30)')).toBe('57014');
    await run('users_api');
    const { rows } = await sql<{ setting: string }>`
      select unnest(setconfig) as setting from pg_db_role_setting where setrole = 'users_api'::regrole`.execute(db);
    expect(rows.map(({ setting }) => setting).sort()).toEqual([
      'default_transaction_read_only=on',
      'idle_session_timeout=10min',
      'jit=off',
      'lock_timeout=1800',
      'log_parameter_max_length=0',
      'log_parameter_max_length_on_error=0',
      'max_parallel_workers_per_gather=0',
      'random_page_cost=1.1',
      'search_path=public',
      'statement_timeout=4500',
    ]);
  });

  test('a second run takes back what was granted beside it, and keeps the password', async () => {
    await sql`grant all on groups to users_api`.execute(db);
    await sql`grant select (is_customer) on users to users_api`.execute(db);
    expect(await run('users_api')).toEqual([expect.stringContaining('updated role users_api')]);
    expect(await codeOf('select is_customer from users')).toBe('42501');
    expect(await codeOf('set default_transaction_read_only = off', 'delete from groups')).toBe('42501');
    expect(await codeOf('select id from users')).toBeUndefined();
  });

  test('the password is the one printed, until there is a new one', async () => {
    const connects = async (password: string) => {
      const client = new pg.Client({ connectionString: urlWith(server.url, { username: 'other', password }) });
      return client.connect().then(
        () => client.end().then(() => 'in'),
        (error: pg.DatabaseError) => error.code,
      );
    };
    const [, first = ''] = (await run('other'))[1]?.split(' ') ?? [];
    expect(await connects(first)).toBe('in');
    expect(await connects(`${first}x`)).toBe('28P01');
    const [, second = ''] = (await run('other', '--new-password'))[1]?.split(' ') ?? [];
    expect(await connects(first)).toBe('28P01');
    expect(await connects(second)).toBe('in');
  });

  test('no statement holds the password, which a server may log; its verifier has a salt of its own', async () => {
    const statements: string[] = [];
    const pool = new pg.Pool({ connectionString: server.url });
    const logging = new Kysely<Database>({
      dialect: new PostgresDialect({ pool }),
      log: ({ query }) => void statements.push(`${query.sql} ${query.parameters}`),
    });
    onTestFinished(() => logging.destroy());
    const verifiers: string[] = [];
    for (const words of [['salted'], ['salted', '--new-password']]) {
      const [, password = ''] = (await runCommand(logging, ['create-reader', ...words]))[1]?.split(' ') ?? [];
      expect(password).toMatch(/^[\w-]{32}$/);
      expect(new Set(password).size).toBeGreaterThan(12); // some 25, at random
      expect(statements.join('\n')).toContain('alter role "salted" password');
      expect(statements.join('\n')).not.toContain(password);
      const { rows } = await sql<{ verifier: string }>`
        select rolpassword as verifier from pg_authid where rolname = 'salted'`.execute(db);
      verifiers.push(rows[0]?.verifier ?? '');
    }
    const parts = verifiers.map(
      (verifier) => /^SCRAM-SHA-256\$4096:([\w+/]{22}==)\$([\w+/]{43}=):([\w+/]{43}=)$/.exec(verifier)?.slice(1) ?? [],
    );
    expect(new Set(parts.flat()).size).toBe(6);
  });

  test('with --iam the role belongs to rds_iam and has no password', async () => {
    await expect(run('cloud', '--iam')).rejects.toThrow('There is no role "rds_iam" here');
    await sql`create role rds_iam`.execute(db);
    expect(await run('cloud', '--iam')).toEqual([
      expect.stringContaining('created role cloud'),
      'lets it in with a token of IAM: set DATABASE_IAM_AUTH=on',
    ]);
    const { rows } = await sql`
      select pg_has_role('cloud', 'rds_iam', 'member') as member, rolpassword from pg_authid where rolname = 'cloud'`.execute(
      db,
    );
    expect(rows).toEqual([{ member: true, rolpassword: null }]);
  });

  describe('refuses a role that does more than read:', () => {
    const afterwards = [
      'drop database if exists of_mighty',
      'drop owned by mighty, member cascade',
      'drop role mighty, member',
    ];

    async function runAll(statements: string[]): Promise<void> {
      for (const statement of statements) await sql.raw(statement).execute(db);
    }

    test.each<[power: string, statement: string, refusal?: string]>([
      ['is a superuser', 'alter role mighty superuser', 'may write users through the role "mighty"'],
      ['may make roles', 'alter role mighty createrole'],
      ['may make databases', 'alter role mighty createdb'],
      ['may replicate all databases', 'alter role mighty replication'],
      ['passes by row security', 'alter role mighty bypassrls'],
      ['owns tables or other objects', 'create table of_mighty (); alter table of_mighty owner to mighty'],
      ['owns tables or other objects', 'create schema of_mighty authorization mighty'],
      ['owns tables or other objects', 'create database of_mighty owner mighty'],
      ['owns tables or other objects', 'create type of_mighty as enum (); alter type of_mighty owner to mighty'],
    ])(
      'one that %s, and one that may become it (%s)',
      async (power, statement, refusal = `may become "mighty", which ${power}`) => {
        onTestFinished(() => runAll(afterwards));
        await runAll(['create role mighty', 'create role member login noinherit', 'grant mighty to member', statement]);
        await expect(run('mighty')).rejects.toThrow(
          new OperatorError(`The role "mighty" does more than read. It ${power}. Choose another name.`),
        );
        await expect(run('member')).rejects.toThrow(
          new OperatorError(
            `The role "member" ${refusal}, and the API only reads. Take that back, or choose another role.`,
          ),
        );
      },
    );

    test.each(['pg_read_all_data', 'pg_monitor', 'pg_read_server_files', 'pg_execute_server_program'])(
      '%s, and one that belongs to it by another role',
      async (name) => {
        onTestFinished(() => runAll(afterwards));
        await runAll(['create role mighty', 'create role member', `grant ${name} to mighty`, 'grant mighty to member']);
        const power = 'has rights on the whole server';
        await expect(run(name)).rejects.toThrow(
          new OperatorError(`The role "${name}" does more than read. It ${power}. Choose another name.`),
        );
        for (const role of ['mighty', 'member'])
          await expect(run(role)).rejects.toThrow(`The role "${role}" may become "${name}", which ${power}, and the`);
      },
    );

    test('your own, by whatever name you came in', async () => {
      const yours = 'does more than read. It is the one that you run this as. Choose another name.';
      await expect(run('postgres')).rejects.toThrow(new OperatorError(`The role "postgres" ${yours}`));
      onTestFinished(() => runAll(afterwards));
      await runAll(['create role mighty superuser', 'create role member']);
      const other = openForOperators(`${server.url}&options=-crole%3Dmighty`);
      onTestFinished(() => other.destroy());
      for (const role of ['mighty', 'postgres'])
        await expect(runCommand(other, ['create-reader', role])).rejects.toThrow(
          new OperatorError(`The role "${role}" ${yours}`),
        );
    });

    test.each([
      ['', 'may not log in. To', 'login'],
      [
        "login valid until '2026-01-01T00:00:00Z'",
        'has a password that ended at 2026-01-01 00:00:00+00. To',
        'valid until',
      ],
    ])('one that the server would not let in: create role %s', async (options, cause, remedy) => {
      onTestFinished(() => runAll(afterwards));
      await runAll(['create role mighty', `create role member ${options}`]);
      const error = await run('member').catch((error: Error) => error.message);
      expect(error).toContain(`The role "member" ${cause} let the API in by it`);
      const [, statement = ''] = `${error}`.split('\n');
      expect(statement).toContain(`alter role member ${remedy}`);
      await runAll([statement]);
      expect(await run('member')).toEqual([expect.stringContaining('updated role member')]);
    });

    test('but takes one that belongs to a role without any such power', async () => {
      onTestFinished(() => runAll(afterwards));
      await runAll(['create role mighty', 'create role member login', 'grant mighty to member']);
      expect(await run('member')).toEqual([expect.stringContaining('updated role member')]);
    });
  });

  test.each([
    [['postgres'], 'The role "postgres" does more than read.'],
    [['owner'], 'The role "owner" does more than read.'],
    [[], 'Expected one name of a role'],
    [['Users-API'], 'Expected one name of a role'],
    [['x" superuser'], 'Expected one name of a role'],
    [['users_api', '--time-limit-ms', '0'], '--time-limit-ms must be'],
    [['users_api', '--iam', '--new-password'], 'not both'],
    [['users_api', '--admin'], 'Unknown option'],
  ])('%j is refused', async (words, message) => {
    await sql`create role owner; create table owned (); alter table owned owner to owner`.execute(db).catch(() => {});
    await expect(run(...words)).rejects.toThrow(message);
  });
});
