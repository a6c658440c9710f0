import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Database } from '../lib/database/tables.ts';
import * as tables from '../migrations/0001-tables.ts';
import * as listing from '../migrations/0002-listing.ts';

const migrations = {
  '0001-tables': tables,
  '0002-listing': listing,
};

/** Brings the schema up to date, all or nothing, and returns the names of the migrations it ran. A lock keeps two runs apart. */
export async function migrate(db: Kysely<Database>): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) throw error;
  return results.map(({ migrationName }) => migrationName);
}
