import { spawnSync } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Handler } from '../lib/http/gateway.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { demoKey } from '../manage/demo.ts';
import { OperatorError } from '../manage/operator-error.ts';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { hasServer, openTestDatabase, type TestDatabase } from './setup/database.ts';
import { writePeople } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';

let database: TestDatabase;
let handler: Handler;

beforeAll(async () => {
  database = await openTestDatabase();
  handler = await loadHandler(database.url);
});

/** Runs `create-user ann --admin`. */
const manage = (line: string, ...args: string[]): Promise<string[]> =>
  runCommand(database.db, [...line.split(' ').filter((word) => word !== ''), ...args]);

const statusOf = async (key: string): Promise<number> => (await send(handler, { key })).status;

/** All that commands may write, as text. */
async function contents(): Promise<string> {
  const tables = [
    'users',
    'user_presence',
    'groups',
    'user_groups',
    'permissions',
    'group_permissions',
    'user_permissions',
    'auth_tokens',
  ];
  const texts = tables.map(async (table) => {
    const { rows } = await sql<{ text: string }>`
      select coalesce(string_agg(t::text, '\n' order by t::text), '') as text from ${sql.table(table)} t`.execute(
      database.db,
    );
    return `${table}: ${rows[0]?.text}`;
  });
  return (await Promise.all(texts)).join('\n');
}

describe('create-user', () => {
  const rowOf = (username: string) =>
    database.db
      .selectFrom('users')
      .where('username', '=', username)
      .select(['email', 'is_admin', 'is_staff', 'is_customer', 'is_active'])
      .executeTakeFirstOrThrow();

  test.each<[line: string, kind: string, flags: object]>([
    ['create-user lea', 'customer lea', { email: null, is_admin: false, is_staff: false, is_customer: true }],
    ['create-user max --staff', 'staff user max', { is_admin: false, is_staff: true, is_customer: false }],
    [
      'create-user --admin ida --email ida@example.com',
      'admin ida',
      { email: 'ida@example.com', is_admin: true, is_staff: false, is_customer: false },
    ],
    ['create-user علی --staff --grant 1222 --grant 1222', 'staff user علی', { is_staff: true }],
    ['create-user Leah --email Leah@Example.com', 'customer Leah', { email: 'Leah@Example.com', is_customer: true }],
  ])('%s creates a user', async (line, kind, flags) => {
    const [printed, ...rest] = await manage(line);
    expect(printed).toMatch(new RegExp(`^created ${kind}, id \\d+$`));
    expect(rest).toEqual([]);
    expect(await rowOf(kind.split(' ').at(-1) as string)).toMatchObject({ is_active: true, ...flags });
  });

  test('takes a name with spaces, quotes and what looks like SQL as it is', async () => {
    const username = `x'; drop table users; -- "y"`;
    await manage('create-user', username);
    expect(await rowOf(username)).toMatchObject({ is_customer: true });
  });
});

test('migrate says that there is nothing to do', async () => {
  expect(await manage('migrate')).toEqual(['the schema is up to date']);
});

test('seed-demo writes nothing beside users', async () => {
  const before = await contents();
  expect(await manage('seed-demo')).toEqual(['the database has users already: nothing written']);
  expect(await contents()).toBe(before);
  expect(await statusOf(demoKey)).toBe(401);
});

