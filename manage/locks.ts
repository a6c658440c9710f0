import { setTimeout } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';

/** Whoever asks for a table meanwhile waits as long as a command waits for those who use it. */
const lockTimeoutMs = 2000;

/** Of what others pass by while it waits, as they do an index that is made concurrently: a try that is given up has read the table in vain. */
export const longWaitMs = 600_000;

/** Between one try and the next, in which the others go on. */
const pausesMs = [1000, 2000, 4000, 8000, 15_000, 30_000];

/**
 * Runs what locks tables, and runs it again where others held one for too long. `connection` is one alone, for its settings are changed.
 * Throws an OperatorError that says who holds what.
 */
export async function withLocks<Result>(
  connection: Kysely<Database>,
  run: () => Promise<Result>,
  { waitMs = lockTimeoutMs, pauses = pausesMs } = {},
): Promise<Result> {
  await sql`set lock_timeout = ${sql.lit(waitMs)}`.execute(connection);
  try {
    for (const pause of pauses) {
      try {
        return await run();
      } catch (error) {
        if (!isLocked(error)) throw error;
      }
      await setTimeout(pause);
    }
    return await run().catch(async (error: unknown) => {
      throw isLocked(error) ? new OperatorError(await describeHolders(connection, pauses.length + 1)) : error;
    });
  } finally {
    // Of a connection that is lost the cause is the error to tell.
    await sql`reset lock_timeout`.execute(connection).catch(() => {});
  }
}

/** A lock was not to be had in time, or two waited for each other. */
const isLocked = (error: unknown): boolean => ['55P03', '40P01'].includes((error as { code?: string }).code ?? '');

type Holder = {
  pid: number;
  role: string | null;
  program: string;
  tables: string | null;
  state: string;
  since: string;
};

/** Of whom the server tells a role without pg_read_all_stats: the process, the role and the program. */
async function describeHolders(db: Kysely<Database>, tries: number): Promise<string> {
  const { rows } = await sql<Holder>`
    select pid, usename as role, coalesce(application_name, '') as program, string_agg(distinct relname, ', ') as tables,
      coalesce(state, 'unknown') as state, coalesce(date_trunc('second', now() - xact_start)::text, 'unknown') as since
    from pg_locks
      join pg_stat_activity using (pid)
      left join pg_class on locktype = 'relation' and pg_class.oid = relation and relkind = 'r' and relnamespace = current_schema()::regnamespace
    where datname = current_database() and granted and pid <> pg_backend_pid() and locktype in ('relation', 'virtualxid')
    group by pid, usename, application_name, state, xact_start
    order by string_agg(relname, '') is null, xact_start nulls last limit 3`.execute(db);
  return [
    `Others hold locks, and ${tries} tries were in vain. What was done before stays; run the same again when they have ended:`,
    ...rows.map(
      ({ pid, role, program, tables, state, since }) =>
        `  process ${pid}: role ${role}, program "${program}", ${state}, its transaction ${since} old, has locked ${tables ?? 'no table of these'}`,
    ),
    'To end one: select pg_terminate_backend(<process>).',
  ].join('\n');
}

/** Kysely's lock on migrations, of its PostgresAdapter. */
const migrationLock = sql.lit('3853314791062309107');

/**
 * Runs it when no other session migrates. Kysely would wait in a statement, and for each statement waits whoever makes an index concurrently:
 * neither would go on. Throws an OperatorError that says who has the turn for too long.
 */
export async function inTurn<Result>(
  connection: Kysely<Database>,
  run: () => Promise<Result>,
  { mostMs = 600_000 } = {},
): Promise<Result> {
  const end = Date.now() + mostMs;
  while (!(await tryLock(connection))) {
    if (Date.now() > end) throw new OperatorError(await describeTurn(connection));
    await setTimeout(200);
  }
  try {
    return await run();
  } finally {
    // Whose connection is lost has lost the lock with it.
    await sql`select pg_advisory_unlock(${migrationLock})`.execute(connection).catch(() => {});
  }
}

async function tryLock(connection: Kysely<Database>): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_lock(${migrationLock}) as locked`.execute(
    connection,
  );
  return rows[0]?.locked === true;
}

async function describeTurn(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<Pick<Holder, 'pid' | 'role' | 'program'>>`
    select pid, usename as role, coalesce(application_name, '') as program
    from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())
      and (classid::bigint << 32) | objid::bigint = ${migrationLock}::bigint`.execute(db);
  return [
    'Another session has had the turn to migrate for too long. Nothing was changed. Try again when it has ended:',
    ...rows.map(({ pid, role, program }) => `  process ${pid}: role ${role}, program "${program}"`),
    'To end it: select pg_terminate_backend(<process>).',
  ].join('\n');
}
