import { spawnSync } from 'node:child_process';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashKey } from '../lib/auth.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { runCommand } from '../manage/commands.ts';
import { demoKey } from '../manage/demo.ts';
import { OperatorError } from '../manage/operator-error.ts';
import { openTestDatabase, type TestDatabase } from './setup/database.ts';
import { keys, people } from './setup/people.ts';
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

describe('issue-token', () => {
  test('prints a key that works from then on, and keeps but its hash', async () => {
    await manage('create-user kim --staff --grant 1222');
    const [key = '', ...rest] = await manage('issue-token kim');
    expect(key).toMatch(/^[0-9a-f]{40}$/);
    expect(rest).toEqual([]);
    expect(await statusOf(key)).toBe(200);
    const all = await contents();
    expect(all).not.toContain(key);
    expect(all).toContain(hashKey(key).toString('hex'));
    expect((await manage('issue-token kim'))[0]).not.toBe(key);
    expect(await statusOf(key)).toBe(200);
  });

  test('prints a key whose user still needs the permission', async () => {
    await manage('create-user leo --staff');
    expect(await statusOf((await manage('issue-token leo'))[0] as string)).toBe(403);
  });

  test.each(['1', '36500'])('--expires-in-days %s sets the end', async (days) => {
    const [key = ''] = await manage(`issue-token ann --expires-in-days ${days}`);
    expect(await statusOf(key)).toBe(200);
    const row = await database.db
      .selectFrom('auth_tokens')
      .where('token_hash', '=', hashKey(key))
      .select(sql<boolean>`expires_at = created_at + make_interval(days => ${Number(days)})`.as('is_exact'))
      .executeTakeFirstOrThrow();
    expect(row.is_exact).toBe(true);
  });
});

