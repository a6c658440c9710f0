import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { readRole, readTimeLimit } from './arguments.ts';
import { requireMigrated } from './migrate.ts';
import { OperatorError } from './operator-error.ts';
import { grantReading, type Place } from './reader-grants.ts';
import { keepValuesOutOfLog } from './reader-log.ts';
import { setPassword } from './reader-password.ts';
import { requireAdmin, requireLogin, requireNoMightierRole, requireNoPower } from './reader-refusals.ts';
import { requireNoCreator, requireNoReader, requireNoWriter } from './reader-rights.ts';
import { describeOtherSettings, resetSettings } from './reader-settings.ts';
import { readDatabaseName } from './schema.ts';

/** Less than the API's own limit (QUERY_TIMEOUT_MS, 5000): the server's word comes first, ends the statement and keeps the connection. */
const defaultTimeLimitMs = '4500';

/** Of the time limit: who waits for a lock is told apart from who is slow, and a second try fits in. */
const lockShare = 0.4;

/**
 * A frozen instance keeps its connection, and around a deployment the old ones' stand beside the new ones'. The API uses none again that was idle
 * for more than four minutes; one that the server has ended all the same, of a pooler's, is replaced.
 */
const idleTimeLimit = '10min';

/** For the planner, by measurement (bench/README.md). */
export const plannerSettings = {
  // A wide page, or one deep in the list, is estimated above jit_above_cost: compiling takes longer than all the rest.
  jit: 'off',
  // Starting worker processes takes longer than they save, and many requests come at a time.
  max_parallel_workers_per_gather: '0',
  // Of SSDs and memory. At the default, of disks, the table is read in place of the listing index where most users are listed.
  random_page_cost: '1.1',
};

/**
 * Makes the database role that the API uses, or brings it up to date: SELECT on what it reads, the schema where that stands, time limits,
 * read-only transactions, settings for the planner and for the server's log.
 * It gets a new password, printed once, unless it has one already or IAM lets it in.
 */
export async function createReader(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      iam: { type: 'boolean', default: false },
      'new-password': { type: 'boolean', default: false },
      'time-limit-ms': { type: 'string', default: defaultTimeLimitMs },
    },
  });
  const role = readRole(positionals);
  const timeLimitMs = readTimeLimit(values['time-limit-ms']);
  if (values.iam && values['new-password']) throw new OperatorError('Give --iam or --new-password, not both.');

  return db.transaction().execute(async (trx) => {
    const place = await readPlace(trx);
    const isNew = !(await hasRole(trx, role));
    if (!isNew) await requireNoPower(trx, role);
    if (isNew) await sql`create role ${sql.id(role)} login`.execute(trx);
    await requireNoWriter(trx, role, place);
    await requireNoCreator(trx, role, place);
    await requireNoMightierRole(trx, role);
    await requireAdmin(trx, role);
    await requireLogin(trx, role);
    await grantReading(trx, role, place);
    await requireNoReader(trx, role, place);
    if (values['new-password']) await resetSettings(trx, role, place);
    await showTables(trx, role, place);
    const settings = {
      default_transaction_read_only: 'on',
      ...plannerSettings,
      statement_timeout: timeLimitMs,
      lock_timeout: String(Math.ceil(Number(timeLimitMs) * lockShare)),
      idle_session_timeout: idleTimeLimit,
    };
    for (const [name, value] of Object.entries(settings)) {
      await sql`alter role ${sql.id(role)} set ${sql.id(name)} = ${sql.lit(value)}`.execute(trx);
    }
    const remaining = [
      ...(await keepValuesOutOfLog(trx, role)),
      ...(await describeOtherSettings(trx, role, place, Object.keys(settings))),
    ];
    const done = `${isNew ? 'created' : 'updated'} role ${role}: reads what the API reads, for ${timeLimitMs} ms a statement at most`;
    if (values.iam) return [done, await letInByIam(trx, role), ...remaining];
    if (isNew || values['new-password']) return [done, `password: ${await setPassword(trx, role)}`, ...remaining];
    return [done, ...remaining];
  });
}

async function hasRole(db: Kysely<Database>, role: string): Promise<boolean> {
  const { rows } = await sql`select from pg_roles where rolname = ${role}`.execute(db);
  return rows.length > 0;
}

async function readPlace(db: Kysely<Database>): Promise<Place> {
  const schema = await requireMigrated(db);
  return { database: await readDatabaseName(db), schema };
}

/** The API names no schema, and the owner's `search_path` is not the role's. In this database alone: in another it may be another. */
async function showTables(db: Kysely<Database>, role: string, { database, schema }: Place): Promise<void> {
  const setting = sql`set search_path = ${sql.id(schema)}`;
  await sql`alter role ${sql.id(role)} in database ${sql.id(database)} ${setting}`.execute(db);
}

async function letInByIam(db: Kysely<Database>, role: string): Promise<string> {
  if (!(await hasRole(db, 'rds_iam'))) {
    throw new OperatorError('There is no role "rds_iam" here: IAM authentication is of RDS and Aurora.');
  }
  await requireAdmin(db, 'rds_iam');
  await sql`grant rds_iam to ${sql.id(role)}`.execute(db);
  return 'lets it in with a token of IAM: set DATABASE_IAM_AUTH=on';
}
