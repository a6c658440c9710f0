import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Database } from '../lib/database/tables.ts';
import * as tables from '../migrations/0001-tables.ts';
import * as search from '../migrations/0002-search.ts';
import * as listing from '../migrations/0003-listing.ts';
import { notMigrated, readSchema } from './schema.ts';

const migrations = {
  '0001-tables': tables,
  '0002-search': search,
  '0003-listing': listing,
};

/**
 * Brings the first schema of `search_path` up to date, all or nothing, and returns the names of the migrations it ran. A lock keeps two runs
 * apart.
 */
export async function migrate(db: Kysely<Database>): Promise<string[]> {
  const migrator = toMigrator(db, await readSchema(db));
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) throw error;
  return results.map(({ migrationName }) => migrationName);
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
