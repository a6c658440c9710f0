import { inspect } from 'node:util';
import { type Kysely, sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hashKey } from '../lib/auth.ts';
import type { Database } from '../lib/database/tables.ts';
import { openForOperators } from '../manage/database.ts';
import { migrate } from '../manage/migrate.ts';
import type { PostgresServer } from '../scripts/servers/postgres-server.ts';
import { openTestDatabase } from './setup/database.ts';
import { keys, people } from './setup/people.ts';
import { loadHandler, send } from './setup/request.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

async function loadManage(databaseUrl: string) {
  vi.resetModules();
  vi.stubEnv('DATABASE_URL', databaseUrl);
  return (await import('../handlers/manage.ts')).handler;
}

type Manage = Awaited<ReturnType<typeof loadManage>>;

describe("the operators' function", () => {
  let url: string;
  let db: Kysely<Database>;
  let manage: Manage;

  beforeAll(async () => {
    ({ url, db } = await openTestDatabase());
    manage = await loadManage(url);
  });

  test('runs a command and answers what it prints', async () => {
    expect(await manage({ command: 'migrate' })).toEqual({ ok: true, output: ['the schema is up to date'] });
    const { ok, output } = await manage({ command: 'issue-token', args: ['ann', '--expires-in-days', '1'] });
    expect(ok).toBe(true);
    expect((await send(await loadHandler(url), { key: output[0] as string })).status).toBe(200);
  });

  test.each([
    [{ command: 'issue-token', args: ['nobody'] }, /^There is no user "nobody"\.$/],
    [{ command: 'make-coffee' }, /^Unknown command "make-coffee"/],
    [{}, /^Expected \{"command"/],
    [null, /^Expected/],
    ['migrate', /^Expected/],
    [{ command: 'issue-token', args: 'ann' }, /^Expected/],
    [{ command: 'migrate', args: 'now' }, /^Expected \{"command"/],
    [{ command: 'issue-token', args: [1] }, /^Expected/],
    [{ command: 'migrate', arguments: [] }, /^Expected/],
    [{ version: '2.0', rawPath: '/', headers: {}, requestContext: {} }, /^Expected/],
  ])('answers %j with what is wrong', async (event, message) => {
    const { ok, output } = await manage(event);
    expect(ok).toBe(false);
    expect(output[0]).toMatch(message);
    expect(output.filter((line) => line.includes('\n'))).toEqual([]);
  });

  test.each([
    ['migrate', [], {}],
    ['list-tokens', ['ann'], { userIds: [people.ann.id] }],
    ['list-tokens', [], {}],
    ['issue-token', ['bob', '--name', 'hunter2'], { userIds: [people.bob.id] }],
    ['revoke-token', [hashKey(keys.cat).toString('hex', 0, 4)], { userIds: [people.cat.id] }],
    ['revoke-tokens', ['dan'], { userIds: [people.dan.id] }],
    ['create-user', ['hunter3', '--email', 'hunter3@example.org'], { userIds: [expect.any(Number)] }],
    ['update-user', ['eve', '--invited-by', 'ann', '--email', 'hunter4@example.org'], { userIds: [people.eve.id] }],
    ['delete-user', ['cy', '--confirm', 'cy'], { userIds: [people.cy.id] }],
    ['grant', ['fay_x', '1222'], { userIds: [people.fay.id] }],
    ['grant', ['--group', 'Nobody', '1222'], {}],
    ['revoke', ['fay_x', '1222'], { userIds: [people.fay.id] }],
    ['create-group', ['hunter2'], {}],
    ['add-to-group', ['gus', 'Nobody'], { userIds: [people.gus.id] }],
    ['remove-from-group', ['cat', 'Support'], { userIds: [people.cat.id] }],
  ])('logs that %s has run and on whom, and not its arguments %j', async (command, args, more) => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    onTestFinished(() => lines.mockRestore());
    const { ok } = await manage({ command, args });
    expect(ok).toBe(true);
    expect(lines.mock.calls).toEqual([[{ ok, command, ...more }]]);
  });

  test('logs that a command was refused, and nothing of it', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    onTestFinished(() => lines.mockRestore());
    await manage({ command: 'list-tokens', args: ['hunter2'] });
    await manage({ command: 'hunter2', args: [] });
    expect(lines.mock.calls).toEqual([[{ ok: false }], [{ ok: false }]]);
  });

  test('fails when migrate does not run, so that a deployment stops', async () => {
    await expect(manage({ command: 'migrate', args: ['now'] })).rejects.toThrow(
      /'now'.*\nUsage: migrate \[--allow-rewrite\]$/s,
    );
  });

  test('fails when the database does not answer, so that a deployment stops', async () => {
    const lost = await loadManage('postgres://nobody:hunter2@127.0.0.1:1/none');
    const message =
      /^The command failed: \{"name":"Error","code":"ECONNREFUSED","message":"connect ECONNREFUSED .*"\}$/;
    await expect(lost({ command: 'migrate' })).rejects.toThrow(message);
  });

  test("fails when the database refuses, and says so without the message, which quotes somebody's data", async () => {
    await sql`
      create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'no %', new.email using detail = new.username, hint = new.username; end $$`.execute(db);
    onTestFinished(async () => void (await sql`drop function refuse cascade`.execute(db)));
    await sql`create trigger refuse before insert on users for each row execute function refuse()`.execute(db);
    const refused = manage({ command: 'create-user', args: ['hunter2', '--email', 'hunter2@example.org'] });
    const error: unknown = await refused.catch((error: unknown) => error);
    // All that Lambda may log of it: its stack, its cause and its properties.
    expect(inspect(error, { depth: null })).not.toContain('hunter2');
    expect(error).toMatchObject({
      message: 'The command failed: {"name":"DatabaseError","code":"P0001","routine":"exec_stmt_raise"}',
    });
  });
});

describe.skipIf(!canStartServer)('two deployments at once', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startTestServer();
    return () => server.remove();
  });

  test('migrate one after the other: each migration runs once', async () => {
    const admin = openForOperators(server.url);
    await sql`create database fresh`.execute(admin);
    await admin.destroy();
    const databases = Array.from({ length: 4 }, () => openForOperators(urlWith(server.url, { database: 'fresh' })));
    const ran = await Promise.all(databases.map((db) => migrate(db)));
    expect(ran.filter(({ ran }) => ran.length > 0)).toHaveLength(1);
    await Promise.all(databases.map((db) => db.destroy()));
  });
});
