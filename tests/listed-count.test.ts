import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Database } from '../lib/schema.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { findPostgres } from '../scripts/postgres-server.ts';
import { hasServer, openTestDatabase } from './database.ts';
import { loadHandler, send } from './request.ts';

const database = await openTestDatabase();
const { db } = database;

/** By the triggers, and by the index. */
async function counts(of: Kysely<Database> = db): Promise<{ kept: number; rows: number; listed: number }> {
  const { rows } = await sql<{ kept: number; rows: number; listed: number }>`
    select (select coalesce(sum(count), 0)::int from listed_counts) as kept, (select count(*)::int from listed_counts) as rows,
           (select count(*)::int from users where list_flags is not null) as listed`.execute(of);
  return rows[0] as { kept: number; rows: number; listed: number };
}

let before: number;
beforeEach(async () => {
  before = (await counts()).listed;
});

/** How many more are listed now; the kept count must say the same. */
async function difference(): Promise<number> {
  const { kept, listed } = await counts();
  expect(kept).toBe(listed);
  return listed - before;
}

/** In one statement, that many names. */
const insert = (names: string, kind: 'customer' | 'staff' | 'admin', trx: Kysely<Database> = db) =>
  trx
    .insertInto('users')
    .values(names.split(' ').map((username) => ({ username, is_staff: kind === 'staff', is_admin: kind === 'admin' })))
    .execute();

/** Staff, a statement each: more than it takes until rows are merged. */
const insertOneByOne = (prefix: string, trx: Kysely<Database> = db) =>
  sql`
    do ${sql.raw(`$$ begin
      for n in 1..600 loop insert into users (username, is_staff) values ('${prefix}' || n, true); end loop;
    end $$`)}`.execute(trx);

test('is that of the users who were there when it was migrated', async () => {
  expect(before).toBeGreaterThan(0);
  expect(await difference()).toBe(0);
});

describe('follows', () => {
  test('who is inserted, customers left out', async () => {
    await insert('i1 i2 i3', 'customer');
    expect(await difference()).toBe(0);
    await insert('i4 i5', 'staff');
    await insert('i6', 'admin');
    expect(await difference()).toBe(3);
  });

  test('who becomes staff, ceases to be, or is something else of the two', async () => {
    await insert('u1 u2', 'customer');
    const change = (username: string, values: { is_staff?: boolean; is_admin?: boolean; email?: string }) =>
      db.updateTable('users').set(values).where('username', '=', username).execute();
    await change('u1', { is_staff: true });
    await change('u2', { email: 'u2@example.com' });
    expect(await difference()).toBe(1);
    await change('u1', { is_staff: false, is_admin: true });
    expect(await difference()).toBe(1);
    await change('u1', { is_admin: false });
    expect(await difference()).toBe(0);
  });

  test('an insert that turns out to be an update', async () => {
    await insert('c1', 'customer');
    await sql`
      insert into users (username, is_staff) values ('c1', true), ('c2', true)
      on conflict (username) do update set is_staff = excluded.is_staff`.execute(db);
    expect(await difference()).toBe(2);
  });

  test('who is deleted', async () => {
    await insert('d1 d2', 'staff');
    await insert('d3', 'customer');
    await db.deleteFrom('users').where('username', 'in', ['d1', 'd3']).execute();
    expect(await difference()).toBe(1);
  });

  test('what is taken back', async () => {
    await db
      .transaction()
      .execute(async (trx) => {
        await insert('r1', 'staff', trx);
        throw new Error('taken back');
      })
      .catch(() => {});
    expect(await difference()).toBe(0);
  });

  test('hundreds at once, in one row', async () => {
    const { rows } = await counts();
    await sql`insert into users (username, is_staff) select 'many' || n, n % 2 = 0 from generate_series(1, 1000) n`.execute(
      db,
    );
    expect(await difference()).toBe(500);
    expect((await counts()).rows).toBe(rows + 1);
    await db.deleteFrom('users').where('username', 'like', 'many%').execute();
    expect(await difference()).toBe(0);
  });

  test('hundreds one by one, in rows that do not grow with them', async () => {
    await insertOneByOne('single');
    await insertOneByOne('another');
    expect(await difference()).toBe(1200);
    expect((await counts()).rows).toBeLessThanOrEqual(500);
  });

  test('nobody, in no row', async () => {
    const { rows } = await counts();
    await db.deleteFrom('users').where('username', '=', 'nobody').execute();
    await sql`insert into users (username, is_staff) select 'nobody', true where false`.execute(db);
    await db.updateTable('users').set({ is_staff: true }).where('is_staff', '=', true).execute();
    expect(await difference()).toBe(0);
    expect((await counts()).rows).toBe(rows);
  });
});

