import { sql } from 'kysely';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { openForOperators } from '../manage/database.ts';
import { migrate } from '../manage/migrate.ts';
import type { PostgresServer } from '../scripts/servers/postgres-server.ts';
import { openTestDatabase } from './setup/database.ts';
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
  let manage: Manage;

  beforeAll(async () => {
    ({ url } = await openTestDatabase());
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
    [{ command: 'issue-token', args: [1] }, /^Expected/],
    [{ command: 'migrate', arguments: [] }, /^Expected/],
    [{ version: '2.0', rawPath: '/', headers: {}, requestContext: {} }, /^Expected/],
  ])('answers %j with what is wrong', async (event, message) => {
    const { ok, output } = await manage(event);
    expect(ok).toBe(false);
    expect(output[0]).toMatch(message);
  });

  test('logs the command and not its arguments', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    await manage({ command: 'list-tokens', args: ['ann'] });
    await manage({ command: 'list-tokens', args: ['hunter2'] });
    expect(lines.mock.calls).toEqual([[{ ok: true, command: 'list-tokens' }], [{ ok: false }]]);
    lines.mockRestore();
  });

  test('fails when migrate does not run, so that a deployment stops', async () => {
    await expect(manage({ command: 'migrate', args: ['now'] })).rejects.toThrow(/'now'.*\nUsage: migrate$/s);
  });

  test('fails when the database does, so that a deployment stops, and quotes no data', async () => {
    const lost = await loadManage('postgres://nobody:hunter2@127.0.0.1:1/none');
    await expect(lost({ command: 'migrate' })).rejects.toThrow(/^The command failed: .*ECONNREFUSED/);
    await expect(manage({ command: 'issue-token', args: ['x\0hunter2'] })).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
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
    expect(ran.filter((names) => names.length > 0)).toHaveLength(1);
    await Promise.all(databases.map((db) => db.destroy()));
  });
});