describe("an operator's mistake", () => {
  let before: string;
  beforeEach(async () => {
    before = await contents();
  });

  const oneUsername = (count: number) => `Expected one username; got ${count}.`;
  const days = '--expires-in-days must be from 1 to 36500, not';
  const prefix = "Expected the first digits of a token's hash, eight or more, as `list-tokens` prints them.";

  test.each<[line: string, message: string | RegExp]>([
    ['', /^Commands:\n {2}migrate \[--allow-rewrite\]\n {2}create-user <username>/],
    ['drop-users', /^Unknown command "drop-users"\. Commands:\n {2}migrate \[--allow-rewrite\]\n/],
    ['constructor', /^Unknown command "constructor"\./],
    ['__proto__ ann', /^Unknown command "__proto__"\./],
    ['migrate now', /'now'.*\nUsage: migrate \[--allow-rewrite\]$/s],
    ['seed-demo --force', /'--force'.*\nUsage: seed-demo$/s],
    ['create-user', oneUsername(0)],
    ['create-user --admin', oneUsername(0)],
    ['create-user new user', oneUsername(2)],
    ['create-user ann', 'The user "ann" has that username already.'],
    ['create-user new --email eve@example.org', 'The user "eve" has that email already.'],
    ['create-user new --email eve', '--email must be an address such as ann@example.com.'],
    ['create-user new --email @example.org', '--email must be an address such as ann@example.com.'],
    ['create-user new --email eve@', '--email must be an address such as ann@example.com.'],
    ['create-user new --email a@b@example.org', '--email must be an address such as ann@example.com.'],
    ['create-user new --email=', '--email needs a value; for none, say --no-email.'],
    ['create-user new --email cat_50%@EXAMPLE.com', 'The user "cat" has that email already.'],
    ['create-user new --email EVE@Example.org', 'The user "eve" has that email already.'],
    ['create-user new --admin --staff', 'Give --admin or --staff, not both: an admin may do all that staff may.'],
    ['create-user new --grant 9', 'There is no permission 9; there are 1222.'],
    ['create-user new --grant 1222 --grant 9', 'There is no permission 9; there are 1222.'],
    ['create-user new --grant all', '--grant must be a whole number, not "all".'],
    ['create-user new --grant 1222222222', '--grant must be a whole number, not "1222222222".'],
    ['create-user new --grant', /Usage: create-user/],
    ['create-user new --email', /Usage: create-user/],
    ['create-user new --password x', /'--password'.*\nUsage: create-user/s],
    ['create-user new --admin=yes', /Usage: create-user/],
    ['issue-token', oneUsername(0)],
    ['issue-token nobody', 'There is no user "nobody".'],
    ['issue-token ANN', 'There is no user "ANN".'],
    ['issue-token a_n', 'There is no user "a_n".'],
    ['issue-token ann bob', oneUsername(2)],
    ['issue-token ann --expires-in-days=', '--expires-in-days must be a whole number, not "".'],
    ['issue-token ann --expires-in-days 0', `${days} 0.`],
    ['issue-token ann --expires-in-days 36501', `${days} 36501.`],
    ['issue-token ann --expires-in-days 1.5', '--expires-in-days must be a whole number, not "1.5".'],
    ['issue-token ann --expires-in-days soon', '--expires-in-days must be a whole number, not "soon".'],
    ['issue-token ann --expires-in-days=-1', '--expires-in-days must be a whole number, not "-1".'],
    ['issue-token ann --expires-in-days 9 --never-expires', 'Give --expires-in-days or --never-expires, not both.'],
    [
      'issue-token ann --name=',
      '--name is a text without control and other invisible characters, and without white space around it.',
    ],
    [
      'issue-token ann --issuer=\n',
      '--issuer is a text without control and other invisible characters, and without white space around it.',
    ],
    ['revoke-token', prefix],
    ['revoke-token ann', prefix],
    ['revoke-token 1234567', prefix],
    [`revoke-token ${'0'.repeat(65)}`, prefix],
    ['revoke-token 12345678 87654321', prefix],
    ['revoke-token 1234567%', prefix],
    ['revoke-token 12345678', 'There is no token whose hash begins with 12345678.'],
    [
      'revoke-all-tokens',
      /^Expected the name of the database whose clients all lose their tokens: this one is "\w+"\.$/,
    ],
    ['revoke-all-tokens elsewhere', /^Expected the name of the database/],
    ['revoke-all-tokens --yes', /'--yes'.*\nUsage: revoke-all-tokens/s],
    ['revoke-tokens', oneUsername(0)],
    ['revoke-tokens nobody', 'There is no user "nobody".'],
    ['revoke-tokens ann bob', oneUsername(2)],
    ['revoke-tokens --all', /'--all'.*\nUsage: revoke-tokens <username>$/s],
    ['list-tokens ann bob', oneUsername(2)],
    ['list-tokens --ends-within-days 0', '--ends-within-days must be from 1 to 36500, not 0.'],
    ['list-tokens nobody', 'There is no user "nobody".'],
  ])('%j is told, and writes nothing', async (line, message) => {
    const error = await manage(line).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OperatorError);
    if (typeof message === 'string') expect((error as Error).message).toBe(message);
    else expect((error as Error).message).toMatch(message);
    expect(await contents()).toBe(before);
  });
});