describe('of the list', () => {
  const unseen = async (change: string) => {
    await db.transaction().execute(async (trx) => {
      await sql`set local session_replication_role = replica`.execute(trx); // as a restore does
      await sql.raw(change).execute(trx);
    });
  };
  const lines: Record<string, unknown>[] = [];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(line));
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test('is the kept one when it was right a moment ago, and is counted again after a minute', async () => {
    const handler = await loadHandler(database.url);
    const countOf = async (query = '') => (await send(handler, { query })).json().count;
    expect(await countOf()).toBe(before);
    await unseen(`insert into users (username, is_staff) values ('unseen', true)`);
    expect(await countOf()).toBe(before);
    expect(await countOf('id_min=1')).toBe(before + 1);
    expect(lines.some((line) => 'keptCount' in line)).toBe(false);

    vi.setSystemTime(Date.now() + 60_001);
    expect(await countOf('ordering=email&limit=3')).toBe(before + 1);
    expect(await countOf('offset=1000')).toBe(before + 1);
    expect(lines.slice(-2)).toMatchObject([{ keptCount: before }, { keptCount: before }]);

    expect(await runCommand(db, ['recount'])).toEqual([`${before + 1} users are listed; the kept count was ${before}`]);
    expect(await countOf()).toBe(before + 1);
    expect(lines.at(-1)).not.toHaveProperty('keptCount');
    expect(await difference()).toBe(1);
  });

  test('is never a wrong one on an instance that has not compared it', async () => {
    await unseen(`delete from users where username = 'unseen'`);
    expect((await send(await loadHandler(database.url))).json().count).toBe(before - 1);
    await runCommand(db, ['recount']);
    expect(await difference()).toBe(-1);
  });
});

test('recount has no arguments', async () => {
  await expect(runCommand(db, ['recount', 'now'])).rejects.toThrow('Usage: recount');
});

/** What needs more than the one connection of PGlite. */
describe.skipIf(!hasServer)('on a server', () => {
  test('who writes staff waits for nobody who does, and is not waited for', async () => {
    const other = openForOperators(database.url);
    await db.transaction().execute(async (trx) => {
      await insertOneByOne('slow', trx);
      await other.transaction().execute(async (quick) => {
        await sql`set local lock_timeout = '1s'`.execute(quick);
        await insertOneByOne('quick', quick);
      });
      await insertOneByOne('slower', trx);
    });
    expect(await difference()).toBe(1800);
    await other.destroy();
  });

  test.each(['repeatable read', 'serializable'] as const)('a %s writer is not failed by it', async (level) => {
    const other = openForOperators(database.url);
    await other
      .transaction()
      .setIsolationLevel(level)
      .execute(async (trx) => {
        await trx.selectFrom('groups').select('id').execute(); // takes the snapshot
        await insertOneByOne(`${level} a`, db);
        await insertOneByOne(`${level} b`, trx);
      });
    expect(await difference()).toBe(1200);
    await other.destroy();
  });

  test('a program that may write users alone, with a search_path of its own, counts as well', async () => {
    const writer = `users_api_writer_${process.pid}`;
    await sql`create role ${sql.id(writer)}`.execute(db);
    await sql`grant insert on users to ${sql.id(writer)}`.execute(db);
    await db.transaction().execute(async (trx) => {
      await sql`set local role ${sql.id(writer)}`.execute(trx);
      await sql`create temporary table listed_counts (count integer) on commit drop`.execute(trx);
      await sql`set local search_path = pg_temp`.execute(trx);
      await sql`insert into public.users (username, is_staff) values ('by writer', true)`.execute(trx);
    });
    expect(await difference()).toBe(1);
    await sql`drop owned by ${sql.id(writer)}`.execute(db);
    await sql`drop role ${sql.id(writer)}`.execute(db);
  });

  test('a dump that is restored has it, and goes on', async () => {
    const { kept } = await counts();
    const bin = findPostgres() as string;
    const dump = execFileSync(join(bin, 'pg_dump'), ['--no-owner', database.url], { maxBuffer: 2 ** 28 });
    const restored = await openTestDatabase();
    await sql`drop schema public cascade`.execute(restored.db);
    await sql`create schema public`.execute(restored.db);
    execFileSync(join(bin, 'psql'), ['--quiet', '--set=ON_ERROR_STOP=1', restored.url], { input: dump, stdio: 'pipe' });
    await insert('after', 'staff', restored.db);
    expect(await counts(restored.db)).toMatchObject({ kept: kept + 1, listed: kept + 1 });
  });

  test('truncate leaves none', async () => {
    await sql`truncate users cascade`.execute(db);
    expect(await counts()).toEqual({ kept: 0, rows: 0, listed: 0 });
  });
});
