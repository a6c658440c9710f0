import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Database } from '../lib/database/tables.ts';
import * as tables from '../migrations/0001-tables.ts';
import * as search from '../migrations/0002-search.ts';
import * as listing from '../migrations/0003-listing.ts';
import * as functions from '../migrations/0004-functions.ts';
import { OperatorError } from './operator-error.ts';
import { notMigrated, readSchema } from './schema.ts';

const migrations = {
  '0001-tables': tables,
  '0002-search': search,
  '0003-listing': listing,
  '0004-functions': functions,
};

/**
 * Brings the first schema of `search_path` up to date, all or nothing, and returns the names of the migrations it ran. A lock keeps two runs
 * apart. Refuses a database that could not hold the names.
 */
export async function migrate(db: Kysely<Database>): Promise<string[]> {
  await requireUtf8(db);
  const migrator = toMigrator(db, await readSchema(db));
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) throw error;
  if (results.length > 0) await vacuumUsers(db);
  return results.map(({ migrationName }) => migrationName);
}

/**
 * Of a table that was rewritten nothing is in the visibility map, and nothing is known of new columns. Autovacuum goes by what was written
 * since the last time, and may never come.
 */
export async function vacuumUsers(db: Kysely<Database>): Promise<void> {
  await sql`vacuum (analyze) users`.execute(db);
}

/** PostgreSQL normalizes texts of UTF-8 alone, and by that the search folds; in SQL_ASCII it would fail with the first user of staff. */
async function requireUtf8(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ name: string; encoding: string }>`
    select current_database() as name, current_setting('server_encoding') as encoding`.execute(db);
  const { name = '', encoding = '' } = rows[0] ?? {};
  if (encoding === 'UTF8') return;
  throw new OperatorError(
    [
      `Expected a database of encoding UTF8; "${name}" is of ${encoding}, and a database keeps its encoding.`,
      `Make another (create database … encoding 'UTF8' template template0, with a locale of UTF-8 or C), and name it in DATABASE_URL.`,
    ].join('\n'),
  );
}

/** Returns the schema; throws where a migration is still to be run in it. */
export async function requireMigrated(db: Kysely<Database>): Promise<string> {
  const schema = await readSchema(db);
  const known = await toMigrator(db, schema).getMigrations();
  if (known.some(({ executedAt }) => executedAt === undefined)) throw notMigrated(schema);
  return schema;
}

/** With the schema's name, or it takes a `kysely_migration` of any other schema for its own. */
function toMigrator(db: Kysely<Database>, migrationTableSchema: string): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations }, migrationTableSchema });
}