describe('bad data for a user', () => {
  const name =
    'A username is a text without control and other invisible characters, and without white space around it.';
  test.each<[args: string[], message: string]>([
    [[''], name],
    [[' '], name],
    [[' new'], name],
    [['new\u00a0'], name],
    [['new\n'], name],
    [['ne\u0000w'], name],
    [['ne\tw'], name],
    [['ne\u007fw'], name],
    [['ne\u0085w'], name],
    [['new', '--email', ' new@example.org'], '--email must be an address such as ann@example.com.'],
    [['new', '--email', 'new@example.org\u0000'], '--email must be an address such as ann@example.com.'],
    [['new', '--email', 'ne w@example.org'], '--email must be an address such as ann@example.com.'],
  ])('create-user %j is told, and writes nothing', async (args, message) => {
    const before = await contents();
    const error = await manage('create-user', ...args).catch((error: unknown) => error);
    expect(error).toEqual(new OperatorError(message));
    expect(await contents()).toBe(before);
  });
});

/** `npm run manage -- …` in this process: what it prints, and the status that it would end with. */
async function run(databaseUrl: string, ...args: string[]) {
  vi.resetModules();
  vi.stubEnv('DATABASE_URL', databaseUrl);
  const { argv } = process;
  process.argv = [process.execPath, 'scripts/manage.ts', ...args];
  const [log, error] = (['log', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => {}));
  const linesOf = (spy: typeof log) => spy?.mock.calls.map(([line]) => `${line}\n`).join('');
  try {
    await import('../scripts/manage.ts');
    return { status: process.exitCode ?? 0, stdout: linesOf(log), stderr: linesOf(error) };
  } finally {
    process.exitCode = undefined;
    process.argv = argv;
    vi.unstubAllEnvs();
    for (const spy of [log, error]) spy?.mockRestore();
  }
}

