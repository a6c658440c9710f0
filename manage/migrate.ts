import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from 'kysely/migration';
import { keepsConnection, kindOf } from '../lib/database/faults.ts';
import type { Database } from '../lib/database/tables.ts';
import { guardCaller } from './adopt/guard.ts';
import { inTurn, longWaitMs, withLocks } from './locks.ts';
import { requireNoDjango, requireNoOther, requireNoRewrite, requireUtf8 } from './migrate-refusals.ts';
import { migrations } from './migrations.ts';
import { OperatorError } from './operator-error.ts';
import { isAdopted, notMigrated, readSchema } from './schema.ts';

/** `migrate [--allow-rewrite]`. Says what it ran. */
export async function migrateCommand(db: Kysely<Database>, args: string[]): Promise<string[]> {
  const { values } = parseArgs({ args, options: { 'allow-rewrite': { type: 'boolean', default: false } } });
  const { ran, unknown } = await migrate(db, { mayRewrite: values['allow-rewrite'] });
  if (ran.length > 0 && (await isAdopted(db))) await guardCaller(db);
  if (unknown.length > 0)
    return [`the schema is newer than this version, which runs with it: it has ${unknown.join(', ')} as well`];
  return ran.length > 0 ? ran.map((name) => `migrated ${name}`) : ['the schema is up to date'];
}

const connectionLost =
  'The connection to the database was lost meanwhile. Each migration is there whole or not at all; run the same again, and it goes on.';

/** The names of the migrations that it ran, be it again, and of those that a later version has run. */
export type Migrated = { ran: string[]; unknown: string[] };

/**
 * Brings the first schema of `search_path` up to date, each migration whole or not at all. Two runs take turns. Refuses a database that could
 * not hold the names, and what would keep a large table from its users, unless it may.
 */
export async function migrate(db: Kysely<Database>, { mayRewrite = false } = {}): Promise<Migrated> {
  await requireUtf8(db);
  const schema = await readSchema(db);
  const migrated = await db
    .connection()
    .execute((connection) => inTurn(connection, () => runPending(connection, schema, mayRewrite)))
    .catch((error: unknown) => {
      throw isConnectionLost(error) ? new OperatorError(connectionLost) : error;
    });
  if (migrated.ran.length > 0) await vacuumUsers(db);
  return migrated;
}

/** Kysely's own word is of the rollback, which it tries when the connection is gone, and which hides the cause. */
const isConnectionLost = (error: unknown): boolean =>
  (kindOf(error) === 'passing' && !keepsConnection(error)) ||
  (error instanceof Error && error.message === 'Postgres connection has been discarded');

async function runPending(connection: Kysely<Database>, schema: string, mayRewrite: boolean): Promise<Migrated> {
  const { pending, unknown } = await readState(connection, schema);
  requireNoOther(pending, unknown, schema);
  if (pending.length === Object.keys(migrations).length) await requireNoDjango(connection, schema);
  if (!mayRewrite) await requireNoRewrite(connection, pending);
  const migrator = toMigrator(connection, schema);
  for (const name of pending) {
    const disableTransactions = migrations[name]?.outsideTransaction === true;
    const run = async () => {
      const { error } = await migrator.migrateTo(name, { disableTransactions });
      if (error) throw error;
    };
    await withLocks(connection, run, disableTransactions ? { waitMs: longWaitMs } : {});
  }
  const outdated = await listOutdated(connection, pending);
  // Of a later version they may be others by now.
  if (outdated.length > 0 && unknown.length > 0) throw new OperatorError(renamedAndNewer(schema, unknown));
  for (const { up } of outdated) await connection.transaction().execute(up);
  return { ran: [...pending, ...outdated.map(({ name }) => name)], unknown };
}

/** Those that have been run, and that a change of the database itself has put out of step. */
async function listOutdated(db: Kysely<Database>, pending: string[]): Promise<{ name: string; up: Migration['up'] }[]> {
  const outdated = [];
  for (const [name, { up, isOutdated }] of Object.entries(migrations)) {
    if (!pending.includes(name) && (await isOutdated?.(db))) outdated.push({ name, up });
  }
  return outdated;
}

const renamedAndNewer = (schema: string, unknown: string[]) =>
  `The schema "${schema}" has been given another name, and is newer than this version: it has ${unknown.join(', ')}. Migrate with the version that knows them.`;

/** Which of ours are still to be run, and which have been run that are not ours. */
async function readState(db: Kysely<Database>, schema: string): Promise<{ pending: string[]; unknown: string[] }> {
  const known = await toMigrator(db, schema).getMigrations();
  const pending = known.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
  if (pending.length === known.length) return { pending, unknown: [] };
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.id(schema, DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
  return { pending, unknown: rows.map(({ name }) => name).filter((name) => !Object.hasOwn(migrations, name)) };
}

/**
 * Of a table that was rewritten nothing is in the visibility map, and nothing is known of new columns. Autovacuum goes by what was written
 * since the last time, and may never come.
 */
export async function vacuumUsers(db: Kysely<Database>): Promise<void> {
  await sql`vacuum (analyze) users`.execute(db);
}

/** Returns the schema; throws where a migration is still to be run in it. */
export async function requireMigrated(db: Kysely<Database>): Promise<string> {
  const schema = await readSchema(db);
  const { pending } = await readState(db, schema);
  if (pending.length > 0 || (await listOutdated(db, pending)).length > 0) throw await notMigrated(db, schema);
  return schema;
}

/** With the schema's name, or it takes a `kysely_migration` of any other schema for its own. */
function toMigrator(db: Kysely<Database>, migrationTableSchema: string): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations }, migrationTableSchema });
}