test('list-tokens shows when tokens end, and nothing that opens a door', async () => {
  const lines = await manage('list-tokens ann');
  const prefix = (key: string) => hashKey(key).toString('hex').slice(0, 8);
  expect(lines[0]).toBe('hash      created (UTC)     expires (UTC)');
  expect(lines).toContainEqual(
    expect.stringMatching(new RegExp(`^${prefix(keys.ann)}  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d  never$`)),
  );
  expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${prefix(keys.expired)}  .{16}  2020-01-01 00:00$`)));
  expect(lines.join('\n')).not.toContain(keys.ann);
  expect(lines.join('\n')).not.toContain(hashKey(keys.ann).toString('hex'));
  expect(await manage('list-tokens fay_x')).toHaveLength(1);
});

test.each([
  ['infinity', 'infinity', 200],
  ['-infinity', '-infinity', 401],
  ['0044-03-15 12:00:00+00 BC', '0044-03-15 12:00 BC', 401],
  ['12000-01-01 00:00:00+00', '12000-01-01 00:00', 200],
])('a token that expires at %s is listed so, and counts accordingly', async (expires_at, shown, status) => {
  const key = `key until ${expires_at}`.replaceAll(' ', '-');
  const { id } = people.fay;
  await database.db.deleteFrom('auth_tokens').where('user_id', '=', id).execute();
  const token = { token_hash: hashKey(key), user_id: id, created_at: expires_at, expires_at };
  await database.db.insertInto('auth_tokens').values(token).execute();
  const line = `${hashKey(key).toString('hex').slice(0, 8)}  ${shown}  ${shown}`;
  expect((await manage('list-tokens fay_x'))[1]).toBe(line);
  expect(await statusOf(key)).toBe(status);
  const query = `id_min=${id}&id_max=${id}&has_token=${status === 200}`;
  expect((await send(handler, { key: keys.ann, query })).json().count).toBe(1);
});

test("revoke-tokens ends a user's tokens and no one else's", async () => {
  expect(await manage('revoke-tokens cat')).toEqual(["revoked 2 of cat's tokens"]);
  expect(await statusOf(keys.cat)).toBe(401);
  expect(await statusOf(keys.ann)).toBe(200);
  expect(await manage('revoke-tokens cat')).toEqual(["revoked 0 of cat's tokens"]);
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

  test.each<[line: string, message: string | RegExp]>([
    ['', /^Commands:\n {2}migrate\n {2}create-user <username>/],
    ['drop-users', /^Unknown command "drop-users"\. Commands:\n {2}migrate\n/],
    ['constructor', /^Unknown command "constructor"\./],
    ['__proto__ ann', /^Unknown command "__proto__"\./],
    ['migrate now', /'now'.*\nUsage: migrate$/s],
    ['seed-demo --force', /'--force'.*\nUsage: seed-demo$/s],
    ['create-user', oneUsername(0)],
    ['create-user --admin', oneUsername(0)],
    ['create-user new user', oneUsername(2)],
    ['create-user ann', 'There is a user "ann" of that name or e-mail address already.'],
    ['create-user new --email eve@example.org', 'There is a user "eve" of that name or e-mail address already.'],
    ['create-user new --email eve', '--email must be an address such as ann@example.com.'],
    ['create-user new --email @example.org', '--email must be an address such as ann@example.com.'],
    ['create-user new --email eve@', '--email must be an address such as ann@example.com.'],
    ['create-user new --email a@b@example.org', '--email must be an address such as ann@example.com.'],
    ['create-user new --email=', '--email must be an address such as ann@example.com.'],
    ['create-user new --email EVE@Example.org', 'There is a user "eve" of that name or e-mail address already.'],
    ['create-user new --admin --staff', 'Give --admin or --staff, not both: an admin may do all that staff may.'],
    ['create-user new --grant 9', 'There is no permission 9; there are 1222.'],
    ['create-user new --grant 1222 --grant 9', 'There is no permission 9; there are 1222.'],
    ['create-user new --grant all', '--grant must be a whole number, not "all".'],
    ['create-user new --grant', /Usage: create-user/],
    ['create-user new --email', /Usage: create-user/],
    ['create-user new --password x', /'--password'.*\nUsage: create-user/s],
    ['create-user new --admin=yes', /Usage: create-user/],
    ['issue-token', oneUsername(0)],
    ['issue-token nobody', 'There is no user "nobody".'],
    ['issue-token ANN', 'There is no user "ANN".'],
    ['issue-token ann bob', oneUsername(2)],
    ['issue-token ann --expires-in-days 0', `${days} 0.`],
    ['issue-token ann --expires-in-days 36501', `${days} 36501.`],
    ['issue-token ann --expires-in-days 1.5', '--expires-in-days must be a whole number, not "1.5".'],
    ['issue-token ann --expires-in-days soon', '--expires-in-days must be a whole number, not "soon".'],
    ['issue-token ann --expires-in-days=-1', '--expires-in-days must be a whole number, not "-1".'],
    ['revoke-tokens', oneUsername(0)],
    ['revoke-tokens nobody', 'There is no user "nobody".'],
    ['revoke-tokens ann bob', oneUsername(2)],
    ['revoke-tokens --all', /'--all'.*\nUsage: revoke-tokens <username>$/s],
    ['list-tokens', oneUsername(0)],
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
  const name = 'A username is a text without control characters, and without white space around it.';
  test.each<[args: string[], message: string]>([
    [[''], name],
    [[' '], name],
    [[' new'], name],
    [['new\u00a0'], name],
    [['new\n'], name],
    [['ne\u0000w'], name],
    [['ne\tw'], name],
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

describe('npm run manage, without DATABASE_URL', () => {
  const run = (...args: string[]) => {
    const env = { ...process.env, DATABASE_URL: '' };
    return spawnSync(process.execPath, ['scripts/manage.ts', ...args], { env, encoding: 'utf8' });
  };
  const list = /Commands:\n {2}migrate\n {2}create-user <username> \[--email <address>\].*\n {2}issue-token/;

  test.each([['--help'], ['-h'], ['help']])('lists the commands with %s', (word) => {
    expect(run(word)).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(list) });
  });

  test.each([
    ['no command', []],
    ['an unknown one', ['creat-user', 'ann']],
  ])('lists the commands with %s, as a mistake', (_, args) => {
    expect(run(...args)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(list) });
  });

  test.each([
    ['create-user', 'ann', '--emial', 'ann@example.com'],
    ['create-user', 'ann', '--Admin'],
    ['create-user', 'ann', '-s'],
    ['issue-token', 'ann', '--expires', '3'],
    ['revoke-tokens', 'ann', '--all'],
    ['list-tokens', 'ann', '--all'],
    ['create-reader', 'api', '--IAM'],
    ['seed-demo', '--force'],
    ['migrate', '--force'],
  ])('%s %s %s … says which options there are', (...args) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`Unknown option .*\nUsage: ${args[0]}`));
    expect(stderr).not.toContain('DATABASE_URL');
  });

  test('says how a command is used', () => {
    const stdout = 'Usage: issue-token <username> [--expires-in-days <number>]\n';
    expect(run('issue-token', '--help')).toMatchObject({ status: 0, stderr: '', stdout });
  });

  test('says in one line that a command needs it', () => {
    expect(run('issue-token', 'ann')).toMatchObject({
      status: 1,
      stderr:
        'Bad settings: DATABASE_URL is missing; it is a URL such as postgres://user:password@host:5432/database.\n',
    });
  });
});

describe('in a database without users', () => {
  beforeAll(async () => {
    await sql`truncate users, groups restart identity cascade`.execute(database.db);
  });

  test('seed-demo writes the demo data once, and its key works', async () => {
    expect(await manage('seed-demo')).toEqual(['wrote 68 demo users']);
    expect(await statusOf(demoKey)).toBe(200);
    const before = await contents();
    expect(await manage('seed-demo')).toEqual(['the database has users already: nothing written']);
    expect(await contents()).toBe(before);
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