describe('npm run manage', () => {
  const list =
    /^Commands:\n {2}migrate \[--allow-rewrite\]\n {2}create-user <username> .*\n {2}issue-token.*\nA <field> is one of --email <address>, /s;
  const listOf = (word: string) => new RegExp(list.source.replace('^', `^Unknown command "${word}"\\. `), 's');

  test.each([['--help'], ['-h'], ['help']])('lists the commands with %s, without a database', async (word) => {
    expect(await run('', word)).toEqual({ status: 0, stderr: '', stdout: expect.stringMatching(list) });
  });

  test('says how a command is used', async () => {
    const stdout = 'Usage: revoke-tokens <username>\n';
    expect(await run('', 'revoke-tokens', '--help')).toEqual({ status: 0, stderr: '', stdout });
    const fields =
      /^Usage: update-user <username> .*\nA <field> is one of --email <address>, .*\n {2}--email-verified, --active/;
    expect((await run('', 'update-user', '--help')).stdout).toMatch(fields);
  });

  test('prints what a command has to say, and leaves no connection', async () => {
    const name = 'users-api manage test';
    const url = `${database.url}&application_name=${encodeURIComponent(name)}`;
    const stdout = 'the schema is up to date\n';
    expect(await run(url, 'migrate')).toEqual({ status: 0, stderr: '', stdout });
    const count = async () => {
      const { rows } = await sql`select from pg_stat_activity where application_name = ${name}`.execute(database.db);
      return rows.length;
    };
    await expect.poll(count).toBe(0);
  });

  test('is a program, whose status and streams are these', () => {
    const spawned = (...args: string[]) => {
      const env = { ...process.env, DATABASE_URL: '' };
      return spawnSync(process.execPath, ['scripts/manage.ts', ...args], { env, encoding: 'utf8' });
    };
    expect(spawned('help')).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(list) });
    expect(spawned()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(list) });
  });

  describe('fails with a status, and says why on stderr alone,', () => {
    const missing =
      'Bad settings: DATABASE_URL is missing; it is a URL such as postgres://user:password@host:5432/database.\n';

    test.each<[what: string, args: string[], stderr: string | RegExp]>([
      ['without a command', [], list],
      ['with an unknown one', ['creat-user', 'ann'], listOf('creat-user')],
      [
        'with an unknown option',
        ['create-user', 'ann', '--emial', 'ann@example.com'],
        /'--emial'.*\nUsage: create-user/,
      ],
      ['with one in another letter case', ['create-user', 'ann', '--Admin'], /'--Admin'.*\nUsage: create-user/],
      ['with a short one', ['create-user', 'ann', '-s'], /'-s'.*\nUsage: create-user/],
      ['with half of one', ['issue-token', 'ann', '--expires', '3'], /'--expires'.*\nUsage: issue-token/],
      ['with one of no command', ['revoke-tokens', 'ann', '--all'], /'--all'.*\nUsage: revoke-tokens/],
      ['with one too many', ['list-tokens', 'ann', '--all'], /'--all'.*\nUsage: list-tokens/],
      ['with that of a role', ['create-reader', 'api', '--IAM'], /'--IAM'.*\nUsage: create-reader/],
      ['with force', ['seed-demo', '--force'], /'--force'.*\nUsage: seed-demo/],
      ['with more force', ['migrate', '--force'], /'--force'.*\nUsage: migrate/],
      ['without a database', ['issue-token', 'ann'], missing],
    ])('%s', async (_, args, stderr) => {
      const expected = typeof stderr === 'string' ? stderr : expect.stringMatching(stderr);
      expect(await run('', ...args)).toEqual({ status: 1, stdout: '', stderr: expected });
    });

    test('when a command is refused', async () => {
      const stderr = 'There is no user "nobody".\n';
      expect(await run(database.url, 'issue-token', 'nobody')).toEqual({ status: 1, stdout: '', stderr });
    });

    test('when a setting is bad, without its value', async () => {
      const stderr = missing.replace('is missing; it is', 'must be');
      expect(await run('mysql://root:hunter2@localhost/users', 'migrate')).toEqual({ status: 1, stdout: '', stderr });
    });

    test('when the database does not answer, at none of its addresses', async () => {
      const port = await findFreePort();
      const refused = (address: string) => `connect ECONNREFUSED ${address}:${port}`;
      expect(await run(`postgres://nobody@127.0.0.1:${port}/none`, 'migrate')).toEqual({
        status: 1,
        stdout: '',
        stderr: `The command failed: ${refused('127.0.0.1')}\n`,
      });
      const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
      vi.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) =>
        (args.at(-1) as (error: null, found: object) => void)(null, addresses)) as never);
      onTestFinished(() => void vi.mocked(dns.lookup).mockRestore());
      expect(await run(`postgres://nobody@db.example.com:${port}/none`, 'migrate')).toEqual({
        status: 1,
        stdout: '',
        stderr: `The command failed: ${refused('127.0.0.1')}; ${refused('127.0.0.2')}\n`,
      });
    });

    test('when the database takes the connection and says nothing', async () => {
      const silent = createServer().listen(0, '127.0.0.1');
      onTestFinished(() => void silent.close());
      await once(silent, 'listening');
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      const { port } = silent.address() as AddressInfo;
      const ended = run(`postgres://nobody@127.0.0.1:${port}/none`, 'migrate');
      const [socket] = await once(silent, 'connection');
      await vi.advanceTimersByTimeAsync(5000);
      expect(await ended).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(/^The command failed: .*timeout.*\n$/),
      });
      socket.destroy();
    });

    test('when the database refuses what it writes', async () => {
      await sql`create function refuse() returns trigger language plpgsql as 'begin raise ''not %'', new.username; end'`.execute(
        database.db,
      );
      await sql`create trigger refuse before insert on users for each row execute function refuse()`.execute(
        database.db,
      );
      onTestFinished(async () => void (await sql`drop function refuse cascade`.execute(database.db)));
      const stderr = 'The command failed: not zed\n';
      expect(await run(database.url, 'create-user', 'zed')).toEqual({ status: 1, stdout: '', stderr });
    });
  });
});

