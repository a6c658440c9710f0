import { setTimeout } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../lib/database/tables.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { inTurn, withLocks } from '../manage/locks.ts';
import { migrate } from '../manage/migrate.ts';
import { migrations } from '../manage/migrations.ts';
import { OperatorError } from '../manage/operator-error.ts';
import { hasServer, openEmptyDatabase, type TestDatabase } from './setup/database.ts';

const names = Object.keys(migrations);

/** Runs ours up to this one as Kysely would, whatever they lock. */
async function migrateTo(db: Kysely<Database>, last: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateTo(last);
  expect(error).toBeUndefined();
}

function open({ url }: TestDatabase, parameters: Record<string, string> = {}): Kysely<Database> {
  const withParameters = new URL(url);
  for (const [name, value] of Object.entries(parameters)) withParameters.searchParams.set(name, value);
  const db = openForOperators(withParameters.href);
  onTestFinished(() => db.destroy());
  return db;
}

describe.skipIf(!hasServer)('who waits for locks', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await openEmptyDatabase('');
    await migrateTo(database.db, '0001-tables');
  });

  /** Leaves a transaction open that has run this. */
  async function hold(statement: string, place = database) {
    const db = open(place, { application_name: 'holder' });
    const trx = await db.startTransaction().execute();
    await sql.raw(statement).execute(trx);
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
    return { pid: rows[0]?.pid, release: () => trx.rollback().execute() };
  }

  const lockTokens = (db: Kysely<Database>) =>
    db.transaction().execute((trx) => sql`lock table auth_tokens in access exclusive mode`.execute(trx));

  const lockTimeoutOf = async (db: Kysely<Database>) =>
    (await sql<{ lock_timeout: string }>`show lock_timeout`.execute(db)).rows[0]?.lock_timeout;

  test('gives up after the last try, says who holds what, and keeps no setting', async () => {
    const { pid, release } = await hold('select from auth_tokens');
    await open(database)
      .connection()
      .execute(async (connection) => {
        let tries = 0;
        const run = () => {
          tries += 1;
          return lockTokens(connection);
        };
        const error = await withLocks(connection, run, { pauses: [10, 10] }).catch((error: unknown) => error);
        expect(tries).toBe(3);
        expect(error).toBeInstanceOf(OperatorError);
        expect((error as Error).message).toMatch(
          new RegExp(
            '^Others hold locks, and 3 tries were in vain.*\\n' +
              `  process ${pid}: role \\w+, program "holder", idle in transaction, its transaction 00:00:\\d\\d old, has locked auth_tokens\\n` +
              'To end one: select pg_terminate_backend\\(<process>\\)\\.$',
          ),
        );
        expect(await lockTimeoutOf(connection)).toBe('0');
      });
    await release();
  });

  test('goes on when the lock is free', async () => {
    const { release } = await hold('select from auth_tokens');
    await open(database)
      .connection()
      .execute(async (connection) => {
        const locked = withLocks(connection, () => lockTokens(connection), { pauses: [500] });
        await setTimeout(2100); // the first try is over
        await release();
        await locked;
        expect(await lockTimeoutOf(connection)).toBe('0');
      });
  });

  test('meets any other error once', async () => {
    await open(database)
      .connection()
      .execute(async (connection) => {
        const run = () => sql`select from nothing`.execute(connection);
        await expect(withLocks(connection, run)).rejects.toThrow('relation "nothing" does not exist');
        expect(await lockTimeoutOf(connection)).toBe('0');
      });
  });

  test('of the turn to migrate is told who has it, and gets it when that one has ended', async () => {
    const { pid, release } = await hold('select pg_advisory_lock(3853314791062309107)'); // as each session that migrates
    const other = open(database);
    const turn = () =>
      other.connection().execute((connection) => inTurn(connection, async () => 'done', { mostMs: 10 }));
    const error = await turn().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OperatorError);
    expect((error as Error).message).toMatch(
      new RegExp(`^Another session .*\n  process ${pid}: role \\w+, program "holder"\nTo end it: select pg_terminate`),
    );
    await sql`select pg_terminate_backend(${pid})`.execute(other);
    await release().catch(() => {});
    await expect.poll(() => turn().catch(() => 'refused')).toBe('done');
  });

  test('who loses the connection is told that the same may be run again, and it goes on', async () => {
    const place = await openEmptyDatabase('');
    const { db } = place;
    await migrateTo(db, '0001-tables');
    const { release } = await hold('lock table users in share mode', place);
    const other = open(place, { application_name: 'migrating' });
    const migrated = migrate(other).catch((error: unknown) => error);
    await expect
      .poll(
        async () =>
          (
            await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'migrating' and wait_event_type = 'Lock'`.execute(db)
          ).rows,
      )
      .toHaveLength(1);
    const error = await migrated;
    await release();
    expect(error).toBeInstanceOf(OperatorError);
    expect((error as Error).message).toMatch(/^The connection to the database was lost.* run the same again/);
    expect((await migrate(db)).ran.at(-1)).toBe('0005-indexes');
  });

  test('who migrates lets others by while somebody holds a table', async () => {
    const { release } = await hold('select from users');
    const migrated = migrate(database.db);
    const reader = open(database, { options: '-clock_timeout=3s' });
    const end = Date.now() + 5000;
    // Behind one that waited for the end of that transaction, these would wait as well, and fail.
    while (Date.now() < end) {
      await sql`select from users`.execute(reader);
      await setTimeout(20);
    }
    await release();
    expect((await migrated).ran).toEqual(names.slice(1));
  });
});

describe.skipIf(!hasServer)('an index', () => {
  test('waits for whoever has written, longer than others would wait behind it, and is not begun again', async () => {
    const database = await openEmptyDatabase('');
    await migrateTo(database.db, '0004-functions');
    const [writer, watcher] = [open(database), open(database)];
    const trx = await writer.startTransaction().execute();
    await sql`insert into users (username) values ('unfinished')`.execute(trx);
    const migrated = migrate(database.db);
    const waiting = async () =>
      (
        await sql<{ statement: string }>`
          select left(query, 25) as statement from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and now() - query_start > interval '3 seconds'`.execute(
          watcher,
        )
      ).rows;
    await expect.poll(waiting, { timeout: 20_000 }).toEqual([{ statement: 'create index concurrently' }]);
    await trx.rollback().execute();
    expect((await migrated).ran).toEqual(names.slice(4));
  });

  test('of a table that nobody has written waits for no backup', async () => {
    const database = await openEmptyDatabase('');
    await migrateTo(database.db, '0004-functions');
    const backup = await open(database).startTransaction().setIsolationLevel('repeatable read').execute();
    await sql`select from users`.execute(backup);
    expect((await migrate(database.db)).ran).toEqual(names.slice(4));
    await backup.rollback().execute();
  });
});

describe.skipIf(!hasServer)('with a million users', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await openEmptyDatabase('');
    await migrateTo(database.db, '0002-search');
    await sql`insert into users (username, is_staff) select 'u' || n, n % 20 = 0 from generate_series(1, 1000000) n`.execute(
      database.db,
    );
  }, 300_000);

  test('what keeps everybody out is not run before it was said, and nothing else does', {
    timeout: 300_000,
  }, async () => {
    const error = await runCommand(database.db, ['migrate']).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OperatorError);
    expect((error as Error).message).toMatch(
      /^0003-listing has PostgreSQL write the table users anew, \d\d+ MB: .*migrate --allow-rewrite$/s,
    );
    const { rows } =
      await sql`select from pg_attribute where attrelid = 'users'::regclass and attname = 'list_flags'`.execute(
        database.db,
      );
    expect(rows).toEqual([]);

    await migrateTo(database.db, '0003-listing');
    // As if a run had been killed in the middle of the next but one.
    const breaking = open(database, { options: '-cstatement_timeout=200' });
    await sql`create index concurrently users_list on users (id, username)`.execute(breaking).catch(() => {});
    const isValid = async () =>
      (
        await sql<{ valid: boolean }>`
          select indisvalid and indisready as valid from pg_index where indexrelid = to_regclass('users_list')`.execute(
          database.db,
        )
      ).rows[0]?.valid;
    expect(await isValid()).toBe(false);

    const other = open(database, { options: '-clock_timeout=200ms' });
    let rounds = 0;
    const ended = new AbortController();
    const others = (async () => {
      while (!ended.signal.aborted) {
        await sql`select from users where id = 1`.execute(other);
        await sql`update users set last_login = now() where id = ${1 + (rounds % 1000)}`.execute(other);
        rounds += 1;
        await setTimeout(5);
      }
    })();
    const [migrated] = await Promise.all([
      migrate(database.db).finally(() => ended.abort()),
      others, // an update that waits for a lock fails
    ]);
    expect(migrated.ran).toEqual(names.slice(3));
    expect(rounds).toBeGreaterThan(20);
    expect(await isValid()).toBe(true);
  });
});
