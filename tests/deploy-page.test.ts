import { readFileSync } from 'node:fs';
import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { runCommand } from '../manage/commands.ts';
import { type PostgresServer, startPostgresServer } from '../scripts/servers/postgres-server.ts';
import { open } from './setup/place.ts';
import { loadHandler, send } from './setup/request.ts';
import { canStartServer, urlWith } from './setup/server.ts';

const page = readFileSync('docs/deploy.md', 'utf8');

/** The statements of its SQL blocks, by who runs them and where. */
const blocks = new Map(
  Array.from(page.matchAll(/^```sql\n-- as (.+)\n([^`]+)```$/gm), ([, where = '', text = '']) => [
    where,
    text.trim().split(/(?<=;)\n/),
  ]),
);

/** Who runs each, and where. */
const places = {
  start: 'the administrator, in the database postgres',
  shared: 'the administrator, in the database shop',
  iam: 'the administrator, in the database users, with IAM',
  rotation: 'the owner, in the database users, after a rotation',
  end: 'the administrator, in the database postgres, to remove everything',
};

/** What it tells the operators' function, in its order. */
const commands = Array.from(page.matchAll(/^manage '(.+)'$/gm), ([, payload = '']) => {
  const { command, args = [] }: { command: string; args?: string[] } = JSON.parse(payload);
  return [command, ...args];
});

/** As on RDS: whoever administers is no superuser. */
describe.skipIf(!canStartServer)('docs/deploy.md', () => {
  let server: PostgresServer;

  beforeEach(async () => {
    server = await startPostgresServer();
    await query(server.url, [
      'create role rds_iam',
      'create role administrator login createrole createdb',
      'grant rds_iam to administrator with admin option',
    ]);
    return () => server.remove();
  });

  /** Returns the rows of the last. */
  async function query(url: string, statements: readonly string[]): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      let rows: unknown[] = [];
      for (const statement of statements) ({ rows } = await client.query(statement));
      return rows;
    } finally {
      await client.end();
    }
  }

  const statementsOf = (where: keyof typeof places): string[] => {
    const statements = blocks.get(places[where]) ?? [];
    expect(statements).not.toEqual([]);
    return statements;
  };

  const asAdministrator = (database: string, statements: readonly string[]) =>
    query(urlWith(server.url, { username: 'administrator', database }), statements);

  const ownerUrlOf = (database: string) => urlWith(server.url, { username: 'users_owner', database });

  async function expectAnswer(readerUrl: string, key: string): Promise<void> {
    const { status, text, json } = await send(await loadHandler(readerUrl), { query: 'limit=1', key });
    expect(status, text).toBe(200);
    expect(json()).toMatchObject({ count: 1, results: [{ username: 'ann' }] });
  }

  /** What the operators' function runs, as the owner; then a request with the key that it has printed last. */
  async function expectSetup(database: string, leftOut?: string): Promise<void> {
    const db = open(ownerUrlOf(database));
    let output: string[] = [];
    for (const words of commands) {
      output = await runCommand(
        db,
        words.filter((word) => word !== leftOut),
      );
    }
    await expectAnswer(urlWith(ownerUrlOf(database), { username: 'users_api' }), output[0] ?? '');
  }

  test('leads from nothing to an answer, and through a rotation', async () => {
    await asAdministrator('postgres', statementsOf('start'));
    await asAdministrator('users', statementsOf('iam'));
    await expectSetup('users');

    const db = open(ownerUrlOf('users'));
    await runCommand(db, ['create-reader', 'users_api_b']);
    await query(ownerUrlOf('users'), statementsOf('rotation'));
    const [key = ''] = await runCommand(db, ['issue-token', 'ann']);
    await expectAnswer(urlWith(ownerUrlOf('users'), { username: 'users_api_b' }), key);
  });

  test('leads to an answer in a database of other programs, with an owner who keeps its password', async () => {
    const [createRole = '', grantRole = ''] = statementsOf('start');
    await asAdministrator('postgres', [
      createRole,
      grantRole,
      'create database shop',
      'revoke connect on database shop from public',
    ]);
    await asAdministrator('shop', ['create table users (id int)', ...statementsOf('shared')]);
    await expectSetup('shop', '--iam');
    const statement = 'grant rds_iam to users_api';
    expect(page).toContain(`\`${statement}\``);
    await asAdministrator('shop', [statement]);
  });

  test('leads back to nothing', async () => {
    await asAdministrator('postgres', statementsOf('start'));
    const db = open(ownerUrlOf('users'));
    await runCommand(db, ['migrate']);
    await runCommand(db, ['create-reader', 'users_api']);
    await db.destroy();
    await asAdministrator('postgres', statementsOf('end'));
    expect(await asAdministrator('postgres', ["select from pg_roles where rolname like 'users%'"])).toEqual([]);
    expect(await asAdministrator('postgres', ["select from pg_database where datname = 'users'"])).toEqual([]);
  });

  test('has no other SQL', () => {
    expect(Array.from(blocks.keys()).sort()).toEqual(Object.values(places).sort());
    expect(page.match(/^```sql$/gm)).toHaveLength(blocks.size);
  });
});
