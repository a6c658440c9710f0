import { type Kysely, sql } from 'kysely';
import type { Database } from '../lib/database/tables.ts';
import { OperatorError } from './operator-error.ts';

/** The schema of the product's tables, there or yet to be made: of those in `search_path` the first that exists and this role may use. */
export async function readSchema(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ schema: string | null; path: string }>`
    select current_schema() as schema, current_setting('search_path') as path`.execute(db);
  const { schema = null, path = '' } = rows[0] ?? {};
  if (schema !== null) return schema;
  throw new OperatorError(
    [
      `Expected a schema for the tables: of search_path (${path}) none exists that this role may use.`,
      'Create one (create schema …), or set search_path to another: by alter role … set search_path = …, alter database … set search_path = …,',
      'or at the end of DATABASE_URL by ?options=-csearch_path%3D…',
    ].join('\n'),
  );
}

export async function readDatabaseName(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  return rows[0]?.name ?? '';
}

/** Throws where that schema has no tables of ours: of the same names in a later schema of `search_path` are another program's. */
export async function requireTables(db: Kysely<Database>): Promise<void> {
  const schema = await readSchema(db);
  // Not by users, which another program may have in this schema, and not by the migrations' own table, which not each operator may read.
  const { rows } = await sql`select from pg_tables where schemaname = ${schema} and tablename = 'auth_tokens'`.execute(
    db,
  );
  if (rows.length === 0) throw notMigrated(schema);
}

/** For an operator who has still to run `migrate`. */
export function notMigrated(schema: string): OperatorError {
  return new OperatorError(
    `The schema "${schema}" is not migrated. First: npm run migrate, or the command migrate of the function.`,
  );
}
