import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hashKey } from '../lib/auth.ts';
import type { Database } from '../lib/database/tables.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import type { PostgresServer } from '../scripts/servers/postgres-server.ts';
import { keys } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

/** All that a server can be told to log of statements. */
const talkative = {
  logging_collector: 'on',
  log_filename: 'all.log',
  log_min_duration_statement: 0,
  log_statement: 'all',
  log_duration: 'on',
  log_error_verbosity: 'verbose',
  log_parameter_max_length_on_error: -1,
  log_lock_waits: 'on',
  deadlock_timeout: 20, // ms, after which a wait is logged
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': 0,
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_verbose': 'on',
};

/** What keeps values out of it, for a role. */
const quiet = [
  ['auto_explain.log_min_duration', '-1'],
  ['log_parameter_max_length', '0'],
  ['log_parameter_max_length_on_error', '0'],
] as const;

const secret = 'Hunter2';
const tokenHash = hashKey(keys.ann).toString('hex');

describe.skipIf(!canStartServer)("the server's log", () => {
  let server: PostgresServer;
  let admin: Kysely<Database>;
  let owner: Kysely<Database>;
  let handler: Handler;
  let start = 0;

  beforeAll(async () => {
    server = await startTestServer(talkative);
    admin = openForOperators(server.url);
    await runCommand(admin, ['create-reader', 'users_api', '--time-limit-ms', '200']);
    handler = await loadHandler(urlWith(server.url, { username: 'users_api' }), { DATABASE_NAMED_STATEMENTS: 'on' });
    await sql`create role owner login createrole`.execute(admin);
    const tables = sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public'`;
    for (const { name } of (await tables.execute(admin)).rows) {
      await sql`alter table ${sql.id(name)} owner to owner`.execute(admin);
    }
    for (const name of ['search_fold', 'search_pattern', 'list_details', 'find_caller']) {
      await sql`alter function ${sql.id(name)} owner to owner`.execute(admin);
    }
    await sql`alter database postgres owner to owner`.execute(admin);
    owner = openForOperators(urlWith(server.url, { username: 'owner' }));
    return async () => {
      await Promise.all([admin.destroy(), owner.destroy()]);
      await server.remove();
    };
  });

  beforeEach(async ({ task }) => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    vi.spyOn(console, 'error').mockImplementation(() => {});
    // A server writes its log a moment later: what the test before has left is there when all of this is.
    await sql`set application_name = ${sql.lit(task.id)}`.execute(admin);
    await expect
      .poll(readLog)
      .toMatch(new RegExp(`statement: set application_name = '${task.id}'[^]*duration:[^]*LOCATION:.*\n`));
    start = readLog().length;
  });

  afterEach(() => void vi.restoreAllMocks());

  const readLog = () => readFileSync(join(server.dataDir, 'log/all.log'), 'utf8');

  /** What the test has made the server log. */
  const logged = () => readLog().slice(start);

  /** Case does not matter: a search is folded. */
  function expectNoValue(): void {
    expect(logged()).not.toMatch(new RegExp(secret, 'i'));
    expect(logged()).not.toContain(tokenHash);
  }

  /** While another program holds the table. */
  async function askLocked(table: string, query: string): Promise<number> {
    const other = new pg.Client({ connectionString: server.url });
    await other.connect();
    await other.query(`begin; lock table ${table}`);
    const { status } = await send(handler, { query });
    await other.end();
    return status;
  }

  test('has values of a role that is not told otherwise: of statements, of errors and of plans', async () => {
    const other = new pg.Client({ connectionString: server.url });
    await other.connect();
    onTestFinished(() => other.end());
    await other.query('select $1::text', [`${secret} asked`]);
    await other.query('select 1 / length(left($1, 0))', [`${secret} failed`]).catch(() => {});
    await other.query('select id from users where search_text like search_pattern($1)', [`${secret} planned`]);
    expect(logged()).toMatch(/DETAIL: .*Hunter2 asked/);
    expect(logged()).toMatch(/CONTEXT: .*Hunter2 failed/);
    expect(logged()).toMatch(/Filter: .*HUNTER2 PLANNED/);
  });

  test.each([
    `search=${secret}@example.com`,
    `search=${secret}&id_min=1&gender=male&groups_in=1,2&created_from=2026-01-01&limit=1`,
    `search=${secret.slice(0, 2)} ${secret.slice(2, 4)} ${secret.slice(4)}`,
    'ordering=email&limit=1',
  ])('has no value of ?%s', async (query) => {
    expect((await send(handler, { query })).status).toBe(200);
    await expect.poll(logged).toMatch(/LOG: {2}.*duration: [\d.]+ ms/);
    expect(logged()).toContain('find_caller'); // the statement itself
    expect(logged()).not.toMatch(/parameters: \$1/i);
    expect(logged()).not.toContain('Filter:');
    expectNoValue();
  });

  test('has no value of a cursor, in which an e-mail address may stand', async () => {
    const { json } = await send(handler, { query: 'ordering=email&limit=1' });
    start = readLog().length;
    expect((await send(handler, { query: new URL(json().next ?? '').search.slice(1) })).status).toBe(200);
    await expect.poll(logged).toContain('list_details');
    expect(logged()).not.toMatch(/ann@example\.com/i);
    expectNoValue();
  });

  test('has no value of a guessed token', async () => {
    expect((await send(handler, { key: secret })).status).toBe(401);
    await expect.poll(logged).toContain('find_caller');
    expect(logged()).not.toContain(hashKey(secret).toString('hex'));
  });

  test.each([
    ['authentication', 'users'],
    ['list', 'groups'],
  ])('has no value of the %s where it waits for %s and is cancelled', async (_, table) => {
    expect(await askLocked(table, `search=${secret}`)).toBe(503);
    await expect.poll(logged).toMatch(/ERROR: {2}55P03: canceling statement due to lock timeout/);
    expect(logged()).toMatch(/still waiting for AccessShareLock/);
    expect(logged()).toMatch(/STATEMENT: .*\$1/);
    expectNoValue();
  });

  test('has no value of a statement that fails', async () => {
    await sql`alter function search_pattern rename to kept`.execute(admin);
    onTestFinished(async () => void (await sql`alter function kept rename to search_pattern`.execute(admin)));
    start = readLog().length;
    expect((await send(handler, { query: `search=${secret}` })).status).toBe(503);
    await expect.poll(logged).toMatch(/ERROR: {2}42883: /);
    expect(logged()).toMatch(/STATEMENT: .*search_pattern\(\$1::text\)/);
    expectNoValue();
  });

  test('has no key that issue-token prints, and no password that create-reader prints', async () => {
    const [key = ''] = await runCommand(admin, ['issue-token', 'ann']);
    const [, line = ''] = await runCommand(admin, ['create-reader', 'other_api']);
    const password = line.slice('password: '.length);
    await expect.poll(logged).toContain('alter role "other_api" password');
    expect(logged()).toContain(hashKey(key).toString('hex')); // the owner's role is the administrator's to keep quiet
    expect(logged()).not.toContain(key);
    expect(password).toHaveLength(32);
    expect(logged()).not.toContain(password);
  });

  test('has nothing of what a command is given, where the owner is told what the reader is', async () => {
    const settings = quiet.map(([name, value]) => `alter role owner set ${name} = '${value}'`);
    await sql.raw(settings.join(';')).execute(admin);
    const told = openForOperators(urlWith(server.url, { username: 'owner' }));
    onTestFinished(async () => {
      await told.destroy();
      await sql`alter role owner reset all`.execute(admin);
    });
    start = readLog().length;
    await runCommand(told, ['create-user', secret, '--email', `${secret}@example.com`]);
    await expect.poll(logged).toContain('insert into "users"');
    expectNoValue();
  });

  describe('is kept free of values by create-reader', () => {
    const privileged = quiet.filter(([name]) => name !== 'log_parameter_max_length_on_error');
    const words = ['create-reader', 'quiet'];

    async function settingsOf(role: string): Promise<string[]> {
      const { rows } = await sql<{ setting: string }>`
        select unnest(setconfig) as setting from pg_db_role_setting
        where setrole = ${role}::regrole and setdatabase = 0`.execute(admin);
      return rows.map(({ setting }) => setting).filter((setting) => /^(log_|auto_explain)/.test(setting));
    }

    test('or, where whoever runs it may not, by the statements that it prints', async () => {
      const [, , told, ...printed] = await runCommand(owner, words);
      expect(told).toMatch(/^The server's log may still hold .* An administrator has to run:$/);
      expect(printed).toEqual(privileged.map(([name, value]) => `  alter role quiet set ${name} = '${value}'`));
      expect(await settingsOf('quiet')).toEqual(['log_parameter_max_length_on_error=0']);
      for (const remedy of printed) await sql.raw(remedy).execute(admin);
      expect(await runCommand(owner, words)).toEqual([expect.stringContaining('updated role quiet')]);
    });

    test('by itself where whoever runs it may set them', async () => {
      const names = sql.raw(privileged.map(([name]) => name).join());
      await sql`grant set on parameter ${names} to owner`.execute(admin);
      onTestFinished(async () => void (await sql`revoke set on parameter ${names} from owner`.execute(admin)));
      expect(await runCommand(owner, ['create-reader', 'told'])).toHaveLength(2);
      expect(await settingsOf('told')).toEqual(quiet.map(([name, value]) => `${name}=${value}`));
    });
  });
});