test.skipIf(!hasServer).each([
  ['', 'users-api manage'],
  ['&application_name=billing', 'billing'],
])('a connection of the operators with %j in the URL is named %s', async (option, name) => {
  const db = openForOperators(`${database.url}${option}`);
  onTestFinished(() => db.destroy());
  expect((await sql`show application_name`.execute(db)).rows).toEqual([{ application_name: name }]);
});

describe('in a database without users', () => {
  const empty = async () => void (await sql`truncate users, groups restart identity cascade`.execute(database.db));

  beforeAll(() => async () => {
    await empty();
    await writePeople(database.db);
  });

  let printed: string[];
  beforeEach(async () => {
    await empty();
    printed = await manage('seed-demo');
  });

  test('seed-demo writes the demo data once, and its key works', async () => {
    expect(printed).toEqual(['wrote 68 demo users']);
    expect(await statusOf(demoKey)).toBe(200);
    const before = await contents();
    expect(await manage('seed-demo')).toEqual(['the database has users already: nothing written']);
    expect(await contents()).toBe(before);
    expect(await manage('list-tokens keegan2255')).toEqual([
      expect.any(String),
      expect.stringMatching(/ {2}never {2}/),
    ]);
  });

  test('and the groups: one of them is empty, and the first may list users', async () => {
    const { rows } = await sql`
      select id::int, (select count(*)::int from user_groups where group_id = id) as members,
        (select array_agg(permission_code) from group_permissions where group_id = id) as permissions
      from groups order by id`.execute(database.db);
    expect(rows).toEqual([
      { id: 1, members: 33, permissions: [1222] },
      { id: 2, members: 22, permissions: null },
      { id: 3, members: 17, permissions: null },
      { id: 4, members: 13, permissions: null },
      { id: 5, members: 0, permissions: null },
    ]);
  });

  test('and users of each kind, of whom the one that the documentation shows online stays so', async () => {
    const { rows } = await sql`
      select count(*) filter (where is_active)::int as active, count(*) filter (where is_staff)::int as staff,
        count(*) filter (where is_admin)::int as admins, count(*) filter (where is_customer)::int as customers,
        (select array_agg(user_id::int) from user_presence where last_seen_at = 'infinity') as online
      from users`.execute(database.db);
    expect(rows).toEqual([{ active: 62, staff: 52, admins: 7, customers: 14, online: [2] }]);
  });

  test('and the next user gets the next id', async () => {
    expect(await manage('create-user new --admin')).toEqual(['created admin new, id 69']);
  });

  test('seed-demo writes all or nothing', async () => {
    await sql`truncate users restart identity cascade`.execute(database.db); // the groups are in its way
    const before = await contents();
    await expect(manage('seed-demo')).rejects.toThrow(/groups/);
    expect(await contents()).toBe(before);
  });
});
